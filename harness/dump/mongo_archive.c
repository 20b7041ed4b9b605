// A mongodump archive: a magic number, a prelude that lists every collection, then blocks of
// documents of one collection each, in whatever order the dump's threads wrote them. A collection
// is ended by a block that holds the CRC-64 of its documents; the archive, by its last collection.
//
//   prelude:  magic, header document, a document a collection, terminator
//   block:    {db, collection, EOF: false, CRC: 0}, documents, terminator
//   the last: {db, collection, EOF: true, CRC}, terminator
#include "dump/formats.h"

#include "base/memory.h"
#include "dump/bson_walk.h"
#include "dump/collection_table.h"
#include "dump/little_endian.h"

#include <inttypes.h>
#include <string.h>

#define TERMINATOR UINT32_C(0xffffffff)
#define DATABASE_LIMIT 1000

static const uint8_t MAGIC[4] = {0x6d, 0xe2, 0x99, 0x81};

struct archive {
    struct cursor cursor;
    struct crc64 kind;
    struct dump_facts *facts;
    struct collection_table *collections;
};

// ---- documents of the archive itself

// One key that a document may have, and where its value goes.
struct key {
    const char *name;
    uint8_t type;
    bool required;
    bool seen;
    char text[BSON_TEXT_SHOWN];
    int64_t number;
};

struct keys {
    struct cursor *cursor;
    struct key *items;
    size_t count;
    bool closed; // others are an error
};

static bool note_key(void *context, const struct bson_element *element, struct error *err) {
    struct keys *self = context;
    struct key *key = NULL;
    for (size_t i = 0; i < self->count && key == NULL; i++)
        if (strcmp(element->name, self->items[i].name) == 0)
            key = &self->items[i];
    if (key == NULL)
        return !self->closed ||
               cursor_error(self->cursor, err, "the unknown key \"%s\" in a header", element->name);
    if (element->type != key->type || key->seen)
        return cursor_error(self->cursor, err, "\"%s\" is %s", key->name,
                            key->seen ? "there twice" : "of the wrong type");
    if (element->type == BSON_STRING && !element->text_is_whole)
        return cursor_error(self->cursor, err, "\"%s\" is too long, or holds a NUL", key->name);
    key->seen = true;
    key->number = element->number;
    memcpy(key->text, element->text, strlen(element->text) + 1);
    return true;
}

static bool read_keys(struct archive *self, struct key *items, size_t count, bool closed,
                      const char *what, struct error *err) {
    struct keys keys = {.cursor = &self->cursor, .items = items, .count = count, .closed = closed};
    if (!bson_walk(&self->cursor, note_key, &keys, err))
        return error_prefix(err, "%s", what);
    for (size_t i = 0; i < count; i++)
        if (items[i].required && !items[i].seen)
            return cursor_error(&self->cursor, err, "%s has no \"%s\"", what, items[i].name);
    return true;
}

// A terminator is taken; before anything else, nothing is.
static bool at_terminator(struct archive *self, bool *ret_terminator, struct error *err) {
    const uint8_t *bytes;
    size_t length;
    if (!cursor_look(&self->cursor, 4, &bytes, &length, err))
        return false;
    if (length < 4)
        return cursor_error(&self->cursor, err, "the archive ends within a block");
    *ret_terminator = little_endian(bytes, 4) == TERMINATOR;
    if (*ret_terminator)
        cursor_take(&self->cursor, 4);
    return true;
}

// ---- the prelude

static bool read_header(struct archive *self, struct error *err) {
    uint8_t magic[sizeof MAGIC];
    struct key keys[] = {
        {"version", BSON_STRING, .required = true},
        {"server_version", BSON_STRING, .required = true},
        {"tool_version", BSON_STRING, .required = true},
        {"concurrent_collections", BSON_INT32, .required = true},
    };
    if (!cursor_read(&self->cursor, magic, sizeof magic, "the archive's magic number", err))
        return false;
    if (memcmp(magic, MAGIC, sizeof magic) != 0)
        return cursor_error(&self->cursor, err, "this is not the magic number of an archive");
    if (!read_keys(self, keys, sizeof keys / sizeof keys[0], false, "the archive's header", err))
        return false;
    if (strcmp(keys[0].text, "0.1") != 0)
        return cursor_error(&self->cursor, err, "the archive is of version \"%s\", not \"0.1\"",
                            keys[0].text);
    self->facts->server_version = memory_copy_string(keys[1].text);
    self->facts->tool = memory_format("mongodump %s", keys[2].text);
    return true;
}

static void note_collection(struct archive *self, const char *database, const char *name) {
    struct dump_facts *facts = self->facts;
    facts->object_count++;
    if (facts->objects.count < OBJECT_LIMIT)
        string_list_add(&facts->objects, name);
    if (database[0] != '\0' && facts->databases.count < DATABASE_LIMIT &&
        !string_list_contains(&facts->databases, database))
        string_list_add(&facts->databases, database);
}

// "db.collection"; what belongs to no database, as the oplog, has its own name only.
static char *full_name(const char *database, const char *collection) {
    return database[0] != '\0' ? memory_format("%s.%s", database, collection)
                               : memory_copy_string(collection);
}

static bool read_collection(struct archive *self, struct error *err) {
    struct key keys[] = {
        {"db", BSON_STRING, .required = true},
        {"collection", BSON_STRING, .required = true},
        {"type", BSON_STRING},
    };
    if (!read_keys(self, keys, sizeof keys / sizeof keys[0], false, "the archive's prelude", err))
        return false;
    autofree_string char *name = full_name(keys[0].text, keys[1].text);
    if (keys[1].text[0] == '\0')
        return cursor_error(&self->cursor, err, "the prelude lists a collection without a name");
    if (collection_table_find(self->collections, name) != NULL)
        return cursor_error(&self->cursor, err, "the prelude lists %s twice", name);
    if (!collection_table_add(self->collections, name, strcmp(keys[2].text, "timeseries") == 0,
                              err))
        return false;
    note_collection(self, keys[0].text, name);
    return true;
}

static bool read_prelude(struct archive *self, struct error *err) {
    if (!read_header(self, err))
        return false;
    for (;;) {
        bool ended;
        if (!at_terminator(self, &ended, err))
            return false;
        if (ended)
            break;
        if (!read_collection(self, err))
            return false;
    }
    if (self->facts->databases.count == 1)
        self->facts->database = memory_copy_string(self->facts->databases.items[0]);
    return true;
}

// ---- blocks

// Before MongoDB 8.3 the documents of a time series lie in a collection of another name.
static struct collection *find(struct archive *self, const char *database, const char *collection) {
    static const char BUCKETS[] = "system.buckets.";
    autofree_string char *name = full_name(database, collection);
    struct collection *found = collection_table_find(self->collections, name);
    if (found != NULL || strncmp(collection, BUCKETS, strlen(BUCKETS)) != 0)
        return found;
    autofree_string char *series = full_name(database, collection + strlen(BUCKETS));
    found = collection_table_find(self->collections, series);
    return found != NULL && found->is_time_series ? found : NULL;
}

static bool read_documents(struct archive *self, struct collection *collection, struct error *err) {
    bool ended = false;
    cursor_sum(&self->cursor, &self->kind, collection->crc);
    for (;;) {
        collection->crc = cursor_crc(&self->cursor); // the terminator does not count
        if (!at_terminator(self, &ended, err))
            return false;
        if (ended)
            break;
        if (!bson_walk(&self->cursor, NULL, NULL, err))
            return error_prefix(err, "a document of %s", collection->name);
        self->facts->record_count++;
    }
    cursor_sum(&self->cursor, NULL, 0);
    return true;
}

static bool end_collection(struct archive *self, struct collection *collection, uint64_t crc,
                           struct error *err) {
    bool ended;
    if (~collection->crc != crc)
        return cursor_error(&self->cursor, err,
                            "the documents of %s have the CRC %016" PRIx64
                            ", the archive says %016" PRIx64,
                            collection->name, ~collection->crc, crc);
    collection->state = COLLECTION_ENDED;
    if (!at_terminator(self, &ended, err))
        return false;
    return ended ||
           cursor_error(&self->cursor, err, "documents of %s follow its end", collection->name);
}

static bool read_block(struct archive *self, struct error *err) {
    struct key keys[] = {
        {"db", BSON_STRING, .required = true},
        {"collection", BSON_STRING, .required = true},
        {"EOF", BSON_BOOLEAN, .required = true},
        {"CRC", BSON_INT64, .required = true},
    };
    bool ended;
    if (!at_terminator(self, &ended, err))
        return false;
    if (ended)
        return cursor_error(&self->cursor, err, "a block without a header");
    if (!read_keys(self, keys, sizeof keys / sizeof keys[0], true, "a block's header", err))
        return false;
    struct collection *collection = find(self, keys[0].text, keys[1].text);
    if (collection == NULL)
        return cursor_error(&self->cursor, err, "the prelude does not list %s.%s", keys[0].text,
                            keys[1].text);
    if (collection->state == COLLECTION_ENDED)
        return cursor_error(&self->cursor, err, "%s goes on after its end", collection->name);
    if (collection->state == COLLECTION_NOT_SEEN)
        collection->crc = UINT64_MAX;
    collection->state = COLLECTION_OPEN;
    return keys[2].number != 0 ? end_collection(self, collection, (uint64_t)keys[3].number, err)
                               : read_documents(self, collection, err);
}

static bool all_ended(struct archive *self, struct error *err) {
    const struct collection *missing = collection_table_first_not_ended(self->collections);
    if (missing == NULL)
        return cursor_end(&self->cursor, err);
    return cursor_error(&self->cursor, err, "the archive ends %s %s",
                        missing->state == COLLECTION_OPEN ? "within" : "without", missing->name);
}

static bool read_blocks(struct archive *self, struct error *err) {
    for (;;) {
        const uint8_t *bytes;
        size_t length;
        if (!cursor_look(&self->cursor, 1, &bytes, &length, err))
            return false;
        if (length == 0)
            return all_ended(self, err);
        if (!read_block(self, err))
            return false;
    }
}

static bool read_archive(struct source *source, struct dump_facts *facts, struct error *err) {
    struct archive self = {.facts = facts};
    autofree(collection_table) struct collection_table *collections = collection_table_new();
    self.collections = collections;
    cursor_init(&self.cursor, source);
    crc64_init(&self.kind, CRC64_ECMA);
    return read_prelude(&self, err) && read_blocks(&self, err);
}

static bool is_archive(const uint8_t *head, size_t length) {
    return length >= sizeof MAGIC && memcmp(head, MAGIC, sizeof MAGIC) == 0;
}

const struct dump_format FORMAT_MONGO_ARCHIVE = {
    .name = "mongo-archive",
    .title = "mongodump, archive",
    .engine = DUMP_MONGODB,
    .recognises = is_archive,
    .read = read_archive,
};
