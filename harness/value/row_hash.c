#include "value/row_hash.h"

#include "base/check.h"
#include "base/memory.h"
#include "value/row_notes.h"

#include <sodium.h>
#include <string.h>

#define TAG_NULL 0x00
#define TAG_VALUE 0x01
#define TAG_LONG_VALUE 0x02
#define HASH_SIZE 16

struct row_hash {
    uint8_t key[ROW_HASH_KEY_SIZE];
    size_t key_columns;
    struct row_notes *notes; // NULL: none are taken
    uint32_t bucket_count;
    struct row_sum total;
    struct row_sum *buckets;
    uint8_t *row; // in canonical form, as far as it came
    size_t length, capacity;
    size_t columns;    // of this row, so far
    size_t key_length; // of the row's beginning that is its key
};

void row_sum_add(struct row_sum *self, const struct row_sum *other) {
    self->low += other->low;
    self->high += other->high + (self->low < other->low ? 1 : 0);
    self->rows += other->rows;
}

void row_sum_subtract(struct row_sum *self, const struct row_sum *other) {
    self->high -= other->high + (self->low < other->low ? 1 : 0);
    self->low -= other->low;
    self->rows -= other->rows;
}

bool row_sum_equal(const struct row_sum *left, const struct row_sum *right) {
    return left->low == right->low && left->high == right->high && left->rows == right->rows;
}

static void put_big_endian(uint64_t value, uint8_t bytes[8]) {
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get_big_endian(const uint8_t bytes[8]) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

const char *row_sum_format(const struct row_sum *self, char buffer[ROW_SUM_TEXT_SIZE]) {
    uint8_t bytes[HASH_SIZE];
    put_big_endian(self->high, bytes);
    put_big_endian(self->low, bytes + 8);
    return sodium_bin2hex(buffer, ROW_SUM_TEXT_SIZE, bytes, sizeof bytes);
}

bool row_sum_parse(const char *text, struct row_sum *ret_sum) {
    uint8_t bytes[HASH_SIZE];
    size_t length = 0;
    if (strlen(text) != ROW_SUM_TEXT_SIZE - 1 ||
        sodium_hex2bin(bytes, sizeof bytes, text, ROW_SUM_TEXT_SIZE - 1, NULL, &length, NULL) !=
            0 ||
        length != sizeof bytes)
        return false;
    ret_sum->high = get_big_endian(bytes);
    ret_sum->low = get_big_endian(bytes + 8);
    return true;
}

void row_content_done(struct row_content *self) {
    free(self->buckets);
    *self = (struct row_content){0};
}

struct row_content row_content_copy(const struct row_content *self) {
    struct row_content copy = *self;
    copy.buckets = memory_new(self->filled, sizeof *self->buckets);
    if (self->filled > 0)
        memcpy(copy.buckets, self->buckets, self->filled * sizeof *self->buckets);
    return copy;
}

void row_difference_done(struct row_difference *self) {
    free(self->buckets);
    *self = (struct row_difference){0};
}

// Of a bucket that one side does not have, the other's rows are all missing or extra.
static void count_bucket(struct row_difference *self, uint32_t index,
                         const struct row_sum *expected, const struct row_sum *actual) {
    if (row_sum_equal(expected, actual))
        return;
    if (expected->rows > actual->rows)
        self->missing += expected->rows - actual->rows;
    else if (expected->rows < actual->rows)
        self->extra += actual->rows - expected->rows;
    else
        self->altered_buckets++;
    self->buckets[self->bucket_count++] = index;
}

static void compare_buckets(const struct row_content *expected, const struct row_content *actual,
                            struct row_difference *difference) {
    static const struct row_sum nothing;
    size_t left = 0, right = 0;
    difference->buckets =
        memory_new(expected->filled + actual->filled, sizeof *difference->buckets);
    while (left < expected->filled || right < actual->filled) {
        const struct row_bucket *of_left =
            left < expected->filled ? &expected->buckets[left] : NULL;
        const struct row_bucket *of_right = right < actual->filled ? &actual->buckets[right] : NULL;
        const uint32_t index =
            of_right == NULL || (of_left != NULL && of_left->index < of_right->index)
                ? of_left->index
                : of_right->index;
        const bool in_left = of_left != NULL && of_left->index == index;
        const bool in_right = of_right != NULL && of_right->index == index;
        count_bucket(difference, index, in_left ? &of_left->sum : &nothing,
                     in_right ? &of_right->sum : &nothing);
        left += in_left ? 1 : 0;
        right += in_right ? 1 : 0;
    }
}

bool row_content_equal(const struct row_content *expected, const struct row_content *actual,
                       struct row_difference *ret_difference) {
    struct row_difference difference = {0};
    const bool equal = row_sum_equal(&expected->total, &actual->total);
    const uint64_t before = expected->total.rows, after = actual->total.rows;
    if (!equal && expected->bucket_count == actual->bucket_count && expected->bucket_count > 0) {
        compare_buckets(expected, actual, &difference);
    } else if (!equal) {
        difference.missing = before > after ? before - after : 0;
        difference.extra = after > before ? after - before : 0;
    }
    *ret_difference = difference;
    return equal;
}

struct row_hash *row_hash_new_with(const uint8_t key[ROW_HASH_KEY_SIZE],
                                   const struct row_hash_options *options) {
    struct row_hash *self = memory_new(1, sizeof *self);
    const size_t buckets = options->buckets > 0 ? options->buckets : ROW_HASH_BUCKETS;
    check(buckets <= ROW_HASH_BUCKETS_MAX && (buckets & (buckets - 1)) == 0);
    check(sodium_init() >= 0);
    memcpy(self->key, key, sizeof self->key);
    self->key_columns = options->key_columns;
    self->notes = options->notes;
    self->bucket_count = (uint32_t)buckets;
    self->buckets = memory_new(buckets, sizeof *self->buckets);
    return self;
}

void row_hash_free(struct row_hash *self) {
    if (self == NULL)
        return;
    free(self->buckets);
    free(self->row);
    free(self);
}

void row_hash_begin(struct row_hash *self) {
    self->length = 0;
    self->columns = 0;
    self->key_length = 0;
}

static uint8_t *room_for(struct row_hash *self, size_t length) {
    if (self->capacity - self->length < length) {
        self->capacity = 2 * (self->length + length) + 256;
        self->row = memory_resize(self->row, self->capacity, 1);
    }
    uint8_t *room = self->row + self->length;
    self->length += length;
    return room;
}

static void column_ends(struct row_hash *self) {
    self->columns++;
    if (self->columns == self->key_columns)
        self->key_length = self->length;
}

static void put_head(uint8_t *at, uint8_t tag, uint64_t length) {
    at[0] = tag;
    for (int i = 0; i < 8; i++)
        at[1 + i] = (uint8_t)(length >> (8 * i));
}

void row_hash_value(struct row_hash *self, const void *bytes, size_t length) {
    const size_t head = 1 + 8;
    if (length > ROW_HASH_INLINE) {
        uint8_t *at = room_for(self, head + HASH_SIZE);
        put_head(at, TAG_LONG_VALUE, length);
        crypto_shorthash_siphashx24(at + head, bytes, length, self->key);
    } else {
        uint8_t *at = room_for(self, head + length);
        put_head(at, TAG_VALUE, length);
        if (length > 0)
            memcpy(at + head, bytes, length);
    }
    column_ends(self);
}

void row_hash_null(struct row_hash *self) {
    *room_for(self, 1) = TAG_NULL;
    column_ends(self);
}

static void hash(const struct row_hash *self, size_t length, uint8_t ret_hash[HASH_SIZE]) {
    static const uint8_t nothing[1];
    crypto_shorthash_siphashx24(ret_hash, length > 0 ? self->row : nothing, length, self->key);
}

static void note(const struct row_hash *self, uint32_t bucket, const uint8_t of_key[HASH_SIZE],
                 const struct row_sum *sum) {
    const size_t head = 1 + 8;
    const bool has_number = self->key_length >= head && self->row[0] == TAG_VALUE;
    row_notes_begin(self->notes, &(const struct row_notes_row){
                                     .bucket = bucket,
                                     .key = {get_big_endian(of_key), get_big_endian(of_key + 8)},
                                     .sum = *sum,
                                     .number = has_number ? self->row + head : NULL,
                                     .number_length = has_number ? self->key_length - head : 0});
}

uint32_t row_hash_end(struct row_hash *self, struct row_sum *ret_row) {
    uint8_t of_row[HASH_SIZE], of_key[HASH_SIZE];
    hash(self, self->length, of_row);
    if (self->key_length > 0 && self->key_length < self->length)
        hash(self, self->key_length, of_key);
    else
        memcpy(of_key, of_row, sizeof of_key);
    const struct row_sum row = {get_big_endian(of_row), get_big_endian(of_row + 8), 1};
    const uint32_t bucket = (uint32_t)get_big_endian(of_key) & (self->bucket_count - 1);
    row_sum_add(&self->total, &row);
    row_sum_add(&self->buckets[bucket], &row);
    if (ret_row != NULL)
        *ret_row = row;
    if (self->notes != NULL)
        note(self, bucket, of_key, &row);
    row_hash_begin(self);
    return bucket;
}

void row_hash_merge(struct row_hash *self, const struct row_hash *other) {
    check(memcmp(self->key, other->key, sizeof self->key) == 0);
    check(self->bucket_count == other->bucket_count && self->key_columns == other->key_columns);
    row_sum_add(&self->total, &other->total);
    for (uint32_t i = 0; i < self->bucket_count; i++)
        row_sum_add(&self->buckets[i], &other->buckets[i]);
}

const struct row_sum *row_hash_total(const struct row_hash *self) {
    return &self->total;
}

const struct row_sum *row_hash_bucket(const struct row_hash *self, uint32_t index) {
    check(index < self->bucket_count);
    return &self->buckets[index];
}

struct row_content row_hash_content(const struct row_hash *self) {
    struct row_content content = {.total = self->total, .bucket_count = self->bucket_count};
    for (uint32_t i = 0; i < self->bucket_count; i++)
        content.filled += self->buckets[i].rows > 0 ? 1 : 0;
    if (content.filled == 0)
        return content;
    content.buckets = memory_new(content.filled, sizeof *content.buckets);
    struct row_bucket *next = content.buckets;
    for (uint32_t i = 0; i < self->bucket_count; i++)
        if (self->buckets[i].rows > 0)
            *next++ = (struct row_bucket){i, self->buckets[i]};
    return content;
}
