// Indexes, names, and what a server can do at all.
#include "client/mongodb_internal.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool mongodb_create_index(struct mongodb *self, const char *collection, const char *keys,
                          const char *options, struct error *err) {
    autofree_bson bson_t *key = NULL, *rest = NULL;
    mongodb_begin(self);
    if (!mongodb_parse(self, keys, &key, err) || !mongodb_parse(self, options, &rest, err))
        return false;
    bson_t command = BSON_INITIALIZER, list, index;
    bson_append_utf8(&command, "createIndexes", -1, collection, -1);
    bson_append_array_begin(&command, "indexes", -1, &list);
    bson_append_document_begin(&list, "0", -1, &index);
    bson_append_document(&index, "key", -1, key);
    if (!bson_has_field(rest, "name")) {
        char *name = mongoc_collection_keys_to_index_string(key);
        bson_append_utf8(&index, "name", -1, name, -1);
        bson_free(name);
    }
    bson_concat(&index, rest);
    bson_append_document_end(&list, &index);
    bson_append_array_end(&command, &list);
    const bool made = mongodb_command(self, mongodb_database(self, NULL), &command, NULL, err);
    bson_destroy(&command);
    return made;
}

bool mongodb_drop(struct mongodb *self, const char *collection, struct error *err) {
    mongodb_begin(self);
    autofree_collection mongoc_collection_t *dropped = mongodb_collection(self, collection);
    bson_error_t error;
    return mongoc_collection_drop(dropped, &error) || mongodb_refused(self, &error, err);
}

static bool take_names(struct mongodb *self, char **found, const bson_error_t *error,
                       struct string_list *names, struct error *err) {
    if (found == NULL)
        return mongodb_refused(self, error, err);
    for (char **each = found; *each != NULL; each++)
        string_list_add(names, *each);
    bson_strfreev(found);
    string_list_sort(names);
    return true;
}

bool mongodb_list_collections(struct mongodb *self, const char *database, struct string_list *names,
                              struct error *err) {
    mongodb_begin(self);
    bson_error_t error;
    mongoc_database_t *from =
        mongoc_client_get_database(self->client, mongodb_database(self, database));
    char **found = mongoc_database_get_collection_names_with_opts(from, NULL, &error);
    mongoc_database_destroy(from);
    return take_names(self, found, &error, names, err);
}

bool mongodb_list_databases(struct mongodb *self, struct string_list *names, struct error *err) {
    mongodb_begin(self);
    bson_error_t error;
    char **found = mongoc_client_get_database_names_with_opts(self->client, NULL, &error);
    return take_names(self, found, &error, names, err);
}

// The smallest command that needs the feature; %s is a scratch collection.
static const char *const questions[] = {
    [MONGODB_TTL_INDEX] = "{\"createIndexes\": \"%s\", \"indexes\": [{\"key\": {\"at\": 1}, "
                          "\"name\": \"ttl\", \"expireAfterSeconds\": 3600}]}",
    [MONGODB_PARTIAL_INDEX] =
        "{\"createIndexes\": \"%s\", \"indexes\": [{\"key\": {\"n\": 1}, \"name\": \"partial\", "
        "\"partialFilterExpression\": {\"n\": {\"$gt\": 5}}}]}",
    [MONGODB_VALIDATOR] = "{\"create\": \"%s\", \"validator\": {\"n\": {\"$gt\": 0}}}",
    [MONGODB_COLLATION] =
        "{\"find\": \"%s\", \"collation\": {\"locale\": \"en\", \"strength\": 2}}",
    [MONGODB_VIEW] = "{\"create\": \"%s\", \"viewOn\": \"assay_nothing\", \"pipeline\": []}",
    [MONGODB_LOOKUP] = "{\"aggregate\": \"%s\", \"cursor\": {}, \"pipeline\": [{\"$lookup\": "
                       "{\"from\": \"assay_nothing\", \"localField\": \"n\", \"foreignField\": "
                       "\"n\", \"as\": \"m\"}}]}",
    [MONGODB_CHANGE_STREAM] =
        "{\"aggregate\": \"%s\", \"cursor\": {}, \"pipeline\": [{\"$changeStream\": {}}]}",
};

static bool write_in_transaction(struct mongodb *self, mongoc_client_session_t *session,
                                 const char *scratch, bson_error_t *error) {
    autofree_collection mongoc_collection_t *into = mongodb_collection(self, scratch);
    bson_t options = BSON_INITIALIZER, document = BSON_INITIALIZER;
    bson_append_int32(&document, "n", -1, 1);
    const bool written = mongoc_client_session_append(session, &options, error) &&
                         mongoc_collection_insert_one(into, &document, &options, NULL, error) &&
                         mongoc_client_session_commit_transaction(session, NULL, error);
    bson_destroy(&options);
    bson_destroy(&document);
    return written;
}

// Transactions are asked for by a session, not by a command.
static bool try_transaction(struct mongodb *self, const char *scratch, struct error *err) {
    bson_error_t error;
    mongoc_client_session_t *session = mongoc_client_start_session(self->client, NULL, &error);
    if (session == NULL)
        return mongodb_refused(self, &error, err);
    const bool worked = mongoc_client_session_start_transaction(session, NULL, &error) &&
                        write_in_transaction(self, session, scratch, &error);
    mongoc_client_session_destroy(session);
    return worked || mongodb_refused(self, &error, err);
}

static bool ask(struct mongodb *self, enum mongodb_feature feature, const char *scratch,
                struct error *err) {
    if (feature == MONGODB_TRANSACTION)
        return try_transaction(self, scratch, err);
    const char *question = questions[feature];
    const char *place = strstr(question, "%s");
    char *command =
        memory_format("%.*s%s%s", (int)(place - question), question, scratch, place + 2);
    const bool worked = mongodb_run(self, NULL, command, NULL, err);
    free(command);
    return worked;
}

bool mongodb_supports(struct mongodb *self, enum mongodb_feature feature,
                      struct mongodb_support *ret_support, struct error *err) {
    bson_oid_t unique;
    char hex[25], scratch[64];
    bson_oid_init(&unique, NULL);
    bson_oid_to_string(&unique, hex);
    snprintf(scratch, sizeof scratch, "assay_probe_%s", hex);
    struct error said = {0};
    const bool supported = ask(self, feature, scratch, &said);
    (void)!mongodb_drop(self, scratch, NULL); // often there is nothing to drop
    const bool answered = said.domain == ERROR_SERVICE && said.code != SERVICE_ERROR_LOGIN &&
                          said.code != SERVICE_ERROR_DENIED;
    if (!supported && !answered) {
        if (err != NULL)
            *err = said;
        return false;
    }
    *ret_support = (struct mongodb_support){.supported = supported};
    if (!supported)
        snprintf(ret_support->said, sizeof ret_support->said, "%.*s",
                 (int)sizeof ret_support->said - 1, said.message);
    return true;
}
