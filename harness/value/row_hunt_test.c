#include "value/row_hunt.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

static struct {
    struct fingerprint *before, *after;
    struct row_hunt *hunt, *other;
    struct differences differences;
    struct text text;
} held;

static void release(void) {
    fingerprint_free(held.before);
    fingerprint_free(held.after);
    row_hunt_free(held.hunt);
    row_hunt_free(held.other);
    differences_done(&held.differences);
    text_done(&held.text);
}

TestSuite(row_hunt, .fini = release);

static void read_rows(struct row_hash *hash, int rows, struct row_notes *notes) {
    for (int i = 0; i < rows; i++) {
        row_hash_value(hash, &i, sizeof i);
        row_hash_value(hash, "x", 1);
        row_hash_end(hash, NULL);
        char id[16];
        if (row_notes_wants(notes))
            row_notes_key(notes, "id", id, (size_t)snprintf(id, sizeof id, "%d", i));
    }
}

static struct fingerprint_object *add(struct fingerprint *fingerprint, const char *name, int rows,
                                      size_t buckets) {
    struct fingerprint_object *table = fingerprint_add(fingerprint, "table", name);
    struct row_hash *hash = row_hash_new(KEY, .buckets = buckets, .key_columns = 1);
    read_rows(hash, rows, NULL);
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(table, &content);
    row_hash_free(hash);
    return table;
}

static void hold(void) {
    struct error problem = {0};
    held.before = fingerprint_new("postgres");
    held.after = fingerprint_new("postgres");
    add(held.before, "same", 5, 16);
    add(held.after, "same", 5, 16);
    add(held.before, "more", 5, 16);
    add(held.after, "more", 6, 16);
    add(held.before, "less", 5, 16);
    add(held.after, "less", 4, 16);
    add(held.before, "bucketed otherwise", 5, 16);
    add(held.after, "bucketed otherwise", 4, 32);
    add(held.before, "gone", 5, 16);
    cr_assert(fingerprint_sort(held.before, &problem) && fingerprint_sort(held.after, &problem));
}

static void read_again(struct row_hunt *hunt, const struct fingerprint *of, const char *name) {
    const struct fingerprint_object *table = fingerprint_find(of, "table", name);
    struct row_notes *notes = NULL;
    cr_assert(row_hunt_reads(hunt, "table", name, &notes));
    struct row_hash *hash = row_hash_new(KEY, .buckets = 16, .key_columns = 1, .notes = notes);
    read_rows(hash, (int)table->content.total.rows, notes);
    row_hash_free(hash);
}

Test(row_hunt, is_for_the_rows_that_differ) {
    hold();
    struct row_notes *notes = NULL;
    held.hunt = row_hunt_new(held.before, held.after, KEY);
    (void)fingerprint_equal(held.before, held.after, &held.differences);
    size_t at = 0; // each stands where its difference does
    for (size_t i = 0; i < held.differences.count; i++)
        if (held.differences.items[i].kind == DIFFERENCE_ROWS)
            cr_expect_not_null(strstr(held.differences.items[i].text, held.hunt->items[at++].name));
    cr_expect_eq(at, 3);
    cr_expect_eq(held.hunt->count, 3);
    cr_expect(row_hunt_reads(held.hunt, "table", "more", &notes));
    cr_expect_not_null(notes);
    cr_expect_not(row_hunt_reads(held.hunt, "table", "same", &notes));
    cr_expect_not(row_hunt_reads(held.hunt, "table", "bucketed otherwise", &notes));
    cr_expect(row_hunt_reads(NULL, "table", "same", &notes));
    cr_expect_null(notes);
}

Test(row_hunt, that_finds_no_rows_that_differ_is_none) {
    hold();
    held.hunt = row_hunt_new(held.before, held.before, KEY);
    cr_expect_null(held.hunt);
}

static size_t place(const char *name) {
    size_t at = 0;
    while (strcmp(held.hunt->items[at].name, name) != 0)
        at++;
    return at;
}

static const char *say(struct row_hunt *other, const char *name) {
    text_clear(&held.text);
    row_hunt_say(held.hunt, other, place(name), held.before, held.after, &held.text);
    return text_string(&held.text);
}

Test(row_hunt, says_what_it_can_of_each) {
    hold();
    held.hunt = row_hunt_new(held.before, held.after, KEY);
    held.other = row_hunt_new(held.before, held.after, KEY);
    read_again(held.hunt, held.after, "more");
    read_again(held.hunt, held.after, "less");
    read_again(held.other, held.before, "less");
    cr_expect_str_eq(say(NULL, "more"), "\n    extra: id=5");
    cr_expect_str_eq(say(held.other, "less"), "\n    missing: id=4");
    cr_expect_not_null(strstr(say(held.other, "more"), "not there any more"));
    cr_expect_not_null(strstr(say(NULL, "bucketed otherwise"), "not looked at again"));
}

Test(row_hunt, is_for_twenty_objects_at_most) {
    struct error problem = {0};
    held.before = fingerprint_new("postgres");
    held.after = fingerprint_new("postgres");
    for (int i = 0; i < 25; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%02d", i);
        add(held.before, name, 2, 16);
        add(held.after, name, 3, 16);
    }
    cr_assert(fingerprint_sort(held.before, &problem) && fingerprint_sort(held.after, &problem));
    held.hunt = row_hunt_new(held.before, held.after, KEY);
    cr_expect_eq(held.hunt->count, 25);
    cr_expect_not_null(held.hunt->items[ROW_HUNT_OBJECTS - 1].notes);
    cr_expect_null(held.hunt->items[ROW_HUNT_OBJECTS].notes);
}
