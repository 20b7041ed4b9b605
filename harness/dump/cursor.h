// A source's bytes without copies: looked at where they lie, then taken. For binary formats, whose
// readers take a few bytes at a time. Keeps a CRC-64 of what was taken, if asked to.
//
// While a cursor is in use, its source is read through it only. Errors name the offset of the
// first byte that was not taken.
#pragma once

#include "dump/crc64.h"
#include "dump/source.h"

struct cursor {
    struct source *source;
    const uint8_t *bytes;     // borrowed of the source: all that it showed
    size_t length;            // of them
    size_t at;                // taken of them
    size_t summed;            // of those, already in the CRC
    const struct crc64 *kind; // NULL: no CRC
    uint64_t crc;
};

void cursor_init(struct cursor *self, struct source *source); // borrows

// The next bytes: at least `wanted` (up to SOURCE_HEAD) unless the source ends before; how many, in
// *ret_length: 0 at the end. Borrowed until the next call.
bool cursor_look(struct cursor *self, size_t wanted, const uint8_t **ret_bytes, size_t *ret_length,
                 struct error *err) must_use;
void cursor_take(struct cursor *self, size_t length); // of what cursor_look showed

// Exactly so many, or ERROR_PROTOCOL: "the data end within WHAT".
bool cursor_read(struct cursor *self, void *bytes, size_t size, const char *what,
                 struct error *err) must_use;
bool cursor_skip(struct cursor *self, uint64_t length, const char *what,
                 struct error *err) must_use;

// Nothing may follow: "goes on after its end"; and the source's own proof of its end holds.
bool cursor_end(struct cursor *self, struct error *err) must_use;

// From here on: `kind` (borrowed; NULL: none) over what is taken, begun with `crc`.
void cursor_sum(struct cursor *self, const struct crc64 *kind, uint64_t crc);
uint64_t cursor_crc(struct cursor *self); // of what was taken since

uint64_t cursor_offset(const struct cursor *self);

// ERROR_PROTOCOL with the offset in front; returns false.
bool cursor_error(struct cursor *self, struct error *err, const char *format, ...)
    printf_like(3, 4);
