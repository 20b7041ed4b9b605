#include "client/postgres.h"

#include <stdio.h>
#include <string.h>

bool postgres_ready(const struct kind_members *members,
                    const struct kind_options *options unused_parameter, struct error *err) {
    for (size_t i = 0; i < members->count; i++) {
        autofree(postgres) struct postgres *db = NULL;
        const char *user = NULL;
        if (!postgres_open(&members->endpoints[i], &db, err) ||
            !postgres_simple_value(db, "select current_user", NO_PARAMETERS, &user, err))
            return false;
    }
    return true;
}

// Only a pooler has an administration database of this name.
static bool identify_pooler(const struct endpoint *endpoint, char *buffer, size_t size) {
    struct endpoint console = *endpoint;
    console.database = "pgbouncer";
    autofree(postgres) struct postgres *db = NULL;
    const char *version = NULL;
    if (!postgres_open(&console, &db, NULL) ||
        !postgres_simple_value(db, "show version", NO_PARAMETERS, &version, NULL) ||
        version == NULL)
        return false;
    snprintf(buffer, size, "%s", version);
    return true;
}

bool postgres_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                       struct error *err) {
    autofree(postgres) struct postgres *db = NULL;
    const char *value = NULL;
    // Somebody stands between when the server sees itself at another port or address.
    if (!postgres_open(endpoint, &db, err) ||
        !postgres_simple_value(
            db, "select host(inet_server_addr()) = $1 and inet_server_port() = $2",
            PARAMETERS(parameter_text(endpoint->host), parameter_integer(endpoint->port)), &value,
            err))
        return false;
    const bool direct = value != NULL && strcmp(value, "t") == 0;
    if (!direct && identify_pooler(endpoint, buffer, size))
        return true;
    if (!postgres_simple_value(db, "show server_version", NO_PARAMETERS, &value, err))
        return false;
    // "17.6 (Debian 17.6-0+deb13u1)": the number is enough.
    snprintf(buffer, size, "PostgreSQL %.*s", (int)strcspn(value, " "), value);
    return true;
}
