#include "value/row_hash.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = {0, 1, 2,  3,  4,  5,  6,  7,
                                               8, 9, 10, 11, 12, 13, 14, 15};

static struct {
    struct row_hash *left, *right;
    struct row_content before, after;
    struct row_difference difference;
    char *bytes;
} held;

static void hold(void) {
    held.left = row_hash_new(KEY);
    held.right = row_hash_new(KEY);
}

static void release(void) {
    row_hash_free(held.left);
    row_hash_free(held.right);
    row_content_done(&held.before);
    row_content_done(&held.after);
    row_difference_done(&held.difference);
    free(held.bytes);
}

TestSuite(row_hash, .init = hold, .fini = release);

static const char NOTHING[] = "NULL";

// Values up to a NULL; NOTHING is SQL's NULL.
static uint32_t add(struct row_hash *hash, const char *first, ...) {
    va_list values;
    va_start(values, first);
    row_hash_begin(hash);
    for (const char *value = first; value != NULL; value = va_arg(values, const char *)) {
        if (value == NOTHING)
            row_hash_null(hash);
        else
            row_hash_value(hash, value, strlen(value));
    }
    va_end(values);
    return row_hash_end(hash, NULL);
}

#define add_row(hash, ...) add((hash), __VA_ARGS__, (const char *)NULL)

static bool same(void) {
    return row_sum_equal(row_hash_total(held.left), row_hash_total(held.right));
}

static bool equal(void) {
    held.before = row_hash_content(held.left);
    held.after = row_hash_content(held.right);
    return row_content_equal(&held.before, &held.after, &held.difference);
}

Test(row_hash, is_the_published_function_of_the_documented_form) {
    const uint8_t form[] = {1, 2, 0, 0, 0, 0, 0, 0, 0, 'h', 'i', 0};
    uint8_t expected[16];
    char hex[ROW_SUM_TEXT_SIZE], text[ROW_SUM_TEXT_SIZE];
    crypto_shorthash_siphashx24(expected, form, sizeof form, KEY);
    add_row(held.left, "hi", NOTHING);
    sodium_bin2hex(hex, sizeof hex, expected, sizeof expected);
    cr_expect_str_eq(row_sum_format(row_hash_total(held.left), text), hex);
}

// The first two of the authors' vectors_sip128 (github.com/veorq/SipHash, vectors.h).
Test(row_hash, of_a_row_without_values_is_the_authors_test_vector) {
    char text[ROW_SUM_TEXT_SIZE];
    row_hash_begin(held.left);
    row_hash_end(held.left, NULL);
    cr_expect_str_eq(row_sum_format(row_hash_total(held.left), text),
                     "a3817f04ba25a8e66df67214c7550293");
    add_row(held.right, NOTHING);
    cr_expect_str_eq(row_sum_format(row_hash_total(held.right), text),
                     "da87c1d86b99af44347659119b22fc45");
}

Test(row_hash, does_not_see_the_order_of_rows) {
    add_row(held.left, "1", "one");
    add_row(held.left, "2", "two");
    add_row(held.right, "2", "two");
    add_row(held.right, "1", "one");
    cr_expect(same());
    cr_expect(equal());
}

Test(row_hash, tells_null_from_the_empty_text) {
    add_row(held.left, NOTHING);
    add_row(held.right, "");
    cr_expect_not(same());
}

Test(row_hash, tells_where_one_value_ends_and_the_next_begins) {
    add_row(held.left, "a#b", "c");
    add_row(held.right, "a", "b#c");
    cr_expect_not(same());
}

Test(row_hash, tells_values_apart_that_hold_the_form_of_others) {
    static const char forged[] = "a\x01\x01\0\0\0\0\0\0\0b";
    row_hash_begin(held.left);
    row_hash_value(held.left, forged, sizeof forged - 1);
    row_hash_end(held.left, NULL);
    add_row(held.right, "a", "b");
    cr_expect_not(same());
}

Test(row_hash, tells_a_value_at_the_end_from_a_value_more) {
    add_row(held.left, "a");
    add_row(held.right, "a", NOTHING);
    cr_expect_not(same());
}

Test(row_hash, tells_swapped_columns) {
    add_row(held.left, "a", "b");
    add_row(held.right, "b", "a");
    cr_expect_not(same());
}

Test(row_hash, tells_values_exchanged_between_rows) {
    add_row(held.left, "1", "x");
    add_row(held.left, "2", "y");
    add_row(held.right, "1", "y");
    add_row(held.right, "2", "x");
    cr_expect_not(same());
}

Test(row_hash, counts_a_pair_of_duplicates) {
    add_row(held.left, "1");
    for (int i = 0; i < 3; i++)
        add_row(held.right, "1");
    char left[ROW_SUM_TEXT_SIZE], right[ROW_SUM_TEXT_SIZE];
    cr_expect_str_neq(row_sum_format(row_hash_total(held.left), left),
                      row_sum_format(row_hash_total(held.right), right));
    cr_expect_not(equal());
    cr_expect_eq(held.difference.extra, 2);
}

Test(row_hash, sees_a_duplicate_that_took_another_rows_place) {
    add_row(held.left, "1");
    add_row(held.left, "1");
    add_row(held.left, "2");
    add_row(held.right, "1");
    add_row(held.right, "2");
    add_row(held.right, "2");
    cr_expect_not(same());
}

Test(row_hash, depends_on_its_key) {
    uint8_t other[ROW_HASH_KEY_SIZE] = {1};
    row_hash_free(held.right);
    held.right = row_hash_new(other);
    add_row(held.left, "1");
    add_row(held.right, "1");
    cr_expect_not(same());
}

Test(row_hash, sees_each_byte_of_a_long_value) {
    const size_t size = ROW_HASH_INLINE + 1;
    held.bytes = memory_new(size + 1, 1);
    memset(held.bytes, 'x', size);
    add_row(held.left, held.bytes, "end");
    held.bytes[size - 1] = 'y';
    add_row(held.right, held.bytes, "end");
    cr_expect_not(same());
    held.bytes[size - 1] = 'x';
    add_row(held.left, "more");
    add_row(held.right, "more");
    row_hash_merge(held.right, held.left);
    cr_expect_eq(row_hash_total(held.right)->rows, 4);
}

Test(row_hash, tells_a_long_value_from_the_text_of_its_own_hash) {
    uint8_t head[1 + 8 + 16] = {2, ROW_HASH_INLINE + 1 - 1024, 4};
    const size_t size = ROW_HASH_INLINE + 1;
    held.bytes = memory_new(size + 1, 1);
    memset(held.bytes, 'x', size);
    crypto_shorthash_siphashx24(head + 9, (const uint8_t *)held.bytes, size, KEY);
    add_row(held.left, held.bytes);
    uint8_t expected[16];
    char hex[ROW_SUM_TEXT_SIZE], text[ROW_SUM_TEXT_SIZE];
    crypto_shorthash_siphashx24(expected, head, sizeof head, KEY); // the documented form
    sodium_bin2hex(hex, sizeof hex, expected, sizeof expected);
    cr_expect_str_eq(row_sum_format(row_hash_total(held.left), text), hex);
    row_hash_begin(held.right);
    row_hash_value(held.right, head, sizeof head);
    row_hash_end(held.right, NULL);
    cr_expect_not(same());
}

Test(row_hash, forgets_a_row_that_was_not_ended) {
    row_hash_begin(held.left);
    row_hash_value(held.left, "cut", 3);
    add_row(held.left, "1");
    add_row(held.right, "1");
    cr_expect(same());
}

Test(row_hash, of_parts_merged_is_that_of_the_whole) {
    struct row_hash *whole = row_hash_new(KEY);
    for (int i = 0; i < 1000; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        add_row(whole, id);
        add_row(i % 3 == 0 ? held.left : held.right, id);
    }
    row_hash_merge(held.left, held.right);
    held.before = row_hash_content(whole);
    held.after = row_hash_content(held.left);
    row_hash_free(whole);
    cr_expect(row_content_equal(&held.before, &held.after, &held.difference));
    cr_expect_eq(held.before.filled, held.after.filled);
    cr_expect_arr_eq(held.before.buckets, held.after.buckets,
                     held.before.filled * sizeof held.before.buckets[0]);
}

Test(row_hash, spreads_rows_over_its_buckets) {
    for (int i = 0; i < 10000; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        add_row(held.left, id);
    }
    held.before = row_hash_content(held.left);
    cr_assert_eq(held.before.filled, ROW_HASH_BUCKETS);
    for (size_t i = 0; i < held.before.filled; i++)
        cr_expect(held.before.buckets[i].sum.rows < 100, "bucket %zu", i); // 39 expected
}

Test(row_hash, puts_rows_of_one_key_into_one_bucket) {
    row_hash_free(held.left);
    held.left = row_hash_new(KEY, .key_columns = 1);
    const uint32_t bucket = add_row(held.left, "7", "old");
    for (int i = 0; i < 20; i++) {
        char value[8];
        snprintf(value, sizeof value, "%d", i);
        cr_expect_eq(add_row(held.left, "7", value), bucket);
    }
    cr_expect_eq(row_hash_bucket(held.left, bucket)->rows, 21);
}

Test(row_hash, finds_the_bucket_of_an_altered_row) {
    row_hash_free(held.left);
    row_hash_free(held.right);
    held.left = row_hash_new(KEY, .key_columns = 1);
    held.right = row_hash_new(KEY, .key_columns = 1);
    uint32_t bucket = 0;
    for (int i = 0; i < 500; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        add_row(held.left, id, "value");
        const uint32_t at = add_row(held.right, id, i == 321 ? "Value" : "value");
        bucket = i == 321 ? at : bucket;
    }
    cr_assert_not(equal());
    cr_expect_eq(held.difference.missing + held.difference.extra, 0);
    cr_expect_eq(held.difference.altered_buckets, 1);
    cr_assert_eq(held.difference.bucket_count, 1);
    cr_expect_eq(held.difference.buckets[0], bucket);
}

Test(row_hash, counts_missing_and_extra_rows_at_once) {
    for (int i = 0; i < 100; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        if (i >= 3)
            add_row(held.left, id);
        if (i < 98)
            add_row(held.right, id);
    }
    cr_assert_not(equal());
    cr_expect_eq(held.difference.missing, 2);
    cr_expect_eq(held.difference.extra, 3);
    cr_expect_eq(held.difference.bucket_count, 5);
}

Test(row_hash, difference_of_a_bucket_is_the_row_that_it_lacks) {
    struct row_sum lost;
    row_hash_begin(held.left);
    row_hash_value(held.left, "lost", 4);
    const uint32_t bucket = row_hash_end(held.left, &lost);
    for (int i = 0; i < 2000; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        add_row(held.left, id);
        add_row(held.right, id);
    }
    struct row_sum difference = *row_hash_bucket(held.left, bucket);
    row_sum_subtract(&difference, row_hash_bucket(held.right, bucket));
    cr_expect(row_sum_equal(&difference, &lost));
}

Test(row_hash, compares_totals_where_the_buckets_are_not_the_same_ones) {
    row_hash_free(held.right);
    held.right = row_hash_new(KEY, .buckets = 16);
    add_row(held.left, "1");
    add_row(held.right, "1");
    cr_expect(equal());
    add_row(held.right, "2");
    row_content_done(&held.before);
    row_content_done(&held.after);
    cr_assert_not(equal());
    cr_expect_eq(held.difference.extra, 1);
    cr_expect_eq(held.difference.bucket_count, 0);
}

Test(row_sum, carries_and_borrows) {
    struct row_sum sum = {.high = 1, .low = UINT64_MAX, .rows = 1};
    const struct row_sum one = {.low = 1, .rows = 1};
    row_sum_add(&sum, &one);
    cr_expect(row_sum_equal(&sum, &(struct row_sum){.high = 2, .low = 0, .rows = 2}));
    row_sum_subtract(&sum, &one);
    cr_expect(row_sum_equal(&sum, &(struct row_sum){.high = 1, .low = UINT64_MAX, .rows = 1}));
}

Test(row_sum, wraps_at_the_128th_bit) {
    struct row_sum sum = {.high = UINT64_MAX, .low = UINT64_MAX};
    row_sum_add(&sum, &(struct row_sum){.low = 3});
    cr_expect(row_sum_equal(&sum, &(struct row_sum){.low = 2}));
}

Test(row_sum, is_read_as_it_is_written) {
    const struct row_sum sum = {.high = 0x0123456789abcdef, .low = 0xfedcba9876543210};
    struct row_sum read = {0};
    char text[ROW_SUM_TEXT_SIZE];
    cr_expect_str_eq(row_sum_format(&sum, text), "0123456789abcdeffedcba9876543210");
    cr_assert(row_sum_parse(text, &read));
    cr_expect(row_sum_equal(&sum, &read));
}

Test(row_sum, refuses_what_is_not_32_hex_digits) {
    struct row_sum read = {.low = 5};
    cr_expect_not(row_sum_parse("", &read));
    cr_expect_not(row_sum_parse("0123456789abcdeffedcba987654321", &read));
    cr_expect_not(row_sum_parse("0123456789abcdeffedcba98765432100", &read));
    cr_expect_not(row_sum_parse("0123456789abcdefgedcba9876543210", &read));
    cr_expect_eq(read.low, 5);
}
