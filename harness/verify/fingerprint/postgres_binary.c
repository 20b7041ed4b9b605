#include "verify/fingerprint/postgres_binary.h"

#include "base/memory.h"

#include <string.h>

#define SIGNATURE "PGCOPY\n\377\r\n" // and a NUL, which is part of it
#define HEAD_SIZE (sizeof SIGNATURE + 4 + 4)
#define FLAG_OIDS_AND_ABOVE 0xffff0000U        // "critical": whoever does not know them must stop
#define ROW_LIMIT ((size_t)1100 * 1024 * 1024) // the server's own limit of a message is 1 GiB

static uint32_t number_at(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool refuse(struct error *err, const char *what) {
    return error_set(err, ERROR_PROTOCOL, 0, "COPY in binary format: %s", what);
}

// What of `bytes` could be taken; 0: more is needed.
static bool take_head(struct postgres_binary *self, const uint8_t *bytes, size_t length,
                      size_t *ret_taken, struct error *err) {
    *ret_taken = 0;
    if (length < HEAD_SIZE)
        return true;
    const uint32_t flags = number_at(bytes + sizeof SIGNATURE);
    const uint32_t extension = number_at(bytes + sizeof SIGNATURE + 4);
    if (memcmp(bytes, SIGNATURE, sizeof SIGNATURE) != 0)
        return refuse(err, "it does not begin with its signature");
    if ((flags & FLAG_OIDS_AND_ABOVE) != 0 || extension != 0)
        return refuse(err, "a head that we do not know");
    self->has_begun = true;
    *ret_taken = HEAD_SIZE;
    return true;
}

// The end of a whole row; 0: it has not arrived.
static bool find_row_end(const struct postgres_binary *self, const uint8_t *bytes, size_t length,
                         size_t *ret_end, struct error *err) {
    size_t at = 2;
    *ret_end = 0;
    for (size_t column = 0; column < self->columns + self->words; column++) {
        if (length - at < 4)
            return true;
        const uint32_t size = number_at(bytes + at);
        at += 4;
        if (size == UINT32_MAX)
            continue;
        if (size > INT32_MAX)
            return refuse(err, "a negative length");
        if (length - at < size)
            return true;
        at += size;
    }
    *ret_end = at;
    return true;
}

static void note_row(const struct postgres_binary *self, const uint8_t *at) {
    for (size_t column = 0; column < self->columns + self->words; column++) {
        const uint32_t size = number_at(at);
        const bool is_null = size == UINT32_MAX;
        at += 4;
        if (column < self->columns)
            row_reader_value(self->reader, column, is_null ? NULL : at, is_null ? 0 : size);
        else if (!is_null)
            row_reader_key(self->reader, column - self->columns, at, size);
        at += is_null ? 0 : size;
    }
}

static void add_row(struct postgres_binary *self, const uint8_t *bytes) {
    const uint8_t *at = bytes + 2;
    row_hash_begin(self->hash);
    for (size_t column = 0; column < self->columns; column++) {
        const uint32_t size = number_at(at);
        at += 4;
        if (size == UINT32_MAX) {
            row_hash_null(self->hash);
        } else {
            row_hash_value(self->hash, at, size);
            at += size;
        }
    }
    row_hash_end(self->hash, NULL);
    if (self->reader != NULL && row_notes_wants(self->reader->notes))
        note_row(self, bytes + 2);
}

static bool take_row(struct postgres_binary *self, const uint8_t *bytes, size_t length,
                     size_t *ret_taken, struct error *err) {
    *ret_taken = 0;
    if (length < 2)
        return true;
    const unsigned fields = (unsigned)bytes[0] << 8 | bytes[1];
    if (fields == 0xffff) {
        self->has_ended = true;
        *ret_taken = 2;
        return true;
    }
    if (fields != self->columns + self->words)
        return refuse(err, "a row of another number of columns");
    if (!find_row_end(self, bytes, length, ret_taken, err))
        return false;
    if (*ret_taken > 0)
        add_row(self, bytes);
    return true;
}

static bool take_all(struct postgres_binary *self, const uint8_t *bytes, size_t length,
                     size_t *ret_taken, struct error *err) {
    size_t at = 0, taken = 1;
    while (at < length && taken > 0) {
        if (self->has_ended)
            return refuse(err, "it goes on after its end");
        if (!(self->has_begun ? take_row : take_head)(self, bytes + at, length - at, &taken, err))
            return false;
        at += taken;
    }
    *ret_taken = at;
    return true;
}

bool postgres_binary_read(struct postgres_binary *self, const void *bytes, size_t length,
                          struct error *err) {
    size_t taken = 0;
    self->pending.limit = ROW_LIMIT;
    if (self->pending.length == 0) { // nearly always: the server sends whole rows
        if (!take_all(self, bytes, length, &taken, err))
            return false;
        text_append_bytes(&self->pending, (const char *)bytes + taken, length - taken);
        return true;
    }
    text_append_bytes(&self->pending, bytes, length);
    if (self->pending.overflowed)
        return refuse(err, "a row of over a gibibyte");
    if (!take_all(self, (const uint8_t *)self->pending.bytes, self->pending.length, &taken, err))
        return false;
    text_keep_last(&self->pending, self->pending.length - taken);
    return true;
}

bool postgres_binary_end(const struct postgres_binary *self, struct error *err) {
    return self->has_ended || refuse(err, "it ends before its end");
}

void postgres_binary_done(struct postgres_binary *self) {
    text_done(&self->pending);
}
