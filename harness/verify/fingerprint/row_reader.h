// What a second reading (value/row_hunt.h) notes of a table's rows, where SQL gives them: the
// names of the columns, and which of them are the key.
#pragma once

#include "base/error.h"
#include "base/string_list.h"
#include "value/row_notes.h"

struct row_reader {
    struct row_notes *notes;  // borrowed; NULL: none are taken
    struct string_list names; // of the columns, the key's first; empty when no notes are taken
};

// `names`: ["id", "total"]; looked at only where there are notes. ERROR_PROTOCOL: it is no such
// list.
bool row_reader_init(struct row_reader *self, struct row_notes *notes, const char *names,
                     struct error *err) must_use;
void row_reader_done(struct row_reader *self);

// After row_hash_end, if row_notes_wants. `bytes` NULL: SQL's NULL.
void row_reader_key(const struct row_reader *self, size_t column, const void *bytes, size_t length);
void row_reader_value(const struct row_reader *self, size_t column, const void *bytes,
                      size_t length);

DEFINE_AUTODONE(row_reader, row_reader_done);
