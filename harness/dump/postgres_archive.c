#include "dump/postgres_archive.h"

#include "base/memory.h"
#include "dump/copy_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LIMIT ((size_t)1024)
#define DEFINITION_LIMIT ((size_t)64 * 1024) // only lists of 1000 OIDs are looked at
#define STATEMENT_LIMIT ((size_t)512 * 1024) // 1600 columns of 63 letters, all of them quotes
#define OLDEST 12
#define NEWEST 16

// ---- bytes, integers, texts

static bool read_bytes(struct postgres_archive *self, void *bytes, size_t length, const char *what,
                       struct error *err) {
    if (length > self->end - source_offset(self->source))
        return source_error(self->source, err, "%s goes on after the end of toc.dat", what);
    if (!source_read_all(self->source, bytes, length, what, err))
        return false;
    for (size_t i = 0; i < length; i++) // FNV-1a
        self->hash = (self->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return true;
}

bool postgres_read_byte(struct postgres_archive *self, uint8_t *ret_byte, const char *what,
                        struct error *err) {
    return read_bytes(self, ret_byte, 1, what, err);
}

bool postgres_read_integer(struct postgres_archive *self, int64_t *ret_value, const char *what,
                           struct error *err) {
    uint8_t bytes[5];
    if (!read_bytes(self, bytes, sizeof bytes, what, err))
        return false;
    if (bytes[0] > 1 || (bytes[0] == 1 && memcmp(bytes + 1, "\0\0\0", 4) == 0))
        return source_error(self->source, err, "%s: a number with the sign %u", what, bytes[0]);
    int64_t value = 0;
    for (size_t i = 4; i >= 1; i--)
        value = value << 8 | bytes[i];
    *ret_value = bytes[0] == 1 ? -value : value;
    return true;
}

static bool read_range(struct postgres_archive *self, int64_t low, int64_t high, int64_t *ret_value,
                       const char *what, struct error *err) {
    int64_t value = 0;
    if (!postgres_read_integer(self, &value, what, err))
        return false;
    if (value < low || value > high)
        return source_error(self->source, err, "%s: %" PRId64 " is not possible", what, value);
    *ret_value = value;
    return true;
}

// Into `text` (NULL: forgotten), cut at its limit; *ret_null where there is none at all.
static bool read_text(struct postgres_archive *self, struct text *text, bool *ret_null,
                      const char *what, struct error *err) {
    int64_t length = 0;
    if (!read_range(self, -1, INT32_MAX, &length, what, err))
        return false;
    if (ret_null != NULL)
        *ret_null = length < 0;
    if (text != NULL)
        text_clear(text);
    char piece[4096];
    for (size_t got; length > 0; length -= (int64_t)got) {
        got = (size_t)length < sizeof piece ? (size_t)length : sizeof piece;
        if (!read_bytes(self, piece, got, what, err))
            return false;
        if (memchr(piece, '\0', got) != NULL)
            return source_error(self->source, err, "%s holds a zero byte", what);
        if (text != NULL)
            text_append_bytes(text, piece, got);
    }
    return true;
}

// ---- the header

bool postgres_archive_begins(const uint8_t *head, size_t length, enum postgres_format format) {
    return length >= POSTGRES_HEAD_SIZE && memcmp(head, "PGDMP", 5) == 0 && head[10] == format;
}

static bool check_head(struct postgres_archive *self, const uint8_t *head, struct error *err) {
    struct source *source = self->source;
    if (memcmp(head, "PGDMP", 5) != 0)
        return source_error(source, err, "it does not begin with PGDMP");
    if (head[5] != 1 || head[6] < OLDEST || head[6] > NEWEST)
        return source_error(source, err, "archive version %u.%u is not known (1.%d to 1.%d are)",
                            head[5], head[6], OLDEST, NEWEST);
    if (head[8] != 4)
        return source_error(source, err, "integers of %u bytes (4 are known)", head[8]);
    if (head[9] != 4 && head[9] != 8)
        return source_error(source, err, "offsets of %u bytes (4 and 8 are known)", head[9]);
    if (head[10] != self->format)
        return source_error(source, err, "archive format %u where %d is expected", head[10],
                            self->format);
    self->version = head[6];
    self->offset_size = head[9];
    return true;
}

static bool read_compression(struct postgres_archive *self, struct error *err) {
    const char *const what = "the header's compression";
    if (self->version < 15) {
        int64_t level = 0;
        if (!read_range(self, -1, 9, &level, what, err))
            return false;
        self->compression = level != 0 ? POSTGRES_GZIP : POSTGRES_NONE;
        return true;
    }
    uint8_t algorithm;
    if (!postgres_read_byte(self, &algorithm, what, err))
        return false;
    if (algorithm > POSTGRES_ZSTD)
        return source_error(self->source, err, "%s: number %u is not known", what, algorithm);
    self->compression = (enum postgres_compression)algorithm;
    return true;
}

static bool read_time(struct postgres_archive *self, struct error *err) {
    static const struct {
        const char *what;
        int low, high;
    } parts[] = {{"the header's seconds", 0, 61}, {"the header's minutes", 0, 59},
                 {"the header's hours", 0, 23},   {"the header's day", 1, 31},
                 {"the header's month", 0, 11},   {"the header's year", 70, 10000},
                 {"the header's daylight", -1, 1}};
    int64_t value;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!read_range(self, parts[i].low, parts[i].high, &value, parts[i].what, err))
            return false;
    return true;
}

// "17.2 (Debian 17.2-1)" is 17.2.
static char *version_of(const struct text *text) {
    const char *string = text_string(text);
    return memory_copy_bytes(string, strcspn(string, " \r\n"));
}

static bool read_head(struct postgres_archive *self, struct dump_facts *facts, struct error *err) {
    uint8_t head[POSTGRES_HEAD_SIZE];
    autodone(text) struct text text;
    text_init(&text, NAME_LIMIT);
    if (!read_bytes(self, head, sizeof head, "the header", err) || !check_head(self, head, err) ||
        !read_compression(self, err) || !read_time(self, err))
        return false;
    if (!read_text(self, &text, NULL, "the name of the database", err))
        return false;
    facts->database = text_take(&text);
    if (!read_text(self, &text, NULL, "the version of the server", err))
        return false;
    facts->server_version = version_of(&text);
    if (!read_text(self, &text, NULL, "the version of pg_dump", err))
        return false;
    autofree_string char *version = version_of(&text);
    facts->tool = memory_format("pg_dump %s", version);
    return true;
}

// ---- the table of contents

struct toc_entry {
    int64_t id;
    bool has_data;
    bool placed;
    uint64_t offset;
    unsigned columns;
    bool copies;
    struct text tag;
    struct text kind;
    struct text definition;
    struct text schema;
    struct text copy;
    struct text dependency;
};

static bool read_offset(struct postgres_archive *self, struct toc_entry *entry, struct error *err) {
    enum { NOT_SET = 1, SET, NO_DATA };
    uint8_t state;
    uint8_t bytes[8];
    const char *const what = "an entry's data offset";
    const uint64_t hash = self->hash;
    if (!postgres_read_byte(self, &state, what, err) ||
        !read_bytes(self, bytes, self->offset_size, what, err))
        return false;
    if (state < NOT_SET || state > NO_DATA || (state == NO_DATA) == entry->has_data)
        return source_error(self->source, err, "entry %" PRId64 ": state %u of its data", entry->id,
                            state);
    for (size_t i = self->offset_size; i > 0; i--)
        entry->offset = entry->offset << 8 | bytes[i - 1];
    entry->placed = state == SET;
    if (!entry->placed && entry->offset != 0)
        return source_error(self->source, err, "entry %" PRId64 ": an offset for no data",
                            entry->id);
    self->hash = hash;
    return true;
}

// Where the data are: in custom archives an offset, in the others a file's name (which follows from
// the entry's id, see postgres_tar.c).
static bool read_place(struct postgres_archive *self, struct toc_entry *entry, struct error *err) {
    if (self->format == POSTGRES_CUSTOM)
        return read_offset(self, entry, err);
    return read_text(self, NULL, NULL, "an entry's file name", err);
}

static bool read_dependencies(struct postgres_archive *self, struct text *text, struct error *err) {
    for (;;) {
        bool none = false;
        if (!read_text(self, text, &none, "an entry's dependencies", err))
            return false;
        if (none)
            return true;
        const char *id = text_string(text);
        if (*id == '\0' || id[strspn(id, "0123456789")] != '\0')
            return source_error(self->source, err, "\"%.20s\" is no entry to depend on", id);
    }
}

static bool read_names(struct postgres_archive *self, struct toc_entry *entry, struct error *err) {
    int64_t number = 0;
    bool none = false;
    if (!read_range(self, 1, INT32_MAX, &entry->id, "an entry's id", err) ||
        !read_range(self, 0, 1, &number, "an entry's flag for data", err))
        return false;
    entry->has_data = number == 1;
    if (!read_text(self, NULL, NULL, "an entry's catalog", err) ||
        !read_text(self, NULL, NULL, "an entry's oid", err) ||
        !read_text(self, &entry->tag, NULL, "an entry's name", err) ||
        !read_text(self, &entry->kind, NULL, "an entry's kind", err) ||
        !read_range(self, 1, 4, &number, "an entry's section", err) ||
        !read_text(self, &entry->definition, NULL, "an entry's definition", err) ||
        !read_text(self, NULL, NULL, "an entry's removal", err) ||
        !read_text(self, &entry->copy, &none, "an entry's COPY statement", err))
        return false;
    entry->copies = !none && entry->copy.length > 0;
    return true;
}

static bool read_owner(struct postgres_archive *self, struct toc_entry *entry, struct error *err) {
    int64_t kind = 0;
    return read_text(self, &entry->schema, NULL, "an entry's schema", err) &&
           read_text(self, NULL, NULL, "an entry's tablespace", err) &&
           (self->version < 14 || read_text(self, NULL, NULL, "an entry's access method", err)) &&
           (self->version < 16 ||
            read_range(self, 0, 127, &kind, "an entry's kind of relation", err)) &&
           read_text(self, NULL, NULL, "an entry's owner", err) &&
           read_text(self, NULL, NULL, "an entry's flag for OIDs", err);
}

static bool read_entry(struct postgres_archive *self, struct toc_entry *entry, struct error *err) {
    entry->offset = 0;
    return read_names(self, entry, err) && read_owner(self, entry, err) &&
           read_dependencies(self, &entry->dependency, err) && read_place(self, entry, err);
}

// ---- what is kept of it

static enum postgres_data data_of(const struct toc_entry *entry) {
    if (strcmp(text_string(&entry->kind), "BLOBS") == 0)
        return POSTGRES_BLOBS;
    if (entry->copies)
        return POSTGRES_COPY;
    return strcmp(text_string(&entry->kind), "TABLE DATA") == 0 ? POSTGRES_INSERTS
                                                                : POSTGRES_OTHER_DATA;
}

static bool keep_entry(struct postgres_archive *self, const struct toc_entry *entry,
                       const char *name, struct error *err) {
    if (self->entry_count == POSTGRES_ENTRY_LIMIT)
        return source_error(self->source, err, "more than %zu entries with data",
                            POSTGRES_ENTRY_LIMIT);
    if (self->entry_count == self->entry_capacity) {
        self->entry_capacity = self->entry_capacity > 0 ? self->entry_capacity * 2 : 64;
        self->entries = memory_resize(self->entries, self->entry_capacity, sizeof *self->entries);
    }
    self->entries[self->entry_count] = (struct postgres_entry){
        .id = (int32_t)entry->id,
        .data = data_of(entry),
        .columns = copy_rows_columns(text_string(&entry->copy)),
        .placed = entry->placed,
        .offset = entry->offset,
        .name = self->entry_count < OBJECT_LIMIT ? memory_copy_string(name) : NULL,
    };
    self->entry_count++;
    return true;
}

static bool compare_entry(struct postgres_archive *self, const struct toc_entry *entry,
                          struct error *err) {
    const struct postgres_entry *known = postgres_archive_entry(self, entry->id);
    if (known == NULL || !entry->placed || entry->offset != known->offset)
        return source_error(self->source, err,
                            "entry %" PRId64 " of the table of contents at the end says that its "
                            "data stand at byte %" PRIu64 ", where they do not",
                            entry->id, entry->offset);
    return true;
}

void postgres_blobs_count(struct postgres_blobs *self, uint64_t oid) {
    self->count++;
    self->sum += oid;
}

// Large objects: one entry each, its name the OID, or (from 17 on) one for up to 1000 of them, a
// line each.
static bool list_blobs(struct postgres_archive *self, const struct toc_entry *entry,
                       struct error *err) {
    const char *kind = text_string(&entry->kind);
    const char *list = text_string(strcmp(kind, "BLOB") == 0 ? &entry->tag : &entry->definition);
    if (strcmp(kind, "BLOB") != 0 && strcmp(kind, "BLOB METADATA") != 0)
        return true;
    while (*list != '\0') {
        const size_t digits = strspn(list, "0123456789");
        if (digits == 0 || digits > 10 || (list[digits] != '\n' && list[digits] != '\0'))
            return source_error(self->source, err,
                                "entry %" PRId64 " lists what is no large object", entry->id);
        postgres_blobs_count(&self->listed, strtoull(list, NULL, 10));
        list += digits + (list[digits] == '\n' ? 1 : 0);
    }
    return true;
}

static bool note_entry(struct postgres_archive *self, const struct toc_entry *entry,
                       struct error *err) {
    const char *kind = text_string(&entry->kind);
    autofree_string char *name =
        memory_format("%s%s%s", text_string(&entry->schema), entry->schema.length > 0 ? "." : "",
                      text_string(&entry->tag));
    if (strcmp(kind, "TABLE") == 0)
        table_names_add(&self->tables, name);
    if (strcmp(kind, "TABLE DATA") == 0)
        table_names_add(&self->data, name);
    if (strcmp(kind, "TABLE DATA") == 0 && !entry->has_data)
        return source_error(self->source, err, "entry %" PRId64 " (%s) is one without data",
                            entry->id, name);
    if (!self->again && !list_blobs(self, entry, err))
        return false;
    if (!entry->has_data)
        return true;
    return self->again ? compare_entry(self, entry, err) : keep_entry(self, entry, name, err);
}

static int compare_ids(const void *left, const void *right) {
    const struct postgres_entry *a = left;
    const struct postgres_entry *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static bool sort_entries(struct postgres_archive *self, struct error *err) {
    if (self->entry_count > 1)
        qsort(self->entries, self->entry_count, sizeof *self->entries, compare_ids);
    for (size_t i = 1; i < self->entry_count; i++)
        if (self->entries[i].id == self->entries[i - 1].id)
            return source_error(self->source, err, "two entries have the id %" PRId32,
                                self->entries[i].id);
    return true;
}

static void toc_entry_init(struct toc_entry *self) {
    *self = (struct toc_entry){0};
    text_init(&self->tag, NAME_LIMIT);
    text_init(&self->kind, NAME_LIMIT);
    text_init(&self->definition, DEFINITION_LIMIT);
    text_init(&self->schema, NAME_LIMIT);
    text_init(&self->copy, STATEMENT_LIMIT);
    text_init(&self->dependency, NAME_LIMIT);
}

static void toc_entry_done(struct toc_entry *self) {
    text_done(&self->tag);
    text_done(&self->kind);
    text_done(&self->definition);
    text_done(&self->schema);
    text_done(&self->copy);
    text_done(&self->dependency);
}

static bool read_entries(struct postgres_archive *self, struct error *err) {
    struct toc_entry entry;
    bool done = true;
    int64_t i = 0;
    toc_entry_init(&entry);
    for (; done && i < self->toc_count; i++)
        done = read_entry(self, &entry, err) && note_entry(self, &entry, err);
    toc_entry_done(&entry);
    return done || error_append(err, " (entry %" PRId64 " of %" PRId64 " in the table of contents)",
                                i, self->toc_count);
}

static bool read_toc(struct postgres_archive *self, struct error *err) {
    self->hash = 0xcbf29ce484222325;
    if (!read_range(self, 0, INT32_MAX, &self->toc_count, "the number of entries", err) ||
        !read_entries(self, err))
        return false;
    self->toc_hash = self->hash;
    return true;
}

bool postgres_archive_read_again(struct postgres_archive *self, struct error *err) {
    const uint64_t hash = self->toc_hash;
    table_names_done(&self->tables);
    table_names_done(&self->data);
    self->again = true;
    if (!read_toc(self, err))
        return error_append(err, ", the one at the end");
    return hash == self->toc_hash ||
           source_error(self->source, err,
                        "the tables of contents at the beginning and at the end differ");
}

bool postgres_archive_read(struct postgres_archive *self, struct source *source, uint64_t end,
                           struct dump_facts *facts, struct error *err) {
    self->source = source;
    self->end = end;
    return read_head(self, facts, err) && read_toc(self, err) && sort_entries(self, err);
}

void postgres_archive_done(struct postgres_archive *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->entry_count; i++)
        free(self->entries[i].name);
    free(self->entries);
    table_names_done(&self->tables);
    table_names_done(&self->data);
}

// ---- for who reads the data

struct postgres_entry *postgres_archive_entry(struct postgres_archive *self, int64_t id) {
    if (id < 1 || id > INT32_MAX || self->entry_count == 0)
        return NULL;
    const struct postgres_entry key = {.id = (int32_t)id};
    return bsearch(&key, self->entries, self->entry_count, sizeof key, compare_ids);
}

const char *postgres_entry_name(const struct postgres_entry *entry) {
    return entry->name != NULL ? entry->name : "a table";
}

// A dump of definitions alone lists large objects and holds none.
static bool has_blobs(const struct postgres_archive *self) {
    for (size_t i = 0; i < self->entry_count; i++)
        if (self->entries[i].data == POSTGRES_BLOBS)
            return true;
    return false;
}

static bool blobs_equal(const struct postgres_blobs *left, const struct postgres_blobs *right) {
    return left->count == right->count && left->sum == right->sum;
}

bool postgres_archive_finish(struct postgres_archive *self, struct dump_facts *facts,
                             struct error *err) {
    for (size_t i = 0; i < self->entry_count; i++)
        if (!self->entries[i].seen)
            return source_error(self->source, err, "the data of %s (entry %" PRId32 ") are missing",
                                postgres_entry_name(&self->entries[i]), self->entries[i].id);
    // A dump of data alone does not list them.
    if (self->listed.count > 0 && has_blobs(self) && !blobs_equal(&self->listed, &self->found))
        return source_error(self->source, err,
                            "%" PRIu64 " large objects are listed, %" PRIu64
                            " are there, or others",
                            self->listed.count, self->found.count);
    table_names_give(&self->tables, &self->data, facts);
    return true;
}
