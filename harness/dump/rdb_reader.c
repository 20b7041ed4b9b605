#include "dump/rdb_reader.h"

#include "base/memory.h"
#include "dump/little_endian.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct rdb_reader *rdb_reader_new(struct source *source) {
    struct rdb_reader *self = memory_new(1, sizeof *self);
    cursor_init(&self->cursor, source);
    crc64_init(&self->kind, CRC64_JONES);
    cursor_sum(&self->cursor, &self->kind, 0);
    return self;
}

void rdb_reader_free(struct rdb_reader *self) {
    if (self == NULL)
        return;
    free(self->kept);
    free(self);
}

// ---- lengths

static const uint8_t LONG_LENGTH_SIZE[2] = {4, 8}; // after 0x80, 0x81

// A length, or (with *ret_encoded) the number of a special encoding.
static bool length_or_encoding(struct rdb_reader *self, const char *what, uint64_t *ret_length,
                               bool *ret_encoded, struct error *err) {
    uint8_t bytes[8];
    if (!cursor_read(&self->cursor, bytes, 1, what, err))
        return false;
    const uint8_t first = bytes[0];
    *ret_encoded = first >> 6 == 3;
    *ret_length = first & 0x3f;
    if (first >> 6 == 1) {
        if (!cursor_read(&self->cursor, bytes + 1, 1, what, err))
            return false;
        *ret_length = big_endian(bytes, 2) & 0x3fff;
    } else if (first >> 6 == 2) {
        if (first > 0x81)
            return cursor_error(&self->cursor, err, "the length of %s begins with 0x%02x", what,
                                first);
        const size_t size = LONG_LENGTH_SIZE[first & 1];
        if (!cursor_read(&self->cursor, bytes, size, what, err))
            return false;
        *ret_length = big_endian(bytes, size);
    }
    return true;
}

bool rdb_read_length(struct rdb_reader *self, const char *what, uint64_t *ret_length,
                     struct error *err) {
    bool encoded;
    uint64_t length;
    if (!length_or_encoding(self, what, &length, &encoded, err))
        return false;
    if (encoded)
        return cursor_error(&self->cursor, err, "%s is a string where a number belongs", what);
    *ret_length = length;
    return true;
}

bool rdb_skip(struct rdb_reader *self, uint64_t length, const char *what, struct error *err) {
    return cursor_skip(&self->cursor, length, what, err);
}

bool rdb_read_byte(struct rdb_reader *self, const char *what, uint8_t *ret_byte,
                   struct error *err) {
    return cursor_read(&self->cursor, ret_byte, 1, what, err);
}

// ---- strings

// The buffer grows by what was read, never by what was said.
static void keep(void *context, const uint8_t *bytes, size_t length) {
    struct rdb_reader *self = context;
    const size_t left = self->wanted - self->kept_length;
    if (length > left)
        length = left;
    if (length == 0)
        return;
    if (self->kept_length + length > self->kept_capacity) {
        size_t capacity = self->kept_capacity > 0 ? self->kept_capacity : 16 * 1024;
        while (capacity < self->kept_length + length)
            capacity *= 2;
        self->kept = memory_resize(self->kept, capacity, 1);
        self->kept_capacity = capacity;
    }
    memcpy(self->kept + self->kept_length, bytes, length);
    self->kept_length += length;
}

static bool read_plain(struct rdb_reader *self, uint64_t left, bool compressed, const char *what,
                       struct error *err) {
    while (left > 0) {
        const uint8_t *bytes;
        size_t length;
        const char *problem = NULL;
        if (!cursor_look(&self->cursor, 1, &bytes, &length, err))
            return false;
        if (length == 0)
            return cursor_error(&self->cursor, err,
                                "the data end within %s, %" PRIu64 " bytes early", what, left);
        if (length > left)
            length = (size_t)left;
        if (compressed)
            problem = lzf_feed(&self->lzf, bytes, length);
        else
            keep(self, bytes, length);
        if (problem != NULL)
            return cursor_error(&self->cursor, err, "%s: %s", what, problem);
        cursor_take(&self->cursor, length);
        left -= length;
    }
    return true;
}

static bool read_compressed(struct rdb_reader *self, const char *what, struct error *err) {
    uint64_t compressed;
    if (!rdb_read_length(self, what, &compressed, err) ||
        !rdb_read_length(self, what, &self->length, err))
        return false;
    lzf_init(&self->lzf, self->length, keep, self);
    if (!read_plain(self, compressed, true, what, err))
        return false;
    const char *problem = lzf_end(&self->lzf);
    return problem == NULL || cursor_error(&self->cursor, err, "%s: %s", what, problem);
}

// A number of 1, 2 or 4 bytes, as the text that it stands for.
static bool read_number(struct rdb_reader *self, size_t size, const char *what, struct error *err) {
    uint8_t bytes[4];
    char text[16];
    if (!cursor_read(&self->cursor, bytes, size, what, err))
        return false;
    const int length =
        snprintf(text, sizeof text, "%" PRId64, sign_extend(little_endian(bytes, size), size));
    self->length = (uint64_t)length;
    keep(self, (const uint8_t *)text, (size_t)length);
    return true;
}

bool rdb_read_string(struct rdb_reader *self, const char *what, size_t wanted, struct error *err) {
    bool encoded;
    self->wanted = wanted < RDB_KEPT ? wanted : RDB_KEPT;
    self->kept_length = 0;
    if (!length_or_encoding(self, what, &self->length, &encoded, err))
        return false;
    if (!encoded)
        return read_plain(self, self->length, false, what, err);
    if (self->length <= 2)
        return read_number(self, (size_t)1 << self->length, what, err);
    if (self->length == 3)
        return read_compressed(self, what, err);
    return cursor_error(&self->cursor, err, "%s has the unknown encoding %" PRIu64, what,
                        self->length);
}

char *rdb_shown(const struct rdb_reader *self) {
    char text[64 + 1];
    const size_t length = self->kept_length < 64 ? self->kept_length : 64;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(self->kept[i] < ' ' || self->kept[i] > '~' ? '?' : self->kept[i]);
    text[length] = '\0';
    return memory_format("%s%s", text, self->length > 64 ? "…" : "");
}

bool rdb_kept_is(const struct rdb_reader *self, const char *text) {
    return self->length == strlen(text) && self->kept_length == self->length &&
           (self->length == 0 || memcmp(self->kept, text, self->kept_length) == 0);
}
