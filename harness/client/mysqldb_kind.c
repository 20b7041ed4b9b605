#include "client/mysqldb.h"

#include <stdio.h>
#include <string.h>

bool mysql_ready(const struct kind_members *members,
                 const struct kind_options *options unused_parameter, struct error *err) {
    for (size_t i = 0; i < members->count; i++) {
        autofree(mysqldb) struct mysqldb *db = NULL;
        const char *user = NULL;
        if (!mysqldb_open(&members->endpoints[i], &db, err) ||
            !mysqldb_simple_value(db, "select current_user()", NO_PARAMETERS, &user, err))
            return false;
    }
    return true;
}

bool mysql_identify(const struct endpoint *endpoint, char *buffer, size_t size, struct error *err) {
    autofree(mysqldb) struct mysqldb *db = NULL;
    const char *version = NULL; // "9.7.0", "10.11.14-MariaDB-0+deb12u2"
    if (!mysqldb_open(endpoint, &db, err) ||
        !mysqldb_simple_value(db, "select version()", NO_PARAMETERS, &version, err))
        return false;
    if (version == NULL)
        return endpoint_fail(endpoint, err, ERROR_PROTOCOL, 0, NULL, "it names no version");
    snprintf(buffer, size, "%s %.*s", strstr(version, "MariaDB") != NULL ? "MariaDB" : "MySQL",
             (int)strcspn(version, "-"), version);
    return true;
}
