#include "verify/fingerprint/mongodb_fingerprint.h"

#include "base/memory.h"
#include "value/json_field.h"
#include "verify/fingerprint/bson_id.h"

#include <stdlib.h>
#include <string.h>

struct job {
    struct mongodb *mongodb;
    const struct mongodb_fingerprint_options *options;
    const uint8_t *key;
    struct fingerprint *fingerprint;
    uint64_t documents;
};

static void free_json(json_t **json) {
    json_decref(*json);
}
#define autofree_json __attribute__((cleanup(free_json)))

// A string of a filter may hold NUL.
static bool parse(const char *text, json_t **ret_json, struct error *err) {
    json_error_t wrong;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &wrong);
    if (json == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "what the server says of it cannot be read: %s",
                         wrong.text);
    *ret_json = json;
    return true;
}

// ---- collections, views, indexes

static bool is_one_of(const char *name, const char *const *names) {
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static void add_members(struct fingerprint_object *object, const char *name, json_t *members,
                        const char *const *left_out) {
    const char *member;
    json_t *value;
    json_object_foreach (members, member, value) {
        if (is_one_of(member, left_out))
            continue;
        autofree_string char *attribute = memory_format("%s %s", name, member);
        autofree_string char *words = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        fingerprint_attribute_add(object, attribute, words);
    }
}

static bool add_index(struct job *self, const char *collection, const char *said,
                      struct error *err) {
    static const char *const left_out[] = {"name", "v", "ns", "background", NULL};
    autofree_json json_t *index = NULL;
    const char *name = NULL;
    if (!parse(said, &index, err) ||
        !json_field_text((struct json_place){index, ""}, "name", &name, err))
        return false;
    // As MongoDB names it among collections, of which none has a "$".
    autofree_string char *full = memory_format("%s.$%s", collection, name);
    add_members(fingerprint_add(self->fingerprint, "index", full), full, index, left_out);
    return true;
}

static bool read_indexes(struct job *self, const char *database, const char *collection,
                         const char *full, struct error *err) {
    autofree(mongodb_cursor) struct mongodb_cursor *cursor =
        mongodb_indexes(self->mongodb, database, collection);
    for (bool more = true;;) {
        if (!cancel_check(self->options->cancel, err) || !mongodb_cursor_next(cursor, &more, err))
            return false;
        if (!more)
            return true;
        if (!add_index(self, full, mongodb_cursor_json(cursor), err))
            return error_prefix(err, "an index");
    }
}

static bool is_the_servers_own(const char *collection) {
    static const char *const names[] = {"system.views", "system.profile", NULL};
    static const char buckets[] = "system.buckets.";
    return is_one_of(collection, names) || strncmp(collection, buckets, strlen(buckets)) == 0;
}

static bool add_collection(struct job *self, const char *database, const char *said,
                           struct error *err) {
    static const char *const left_out[] = {NULL};
    autofree_json json_t *collection = NULL;
    const char *name = NULL;
    if (!parse(said, &collection, err) ||
        !json_field_text((struct json_place){collection, ""}, "name", &name, err))
        return false;
    if (is_the_servers_own(name))
        return true;
    json_t *options = json_object_get(collection, "options");
    const bool is_view = json_object_get(options, "viewOn") != NULL;
    autofree_string char *full = memory_format("%s.%s", database, name);
    add_members(fingerprint_add(self->fingerprint, is_view ? "view" : "collection", full), full,
                options, left_out);
    return is_view || read_indexes(self, database, name, full, err) ||
           error_prefix(err, "%s", full);
}

static bool read_database(struct job *self, const char *database, struct error *err) {
    autofree(mongodb_cursor) struct mongodb_cursor *cursor =
        mongodb_collections(self->mongodb, database);
    for (bool more = true;;) {
        if (!mongodb_cursor_next(cursor, &more, err))
            return error_prefix(err, "the collections of %s", database);
        if (!more)
            return true;
        if (!add_collection(self, database, mongodb_cursor_json(cursor), err))
            return false;
    }
}

static bool add_database(void *context, struct json_place database, struct error *err) {
    struct job *self = context;
    const char *name = NULL;
    const char *only = self->options->database;
    if (!json_field_text(database, "name", &name, err))
        return false;
    const bool asked_for = only != NULL ? strcmp(name, only) == 0 : !mongodb_is_own_database(name);
    return !asked_for || read_database(self, name, err);
}

// Without the last word the server leaves out, silently, what this user may not read.
static bool read_catalog(struct job *self, struct error *err) {
    static const char question[] =
        "{\"listDatabases\": 1, \"nameOnly\": true, \"authorizedDatabases\": false}";
    const char *reply = NULL;
    autofree_json json_t *databases = NULL;
    return mongodb_run(self->mongodb, "admin", question, &reply, err) &&
           parse(reply, &databases, err) &&
           json_field_each((struct json_place){databases, ""}, "databases", add_database, self,
                           err) &&
           fingerprint_sort(self->fingerprint, err);
}

// ---- documents

// An _id that is a whole number: 0x10 "_id" int32, or 0x12 "_id" int64, little-endian.
#define ID_HEAD 5
static bool read_number(const uint8_t *bytes, size_t length, int64_t *ret_number,
                        size_t *ret_width) {
    uint64_t number = 0;
    if (!(bytes[0] == 0x10 && length == ID_HEAD + 4) &&
        !(bytes[0] == 0x12 && length == ID_HEAD + 8))
        return false;
    for (size_t i = length; i > ID_HEAD; i--)
        number = number << 8 | bytes[i - 1];
    *ret_number = bytes[0] == 0x10 ? (int32_t)(uint32_t)number : (int64_t)number;
    *ret_width = length;
    return true;
}

static size_t write_number(int64_t number, size_t width, uint8_t bytes[ROW_NUMBER_SIZE]) {
    bytes[0] = width == ID_HEAD + 4 ? 0x10 : 0x12;
    memcpy(bytes + 1, "_id", ID_HEAD - 1);
    for (size_t i = ID_HEAD; i < width; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * (i - ID_HEAD)));
    return width;
}

static const struct row_number_form ID_NUMBER = {read_number, write_number};

static bool note_id(struct row_notes *notes, const char *document, struct error *err) {
    autofree_json json_t *json = NULL;
    if (!parse(document, &json, err))
        return false;
    autofree_string char *id =
        json_dumps(json_object_get(json, "_id"), JSON_COMPACT | JSON_ENCODE_ANY);
    if (id != NULL)
        row_notes_key(notes, "_id", id, strlen(id));
    return true;
}

static bool note_document(struct row_notes *notes, struct mongodb_cursor *cursor,
                          struct error *err) {
    size_t length = 0, place = 0;
    struct bson_element element;
    const void *bytes = mongodb_cursor_bson(cursor, &length);
    for (;;) {
        if (!bson_next(bytes, length, &place, &element, err))
            return false;
        if (element.bytes == NULL)
            return note_id(notes, mongodb_cursor_json(cursor), err);
        row_notes_value(notes, element.name, element.bytes, element.length);
    }
}

static bool add_document(struct row_hash *hash, const void *bytes, size_t length,
                         struct error *err) {
    const uint8_t *id = NULL;
    size_t id_length = 0;
    if (!bson_id(bytes, length, &id, &id_length, err))
        return false;
    row_hash_begin(hash);
    row_hash_value(hash, id != NULL ? id : bytes, id != NULL ? id_length : length);
    row_hash_value(hash, bytes, length);
    row_hash_end(hash, NULL);
    return true;
}

static bool sum_documents(const struct job *self, struct mongodb_cursor *cursor,
                          struct row_hash *hash, struct row_notes *notes, struct error *err) {
    for (bool more = true;;) {
        if (!cancel_check(self->options->cancel, err) || !mongodb_cursor_next(cursor, &more, err))
            return false;
        if (!more)
            return true;
        size_t length = 0;
        const void *bytes = mongodb_cursor_bson(cursor, &length);
        if (!add_document(hash, bytes, length, err) ||
            (row_notes_wants(notes) && !note_document(notes, cursor, err)))
            return false;
    }
}

static bool sum_collection(struct job *self, struct fingerprint_object *collection,
                           struct error *err) {
    struct row_notes *notes = NULL;
    if (!row_hunt_reads(self->options->hunt, "collection", collection->name, &notes))
        return true;
    if (notes != NULL)
        row_notes_numbered(notes, &ID_NUMBER, "_id");
    // No database's name has a dot.
    const char *dot = strchr(collection->name, '.');
    autofree_string char *database =
        memory_copy_bytes(collection->name, (size_t)(dot - collection->name));
    autofree(row_hash) struct row_hash *hash = row_hash_new(
        self->key, .buckets = self->options->buckets, .key_columns = 1, .notes = notes);
    autofree(mongodb_cursor) struct mongodb_cursor *cursor = NULL;
    if (!mongodb_find_in(self->mongodb, database, dot + 1, "{}", NULL, &cursor, err) ||
        !sum_documents(self, cursor, hash, notes, err))
        return error_prefix(err, "%s", collection->name);
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(collection, &content);
    self->documents += row_hash_total(hash)->rows;
    if (self->options->progress != NULL)
        self->options->progress(self->options->context, collection->name, self->documents);
    return true;
}

static bool sum_collections(struct job *self, struct error *err) {
    for (size_t i = 0; i < self->fingerprint->object_count; i++) {
        struct fingerprint_object *object = &self->fingerprint->objects[i];
        if (strcmp(object->kind, "collection") == 0 && !sum_collection(self, object, err))
            return false;
    }
    return true;
}

bool mongodb_fingerprint_with(struct mongodb *mongodb, const uint8_t key[ROW_HASH_KEY_SIZE],
                              const struct mongodb_fingerprint_options *options,
                              struct fingerprint **ret_fingerprint, struct error *err) {
    autofree(fingerprint) struct fingerprint *fingerprint = fingerprint_new("mongodb");
    struct job job = {mongodb, options, key, fingerprint, 0};
    if (!read_catalog(&job, err) || !sum_collections(&job, err))
        return false;
    *ret_fingerprint = TAKE(fingerprint);
    return true;
}
