#include "client/mongodb_internal.h"

#include "base/memory.h"
#include "base/secret_reveal.h"
#include "base/text.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// When it is loaded the driver makes a file for its counters in /dev/shm, named by the process,
// which would stay behind when the process is killed. The mapping works without the name.
__attribute__((constructor)) static void unlink_counters(void) {
    char name[32];
    snprintf(name, sizeof name, "/mongoc-%u", (unsigned)getpid());
    shm_unlink(name);
}

static void say_nothing(mongoc_log_level_t level unused_parameter,
                        const char *domain unused_parameter, const char *message unused_parameter,
                        void *context unused_parameter) {
}

static pthread_once_t driver_started = PTHREAD_ONCE_INIT;
static void start_driver(void) {
    mongoc_init();
    mongoc_log_set_handler(say_nothing, NULL); // its errors reach our callers as errors
}

const char *mongodb_database(const struct mongodb *self, const char *database) {
    if (database != NULL)
        return database;
    return self->endpoint.database != NULL ? self->endpoint.database : "test";
}

mongoc_collection_t *mongodb_collection(struct mongodb *self, const char *name) {
    return mongoc_client_get_collection(self->client, mongodb_database(self, NULL), name);
}

static void set_login(mongoc_uri_t *uri, const struct endpoint *endpoint) {
    if (endpoint->user == NULL)
        return;
    mongoc_uri_set_username(uri, endpoint->user);
    mongoc_uri_set_password(uri, secret_reveal(endpoint->password));
    mongoc_uri_set_auth_source(uri, "admin");
}

// A socket's path stands in a URI with its slashes as %2F (Connection String Specification).
static mongoc_uri_t *uri_of_socket(const char *path) {
    autodone(text) struct text uri = {0};
    text_append(&uri, "mongodb://");
    for (const char *at = path; *at != '\0'; at++)
        text_appendf(&uri, isalnum((unsigned char)*at) ? "%c" : "%%%02X", (unsigned char)*at);
    return mongoc_uri_new(text_string(&uri));
}

// No text with the password in it: every part is set by itself.
static mongoc_uri_t *uri_of(const struct endpoint *endpoint) {
    mongoc_uri_t *uri = endpoint_is_local(endpoint)
                            ? uri_of_socket(endpoint->host)
                            : mongoc_uri_new_for_host_port(endpoint->host, endpoint->port);
    if (uri == NULL)
        return NULL;
    set_login(uri, endpoint);
    const int connect_ms = endpoint->connect_timeout_ms;
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, connect_ms);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, connect_ms);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, endpoint->request_timeout_ms);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, true);
    // A retry would hide what the server did, and double the time.
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
    mongoc_uri_set_appname(uri, "assay");
    return uri;
}

static void ask_for_majority(struct mongodb *self) {
    mongoc_write_concern_t *majority = mongoc_write_concern_new();
    mongoc_write_concern_set_wmajority(majority, self->endpoint.request_timeout_ms);
    mongoc_client_set_write_concern(self->client, majority);
    mongoc_write_concern_destroy(majority);
}

bool mongodb_open(const struct endpoint *endpoint, struct mongodb **ret_mongodb,
                  struct error *err) {
    pthread_once(&driver_started, start_driver);
    autofree(mongodb) struct mongodb *self = memory_new(1, sizeof *self);
    endpoint_copy(&self->endpoint, endpoint);
    mongoc_uri_t *uri = uri_of(&self->endpoint);
    self->client = uri != NULL ? mongoc_client_new_from_uri(uri) : NULL;
    if (uri != NULL)
        mongoc_uri_destroy(uri);
    if (self->client == NULL)
        return endpoint_fail(endpoint, err, ERROR_CONFIGURATION, 0, NULL, "\"%s\" is no host name",
                             endpoint->host);
    mongoc_client_set_error_api(self->client, MONGOC_ERROR_API_VERSION_2);
    ask_for_majority(self);
    bson_t hello = BSON_INITIALIZER;
    bson_append_int32(&hello, "ping", -1, 1);
    self->deadline = deadline_in_ms(self->endpoint.connect_timeout_ms);
    const bool greeted = mongodb_command(self, "admin", &hello, NULL, err);
    bson_destroy(&hello);
    if (greeted)
        *ret_mongodb = TAKE(self);
    return greeted;
}

void mongodb_close(struct mongodb *self) {
    if (self == NULL)
        return;
    if (self->client != NULL)
        mongoc_client_destroy(self->client);
    free(self->reply);
    endpoint_done(&self->endpoint);
    free(self);
}

void mongodb_begin(struct mongodb *self) {
    free(self->reply);
    self->reply = NULL;
    self->deadline = deadline_in_ms(self->endpoint.request_timeout_ms);
}

bool mongodb_parse(struct mongodb *self, const char *json, bson_t **ret_document,
                   struct error *err) {
    bson_error_t error;
    *ret_document =
        json == NULL ? bson_new() : bson_new_from_json((const uint8_t *)json, -1, &error);
    return *ret_document != NULL ||
           endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_SYNTAX, NULL,
                         "not valid Extended JSON: %s: %s", error.message, json);
}

static void keep_reply(struct mongodb *self, const bson_t *document, const char **ret_reply) {
    char *json = bson_as_relaxed_extended_json(document, NULL);
    free(self->reply);
    self->reply = memory_copy_string(json);
    bson_free(json);
    *ret_reply = self->reply;
}

// {"ok": 1, "writeErrors": [{"code": 11000, "errmsg": "…"}]}: the command worked, the write did
// not.
static bool find_write_error(const bson_t *reply, bson_error_t *ret_error) {
    static const char *const places[] = {"writeErrors.0.", "writeConcernError."};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[64];
        bson_iter_t start, code, message;
        bson_snprintf(path, sizeof path, "%scode", places[i]);
        if (!bson_iter_init(&start, reply) || !bson_iter_find_descendant(&start, path, &code))
            continue;
        bson_snprintf(path, sizeof path, "%serrmsg", places[i]);
        const bool said = bson_iter_init(&start, reply) &&
                          bson_iter_find_descendant(&start, path, &message) &&
                          BSON_ITER_HOLDS_UTF8(&message);
        bson_set_error(ret_error, MONGOC_ERROR_SERVER, (uint32_t)bson_iter_as_int64(&code), "%s",
                       said ? bson_iter_utf8(&message, NULL) : "write error");
        return true;
    }
    return false;
}

bool mongodb_command(struct mongodb *self, const char *database, const bson_t *command,
                     bson_t *ret_reply, struct error *err) {
    bson_t reply;
    bson_error_t error;
    const bool worked = mongoc_client_command_with_opts(self->client, database, command, NULL, NULL,
                                                        &reply, &error) &&
                        !find_write_error(&reply, &error);
    if (worked && ret_reply != NULL) {
        bson_steal(ret_reply, &reply);
        return true;
    }
    bson_destroy(&reply);
    return worked || mongodb_refused(self, &error, err);
}

bool mongodb_run(struct mongodb *self, const char *database, const char *command,
                 const char **ret_reply, struct error *err) {
    autofree_bson bson_t *parsed = NULL;
    bson_t reply;
    mongodb_begin(self);
    if (!mongodb_parse(self, command, &parsed, err) ||
        !mongodb_command(self, mongodb_database(self, database), parsed, &reply, err))
        return false;
    if (ret_reply != NULL)
        keep_reply(self, &reply, ret_reply);
    bson_destroy(&reply);
    return true;
}

static bool insert(struct mongodb *self, const char *collection, const bson_t *document,
                   struct error *err) {
    autofree_collection mongoc_collection_t *into = mongodb_collection(self, collection);
    bson_error_t error;
    return mongoc_collection_insert_one(into, document, NULL, NULL, &error) ||
           mongodb_refused(self, &error, err);
}

bool mongodb_insert(struct mongodb *self, const char *collection, const char *document,
                    struct error *err) {
    autofree_bson bson_t *parsed = NULL;
    mongodb_begin(self);
    return mongodb_parse(self, document, &parsed, err) && insert(self, collection, parsed, err);
}

bool mongodb_insert_bson(struct mongodb *self, const char *collection, const void *bytes,
                         size_t length, struct error *err) {
    bson_t document;
    mongodb_begin(self);
    if (!bson_init_static(&document, bytes, length) ||
        !bson_validate(&document, BSON_VALIDATE_NONE, NULL))
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_SYNTAX, NULL,
                             "%zu bytes that are no BSON document", length);
    return insert(self, collection, &document, err);
}

static int64_t number_in(const bson_t *reply, const char *field) {
    bson_iter_t found;
    return bson_iter_init_find(&found, reply, field) ? bson_iter_as_int64(&found) : 0;
}

// The elements of a JSON array, each a document; the array owns their bytes.
static bool split(struct mongodb *self, const bson_t *array, bson_t **ret_documents,
                  size_t *ret_count, struct error *err) {
    bson_t *documents = memory_new(bson_count_keys(array) + 1, sizeof *documents);
    size_t count = 0;
    bson_iter_t each;
    bool proper = bson_iter_init(&each, array);
    while (proper && bson_iter_next(&each)) {
        const uint8_t *bytes = NULL;
        uint32_t length = 0;
        proper = BSON_ITER_HOLDS_DOCUMENT(&each);
        if (proper) {
            bson_iter_document(&each, &length, &bytes);
            proper = bson_init_static(&documents[count++], bytes, length);
        }
    }
    if (!proper) {
        free(documents);
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_SYNTAX, NULL,
                             "expected an array of documents");
    }
    *ret_documents = documents;
    *ret_count = count;
    return true;
}

static bool insert_list(struct mongodb *self, const char *collection, const bson_t *list,
                        size_t count, uint64_t *ret_inserted, struct error *err) {
    const bson_t **pointers = memory_new(count + 1, sizeof *pointers);
    for (size_t i = 0; i < count; i++)
        pointers[i] = &list[i];
    autofree_collection mongoc_collection_t *into = mongodb_collection(self, collection);
    bson_t reply;
    bson_error_t error;
    const bool worked = mongoc_collection_insert_many(into, pointers, count, NULL, &reply, &error);
    if (ret_inserted != NULL)
        *ret_inserted = (uint64_t)number_in(&reply, "insertedCount");
    bson_destroy(&reply);
    free(pointers);
    return worked || mongodb_refused(self, &error, err);
}

bool mongodb_insert_many(struct mongodb *self, const char *collection, const char *documents,
                         uint64_t *ret_inserted, struct error *err) {
    autofree_bson bson_t *parsed = NULL;
    bson_t *list = NULL;
    size_t count = 0;
    mongodb_begin(self);
    if (!mongodb_parse(self, documents, &parsed, err) || !split(self, parsed, &list, &count, err))
        return false;
    const bool worked = insert_list(self, collection, list, count, ret_inserted, err);
    free(list);
    return worked;
}

// The length of the document that begins here; 0: there is none.
static size_t document_length(const char *bytes, size_t left) {
    uint32_t size = 0;
    if (left < sizeof size)
        return 0;
    memcpy(&size, bytes, sizeof size);
    size = BSON_UINT32_FROM_LE(size);
    return size <= left ? size : 0;
}

// Counted first: a bson_t points into itself and cannot be moved.
static size_t count_documents(const char *bytes, size_t length) {
    size_t count = 0, size = 0;
    for (size_t at = 0; at < length && (size = document_length(bytes + at, length - at)) > 0;
         at += size)
        count++;
    return count;
}

bool mongodb_insert_bson_many(struct mongodb *self, const char *collection, const void *bytes,
                              size_t length, struct error *err) {
    const size_t count = count_documents(bytes, length);
    bson_t *list = memory_new(count + 1, sizeof *list);
    size_t at = 0;
    bool proper = true;
    mongodb_begin(self);
    for (size_t i = 0; proper && i < count; i++) {
        const size_t size = document_length((const char *)bytes + at, length - at);
        proper = bson_init_static(&list[i], (const uint8_t *)bytes + at, size) &&
                 bson_validate(&list[i], BSON_VALIDATE_NONE, NULL);
        at += size;
    }
    const bool worked =
        proper && at == length
            ? count == 0 || insert_list(self, collection, list, count, NULL, err)
            : endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_SYNTAX, NULL,
                            "%zu bytes that are no BSON documents", length);
    free(list);
    return worked;
}

bool mongodb_update(struct mongodb *self, const char *collection, const char *filter,
                    const char *update, const char *options, int64_t *ret_modified,
                    struct error *err) {
    autofree_bson bson_t *which = NULL, *what = NULL, *how = NULL;
    mongodb_begin(self);
    if (!mongodb_parse(self, filter, &which, err) || !mongodb_parse(self, update, &what, err) ||
        !mongodb_parse(self, options, &how, err))
        return false;
    autofree_collection mongoc_collection_t *in = mongodb_collection(self, collection);
    bson_t reply;
    bson_error_t error;
    const bool worked = mongoc_collection_update_many(in, which, what, how, &reply, &error);
    if (worked && ret_modified != NULL)
        *ret_modified = number_in(&reply, "modifiedCount");
    bson_destroy(&reply);
    return worked || mongodb_refused(self, &error, err);
}

bool mongodb_delete(struct mongodb *self, const char *collection, const char *filter,
                    int64_t *ret_deleted, struct error *err) {
    autofree_bson bson_t *which = NULL;
    mongodb_begin(self);
    if (!mongodb_parse(self, filter, &which, err))
        return false;
    autofree_collection mongoc_collection_t *from = mongodb_collection(self, collection);
    bson_t reply;
    bson_error_t error;
    const bool worked = mongoc_collection_delete_many(from, which, NULL, &reply, &error);
    if (worked && ret_deleted != NULL)
        *ret_deleted = number_in(&reply, "deletedCount");
    bson_destroy(&reply);
    return worked || mongodb_refused(self, &error, err);
}

bool mongodb_count(struct mongodb *self, const char *collection, const char *filter,
                   int64_t *ret_count, struct error *err) {
    autofree_bson bson_t *which = NULL;
    mongodb_begin(self);
    if (!mongodb_parse(self, filter, &which, err))
        return false;
    autofree_collection mongoc_collection_t *in = mongodb_collection(self, collection);
    bson_error_t error;
    const int64_t count = mongoc_collection_count_documents(in, which, NULL, NULL, NULL, &error);
    if (count < 0)
        return mongodb_refused(self, &error, err);
    *ret_count = count;
    return true;
}

bool mongodb_find_one(struct mongodb *self, const char *collection, const char *filter,
                      const char **ret_document, struct error *err) {
    autofree(mongodb_cursor) struct mongodb_cursor *cursor = NULL;
    bool found = false;
    if (!mongodb_find(self, collection, filter, "{\"limit\": 1}", &cursor, err) ||
        !mongodb_cursor_next(cursor, &found, err))
        return false;
    *ret_document = NULL;
    if (found)
        keep_reply(self, cursor->document, ret_document);
    return true;
}

bool mongodb_is_own_database(const char *name) {
    static const char *const own[] = {"admin", "config", "local"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    return false;
}
