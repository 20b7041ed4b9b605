#include "value/row_findings.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

// A table (id, total, note), of which a side holds the rows of its list.
struct row {
    int64_t id;
    const char *total, *note;
};
struct side {
    struct row rows[6000];
    size_t count;
};
static struct side before, after;

static struct {
    struct row_content expected, actual;
    struct row_difference difference;
    struct row_notes *was, *is;
    struct text text;
} held;

static size_t key_columns = 1, buckets = 16;
static bool numbered = true;

static void release(void) {
    row_content_done(&held.expected);
    row_content_done(&held.actual);
    row_difference_done(&held.difference);
    row_notes_free(held.was);
    row_notes_free(held.is);
    text_done(&held.text);
}

TestSuite(row_findings, .fini = release);

static bool read_number(const uint8_t *bytes, size_t length, int64_t *ret_number,
                        size_t *ret_width) {
    char text[32] = "";
    char *end = NULL;
    memcpy(text, bytes, length);
    *ret_number = strtoll(text, &end, 10);
    *ret_width = 0;
    return length > 0 && *end == '\0';
}

static size_t write_number(int64_t number, size_t width, uint8_t bytes[ROW_NUMBER_SIZE]) {
    (void)width;
    return (size_t)snprintf((char *)bytes, ROW_NUMBER_SIZE, "%" PRId64, number);
}

static const struct row_number_form FORM = {read_number, write_number};

static void put(struct side *side, int64_t id, const char *total, const char *note) {
    side->rows[side->count++] = (struct row){id, total, note};
}

// On both sides.
static void fill(int64_t from, int64_t to) {
    for (int64_t id = from; id <= to; id++) {
        put(&before, id, "10.00", "");
        put(&after, id, "10.00", "");
    }
}

static void lose(struct side *side, int64_t id) {
    size_t kept = 0;
    for (size_t i = 0; i < side->count; i++)
        if (side->rows[i].id != id)
            side->rows[kept++] = side->rows[i];
    side->count = kept;
}

static void alter(int64_t id, const char *total, const char *note) {
    for (size_t i = 0; i < after.count; i++)
        if (after.rows[i].id == id)
            after.rows[i] = (struct row){id, total, note};
}

static void value(struct row_hash *hash, const char *text) {
    if (text != NULL)
        row_hash_value(hash, text, strlen(text));
    else
        row_hash_null(hash);
}

static void note(struct row_notes *notes, const struct row *row, const char *id) {
    if (!row_notes_wants(notes))
        return;
    if (key_columns > 0)
        row_notes_key(notes, "id", id, strlen(id));
    if (key_columns > 1)
        row_notes_key(notes, "total", row->total, strlen(row->total));
    row_notes_value(notes, "id", id, strlen(id));
    row_notes_value(notes, "total", row->total, strlen(row->total));
    row_notes_value(notes, "note", row->note, row->note != NULL ? strlen(row->note) : 0);
}

static uint32_t add(struct row_hash *hash, const struct row *row, struct row_notes *notes) {
    char id[32];
    snprintf(id, sizeof id, "%" PRId64, row->id);
    row_hash_begin(hash);
    value(hash, id);
    value(hash, row->total);
    value(hash, row->note);
    const uint32_t bucket = row_hash_end(hash, NULL);
    note(notes, row, id);
    return bucket;
}

static struct row_content read_side(const struct side *side, struct row_notes *notes) {
    struct row_hash *hash =
        row_hash_new(KEY, .buckets = buckets, .key_columns = key_columns, .notes = notes);
    if (notes != NULL && numbered)
        row_notes_numbered(notes, &FORM, "id");
    for (size_t i = 0; i < side->count; i++)
        add(hash, &side->rows[i], notes);
    struct row_content content = row_hash_content(hash);
    row_hash_free(hash);
    return content;
}

static uint32_t bucket_of(int64_t id) {
    struct row_hash *hash = row_hash_new(KEY, .buckets = buckets, .key_columns = key_columns);
    const uint32_t bucket = add(hash, &(struct row){id, "10.00", ""}, NULL);
    row_hash_free(hash);
    return bucket;
}

static struct row_notes *notes_of(const struct side *side, size_t bytes) {
    struct row_notes *notes =
        row_notes_new(KEY, &held.difference, held.expected.bucket_count, bytes);
    struct row_content content = read_side(side, notes);
    row_content_done(&content);
    return notes;
}

static void read_both(size_t bytes) {
    release();
    memset(&held, 0, sizeof held);
    held.expected = read_side(&before, NULL);
    held.actual = read_side(&after, NULL);
    cr_assert_not(row_content_equal(&held.expected, &held.actual, &held.difference));
    held.was = notes_of(&before, bytes);
    held.is = notes_of(&after, bytes);
}

static const char *by_sums(void) {
    read_both(0);
    row_findings_by_sums(&held.expected, &held.actual, held.is, &held.text);
    return text_string(&held.text);
}

static const char *by_rows(void) {
    read_both(0);
    row_findings_by_rows(held.was, held.is, &held.text);
    return text_string(&held.text);
}

static void expect(const char *said, const char *wanted) {
    cr_expect_str_eq(said, wanted, "said:%s\nwanted:%s", said, wanted);
}

// The first after `id` that falls, or does not fall, into its bucket.
static int64_t next_to(int64_t id, bool same) {
    int64_t next = id + 1;
    while ((bucket_of(next) == bucket_of(id)) != same)
        next++;
    return next;
}

// ---- of two servers

Test(row_findings, of_two_servers_are_exact) {
    fill(1, 100);
    lose(&after, 4);
    lose(&before, 17);
    alter(9, "11.00", NULL);
    expect(by_rows(), "\n    missing: id=4\n    extra: id=17\n    changed: id=9 (total, note)");
}

Test(row_findings, of_two_servers_are_exact_within_one_bucket) {
    buckets = 1;
    fill(1, 30);
    lose(&after, 4);
    lose(&before, 17);
    alter(9, "10.00", "x");
    alter(10, "x", "");
    expect(by_rows(), "\n    missing: id=4\n    extra: id=17\n    changed: id=9 (note)"
                      "\n    changed: id=10 (total)");
}

Test(row_findings, tell_null_from_an_empty_text) {
    fill(1, 3);
    alter(2, "10.00", NULL);
    expect(by_rows(), "\n    changed: id=2 (note)");
}

Test(row_findings, list_twenty_rows_and_count_the_others) {
    fill(1, 125);
    for (int64_t id = 100; id < 123; id++)
        lose(&after, id);
    const char *said = by_rows();
    cr_expect_not_null(strstr(said, "missing: id=119\n    and 3 more"), "%s", said);
    cr_expect_null(strstr(said, "id=120"), "%s", said);
}

Test(row_findings, name_keys_of_several_columns) {
    key_columns = 2;
    fill(1, 10);
    lose(&after, 3);
    expect(by_rows(), "\n    missing: (id=3, total=10.00)");
    numbered = false;
    lose(&before, 3);
    lose(&before, 5);
    expect(by_sums(), "\n    extra: (id=5, total=10.00)");
}

Test(row_findings, without_a_primary_key_are_numbers) {
    key_columns = 0;
    fill(1, 10);
    put(&before, 3, "10.00", "");
    put(&before, 3, "10.00", "");
    put(&after, 11, "10.00", "");
    expect(by_rows(), "\n    missing: 2 rows without a primary key"
                      "\n    extra: 1 row without a primary key");
}

// As a damaged index lets in.
Test(row_findings, of_several_rows_with_one_key_do_not_depend_on_their_order) {
    buckets = 1;
    for (int i = 0; i < 8; i++) {
        static const char *const totals[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
        put(&before, 3, totals[i], "");
        put(&after, 3, totals[7 - i], "");
    }
    put(&after, 4, "10.00", "");
    expect(by_rows(), "\n    extra: id=4");
}

Test(row_findings, of_a_column_that_only_one_side_has_name_it) {
    fill(1, 2);
    alter(2, "x", "");
    read_both(0);
    free(held.is->columns[1]);
    held.is->columns[1] = memory_copy_string("sum");
    row_findings_by_rows(held.was, held.is, &held.text);
    const char *said = text_string(&held.text);
    cr_expect_not_null(strstr(said, "changed: id=2 (total, sum)"), "%s", said);
}

Test(row_findings, that_are_none_any_more_say_so) {
    fill(1, 5);
    lose(&after, 3);
    read_both(0);
    row_findings_by_rows(held.was, held.was, &held.text);
    cr_expect_not_null(strstr(text_string(&held.text), "no row differed any more"));
}

Test(row_findings, of_too_many_rows_are_of_the_same_sample) {
    fill(1, 3000);
    for (int64_t id = 1; id <= 3000; id += 2)
        lose(&after, id);
    read_both((size_t)256 * 1024);
    cr_expect_gt(held.was->halved, held.is->halved);
    row_findings_by_rows(held.was, held.is, &held.text);
    const char *said = text_string(&held.text);
    char sample[32];
    snprintf(sample, sizeof sample, "only one in %d was", 1 << held.was->halved);
    cr_expect_not_null(strstr(said, sample), "%s", said);
    cr_expect_null(strstr(said, "extra"), "%s", said);
    cr_expect_null(strstr(said, "changed"), "%s", said);
    cr_expect_not_null(strstr(said, "missing: id="), "%s", said);
}

// ---- against sums

Test(row_findings, name_the_one_row_too_many_exactly) {
    fill(1, 100);
    lose(&before, 17);
    expect(by_sums(), "\n    extra: id=17");
}

Test(row_findings, name_the_rows_of_a_bucket_that_was_empty) {
    buckets = 256;
    put(&before, 1, "10.00", "");
    put(&after, 1, "10.00", "");
    const int64_t first = next_to(1, false), second = next_to(first, true);
    put(&after, second, "10.00", "");
    put(&after, first, "10.00", "");
    char wanted[128];
    snprintf(wanted, sizeof wanted, "\n    extra: id=%" PRId64 "\n    extra: id=%" PRId64, first,
             second);
    expect(by_sums(), wanted);
}

Test(row_findings, without_a_primary_key_name_no_row_too_many) {
    key_columns = 0;
    numbered = false;
    fill(1, 10);
    lose(&before, 4);
    expect(by_sums(), "\n    extra: a row without a primary key");
}

Test(row_findings, list_twenty_rows_that_are_certain_and_count_the_others) {
    for (int64_t id = 1; id <= 30; id++)
        put(&after, id, "10.00", "");
    const char *said = by_sums();
    size_t lines = 0;
    for (const char *at = said; (at = strstr(at, "\n    extra: id=")) != NULL; at++)
        lines++;
    cr_expect_eq(lines, 20, "%s", said);
    cr_expect_not_null(strstr(said, "\n    and 10 more"), "%s", said);
}

Test(row_findings, of_two_rows_too_many_are_candidates) {
    buckets = 1;
    fill(1, 4);
    lose(&before, 2);
    lose(&before, 3);
    expect(by_sums(), "\n    extra: 2 of id=1, id=2, id=3, id=4 (bucket 0)");
}

Test(row_findings, of_one_too_many_that_is_not_the_only_difference_are_candidates) {
    buckets = 1;
    fill(1, 3);
    lose(&before, 2);
    alter(3, "11.00", "");
    expect(by_sums(), "\n    extra: 1 of id=1, id=2, id=3 (bucket 0)");
}

Test(row_findings, name_the_only_row_of_an_altered_bucket) {
    buckets = 256;
    put(&before, 5, "10.00", "");
    put(&after, 5, "11.00", "");
    expect(by_sums(), "\n    changed: id=5");
}

Test(row_findings, of_an_altered_bucket_are_candidates) {
    buckets = 1;
    fill(1, 3);
    alter(3, "11.00", "");
    expect(by_sums(), "\n    changed: at least 1 of id=1, id=2, id=3 (bucket 0)");
}

Test(row_findings, list_twenty_candidates_and_count_the_others) {
    buckets = 1;
    fill(1, 30);
    alter(3, "11.00", "");
    const char *said = by_sums();
    cr_expect_not_null(strstr(said, "id=19, id=20 and 10 more (bucket 0)"), "%s", said);
}

Test(row_findings, say_what_is_certain_before_candidates) {
    fill(1, 600);
    lose(&before, 17);
    for (int64_t id = 100; id < 110; id++)
        if (bucket_of(id) != bucket_of(17))
            alter(id, "x", "");
    const char *said = by_sums();
    cr_expect_eq(strncmp(said, "\n    extra: id=17\n    changed: at least 1 of ", 43), 0, "%s",
                 said);
    cr_expect_not_null(strstr(said, "\n    and "), "%s", said);
}

Test(row_findings, of_a_missing_row_are_the_numbers_that_are_not_there) {
    fill(1, 100);
    const int64_t also = next_to(4, true), elsewhere = next_to(4, false);
    lose(&after, 4);
    lose(&before, also), lose(&after, also);
    lose(&before, elsewhere), lose(&after, elsewhere);
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "\n    missing: 1 row of bucket %" PRIu32
             "; of the keys from id=1 to 100 it has not: id=4, id=%" PRId64,
             bucket_of(4), also);
    expect(by_sums(), wanted);
}

Test(row_findings, of_rows_missing_in_two_buckets_are_each_ones_own) {
    fill(1, 100);
    const int64_t second = next_to(4, false);
    lose(&after, 4);
    lose(&after, second);
    const uint32_t of_first = bucket_of(4), of_second = bucket_of(second);
    char lines[2][128], wanted[256];
    snprintf(lines[0], sizeof lines[0],
             "\n    missing: 1 row of bucket %" PRIu32
             "; of the keys from id=1 to 100 it has not: id=4",
             of_first);
    snprintf(lines[1], sizeof lines[1],
             "\n    missing: 1 row of bucket %" PRIu32
             "; of the keys from id=1 to 100 it has not: id=%" PRId64,
             of_second, second);
    snprintf(wanted, sizeof wanted, "%s%s", lines[of_first > of_second],
             lines[of_first < of_second]);
    expect(by_sums(), wanted);
}

Test(row_findings, of_a_bucket_that_lost_one_of_two_rows_name_no_row_that_changed) {
    buckets = 1;
    fill(1, 2);
    lose(&after, 2);
    expect(by_sums(), "\n    missing: 1 row of bucket 0; it has all keys from id=1 to 1");
}

Test(row_findings, of_a_missing_row_beyond_the_others_say_that_none_is_free) {
    fill(1, 100);
    lose(&after, 100);
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "\n    missing: 1 row of bucket %" PRIu32 "; it has all keys from id=1 to 99",
             bucket_of(100));
    expect(by_sums(), wanted);
}

Test(row_findings, list_twenty_buckets_with_missing_rows_and_count_the_other_rows) {
    buckets = 64;
    for (int64_t id = 1; id <= 90; id++)
        put(&before, id, "10.00", "");
    const char *said = by_sums(), *at = said;
    unsigned long lines = 0, rows = 0;
    for (; (at = strstr(at, "\n    missing: ")) != NULL; lines++) {
        at += strlen("\n    missing: ");
        rows += strtoul(at, NULL, 10);
    }
    cr_expect_eq(lines, 20, "%s", said);
    at = strstr(said, "\n    and ");
    cr_assert_not_null(at, "%s", said);
    cr_expect_eq(rows + strtoul(at + strlen("\n    and "), NULL, 10), 90, "%s", said);
}

static void expect_no_numbers(void) {
    lose(&after, 4);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\n    missing: 1 row of bucket %" PRIu32, bucket_of(4));
    expect(by_sums(), wanted);
}

Test(row_findings, do_not_count_through_keys_that_are_no_numbers) {
    numbered = false;
    fill(1, 100);
    expect_no_numbers();
}

Test(row_findings, do_not_count_through_keys_that_are_far_apart) {
    fill(1, 100);
    put(&before, 1 + ROW_FINDINGS_NUMBERS, "", "");
    put(&after, 1 + ROW_FINDINGS_NUMBERS, "", "");
    expect_no_numbers();
}

Test(row_findings, count_through_a_million_keys) {
    fill(1, 100);
    put(&before, ROW_FINDINGS_NUMBERS, "", "");
    put(&after, ROW_FINDINGS_NUMBERS, "", "");
    lose(&after, 4);
    const char *said = by_sums();
    cr_expect_not_null(strstr(said, "it has not: id=4, "), "%s", said);
    cr_expect_not_null(strstr(said, " more"), "%s", said);
}

Test(row_findings, of_the_least_and_greatest_numbers_do_not_overflow) {
    put(&before, INT64_MAX, "", ""), put(&after, INT64_MAX, "", "");
    put(&before, INT64_MAX - 1, "", ""), put(&after, INT64_MAX - 1, "", "");
    put(&before, INT64_MAX - 2, "", "");
    const char *said = by_sums();
    cr_expect_not_null(strstr(said, "it has all keys from id=9223372036854775806 to"), "%s", said);
    put(&before, INT64_MIN, "", ""), put(&after, INT64_MIN, "", "");
    said = by_sums();
    cr_expect_null(strstr(said, "keys"), "%s", said);
}

Test(row_findings, without_a_primary_key_list_no_candidates) {
    key_columns = 0;
    buckets = 1;
    numbered = false;
    fill(1, 10);
    alter(4, "x", "");
    expect(by_sums(), "\n    changed: at least 1 of the 10 rows without a primary key in bucket 0");
    lose(&before, 1);
    lose(&before, 2);
    expect(by_sums(), "\n    extra: 2 of the 10 rows without a primary key in bucket 0");
}

Test(row_findings, of_a_sample_name_no_row_because_it_stands_alone) {
    buckets = 1;
    fill(1, 3000);
    alter(5, "x", "");
    read_both((size_t)64 * 1024);
    row_findings_by_sums(&held.expected, &held.actual, held.is, &held.text);
    const char *said = text_string(&held.text);
    cr_expect_not_null(strstr(said, "changed: at least 1 of id="), "%s", said);
    cr_expect_not_null(strstr(said, "only one in "), "%s", said);
    before.count = 0;
    put(&before, 5, "10.00", ""); // as many as could be noted of a bucket of thousands
    read_both((size_t)64 * 1024);
    row_findings_by_sums(&held.expected, &held.actual, held.is, &held.text);
    said = text_string(&held.text);
    cr_expect_not_null(strstr(said, "extra: 2999 of id="), "%s", said);
    before.count = 0;
    read_both((size_t)64 * 1024);
    row_findings_by_sums(&held.expected, &held.actual, held.is, &held.text);
    said = text_string(&held.text);
    cr_expect_not_null(strstr(said, "extra: 3000 of id="), "%s", said);
}

Test(row_findings, of_a_row_that_was_not_looked_at_do_not_name_it) {
    buckets = 1;
    put(&before, 5, "10.00", "");
    put(&after, 5, "11.00", "");
    read_both(0);
    row_notes_halve(held.is, 63);
    cr_assert_eq(held.is->count, 0);
    row_findings_by_sums(&held.expected, &held.actual, held.is, &held.text);
    const char *said = text_string(&held.text);
    cr_expect_not_null(strstr(said, "changed: at least 1 of 1 row (bucket 0)"), "%s", said);
}
