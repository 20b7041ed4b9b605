#include "value/row_notes.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

static struct {
    struct row_notes *notes;
    struct row_hash *hash;
} held;

static const struct row_difference THIRD_AND_FIFTH = {.buckets = (uint32_t[]){3, 5},
                                                      .bucket_count = 2};

static void hold(void) {
    held.notes = row_notes_new(KEY, &THIRD_AND_FIFTH, 8, 0);
    held.hash = row_hash_new(KEY, .buckets = 8, .key_columns = 1, .notes = held.notes);
}

static void release(void) {
    row_notes_free(held.notes);
    row_hash_free(held.hash);
}

TestSuite(row_notes, .init = hold, .fini = release);

static uint32_t add(const char *key, struct row_sum *ret_sum) {
    row_hash_value(held.hash, key, strlen(key));
    row_hash_value(held.hash, "x", 1);
    return row_hash_end(held.hash, ret_sum);
}

Test(row_notes, are_of_the_buckets_that_are_wanted) {
    size_t wanted = 0;
    for (int i = 0; i < 100; i++) {
        char key[8];
        struct row_sum sum;
        snprintf(key, sizeof key, "%d", i);
        const uint32_t bucket = add(key, &sum);
        cr_assert_eq(row_notes_wants(held.notes), bucket == 3 || bucket == 5, "%u", bucket);
        if (!row_notes_wants(held.notes))
            continue;
        wanted++;
        cr_expect_eq(held.notes->count, wanted);
        cr_expect_eq(held.notes->items[wanted - 1].bucket, bucket);
        cr_expect(row_sum_equal(&held.notes->items[wanted - 1].sum, &sum));
    }
    cr_expect_gt(wanted, 5);
    cr_expect_not(row_notes_wants(NULL));
}

static void note_one(void) {
    for (char key[2] = "a"; !row_notes_wants(held.notes); key[0]++)
        add(key, NULL);
}

static void expect_words(const char *bytes, size_t length, const char *words) {
    release();
    hold();
    note_one();
    row_notes_key(held.notes, "k", bytes, length);
    cr_expect_str_eq(held.notes->items[0].words, words);
}

Test(row_notes, show_a_key_as_text_or_as_bytes) {
    expect_words("größe", 7, "k=größe");
    expect_words("", 0, "k=");
    expect_words("a\nb", 3, "k=x'610a62'");
    expect_words("\033[2J", 4, "k=x'1b5b324a'");
    expect_words("\302\233", 2, "k=x'c29b'"); // a terminal's CSI
    expect_words("\377", 1, "k=x'ff'");
    expect_words("a\0b", 3, "k=x'610062'");
}

Test(row_notes, cut_a_long_key) {
    char letters[80], bytes[80], words[80];
    memset(letters, 'a', sizeof letters);
    memset(bytes, '\1', sizeof bytes);
    snprintf(words, sizeof words, "k=%.64s", letters);
    expect_words(letters, 64, words);
    snprintf(words, sizeof words, "k=%.64s…", letters);
    expect_words(letters, 65, words);
    memcpy(letters + 63, "ü", 2); // never in the middle of a character
    snprintf(words, sizeof words, "k=%.63s…", letters);
    expect_words(letters, 66, words);
    release();
    hold();
    note_one();
    row_notes_key(held.notes, "k", bytes, 25);
    cr_expect_str_eq(held.notes->items[0].words + strlen(held.notes->items[0].words) - 6, "01…'");
}

Test(row_notes, join_the_columns_of_a_key) {
    note_one();
    row_notes_key(held.notes, "a", "1", 1);
    row_notes_key(held.notes, "b", "x", 1);
    cr_expect_str_eq(held.notes->items[0].words, "a=1, b=x");
    cr_expect_eq(held.notes->items[0].key_columns, 2);
}

Test(row_notes, keep_of_a_value_its_hash_and_its_column) {
    note_one();
    row_notes_value(held.notes, "a", "secret", 6);
    row_notes_value(held.notes, "b", "secret", 6);
    row_notes_value(held.notes, "c", NULL, 0);
    row_notes_value(held.notes, "a", "", 0);
    const struct row_note_value *values = held.notes->items[0].values;
    cr_expect_eq(values[0].hash, values[1].hash);
    cr_expect_neq(values[2].hash, values[3].hash);
    cr_expect_eq(values[3].column, values[0].column);
    cr_expect_str_eq(held.notes->columns[values[1].column], "b");
}

Test(row_notes, of_fields_without_end_are_of_another) {
    note_one();
    for (int i = 0; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "field%d", i);
        row_notes_value(held.notes, name, "x", 1);
    }
    cr_expect_eq(held.notes->column_count, 2048);
    cr_expect_str_eq(held.notes->columns[held.notes->items[0].values[4999].column], "another");
}

// Of a sample it is the keys' hashes that count, not the order in which they come.
Test(row_notes, are_halved_by_their_keys_and_no_more_are_taken) {
    const struct row_difference only = {.buckets = (uint32_t[]){0}, .bucket_count = 1};
    struct row_notes *both[2];
    for (int way = 0; way < 2; way++) {
        both[way] = row_notes_new(KEY, &only, 1, (size_t)16 * 1024);
        struct row_hash *hash = row_hash_new(KEY, .buckets = 1, .notes = both[way]);
        for (int i = 0; i < 1000; i++) {
            const int number = way == 0 ? i : 999 - i;
            row_hash_value(hash, &number, sizeof number);
            row_hash_end(hash, NULL);
        }
        row_hash_free(hash);
    }
    cr_expect_gt(both[0]->halved, 0);
    cr_expect_leq(both[0]->bytes, (size_t)16 * 1024);
    for (size_t i = 0; i < both[0]->count; i++)
        cr_expect_eq(both[0]->items[i].key[1] >> (64 - both[0]->halved), 0);
    const unsigned times = both[0]->halved > both[1]->halved ? both[0]->halved : both[1]->halved;
    size_t bytes = 0;
    for (size_t i = 0; i < both[0]->count; i++)
        bytes += sizeof both[0]->items[i];
    cr_expect_eq(both[0]->bytes, bytes);
    row_notes_halve(both[0], times);
    row_notes_halve(both[1], times);
    cr_expect_eq(both[0]->count, both[1]->count);
    for (size_t i = 0; i < both[0]->count; i++)
        cr_expect(
            row_sum_equal(&both[0]->items[i].sum, &both[1]->items[both[1]->count - 1 - i].sum));
    row_notes_free(both[0]);
    row_notes_free(both[1]);
}

static bool read_number(const uint8_t *bytes, size_t length, int64_t *ret_number,
                        size_t *ret_width) {
    *ret_number = bytes[length - 1] - '0';
    *ret_width = bytes[0] == '-' || bytes[0] == '~' ? 1 : 0;
    return *ret_number >= 0 && *ret_number < 10;
}

static size_t write_number(int64_t number, size_t width, uint8_t bytes[ROW_NUMBER_SIZE]) {
    return (size_t)snprintf((char *)bytes, ROW_NUMBER_SIZE, width > 0 ? "-%d" : "%d", (int)number);
}

static const struct row_number_form FORM = {read_number, write_number};

Test(row_notes, know_between_which_numbers_the_keys_lie) {
    row_notes_numbered(held.notes, &FORM, "id");
    add("5", NULL);
    add("3", NULL);
    add("7", NULL);
    cr_expect_eq(held.notes->least, 3);
    cr_expect_eq(held.notes->greatest, 7);
    cr_expect_eq(held.notes->form, &FORM);
}

static void expect_no_numbers(const char *first, const char *second) {
    release();
    hold();
    row_notes_numbered(held.notes, &FORM, "id");
    add(first, NULL);
    cr_expect_not_null(held.notes->form);
    add(second, NULL);
    cr_expect_null(held.notes->form, "%s, %s", first, second);
}

Test(row_notes, know_of_no_numbers_where_one_is_not_written_as_we_would) {
    expect_no_numbers("5", "x");
    expect_no_numbers("5", "05");
    expect_no_numbers("5", "-5");
    expect_no_numbers("-5", "~5");
    expect_no_numbers("5", "00000000000000000000000000000000000000000000000005");
}

Test(row_notes, of_one_row_without_end_stay_bounded) {
    note_one();
    struct row_note *first = &held.notes->items[0];
    const struct row_notes_row row = {
        .bucket = 3, .key = {first->key[0], UINT64_MAX}, .sum = first->sum};
    for (int i = 0; i < ROW_NOTES_LIMIT + 10; i++)
        row_notes_begin(held.notes, &row);
    cr_expect_leq(held.notes->count, ROW_NOTES_LIMIT);
    cr_expect_gt(held.notes->halved, 0);
}
