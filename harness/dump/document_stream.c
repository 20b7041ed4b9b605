#include "dump/document_stream.h"

#include "base/memory.h"
#include "dump/bson_walk.h"
#include "dump/little_endian.h"

#include <stdlib.h>
#include <string.h>

#define TERMINATOR UINT32_C(0xffffffff)

void document_stream_init(struct document_stream *self, struct source *source, bool is_archive) {
    *self = (struct document_stream){
        .source = source, .is_archive = is_archive, .in_prelude = is_archive};
}

void document_stream_done(struct document_stream *self) {
    if (self == NULL)
        return;
    free(self->database);
    free(self->collection);
    free(self->metadata);
    free(self->bytes);
    *self = (struct document_stream){0};
}

// The next four bytes, a length or a terminator; false in *ret_there at the end of the file.
static bool read_length(struct document_stream *self, bool *ret_there, uint32_t *ret_length,
                        struct error *err) {
    uint8_t bytes[4];
    size_t length = 0;
    if (!source_read(self->source, bytes, 1, &length, err))
        return false;
    *ret_there = length > 0;
    if (length == 0)
        return true;
    if (!source_read_all(self->source, bytes + 1, 3, "a length", err))
        return false;
    *ret_length = (uint32_t)little_endian(bytes, 4);
    return true;
}

static bool read_document(struct document_stream *self, uint32_t length, struct error *err) {
    if (length < BSON_SHORTEST || length > BSON_LONGEST)
        return source_error(self->source, err, "%u bytes are no document", (unsigned)length);
    if (length > self->capacity) {
        self->bytes = memory_resize(self->bytes, length, 1);
        self->capacity = length;
    }
    for (size_t i = 0; i < 4; i++)
        self->bytes[i] = (uint8_t)(length >> (8 * i));
    self->length = length;
    return source_read_all(self->source, self->bytes + 4, length - 4, "a document", err);
}

// ---- the archive's own documents are flat, of few types

// The value of a string or of a boolean ("" or "1") by its key; NULL: not there.
static const char *value_of(const struct document_stream *self, const char *key) {
    const uint8_t *at = self->bytes + 4, *end = self->bytes + self->length - 1;
    while (at < end && *at != 0) {
        const uint8_t type = *at++;
        const char *name = (const char *)at;
        const size_t name_length = strnlen(name, (size_t)(end - at));
        at += name_length + 1;
        if (at >= end)
            return NULL;
        size_t size = type == BSON_STRING && end - at >= 4 ? 4 + (size_t)little_endian(at, 4)
                      : type == BSON_BOOLEAN               ? 1
                      : type == BSON_INT32                 ? 4
                      : type == BSON_INT64                 ? 8
                                                           : SIZE_MAX;
        if (size > (size_t)(end - at))
            return NULL;
        if (strcmp(name, key) == 0)
            return type == BSON_STRING && size > 4 && at[size - 1] == 0 ? (const char *)at + 4
                   : type == BSON_BOOLEAN                               ? (*at != 0 ? "1" : "")
                                                                        : NULL;
        at += size;
    }
    return NULL;
}

static void keep(char **text, const char *value) {
    free(*text);
    *text = memory_copy_string(value != NULL ? value : "");
}

static void keep_names(struct document_stream *self) {
    keep(&self->database, value_of(self, "db"));
    keep(&self->collection, value_of(self, "collection"));
}

static bool read_header(struct document_stream *self, struct error *err) {
    uint8_t magic[4];
    bool there = false;
    uint32_t length = 0;
    return source_read_all(self->source, magic, sizeof magic, "the archive's magic number", err) &&
           read_length(self, &there, &length, err) && read_document(self, length, err);
}

static bool read_prelude(struct document_stream *self, enum document_event *ret_event,
                         struct error *err) {
    bool there = false;
    uint32_t length = 0;
    if (source_offset(self->source) == 0 && !read_header(self, err))
        return false;
    if (!read_length(self, &there, &length, err))
        return false;
    if (!there || length == TERMINATOR) {
        self->in_prelude = false;
        return document_stream_next(self, ret_event, err);
    }
    if (!read_document(self, length, err))
        return false;
    keep_names(self);
    keep(&self->metadata, value_of(self, "metadata"));
    *ret_event = DOCUMENT_COLLECTION;
    return true;
}

// The header of a block of documents; one that ends a collection is passed over.
static bool read_block(struct document_stream *self, bool *ret_there, struct error *err) {
    uint32_t length = 0;
    if (!read_length(self, ret_there, &length, err) || !*ret_there)
        return *ret_there == false;
    if (!read_document(self, length, err))
        return false;
    keep_names(self);
    self->in_block = true;
    return true;
}

bool document_stream_next(struct document_stream *self, enum document_event *ret_event,
                          struct error *err) {
    bool there = false;
    uint32_t length = 0;
    if (self->in_prelude)
        return read_prelude(self, ret_event, err);
    for (;;) {
        if (self->is_archive && !self->in_block) {
            if (!read_block(self, &there, err))
                return false;
            if (!there)
                break;
        }
        if (!read_length(self, &there, &length, err))
            return false;
        if (!there)
            break;
        if (!self->is_archive || length != TERMINATOR) {
            *ret_event = DOCUMENT_ROW;
            return read_document(self, length, err);
        }
        self->in_block = false;
    }
    *ret_event = DOCUMENT_END;
    return true;
}
