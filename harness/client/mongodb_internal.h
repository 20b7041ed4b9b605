// What the parts of the MongoDB client share; for mongodb*.c only.
#pragma once

#include "base/clock.h"
#include "client/mongodb.h"

#include <mongoc/mongoc.h>

struct mongodb {
    struct endpoint endpoint;
    mongoc_client_t *client;
    struct deadline deadline; // of the present request: tells a timeout from a lost connection
    char *reply;              // what the last call handed out
};

struct mongodb_cursor {
    struct mongodb *connection;
    mongoc_cursor_t *driver;
    const bson_t *document; // the driver's; NULL: none
    char *json;             // of the present document, once asked for
};

// Starts a request: its deadline, and forgets the last reply.
void mongodb_begin(struct mongodb *self);
// The driver's or the server's error as ours; false.
bool mongodb_refused(struct mongodb *self, const bson_error_t *error, struct error *err);
// From JSON; NULL (the text) gives an empty document.
bool mongodb_parse(struct mongodb *self, const char *json, bson_t **ret_document,
                   struct error *err) must_use;
// A command; false also for the write errors inside its reply. ret_reply may be NULL; else it is to
// be destroyed when (and only when) true came back.
bool mongodb_command(struct mongodb *self, const char *database, const bson_t *command,
                     bson_t *ret_reply, struct error *err) must_use;
const char *mongodb_database(const struct mongodb *self, const char *database);
mongoc_collection_t *mongodb_collection(struct mongodb *self, const char *name);

static inline void mongodb_autofree_bson(bson_t **document) {
    if (*document != NULL)
        bson_destroy(*document);
}
static inline void mongodb_autofree_collection(mongoc_collection_t **collection) {
    if (*collection != NULL)
        mongoc_collection_destroy(*collection);
}
#define autofree_bson __attribute__((cleanup(mongodb_autofree_bson)))
#define autofree_collection __attribute__((cleanup(mongodb_autofree_collection)))
