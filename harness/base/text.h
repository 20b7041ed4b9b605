// A bounded string builder: the only way that assay composes text of unknown length.
//
// Holds at most `limit` bytes. What would pass the limit is cut and `overflowed` is set, so that
// whatever a server sends, memory stays bounded; a caller for whom a cut text is wrong checks the
// flag. Always NUL-terminated; may hold NUL bytes itself (length counts).
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes; // NULL while empty: read through text_string()
    size_t length;
    size_t capacity;
    size_t limit; // 0 means TEXT_DEFAULT_LIMIT
    bool overflowed;
};

#define TEXT_DEFAULT_LIMIT ((size_t)16 * 1024 * 1024)

// A zeroed struct text is an empty one with the default limit; text_init sets another limit.
void text_init(struct text *self, size_t limit);
void text_done(struct text *self);
void text_clear(struct text *self); // keeps the storage

void text_append(struct text *self, const char *string);
void text_append_bytes(struct text *self, const void *bytes, size_t length);
void text_append_char(struct text *self, char character);
void text_appendf(struct text *self, const char *format, ...) printf_like(2, 3);

// Keeps only the last `length` bytes: for log tails.
void text_keep_last(struct text *self, size_t length);

const char *text_string(const struct text *self); // borrowed until the next change; never NULL
char *text_take(struct text *self) must_use;      // caller frees; self is empty afterwards

DEFINE_AUTODONE(text, text_done);
