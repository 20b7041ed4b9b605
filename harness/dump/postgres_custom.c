#include "dump/formats.h"

#include "base/memory.h"
#include "dump/postgres_archive.h"
#include "dump/postgres_content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)64 * 1024)

enum block { TABLE_BLOCK = 1, BLOBS_BLOCK = 3 };

struct blocks {
    struct postgres_archive *archive;
    struct dump_facts *facts;
    struct postgres_entry *entry; // whose data are being read
    uint8_t *piece;
};

static bool wrong_data(const struct blocks *self, const char *wrong, struct error *err) {
    return source_error(self->archive->source, err, "the data of %s (entry %" PRId32 "): %s",
                        postgres_entry_name(self->entry), self->entry->id, wrong);
}

static bool feed_chunk(struct blocks *self, struct postgres_content *content, int64_t length,
                       struct error *err) {
    char wrong[POSTGRES_WRONG_SIZE];
    while (length > 0) {
        const size_t piece = (size_t)length < PIECE ? (size_t)length : PIECE;
        if (!source_read_all(self->archive->source, self->piece, piece, "a chunk of data", err))
            return false;
        if (!postgres_content_feed(content, self->piece, piece, wrong))
            return wrong_data(self, wrong, err);
        length -= (int64_t)piece;
    }
    return true;
}

// Chunks, each a length and so many bytes, to the length 0.
static bool read_chunks(struct blocks *self, enum postgres_data data, struct error *err) {
    autodone(postgres_content) struct postgres_content content;
    postgres_content_init(&content, self->archive->compression, data, self->entry->columns);
    for (;;) {
        int64_t length = 0;
        if (!postgres_read_integer(self->archive, &length, "the length of a chunk", err))
            return false;
        if (length < 0)
            return wrong_data(self, "a chunk has a negative length", err);
        if (length == 0)
            break;
        if (!feed_chunk(self, &content, length, err))
            return false;
    }
    char wrong[POSTGRES_WRONG_SIZE];
    if (!postgres_content_end(&content, wrong))
        return wrong_data(self, wrong, err);
    if (data != POSTGRES_BLOBS)
        self->facts->record_count += postgres_content_rows(&content);
    return true;
}

// Large objects, each an OID and its chunks, to the OID 0.
static bool read_blobs(struct blocks *self, struct error *err) {
    for (;;) {
        int64_t oid = 0;
        if (!postgres_read_integer(self->archive, &oid, "the OID of a large object", err))
            return false;
        // Written as a signed number: the upper half comes out negative.
        if (oid < INT32_MIN)
            return wrong_data(self, "a large object has an impossible OID", err);
        if (oid == 0)
            return true;
        postgres_blobs_count(&self->archive->found, (uint32_t)oid);
        if (!read_chunks(self, POSTGRES_BLOBS, err))
            return false;
    }
}

static bool check_block(struct blocks *self, uint64_t offset, uint8_t kind, int64_t id,
                        struct error *err) {
    struct source *source = self->archive->source;
    self->entry = postgres_archive_entry(self->archive, id);
    if (self->entry == NULL)
        return source_error(source, err,
                            "data of entry %" PRId64 ", which the table of contents does not have",
                            id);
    if (self->entry->seen)
        return wrong_data(self, "they come twice", err);
    if (self->entry->placed && self->entry->offset != offset)
        return source_error(source, err,
                            "the data of %s (entry %" PRId64 ") stand at byte %" PRIu64
                            ", but the table of contents says %" PRIu64,
                            postgres_entry_name(self->entry), id, offset, self->entry->offset);
    if (kind != (self->entry->data == POSTGRES_BLOBS ? BLOBS_BLOCK : TABLE_BLOCK))
        return wrong_data(self, "a block of another kind", err);
    self->entry->seen = true;
    self->entry->offset = offset;
    return true;
}

static bool read_block(struct blocks *self, struct error *err) {
    const uint64_t offset = source_offset(self->archive->source);
    uint8_t kind;
    int64_t id = 0;
    if (!postgres_read_byte(self->archive, &kind, "a block", err))
        return false;
    if (kind != TABLE_BLOCK && kind != BLOBS_BLOCK)
        return source_error(self->archive->source, err, "a block of data of the kind %u", kind);
    if (!postgres_read_integer(self->archive, &id, "the id of a block", err) ||
        !check_block(self, offset, kind, id, err))
        return false;
    return kind == BLOBS_BLOCK ? read_blobs(self, err) : read_chunks(self, self->entry->data, err);
}

static bool expect_end(struct source *source, struct error *err) {
    const uint8_t *more;
    size_t length = 0;
    if (!source_peek(source, 1, &more, &length, err))
        return false;
    return length == 0 || source_error(source, err, "something follows the table of contents");
}

static bool read_blocks(struct blocks *self, struct error *err) {
    const uint8_t *head;
    size_t length = 0;
    for (;;) {
        if (!source_peek(self->archive->source, 1, &head, &length, err))
            return false;
        if (length == 0)
            return true;
        // No kind of block: the sign of a number of entries.
        if (head[0] == 0)
            return postgres_archive_read_again(self->archive, err) &&
                   expect_end(self->archive->source, err);
        if (!read_block(self, err))
            return false;
    }
}

static bool read_custom(struct source *source, struct dump_facts *facts, struct error *err) {
    autodone(postgres_archive) struct postgres_archive archive = {.format = POSTGRES_CUSTOM};
    if (!postgres_archive_read(&archive, source, UINT64_MAX, facts, err))
        return false;
    struct blocks blocks = {.archive = &archive, .facts = facts};
    blocks.piece = memory_resize(NULL, PIECE, 1);
    const bool done = read_blocks(&blocks, err) && postgres_archive_finish(&archive, facts, err);
    free(blocks.piece);
    return done;
}

static bool read_directory(struct source *source, struct dump_facts *facts, struct error *err) {
    autodone(postgres_archive) struct postgres_archive archive = {.format = POSTGRES_FILES};
    if (!postgres_archive_read(&archive, source, UINT64_MAX, facts, err))
        return false;
    if (!expect_end(source, err))
        return false;
    table_names_give(&archive.tables, &archive.data, facts); // the data are files beside it
    return true;
}

static bool recognises_custom(const uint8_t *head, size_t length) {
    return length >= 5 && memcmp(head, "PGDMP", 5) == 0;
}

static bool recognises_directory(const uint8_t *head, size_t length) {
    return postgres_archive_begins(head, length, POSTGRES_FILES);
}

const struct dump_format FORMAT_POSTGRES_CUSTOM = {
    .name = "postgres-custom",
    .title = "pg_dump, custom format",
    .engine = DUMP_POSTGRES,
    .recognises = recognises_custom,
    .read = read_custom,
};

const struct dump_format FORMAT_POSTGRES_DIRECTORY = {
    .name = "postgres-directory",
    .title = "pg_dump, directory format: its table of contents",
    .engine = DUMP_POSTGRES,
    .recognises = recognises_directory,
    .read = read_directory,
};
