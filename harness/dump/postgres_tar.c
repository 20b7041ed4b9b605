#include "dump/formats.h"

#include "base/memory.h"
#include "dump/postgres_archive.h"
#include "dump/postgres_content.h"
#include "dump/ustar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)64 * 1024)
#define LIST_LINE_LIMIT ((size_t)64)

struct tar {
    struct source *source;
    struct dump_facts *facts;
    struct postgres_archive archive;
    struct ustar_member member;
    struct postgres_blobs listed; // in blobs.toc
    bool has_script;              // restore.sql, the last member
    uint8_t *piece;
};

// ---- names of members: 3440.dat, blob_4711.dat, blobs.toc, blobs_3445.toc

static bool read_number(const char *text, const char *before, const char *after,
                        int64_t *ret_number) {
    const size_t length = strlen(before);
    if (strncmp(text, before, length) != 0)
        return false;
    const size_t digits = strspn(text + length, "0123456789");
    if (digits == 0 || digits > 10 || strcmp(text + length + digits, after) != 0)
        return false;
    *ret_number = strtoll(text + length, NULL, 10);
    return true;
}

// ---- content

// Calls `take` with each piece of the member.
static bool read_pieces(struct tar *self,
                        bool (*take)(struct tar *self, void *context, size_t length,
                                     struct error *err),
                        void *context, struct error *err) {
    uint64_t left = self->member.size;
    while (left > 0) {
        const size_t length = left < PIECE ? (size_t)left : PIECE;
        if (!source_read_all(self->source, self->piece, length, self->member.name, err) ||
            !take(self, context, length, err))
            return false;
        left -= length;
    }
    return true;
}

static bool forget(struct tar *self, void *context, size_t length, struct error *err) {
    (void)self;
    (void)context;
    (void)length;
    (void)err;
    return true;
}

static bool wrong_member(const struct tar *self, const char *wrong, struct error *err) {
    return source_error(self->source, err, "%s: %s", self->member.name, wrong);
}

static bool refuse_zeros(struct tar *self, void *context, size_t length, struct error *err) {
    (void)context;
    return memchr(self->piece, '\0', length) == NULL || wrong_member(self, "a zero byte", err);
}

static bool take_data(struct tar *self, void *context, size_t length, struct error *err) {
    char wrong[POSTGRES_WRONG_SIZE];
    return postgres_content_feed(context, self->piece, length, wrong) ||
           wrong_member(self, wrong, err);
}

static bool see(struct tar *self, struct postgres_entry *entry, struct error *err) {
    if (entry == NULL)
        return wrong_member(self, "the table of contents has no such data", err);
    if (entry->seen)
        return wrong_member(self, "it comes twice", err);
    entry->seen = true;
    return true;
}

static bool read_data(struct tar *self, int64_t id, struct error *err) {
    char wrong[POSTGRES_WRONG_SIZE];
    struct postgres_entry *entry = postgres_archive_entry(&self->archive, id);
    if (!see(self, entry, err))
        return false;
    autodone(postgres_content) struct postgres_content content;
    postgres_content_init(&content, POSTGRES_NONE, entry->data, entry->columns);
    if (!read_pieces(self, take_data, &content, err))
        return false;
    if (!postgres_content_end(&content, wrong))
        return wrong_member(self, wrong, err);
    self->facts->record_count += postgres_content_rows(&content);
    return true;
}

// ---- lists of large objects: lines "4711 blob_4711.dat"

static bool list_blob(struct tar *self, const char *line, struct error *err) {
    int64_t oid = 0;
    const char *name = strchr(line, ' ');
    if (name == NULL || !read_number(name + 1, "blob_", ".dat", &oid) ||
        strtoll(line, NULL, 10) != oid)
        return wrong_member(self, "a line that names no large object", err);
    postgres_blobs_count(&self->listed, (uint64_t)oid);
    return true;
}

static bool take_list(struct tar *self, void *context, size_t length, struct error *err) {
    struct text *line = context;
    for (size_t i = 0; i < length; i++) {
        if (self->piece[i] != '\n') {
            text_append_char(line, (char)self->piece[i]);
            continue;
        }
        if (!list_blob(self, text_string(line), err))
            return false;
        text_clear(line);
    }
    return !line->overflowed || wrong_member(self, "a line that names no large object", err);
}

static bool read_list(struct tar *self, struct postgres_entry *entry, struct error *err) {
    autodone(text) struct text line;
    text_init(&line, LIST_LINE_LIMIT);
    if (!see(self, entry, err) || !read_pieces(self, take_list, &line, err))
        return false;
    return line.length == 0 || wrong_member(self, "it ends within a line", err);
}

// Before version 17 there is one list, and its name does not say whose.
static struct postgres_entry *only_list(struct postgres_archive *archive) {
    for (size_t i = 0; i < archive->entry_count; i++)
        if (archive->entries[i].data == POSTGRES_BLOBS)
            return &archive->entries[i];
    return NULL;
}

// ---- members

static bool read_member(struct tar *self, struct error *err) {
    const char *name = self->member.name;
    int64_t number = 0;
    if (self->has_script)
        return wrong_member(self, "it follows restore.sql", err);
    if (read_number(name, "", ".dat", &number))
        return read_data(self, number, err);
    if (read_number(name, "blobs_", ".toc", &number))
        return read_list(self, postgres_archive_entry(&self->archive, number), err);
    if (strcmp(name, "blobs.toc") == 0)
        return read_list(self, only_list(&self->archive), err);
    if (read_number(name, "blob_", ".dat", &number)) {
        postgres_blobs_count(&self->archive.found, (uint64_t)number);
        return read_pieces(self, forget, NULL, err);
    }
    self->has_script = strcmp(name, "restore.sql") == 0;
    return self->has_script ? read_pieces(self, refuse_zeros, NULL, err)
                            : wrong_member(self, "no member of a pg_dump", err);
}

static bool read_toc(struct tar *self, struct error *err) {
    const uint64_t start = source_offset(self->source);
    if (!postgres_archive_read(&self->archive, self->source, start + self->member.size, self->facts,
                               err))
        return error_append(err, " (in toc.dat)");
    return source_offset(self->source) == start + self->member.size ||
           wrong_member(self, "something follows the table of contents", err);
}

static bool check_end(struct tar *self, struct error *err) {
    if (!postgres_archive_finish(&self->archive, self->facts, err))
        return false;
    const struct postgres_blobs *found = &self->archive.found;
    if (self->listed.count != found->count || self->listed.sum != found->sum)
        return source_error(self->source, err,
                            "lists (blobs.toc) name %" PRIu64 " large objects, %" PRIu64
                            " are there, or others",
                            self->listed.count, found->count);
    return self->has_script || source_error(self->source, err, "restore.sql is missing");
}

static bool read_members(struct tar *self, struct error *err) {
    bool ended = false;
    for (bool first = true;; first = false) {
        if (!ustar_next(self->source, &self->member, &ended, err))
            return false;
        if (ended)
            return first ? source_error(self->source, err, "the tar is empty")
                         : check_end(self, err);
        if (first && strcmp(self->member.name, "toc.dat") != 0)
            return wrong_member(self, "the first member should be toc.dat", err);
        if (!(first ? read_toc(self, err) : read_member(self, err)) ||
            !ustar_skip_padding(self->source, self->member.size, err))
            return false;
    }
}

static bool read_tar(struct source *source, struct dump_facts *facts, struct error *err) {
    struct tar tar = {.source = source, .facts = facts, .archive = {.format = POSTGRES_FILES}};
    tar.piece = memory_resize(NULL, PIECE, 1);
    const bool done = read_members(&tar, err);
    free(tar.piece);
    postgres_archive_done(&tar.archive);
    return done;
}

static bool recognises_tar(const uint8_t *head, size_t length) {
    return ustar_recognises(head, length, "toc.dat");
}

const struct dump_format FORMAT_POSTGRES_TAR = {
    .name = "postgres-tar",
    .title = "pg_dump, tar format",
    .engine = DUMP_POSTGRES,
    .recognises = recognises_tar,
    .read = read_tar,
};
