// Which rows: a few of an object's rows, noted in a second reading, of the buckets
// (value/row_hash.h) that a first one found to differ. Of each row its key in words, its own sum,
// and a hash of each of its values, so that two can be told apart by column. Values themselves are
// not kept: they may be confidential, and only keys are ever printed.
//
// Bounded: whenever there are too many, half of the keys, by their hash, are forgotten and not
// noted any more. Which half depends on nothing but the key, so that of two servers the same rows
// stay.
#pragma once

#include "base/cleanup.h"
#include "value/row_hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_NOTES_LIMIT 100000                     // rows
#define ROW_NOTES_BYTES ((size_t)16 * 1024 * 1024) // of what is noted, in all objects of a hunt
#define ROW_NUMBER_SIZE 32

// Keys that are one integer: the server's way of writing it, so that those that lie between can be
// written, too.
struct row_number_form {
    // false: it is no integer. *ret_width: what `write` needs to know beside the number.
    bool (*read)(const uint8_t *bytes, size_t length, int64_t *ret_number, size_t *ret_width);
    size_t (*write)(int64_t number, size_t width, uint8_t bytes[ROW_NUMBER_SIZE]); // the length
};

struct row_notes;

// The buckets are copied; ascending. `bytes` 0: ROW_NOTES_BYTES.
struct row_notes *row_notes_new(const uint8_t key[ROW_HASH_KEY_SIZE],
                                const struct row_difference *difference, uint32_t bucket_count,
                                size_t bytes);
void row_notes_free(struct row_notes *self);

// Before any row: the key's one column is an integer, if its values can be read so. The
// form is borrowed.
void row_notes_numbered(struct row_notes *self, const struct row_number_form *form,
                        const char *column);

// ---- for row_hash.c: a row has ended

struct row_notes_row {
    uint32_t bucket;
    uint64_t key[2]; // its hash
    struct row_sum sum;
    const uint8_t *number; // the bytes of a key, if that is one column; NULL: they are not known
    size_t number_length;
};
void row_notes_begin(struct row_notes *self, const struct row_notes_row *row);

// ---- for who reads the rows: after row_hash_end

// Whether that row is noted, so that its key and its values are wanted. `self` may be NULL.
bool row_notes_wants(const struct row_notes *self);
// A column of its key, in words; none: it has no name. `column` NULL: the bytes stand alone. Bytes
// that are no text are shown as x'00ff'.
void row_notes_key(struct row_notes *self, const char *column, const void *bytes, size_t length);
// `bytes` NULL: SQL's NULL.
void row_notes_value(struct row_notes *self, const char *column, const void *bytes, size_t length);

// ---- for row_findings.c

struct row_note_value {
    uint64_t hash;
    size_t column; // in `columns`
};
struct row_note {
    uint64_t key[2];
    struct row_sum sum;
    uint32_t bucket;
    size_t key_columns; // that are in `words`; 0: it has no name
    char *words;
    struct row_note_value *values;
    size_t value_count;
    int64_t number;
};

struct row_notes {
    uint8_t key[ROW_HASH_KEY_SIZE];
    uint32_t *buckets; // wanted
    size_t bucket_count;
    uint32_t buckets_in_all;
    struct row_note *items;
    size_t count, capacity;
    size_t bytes, bytes_limit;
    unsigned halved; // so many times; 0: all rows of the buckets are here
    bool wants;      // the last of the items
    char **columns;
    size_t column_count;
    // Of all rows, noted or not.
    const struct row_number_form *form; // NULL: their keys are no integers
    char *number_column;
    uint64_t numbered;
    size_t width;
    int64_t least, greatest;
};

// Forgets rows until it was halved as often.
void row_notes_halve(struct row_notes *self, unsigned times);

DEFINE_AUTOFREE(row_notes, row_notes_free);
