#include "client/mongodb_internal.h"

#include <stdio.h>
#include <string.h>

#define OWN_DATABASE "assay_ready"

// Who has an account may write in the account's database only; else a database of our own.
static bool write_once(struct mongodb *self, struct error *err) {
    const bool own = self->endpoint.user == NULL || self->endpoint.database == NULL;
    const char *database = own ? OWN_DATABASE : self->endpoint.database;
    return mongodb_run(self, database,
                       "{\"insert\": \"assay_ready\", \"documents\": [{\"ready\": true}], "
                       "\"writeConcern\": {\"w\": \"majority\"}}",
                       NULL, err) &&
           mongodb_run(self, database,
                       own ? "{\"dropDatabase\": 1}" : "{\"drop\": \"assay_ready\"}", NULL, err);
}

bool mongodb_ready(const struct kind_members *members,
                   const struct kind_options *options unused_parameter, struct error *err) {
    for (size_t i = 0; i < members->count; i++) {
        autofree(mongodb) struct mongodb *db = NULL;
        if (!mongodb_open(&members->endpoints[i], &db, err) || !write_once(db, err))
            return false;
    }
    return true;
}

bool mongodb_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                      struct error *err) {
    autofree(mongodb) struct mongodb *db = NULL;
    bson_t question = BSON_INITIALIZER, answer;
    bson_append_int32(&question, "buildInfo", -1, 1);
    const bool answered =
        mongodb_open(endpoint, &db, err) && mongodb_command(db, "admin", &question, &answer, err);
    bson_destroy(&question);
    if (!answered)
        return false;
    bson_iter_t found;
    bool named = true;
    if (bson_iter_init_find(&found, &answer, "ferretdbVersion") && BSON_ITER_HOLDS_UTF8(&found)) {
        const char *version = bson_iter_utf8(&found, NULL); // "v1.24.0"
        snprintf(buffer, size, "FerretDB %s", version + strspn(version, "v"));
    } else if (bson_iter_init_find(&found, &answer, "version") && BSON_ITER_HOLDS_UTF8(&found)) {
        snprintf(buffer, size, "MongoDB %s", bson_iter_utf8(&found, NULL));
    } else {
        named = endpoint_fail(endpoint, err, ERROR_PROTOCOL, 0, NULL, "it names no version");
    }
    bson_destroy(&answer);
    return named;
}
