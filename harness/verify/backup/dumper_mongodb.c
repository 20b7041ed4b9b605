// MongoDB, or a server that speaks its protocol: for each database a folder as mongodump writes it,
// read through the protocol, since its own tools are in no image that can be had everywhere. There
// is no snapshot: what a database holds is summed before and after, and counts when both are the
// same, so that nothing was written meanwhile.
//
//   SERVICE/app/orders.bson            documents, one after the other
//   SERVICE/app/orders.metadata.json   {"options", "indexes", "collectionName", "type"}
//
// Source: mongo-tools, what mongodump writes and mongorestore reads (manual, "mongodump").
#include "base/file.h"
#include "base/memory.h"
#include "client/mongodb.h"
#include "verify/backup/artifact_writer.h"
#include "verify/backup/dumper.h"
#include "verify/backup/origin.h"
#include "verify/fingerprint/mongodb_fingerprint.h"

#include <stdlib.h>
#include <string.h>

struct job {
    struct making *making;
    struct endpoint server;
    struct mongodb *mongodb;
    const char *database; // that is being dumped
    char version[128];
    struct manifest_artifact *artifact; // of that database
};

// ---- a collection

// What no file's name can hold stands as %2F.
static char *encode_name(const char *collection) {
    struct text name = {0};
    for (const char *at = collection; *at != '\0'; at++)
        text_appendf(&name, *at == '/' || *at == '%' || (unsigned char)*at < ' ' ? "%%%02X" : "%c",
                     (unsigned char)*at);
    return text_take(&name);
}

static bool open_file(const struct job *self, const char *collection, const char *ending,
                      struct artifact_writer **ret_writer, struct error *err) {
    autofree_string char *encoded = encode_name(collection);
    autofree_string char *name =
        memory_format("%s/%s/%s%s", self->making->origin->service, self->database, encoded, ending);
    return artifact_writer_open(self->making->folder, name, self->making->counter, ret_writer, err);
}

static bool write_documents(struct job *self, const char *collection, struct error *err) {
    autofree(artifact_writer) struct artifact_writer *writer = NULL;
    autofree(mongodb_cursor) struct mongodb_cursor *cursor = NULL;
    if (!open_file(self, collection, ".bson", &writer, err) ||
        !mongodb_find_in(self->mongodb, self->database, collection, "{}", NULL, &cursor, err))
        return false;
    for (bool more = true;;) {
        if (!cancel_check(self->making->cancel, err) || !mongodb_cursor_next(cursor, &more, err))
            return false;
        if (!more)
            return artifact_writer_finish(writer, self->artifact, err);
        size_t length = 0;
        const void *bytes = mongodb_cursor_bson(cursor, &length);
        if (!artifact_writer_put(writer, bytes, length, err))
            return false;
    }
}

static bool read_indexes(struct job *self, const char *collection, json_t *indexes,
                         struct error *err) {
    autofree(mongodb_cursor) struct mongodb_cursor *cursor =
        mongodb_indexes(self->mongodb, self->database, collection);
    for (bool more = true;;) {
        if (!mongodb_cursor_next(cursor, &more, err))
            return false;
        if (!more)
            return true;
        json_array_append_new(indexes, json_loads(mongodb_cursor_json(cursor), 0, NULL));
    }
}

static bool write_metadata(struct job *self, const char *collection, json_t *said,
                           struct error *err) {
    autofree(artifact_writer) struct artifact_writer *writer = NULL;
    json_t *indexes = json_array();
    json_t *metadata =
        json_pack("{s:O?, s:o, s:s, s:O?}", "options", json_object_get(said, "options"), "indexes",
                  indexes, "collectionName", collection, "type", json_object_get(said, "type"));
    const bool is_view = json_object_get(json_object_get(said, "options"), "viewOn") != NULL;
    const bool read = is_view || read_indexes(self, collection, indexes, err);
    autofree_string char *text = json_dumps(metadata, JSON_COMPACT);
    json_decref(metadata);
    return read && open_file(self, collection, ".metadata.json", &writer, err) &&
           artifact_writer_put(writer, text, strlen(text), err) &&
           artifact_writer_finish(writer, self->artifact, err);
}

static bool is_the_servers_own(const char *collection) {
    return strncmp(collection, "system.", strlen("system.")) == 0;
}

// `said`: {"name", "type", "options"} of listCollections.
static bool dump_collection(struct job *self, const char *said, struct error *err) {
    json_t *collection = json_loads(said, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(collection, "name"));
    const bool is_view = json_object_get(json_object_get(collection, "options"), "viewOn") != NULL;
    bool dumped = true;
    if (name == NULL)
        dumped = error_set(err, ERROR_PROTOCOL, 0, "a collection without a name: %s", said);
    else if (!is_the_servers_own(name))
        dumped = (is_view || write_documents(self, name, err)) &&
                 write_metadata(self, name, collection, err);
    if (!dumped && name != NULL)
        error_prefix(err, "%s.%s", self->database, name);
    json_decref(collection);
    return dumped;
}

// ---- a database

static bool sum(const struct job *self, struct fingerprint **ret_fingerprint, struct error *err) {
    return mongodb_fingerprint(self->mongodb, self->making->manifest->hash_key, ret_fingerprint,
                               err, .database = self->database, .cancel = self->making->cancel);
}

static bool dump_collections(struct job *self, struct error *err) {
    autofree(mongodb_cursor) struct mongodb_cursor *cursor =
        mongodb_collections(self->mongodb, self->database);
    for (bool more = true;;) {
        if (!mongodb_cursor_next(cursor, &more, err))
            return false;
        if (!more)
            return true;
        if (!dump_collection(self, mongodb_cursor_json(cursor), err))
            return false;
    }
}

static uint64_t documents_of(const struct fingerprint *fingerprint) {
    uint64_t rows = 0;
    for (size_t i = 0; i < fingerprint->object_count; i++)
        rows +=
            fingerprint->objects[i].has_content ? fingerprint->objects[i].content.total.rows : 0;
    return rows;
}

// A folder of nothing but empty files would not be known for a dump again.
static void note_empty(const struct job *self) {
    autofree_string char *note = memory_format("%s/%s holds no document and was left out",
                                               self->making->origin->service, self->database);
    string_list_add(self->making->notes, note);
}

static bool dump_database(struct job *self, const char *database, struct error *err) {
    autofree(fingerprint) struct fingerprint *before = NULL;
    struct fingerprint *after = NULL;
    const char *service = self->making->origin->service;
    self->database = database;
    if (!sum(self, &before, err))
        return false;
    if (documents_of(before) == 0) {
        note_empty(self);
        return true;
    }
    autofree_string char *name = memory_format("%s/%s", service, database);
    autofree_string char *folder = path_join(self->making->folder, name);
    if (!folder_make(folder, 0700, err))
        return false;
    self->artifact = manifest_add(self->making->manifest, name, DUMP_MONGODB, self->version,
                                  "assay " ASSAY_VERSION);
    if (!dump_collections(self, err) || !sum(self, &after, err))
        return false;
    dumper_keep_steady(self->making, before, after);
    return true;
}

// ---- all of them

static bool dump_all(struct job *self, struct error *err) {
    autodone(string_list) struct string_list databases = {0};
    if (!mongodb_identify(&self->server, self->version, sizeof self->version, err) ||
        !mongodb_open(&self->server, &self->mongodb, err) ||
        !mongodb_list_databases(self->mongodb, &databases, err))
        return false;
    for (size_t i = 0; i < databases.count; i++)
        if (!cancel_check(self->making->cancel, err) ||
            (!mongodb_is_own_database(databases.items[i]) &&
             !dump_database(self, databases.items[i], err)))
            return false;
    return true;
}

static bool dump(struct making *making, const struct endpoint *server, struct error *err) {
    struct job job = {.making = making, .server = *server};
    const bool dumped = dump_all(&job, err);
    mongodb_close(job.mongodb);
    return dumped;
}

static const char *const PROGRAMS[] = {"mongod", "ferretdb", NULL};

const struct dumper DUMPER_MONGODB = {
    .engine = DUMP_MONGODB,
    .title = "MongoDB",
    .programs = PROGRAMS,
    .users = "MONGO_INITDB_ROOT_USERNAME",
    .passwords = "MONGO_INITDB_ROOT_PASSWORD",
    .default_user = NULL,
    .port = 27017,
    .dump = dump,
};
