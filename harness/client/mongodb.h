// A connection to MongoDB, or to a server that speaks its protocol (FerretDB), over libmongoc.
//
// Commands, filters and documents are JSON texts (MongoDB Extended JSON v2: {"$oid": "…"},
// {"$numberLong": "…"}, {"$binary": …}); a document may also be raw BSON bytes, byte for byte what
// the server stores. Writes ask for the majority. The endpoint's database is the default one
// ("test" when it names none).
//
// Every call ends within the endpoint's request timeout, except that the driver applies it to each
// read (head and body of a message): at worst twice the time. The connection is to this server
// alone, whatever replica set it says it belongs to. The driver's own log is kept off stderr.
//
// The driver connects again by itself after a failure. err->reference is the server's error code
// (MongoDB manual, "Error Codes"). Users are looked up in the database "admin".
//
// One thread at a time.
#pragma once

#include "base/cleanup.h"
#include "base/string_list.h"
#include "client/endpoint.h"
#include "client/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mongodb;
struct mongodb_cursor;

// Logs in and says hello, so that a wrong address or password shows here.
bool mongodb_open(const struct endpoint *endpoint, struct mongodb **ret_mongodb,
                  struct error *err) must_use;
void mongodb_close(struct mongodb *self);

// Any command: {"ping": 1}. `database` NULL: the default. *ret_reply is relaxed Extended JSON,
// borrowed until the next call; ret_reply may be NULL. Write errors inside a reply are failures.
bool mongodb_run(struct mongodb *self, const char *database, const char *command,
                 const char **ret_reply, struct error *err) must_use;

bool mongodb_insert(struct mongodb *self, const char *collection, const char *document,
                    struct error *err) must_use;
bool mongodb_insert_bson(struct mongodb *self, const char *collection, const void *bytes,
                         size_t length, struct error *err) must_use;
// Documents one after the other, as a .bson file holds them; stops at the first that is refused.
bool mongodb_insert_bson_many(struct mongodb *self, const char *collection, const void *bytes,
                              size_t length, struct error *err) must_use;
// `documents` is a JSON array; stops at the first that is refused.
bool mongodb_insert_many(struct mongodb *self, const char *collection, const char *documents,
                         uint64_t *ret_inserted, struct error *err) must_use;

// `options` as in libmongoc's find: {"sort": {"n": 1}, "limit": 5, "projection": …}; NULL: none.
bool mongodb_find(struct mongodb *self, const char *collection, const char *filter,
                  const char *options, struct mongodb_cursor **ret_cursor,
                  struct error *err) must_use;
// `database` NULL: the default.
bool mongodb_find_in(struct mongodb *self, const char *database, const char *collection,
                     const char *filter, const char *options, struct mongodb_cursor **ret_cursor,
                     struct error *err) must_use;
// `pipeline` is a JSON array of stages.
bool mongodb_aggregate(struct mongodb *self, const char *collection, const char *pipeline,
                       struct mongodb_cursor **ret_cursor, struct error *err) must_use;
// The first match as relaxed JSON, borrowed until the next call; NULL when there is none.
bool mongodb_find_one(struct mongodb *self, const char *collection, const char *filter,
                      const char **ret_document, struct error *err) must_use;
bool mongodb_count(struct mongodb *self, const char *collection, const char *filter,
                   int64_t *ret_count, struct error *err) must_use;

// Every match; `options` {"upsert": true} or NULL. ret_* may be NULL.
bool mongodb_update(struct mongodb *self, const char *collection, const char *filter,
                    const char *update, const char *options, int64_t *ret_modified,
                    struct error *err) must_use;
bool mongodb_delete(struct mongodb *self, const char *collection, const char *filter,
                    int64_t *ret_deleted, struct error *err) must_use;

// `options` {"unique": true, "name": …} or NULL: the name is then made as the server would.
bool mongodb_create_index(struct mongodb *self, const char *collection, const char *keys,
                          const char *options, struct error *err) must_use;
bool mongodb_drop(struct mongodb *self, const char *collection, struct error *err) must_use;
// Names, sorted, added to the list. `database` NULL: the default.
bool mongodb_list_collections(struct mongodb *self, const char *database, struct string_list *names,
                              struct error *err) must_use;
bool mongodb_list_databases(struct mongodb *self, struct string_list *names,
                            struct error *err) must_use;
// All that the server says of each: the answers of listCollections ({"name", "type", "options"})
// and of listIndexes ({"name", "key", …}; of a collection that is not there: none). `database`
// NULL: the default. A failure shows at the first mongodb_cursor_next.
struct mongodb_cursor *mongodb_collections(struct mongodb *self, const char *database) must_use;
struct mongodb_cursor *mongodb_indexes(struct mongodb *self, const char *database,
                                       const char *collection) must_use;

// A stream of documents, fetched in batches. *ret_more false: the end.
bool mongodb_cursor_next(struct mongodb_cursor *self, bool *ret_more, struct error *err) must_use;
// The present document, borrowed until the next one.
const void *mongodb_cursor_bson(const struct mongodb_cursor *self, size_t *ret_length);
const char *mongodb_cursor_json(struct mongodb_cursor *self);
void mongodb_cursor_free(struct mongodb_cursor *self); // before its connection

// What not every server offers. Asked of the server itself, in a scratch collection that is
// removed again: `supported`, or what it said.
enum mongodb_feature {
    MONGODB_TTL_INDEX,
    MONGODB_PARTIAL_INDEX,
    MONGODB_VALIDATOR,
    MONGODB_COLLATION,
    MONGODB_VIEW,
    MONGODB_LOOKUP,
    MONGODB_TRANSACTION,
    MONGODB_CHANGE_STREAM,
};
struct mongodb_support {
    bool supported;
    char said[512]; // the server's words when it is not
};
// false only when the question itself failed (connection trouble, not allowed).
bool mongodb_supports(struct mongodb *self, enum mongodb_feature feature,
                      struct mongodb_support *ret_support, struct error *err) must_use;

// A database that every server has for itself: admin, config, local. Pure.
bool mongodb_is_own_database(const char *name);

// The server's error code -> enum service_error; pure.
enum service_error mongodb_error_of(unsigned code);

// For kind.c.
bool mongodb_ready(const struct kind_members *members, const struct kind_options *options,
                   struct error *err) must_use;
bool mongodb_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                      struct error *err) must_use;

DEFINE_AUTOFREE(mongodb, mongodb_close);
DEFINE_AUTOFREE(mongodb_cursor, mongodb_cursor_free);
