// The rows of COPY … TO STDOUT (FORMAT binary), as they arrive, into a sum.
//
// Source: PostgreSQL manual, COPY, "Binary Format": an 11-byte signature, flags and an extension;
// rows of a 16-bit number of fields, each a 32-bit length (-1: NULL) and its bytes; -1 at the end.
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "value/row_hash.h"
#include "verify/fingerprint/row_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Zeroed but for `hash` and `columns`; memory is bounded by the longest row.
struct postgres_binary {
    struct row_hash *hash;     // borrowed
    size_t columns;            // of every row, that are summed
    size_t words;              // of every row, after them: the key's columns as text
    struct row_reader *reader; // borrowed; NULL: no row is noted
    struct text pending;       // of a row that has not wholly arrived
    bool has_begun;
    bool has_ended;
};

// Bytes may be cut anywhere. ERROR_PROTOCOL: this is not that format.
bool postgres_binary_read(struct postgres_binary *self, const void *bytes, size_t length,
                          struct error *err) must_use;
// ERROR_PROTOCOL: it did not end with its mark.
bool postgres_binary_end(const struct postgres_binary *self, struct error *err) must_use;
void postgres_binary_done(struct postgres_binary *self);

DEFINE_AUTODONE(postgres_binary, postgres_binary_done);
