// MongoDB: documents are written through the server's own protocol, byte for byte as they stand in
// the dump, since mongorestore is not in every image (and ends well although documents failed).
// Indexes are made from the dump's metadata. The stand's server runs already; what an artifact
// brought is dropped after it.
#include "verify/backup/restore.h"

#include "base/memory.h"
#include "client/mongodb.h"
#include "dump/document_stream.h"
#include "verify/fingerprint/mongodb_fingerprint.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES ((size_t)4 * 1024 * 1024)
#define METADATA_LIMIT ((size_t)16 * 1024 * 1024)

// The way of documents into one collection after the other.
struct writing {
    struct restore *restore;
    struct mongodb *mongodb; // to the database below; NULL: to none yet
    char *database;
    char *collection;
    struct text batch;
};

static void writing_done(struct writing *self) {
    mongodb_close(self->mongodb);
    free(self->database);
    free(self->collection);
    text_done(&self->batch);
}

static bool connect_to(const struct restore *self, const char *database,
                       struct mongodb **ret_mongodb, struct error *err) {
    struct endpoint endpoint = *self->endpoint;
    endpoint.database = database;
    return mongodb_open(&endpoint, ret_mongodb, err);
}

static bool flush(struct writing *self, struct error *err) {
    const bool worked = self->batch.length == 0 ||
                        mongodb_insert_bson_many(self->mongodb, self->collection, self->batch.bytes,
                                                 self->batch.length, err) ||
                        error_prefix(err, "%s.%s", self->database, self->collection);
    text_clear(&self->batch);
    return worked;
}

static bool go_to(struct writing *self, const char *database, const char *collection,
                  struct error *err) {
    if (self->collection != NULL && strcmp(self->collection, collection) == 0 &&
        strcmp(self->database, database) == 0)
        return true;
    if (!flush(self, err))
        return false;
    free(self->collection);
    self->collection = memory_copy_string(collection);
    if (self->database != NULL && strcmp(self->database, database) == 0)
        return true;
    mongodb_close(TAKE(self->mongodb));
    free(self->database);
    self->database = memory_copy_string(database);
    return connect_to(self->restore, database, &self->mongodb, err);
}

static bool add_document(struct writing *self, const void *bytes, size_t length,
                         struct error *err) {
    if (self->batch.length + length > BATCH_BYTES && !flush(self, err))
        return false;
    text_append_bytes(&self->batch, bytes, length);
    return true;
}

// ---- indexes

// {"indexes": [{"v": 2, "key": {"_id": 1}, "name": "_id_"}, …], …}
static bool make_index(struct writing *self, json_t *index, struct error *err) {
    const char *name = json_string_value(json_object_get(index, "name"));
    if (name == NULL || strcmp(name, "_id_") == 0)
        return true; // every collection has it
    json_object_del(index, "v");
    json_object_del(index, "ns");
    json_object_del(index, "background");
    json_t *command =
        json_pack("{s:s, s:[O]}", "createIndexes", self->collection, "indexes", index);
    autofree_string char *text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    if (mongodb_run(self->mongodb, NULL, text, NULL, err))
        return true;
    const bool lacks = err->domain == ERROR_SERVICE && err->code == SERVICE_ERROR_UNSUPPORTED;
    if (lacks)
        err->domain = ERROR_UNAVAILABLE;
    return error_prefix(err, "the index %s of %s.%s", name, self->database, self->collection);
}

// Where a server does not know an option, it says so: then it is `lacking`, not a failure of the
// dump.
static bool parse_metadata(const struct writing *self, const char *metadata, json_t **ret_json,
                           struct error *err) {
    json_error_t where;
    *ret_json = json_loads(metadata, JSON_REJECT_DUPLICATES, &where);
    return *ret_json != NULL ||
           error_set(err, ERROR_SERVICE, 0, "the metadata of %s.%s are no JSON: %s", self->database,
                     self->collection, where.text);
}

// {"options": {"capped": true, "size": 4096}, …}, or a view.
static bool make_collection(struct writing *self, const char *metadata, struct error *err) {
    json_t *json = NULL;
    if (!parse_metadata(self, metadata, &json, err))
        return false;
    json_t *command = json_pack("{s:s}", "create", self->collection);
    json_t *options = json_object_get(json, "options");
    if (json_is_object(options))
        json_object_update(command, options);
    autofree_string char *text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    json_decref(json);
    if (mongodb_run(self->mongodb, NULL, text, NULL, err))
        return true;
    if (err->domain == ERROR_SERVICE && err->code == SERVICE_ERROR_UNSUPPORTED)
        err->domain = ERROR_UNAVAILABLE;
    return error_prefix(err, "the collection %s.%s", self->database, self->collection);
}

static bool make_indexes(struct writing *self, const char *metadata, struct error *err) {
    json_t *json = NULL;
    if (!parse_metadata(self, metadata, &json, err))
        return false;
    const json_t *indexes = json_object_get(json, "indexes");
    size_t at;
    json_t *index;
    bool made = true;
    json_array_foreach (indexes, at, index) {
        made = made && make_index(self, index, err);
    }
    json_decref(json);
    return made;
}

// What the server does not have is noted, and the rest is restored.
static bool make_what_can_be(struct writing *self,
                             bool (*make)(struct writing *self, const char *metadata,
                                          struct error *err),
                             const char *metadata, struct error *err) {
    struct error problem = {0};
    if (make(self, metadata, &problem))
        return true;
    if (problem.domain != ERROR_UNAVAILABLE) {
        if (err != NULL)
            *err = problem;
        return false;
    }
    if (self->restore->lacking == NULL)
        self->restore->lacking = memory_copy_string(problem.message);
    return true;
}

// ---- an archive

struct described {
    char *database;
    char *collection;
    char *metadata;
};

struct descriptions {
    struct described *items;
    size_t count;
};

static void descriptions_done(struct descriptions *self) {
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].database);
        free(self->items[i].collection);
        free(self->items[i].metadata);
    }
    free(self->items);
}

static void describe(struct descriptions *self, const struct document_stream *stream) {
    if ((self->count & (self->count - 1)) == 0) // full at every power of two
        self->items =
            memory_resize(self->items, self->count > 0 ? self->count * 2 : 1, sizeof *self->items);
    self->items[self->count++] = (struct described){memory_copy_string(stream->database),
                                                    memory_copy_string(stream->collection),
                                                    memory_copy_string(stream->metadata)};
}

static bool write_stream(struct writing *self, struct document_stream *stream,
                         struct descriptions *descriptions, struct error *err) {
    enum document_event event;
    do {
        if (!document_stream_next(stream, &event, err))
            return false;
        if (event == DOCUMENT_COLLECTION)
            describe(descriptions, stream);
        else if (event == DOCUMENT_ROW &&
                 (!go_to(self, stream->database, stream->collection, err) ||
                  !add_document(self, stream->bytes, stream->length, err)))
            return false;
    } while (event != DOCUMENT_END);
    return flush(self, err);
}

// Indexes after the documents, as mongorestore does.
static bool write_archive(struct writing *self, const struct backup_file *file, struct error *err) {
    autofree(source) struct source *source = NULL;
    if (!source_open(file->absolute, &source, err))
        return false;
    source_watch(source, self->restore->stand.cancel, self->restore->stand.counter);
    autodone(document_stream) struct document_stream stream;
    struct descriptions descriptions = {0};
    document_stream_init(&stream, source, true);
    bool worked = write_stream(self, &stream, &descriptions, err);
    for (size_t i = 0; worked && i < descriptions.count; i++) {
        const struct described *each = &descriptions.items[i];
        worked = each->metadata[0] == '\0' ||
                 (go_to(self, each->database, each->collection, err) &&
                  make_what_can_be(self, make_indexes, each->metadata, err));
    }
    descriptions_done(&descriptions);
    return worked;
}

// ---- a folder

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int hex_value(char digit) {
    static const char digits[] = "0123456789ABCDEF";
    const char *found = digit != '\0' ? strchr(digits, toupper((unsigned char)digit)) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

// mongodump writes what no file's name can hold as %2F.
static void decode_name(char *name) {
    char *to = name;
    for (const char *at = name; *at != '\0'; at++) {
        const int high = *at == '%' ? hex_value(at[1]) : -1;
        const int low = high >= 0 ? hex_value(at[2]) : -1;
        *to++ = low >= 0 ? (char)(high * 16 + low) : *at;
        at += low >= 0 ? 2 : 0;
    }
    *to = '\0';
}

// "orders" of "app/orders.bson.gz"; NULL: it does not end so. The caller's.
static char *name_before(const char *path, const char *ending) {
    const char *name = base_name(path);
    const char *found = strstr(name, ending);
    const bool ends = found != NULL &&
                      (found[strlen(ending)] == '\0' || strcmp(found + strlen(ending), ".gz") == 0);
    char *before = ends ? memory_copy_bytes(name, (size_t)(found - name)) : NULL;
    if (before != NULL)
        decode_name(before);
    return before;
}

static bool write_bson(struct writing *self, const char *database, const struct backup_file *file,
                       struct error *err) {
    autofree_string char *named = name_before(file->path, ".bson");
    autofree_string char *collection =
        named != NULL ? TAKE(named) : memory_copy_string(base_name(file->path));
    autofree(source) struct source *source = NULL;
    if (!go_to(self, database, collection, err) || !source_open(file->absolute, &source, err))
        return false;
    source_watch(source, self->restore->stand.cancel, self->restore->stand.counter);
    autodone(document_stream) struct document_stream stream;
    document_stream_init(&stream, source, false);
    enum document_event event = DOCUMENT_ROW;
    for (;;) {
        if (!document_stream_next(&stream, &event, err))
            return false;
        if (event == DOCUMENT_END)
            return flush(self, err);
        if (!add_document(self, stream.bytes, stream.length, err))
            return false;
    }
}

static bool read_metadata(const struct backup_file *file, struct text *text, struct error *err) {
    autofree(source) struct source *source = NULL;
    char piece[4096];
    size_t length = 0;
    if (!source_open(file->absolute, &source, err))
        return false;
    do {
        if (!source_read(source, piece, sizeof piece, &length, err))
            return false;
        text_append_bytes(text, piece, length);
    } while (length > 0 && !text->overflowed);
    return true;
}

// Before its documents: a collection with its options; after them: its indexes.
static bool
write_metadata(struct writing *self, const char *database, const struct backup_file *file,
               bool (*make)(struct writing *self, const char *metadata, struct error *err),
               struct error *err) {
    autofree_string char *collection = name_before(file->path, ".metadata.json");
    autodone(text) struct text text;
    text_init(&text, METADATA_LIMIT);
    return collection == NULL ||
           (go_to(self, database, collection, err) && read_metadata(file, &text, err) &&
            make_what_can_be(self, make, text_string(&text), err));
}

// The folder's name is the database's; files that lie in the backup's own top are of "restored".
static char *database_of(const struct backup_file *file) {
    autofree_string char *path = memory_copy_string(file->path);
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_copy_string("restored");
    *slash = '\0';
    return memory_copy_string(base_name(path));
}

static bool is_bson(const struct backup_file *file) {
    return backup_file_has_format(file, "mongo-bson");
}

static bool write_folder(struct writing *self, struct error *err) {
    const struct restore *restore = self->restore;
    autofree_string char *database = database_of(restore_file(restore));
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < restore->artifact->file_count; i++) {
            const struct backup_file *file = &restore->backup->files[restore->artifact->files[i]];
            const bool written =
                (pass == 1) != is_bson(file) ? true
                : pass == 1                  ? write_bson(self, database, file, err)
                                             : write_metadata(self, database, file,
                                             pass == 0 ? make_collection : make_indexes, err);
            if (!written)
                return false;
        }
    return true;
}

static bool restore(struct restore *self, struct error *err) {
    struct writing writing = {.restore = self};
    const struct backup_file *file = restore_file(self);
    text_init(&writing.batch, BATCH_BYTES + ((size_t)17 << 20));
    const bool worked =
        is_bson(file) ? write_folder(&writing, err) : write_archive(&writing, file, err);
    writing_done(&writing);
    return worked;
}

// ---- what the server says of itself

typedef bool each_collection(struct mongodb *mongodb, const char *collection, void *context,
                             struct error *err);

static bool visit(const struct restore *self, each_collection *each, void *context,
                  struct error *err) {
    autodone(string_list) struct string_list databases = {0};
    autofree(mongodb) struct mongodb *server = NULL;
    if (!connect_to(self, NULL, &server, err) || !mongodb_list_databases(server, &databases, err))
        return false;
    for (size_t i = 0; i < databases.count; i++) {
        autodone(string_list) struct string_list collections = {0};
        autofree(mongodb) struct mongodb *mongodb = NULL;
        if (mongodb_is_own_database(databases.items[i]))
            continue;
        if (!connect_to(self, databases.items[i], &mongodb, err) ||
            !mongodb_list_collections(mongodb, NULL, &collections, err))
            return false;
        for (size_t j = 0; j < collections.count; j++)
            if (!each(mongodb, collections.items[j], context, err))
                return false;
    }
    return true;
}

static bool count_one(struct mongodb *mongodb, const char *collection, void *context,
                      struct error *err) {
    int64_t count = 0;
    if (!mongodb_count(mongodb, collection, "{}", &count, err))
        return false;
    *(uint64_t *)context += (uint64_t)count;
    return true;
}

static bool validate_one(struct mongodb *mongodb, const char *collection, void *context,
                         struct error *err) {
    json_t *command = json_pack("{s:s, s:b}", "validate", collection, "full", 1);
    autofree_string char *text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    const char *reply = NULL;
    if (!mongodb_run(mongodb, NULL, text, &reply, err))
        return false;
    json_t *json = json_loads(reply, 0, NULL);
    if (!json_is_true(json_object_get(json, "valid")))
        text_appendf(context, "%s: %s\n", collection, reply);
    json_decref(json);
    return true;
}

static bool drop_one(struct mongodb *mongodb, const char *collection, void *context,
                     struct error *err) {
    (void)context;
    return mongodb_drop(mongodb, collection, err);
}

static uint64_t documents_in(const struct restore *self) {
    uint64_t count = 0;
    for (size_t i = 0; i < self->artifact->file_count; i++)
        count += self->backup->files[self->artifact->files[i]].facts.record_count;
    return count;
}

static void count_documents(const struct restore *self, struct suite_result *suite) {
    struct error problem = {0};
    uint64_t count = 0;
    if (visit(self, count_one, &count, &problem))
        restore_counts(suite, "documents_are_all_there", "documents", documents_in(self), count);
    else
        restore_said(suite, "documents_are_all_there", OUTCOME_NOT_VERIFIED, "%s", problem.message);
}

static bool lose_one(struct mongodb *mongodb, const char *collection, void *context,
                     struct error *err) {
    bool *lost = context;
    json_t *command =
        json_pack("{s:s, s:[{s:{}, s:i}]}", "delete", collection, "deletes", "q", "limit", 1);
    autofree_string char *text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    const char *reply = NULL;
    if (*lost)
        return true;
    if (!mongodb_run(mongodb, NULL, text, &reply, err))
        return false;
    json_t *json = json_loads(reply, 0, NULL);
    *lost = json_integer_value(json_object_get(json, "n")) > 0;
    json_decref(json);
    return true;
}

static bool lose_document(const struct restore *self, struct error *err) {
    bool lost = false;
    return visit(self, lose_one, &lost, err) &&
           (lost || error_set(err, ERROR_SERVICE, 0, "no document could be deleted"));
}

static void check(const struct restore *self, struct suite_result *suite) {
    struct error problem = {0};
    autodone(text) struct text wrong = {0};
    const bool asked = visit(self, validate_one, &wrong, &problem);
    restore_lines(suite, "collections_are_valid", asked, text_string(&wrong), &problem);
    if (self->lacking != NULL)
        restore_said(suite, "indexes_are_made", OUTCOME_NOT_VERIFIED, "%s", self->lacking);
    else
        restore_said(suite, "indexes_are_made", OUTCOME_PASSED, NULL);
}

static bool fingerprint(const struct restore *self, const struct endpoint *server,
                        const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                        struct fingerprint **ret_fingerprint, struct error *err) {
    autofree(mongodb) struct mongodb *mongodb = NULL;
    return mongodb_open(server, &mongodb, err) &&
           mongodb_fingerprint(mongodb, key, ret_fingerprint, err, .cancel = self->stand.cancel,
                               .hunt = hunt);
}

// The next artifact finds the server as this one did.
static void clear(const struct restore *self) {
    (void)!visit(self, drop_one, NULL, NULL); // what stays shows in the next one's counts
}

static const char *const FORMATS[] = {"mongo-bson", "mongo-archive", NULL};

const struct restorer RESTORER_MONGODB = {
    .engine = DUMP_MONGODB,
    .service = "mongodb",
    .fingerprint = fingerprint,
    .title = "MongoDB",
    .identify = mongodb_identify,
    .formats = FORMATS,
    .no_volume = "WiredTiger's files are opened by mongod only, which the image that can be had "
                 "everywhere does not have: verify a mongodump",
    .restore = restore,
    .count = count_documents,
    .check = check,
    .lose_record = lose_document,
    .close = clear,
};
