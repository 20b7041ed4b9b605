// What a table holds, in a few bytes: a keyed 128-bit hash of each row, added modulo 2^128, and the
// number of rows. Two tables with the same rows have the same sum, in whatever order they come.
//
//   values of a row ──> canonical form ──> SipHash-2-4, 128 bits ──> + total, + its bucket
//
// Canonical form of a row: its values one after the other, each as a tag and what follows.
//   0x00                                 SQL's NULL, or a field that is not there
//   0x01 length(8, little-endian) bytes  a value
//   0x02 length(8, little-endian) hash   a value over ROW_HASH_INLINE bytes, by its own hash under
//                                        the same key, so that memory stays bounded
// No row's form begins another's, so ('a#b','c') is not ('a','b#c'), and NULL is not ''.
//
// Adding, not XOR: a row that is there twice counts twice, so duplicates show, pairs of them too.
// Buckets (a power of two) by the hash of the key columns narrow down which rows differ; where just
// one row is missing or extra in a bucket, the difference of the two sums is that row's own hash.
//
// The key is random for each backup: nobody who writes rows can prepare two tables of equal sums
// beforehand. Whoever knows the key can (Wagner's generalised birthday needs about 2^(2*sqrt(128))
// work and many rows), and can test guesses at single rows: a sum detects damage and mistakes, and
// a manifest is as confidential as its backup. Against somebody who edits a backup stand its files'
// SHA-256 and the manifest's signature.
//
// Not seen: the order of rows; what the caller does not hand over (the schema: fingerprint.h); two
// texts that a server holds to be equal but stores differently are different, as they should be;
// two different tables of equal sums by chance, 2^-128.
//
// Sources: SipHash: a fast short-input PRF, Aumasson and Bernstein 2012, in libsodium's 128-bit
// variant (crypto_shorthash_siphashx24); Incremental Multiset Hash Functions and Their Application
// to Memory Integrity Checking, Clarke, Devadas, van Dijk, Gassend, Suh 2003 (MSet-Add-Hash).
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_HASH_KEY_SIZE 16
#define ROW_HASH_INLINE 1024
#define ROW_HASH_BUCKETS 256       // unless told otherwise
#define ROW_HASH_BUCKETS_MAX 65536 // a power of two
#define ROW_SUM_TEXT_SIZE 33       // 32 lower-case hex digits, most significant first, and NUL

struct row_sum {
    uint64_t high, low; // modulo 2^128
    uint64_t rows;
};

void row_sum_add(struct row_sum *self, const struct row_sum *other);
void row_sum_subtract(struct row_sum *self, const struct row_sum *other); // rows modulo 2^64
bool row_sum_equal(const struct row_sum *left, const struct row_sum *right);
// The hash alone, without the number of rows.
const char *row_sum_format(const struct row_sum *self, char buffer[ROW_SUM_TEXT_SIZE]);
bool row_sum_parse(const char *text, struct row_sum *ret_sum) must_use; // keeps ret_sum->rows

// The outcome: what a manifest keeps. A plain value; zeroed is "no rows, no buckets".
struct row_bucket {
    uint32_t index;
    struct row_sum sum;
};
struct row_content {
    struct row_sum total;
    uint32_t bucket_count;
    struct row_bucket *buckets; // the filled ones only, by index; they add up to the total
    size_t filled;
};

void row_content_done(struct row_content *self);
struct row_content row_content_copy(const struct row_content *self); // the caller's

// What it would take to get from `expected` to `actual`. Rows are counted by bucket: of a table
// that lost one row and gained another, both are seen unless they fell into the same bucket, where
// they show as altered.
struct row_difference {
    uint64_t missing;         // rows, at least
    uint64_t extra;           // rows, at least
    uint32_t altered_buckets; // as many rows, but not the same
    uint32_t *buckets;        // indexes of all that differ, ascending; the caller's
    size_t bucket_count;      // 0 with a difference: the two were bucketed differently
};
// Both under the same key. true: they hold the same rows, and *ret_difference is zeroed.
bool row_content_equal(const struct row_content *expected, const struct row_content *actual,
                       struct row_difference *ret_difference);
void row_difference_done(struct row_difference *self);

struct row_notes;

// Takes rows, one value after the other. One thread at a time; parts of a table may be summed side
// by side and merged.
struct row_hash;

struct row_hash_options {
    size_t buckets;          // 0: ROW_HASH_BUCKETS
    size_t key_columns;      // the first so many values of a row are its key; 0: all of them
    struct row_notes *notes; // that are taken of rows (value/row_notes.h), borrowed; NULL: none are
};
struct row_hash *row_hash_new_with(const uint8_t key[ROW_HASH_KEY_SIZE],
                                   const struct row_hash_options *options);
#define row_hash_new(key, ...) \
    row_hash_new_with((key), &(const struct row_hash_options){.buckets = 0, __VA_ARGS__})
void row_hash_free(struct row_hash *self);

void row_hash_begin(struct row_hash *self); // forgets a row that was not ended
void row_hash_value(struct row_hash *self, const void *bytes, size_t length);
void row_hash_null(struct row_hash *self);
// Adds the row; its bucket. *ret_row (may be NULL) is the row's own sum, to look for the one row
// that a bucket lacks. A row may have no values: they are counted like others.
uint32_t row_hash_end(struct row_hash *self, struct row_sum *ret_row);

// Adds another's rows; both with the same key and options (check).
void row_hash_merge(struct row_hash *self, const struct row_hash *other);

const struct row_sum *row_hash_total(const struct row_hash *self);
const struct row_sum *row_hash_bucket(const struct row_hash *self, uint32_t index);
// A copy of the outcome, the caller's.
struct row_content row_hash_content(const struct row_hash *self);

DEFINE_AUTODONE(row_content, row_content_done);
DEFINE_AUTODONE(row_difference, row_difference_done);
DEFINE_AUTOFREE(row_hash, row_hash_free);
