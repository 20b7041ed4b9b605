#include "client/mongodb_internal.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

static struct mongodb_cursor *cursor_new(struct mongodb *connection, mongoc_cursor_t *driver) {
    struct mongodb_cursor *self = memory_new(1, sizeof *self);
    self->connection = connection;
    self->driver = driver;
    return self;
}

bool mongodb_find_in(struct mongodb *self, const char *database, const char *collection,
                     const char *filter, const char *options, struct mongodb_cursor **ret_cursor,
                     struct error *err) {
    autofree_bson bson_t *which = NULL, *how = NULL;
    mongodb_begin(self);
    if (!mongodb_parse(self, filter, &which, err) || !mongodb_parse(self, options, &how, err))
        return false;
    autofree_collection mongoc_collection_t *in =
        mongoc_client_get_collection(self->client, mongodb_database(self, database), collection);
    *ret_cursor = cursor_new(self, mongoc_collection_find_with_opts(in, which, how, NULL));
    return true;
}

bool mongodb_find(struct mongodb *self, const char *collection, const char *filter,
                  const char *options, struct mongodb_cursor **ret_cursor, struct error *err) {
    return mongodb_find_in(self, NULL, collection, filter, options, ret_cursor, err);
}

struct mongodb_cursor *mongodb_collections(struct mongodb *self, const char *database) {
    mongodb_begin(self);
    mongoc_database_t *of =
        mongoc_client_get_database(self->client, mongodb_database(self, database));
    struct mongodb_cursor *cursor =
        cursor_new(self, mongoc_database_find_collections_with_opts(of, NULL));
    mongoc_database_destroy(of);
    return cursor;
}

struct mongodb_cursor *mongodb_indexes(struct mongodb *self, const char *database,
                                       const char *collection) {
    mongodb_begin(self);
    autofree_collection mongoc_collection_t *of =
        mongoc_client_get_collection(self->client, mongodb_database(self, database), collection);
    return cursor_new(self, mongoc_collection_find_indexes_with_opts(of, NULL));
}

bool mongodb_aggregate(struct mongodb *self, const char *collection, const char *pipeline,
                       struct mongodb_cursor **ret_cursor, struct error *err) {
    autofree_bson bson_t *stages = NULL;
    mongodb_begin(self);
    if (!mongodb_parse(self, pipeline, &stages, err))
        return false;
    autofree_collection mongoc_collection_t *in = mongodb_collection(self, collection);
    mongoc_cursor_t *driver =
        mongoc_collection_aggregate(in, MONGOC_QUERY_NONE, stages, NULL, NULL);
    *ret_cursor = cursor_new(self, driver);
    return true;
}

bool mongodb_cursor_next(struct mongodb_cursor *self, bool *ret_more, struct error *err) {
    free(self->json);
    self->json = NULL;
    self->document = NULL;
    self->connection->deadline = deadline_in_ms(self->connection->endpoint.request_timeout_ms);
    bson_error_t error;
    const bool more = mongoc_cursor_next(self->driver, &self->document);
    if (!more && mongoc_cursor_error(self->driver, &error))
        return mongodb_refused(self->connection, &error, err);
    *ret_more = more;
    return true;
}

const void *mongodb_cursor_bson(const struct mongodb_cursor *self, size_t *ret_length) {
    check(self->document != NULL);
    *ret_length = self->document->len;
    return bson_get_data(self->document);
}

const char *mongodb_cursor_json(struct mongodb_cursor *self) {
    check(self->document != NULL);
    if (self->json == NULL) {
        char *json = bson_as_relaxed_extended_json(self->document, NULL);
        self->json = memory_copy_string(json);
        bson_free(json);
    }
    return self->json;
}

void mongodb_cursor_free(struct mongodb_cursor *self) {
    if (self == NULL)
        return;
    mongoc_cursor_destroy(self->driver);
    free(self->json);
    free(self);
}
