#include "value/fingerprint.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "sixteen bytes...";

static struct {
    struct fingerprint *left, *right;
    struct differences differences;
    struct text text;
    struct error err;
    json_t *json;
    char *value;
} held;

static struct fingerprint *sample(void) {
    struct fingerprint *self = fingerprint_new("postgres");
    struct fingerprint_object *orders = fingerprint_add(self, "table", "public.orders");
    fingerprint_attribute_add(orders, "orders.total", "numeric(10,2)");
    fingerprint_attribute_add(orders, "orders.id", "bigint");
    fingerprint_attribute_add(fingerprint_add(self, "view", "public.totals"), "totals definition",
                              "SELECT 1");
    fingerprint_attribute_add(fingerprint_add(self, "index", "public.orders_pkey"),
                              "orders_pkey definition", "CREATE UNIQUE INDEX …");
    return self;
}

static void hold(void) {
    held.left = sample();
    held.right = sample();
}

static void release(void) {
    fingerprint_free(held.left);
    fingerprint_free(held.right);
    differences_done(&held.differences);
    text_done(&held.text);
    json_decref(held.json);
    free(held.value);
}

TestSuite(fingerprint, .init = hold, .fini = release);

// Rows FROM … TO-1 of one column.
static void fill(struct fingerprint *self, int from, int to) {
    struct row_hash *hash = row_hash_new(KEY);
    for (int i = from; i < to; i++) {
        row_hash_begin(hash);
        row_hash_value(hash, &i, sizeof i);
        row_hash_end(hash, NULL);
    }
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(&self->objects[0], &content); // the table, as long as it is unsorted
    row_hash_free(hash);
}

static bool compare(void) {
    cr_assert(fingerprint_sort(held.left, &held.err), "%s", held.err.message);
    cr_assert(fingerprint_sort(held.right, &held.err), "%s", held.err.message);
    const bool equal = fingerprint_equal(held.left, held.right, &held.differences);
    differences_format(&held.differences, &held.text);
    return equal;
}

static void expect_difference(enum difference_kind kind, const char *text) {
    cr_expect_not(compare());
    cr_assert_eq(held.differences.count, 1, "%s", text_string(&held.text));
    cr_expect_eq(held.differences.items[0].kind, kind);
    cr_expect_str_eq(held.differences.items[0].text, text);
}

static struct fingerprint_object *table_of(struct fingerprint *self) {
    return &self->objects[0];
}

static void replace(struct fingerprint_object *object, size_t attribute, const char *value) {
    free(object->attributes[attribute].value);
    object->attributes[attribute].value = memory_copy_string(value);
}

Test(fingerprint, equals_its_like) {
    fill(held.left, 0, 100);
    fill(held.right, 0, 100);
    cr_expect(compare());
    cr_expect_eq(held.differences.count, 0);
}

Test(fingerprint, does_not_depend_on_the_order_of_filling) {
    fingerprint_free(held.right);
    held.right = fingerprint_new("postgres");
    fingerprint_attribute_add(fingerprint_add(held.right, "index", "public.orders_pkey"),
                              "orders_pkey definition", "CREATE UNIQUE INDEX …");
    fingerprint_attribute_add(fingerprint_add(held.right, "view", "public.totals"),
                              "totals definition", "SELECT 1");
    struct fingerprint_object *orders = fingerprint_add(held.right, "table", "public.orders");
    fingerprint_attribute_add(orders, "orders.id", "bigint");
    fingerprint_attribute_add(orders, "orders.total", "numeric(10,2)");
    cr_expect(compare());
}

Test(fingerprint, names_an_altered_attribute) {
    replace(table_of(held.right), 0, "numeric(12,2)");
    expect_difference(DIFFERENCE_ATTRIBUTE_ALTERED, "orders.total: numeric(10,2) → numeric(12,2)");
}

Test(fingerprint, names_a_missing_attribute) {
    fingerprint_attribute_add(table_of(held.left), "orders.note", "text");
    expect_difference(DIFFERENCE_ATTRIBUTE_MISSING, "orders.note: text is missing");
}

Test(fingerprint, names_an_extra_attribute_at_the_end) {
    fingerprint_attribute_add(table_of(held.right), "orders.zone", "text");
    expect_difference(DIFFERENCE_ATTRIBUTE_EXTRA, "orders.zone: text is extra");
}

Test(fingerprint, names_a_missing_object) {
    fingerprint_add(held.left, "sequence", "public.orders_id_seq");
    expect_difference(DIFFERENCE_OBJECT_MISSING, "sequence public.orders_id_seq: is missing");
}

Test(fingerprint, names_an_extra_object_at_the_end) {
    fingerprint_add(held.right, "view", "public.zzz");
    expect_difference(DIFFERENCE_OBJECT_EXTRA, "view public.zzz: is extra");
}

Test(fingerprint, tells_a_view_from_a_table_of_its_name) {
    fingerprint_add(held.left, "view", "public.x");
    fingerprint_add(held.right, "table", "public.x");
    cr_expect_not(compare());
    cr_expect_str_eq(text_string(&held.text),
                     "table public.x: is extra\nview public.x: is missing\n");
}

Test(fingerprint, names_another_engine) {
    free(held.right->engine);
    held.right->engine = memory_copy_string("mysql");
    expect_difference(DIFFERENCE_ENGINE, "engine: postgres → mysql");
}

Test(fingerprint, counts_missing_rows) {
    fill(held.left, 0, 100);
    fill(held.right, 3, 100);
    expect_difference(DIFFERENCE_ROWS, "table public.orders: 3 rows missing (97 of 100)");
}

Test(fingerprint, counts_missing_and_extra_rows) {
    fill(held.left, 0, 100);
    fill(held.right, 2, 101);
    expect_difference(DIFFERENCE_ROWS,
                      "table public.orders: 2 rows missing, 1 row extra (99 of 100)");
}

Test(fingerprint, tells_altered_rows_of_equal_number) {
    fill(held.left, 0, 100);
    fill(held.right, 0, 100);
    held.right->objects[0].content.total.low ^= 1;
    held.right->objects[0].content.buckets[5].sum.low ^= 1;
    expect_difference(DIFFERENCE_ROWS,
                      "table public.orders: rows altered in 1 of 256 buckets (100 of 100)");
}

Test(fingerprint, does_not_take_unread_rows_for_equal_ones) {
    fill(held.left, 0, 100);
    expect_difference(DIFFERENCE_NOT_COMPARED,
                      "table public.orders: the restored rows were not read");
}

Test(fingerprint, lists_so_many_differences_and_counts_the_rest) {
    held.differences.limit = 2;
    for (int i = 0; i < 5; i++) {
        char name[8];
        snprintf(name, sizeof name, "t%d", i);
        fingerprint_add(held.left, "table", name);
    }
    cr_expect_not(compare());
    cr_expect_str_eq(text_string(&held.text),
                     "table t0: is missing\ntable t1: is missing\nand 3 more\n");
}

Test(fingerprint, shows_a_long_value_where_it_differs) {
    held.value = memory_new(2001, 1);
    memset(held.value, 'a', 2000);
    replace(table_of(held.left), 0, held.value);
    held.value[1000] = 'b';
    replace(table_of(held.right), 0, held.value);
    cr_expect_not(compare());
    const char *text = held.differences.items[0].text;
    cr_expect_lt(strlen(text), 2 * DIFFERENCE_VALUE_SHOWN + 50);
    cr_expect_not_null(strstr(text, "aba"), "%s", text);
    cr_expect_not_null(strstr(text, "…a"), "%s", text);
}

// Of three bytes each; `shift` moves where they begin.
static void expect_cut_between_characters(size_t shift) {
    free(held.value);
    held.value = memory_new(1002, 1);
    memset(held.value, 'a', shift);
    for (size_t i = 0; i < 330; i++)
        memcpy(held.value + shift + 3 * i, "€", 3);
    replace(table_of(held.left), 0, held.value);
    held.value[shift + 3 * 250] = '\0';
    replace(table_of(held.right), 0, held.value);
    differences_done(&held.differences);
    cr_expect_not(fingerprint_equal(held.left, held.right, &held.differences));
    json_t *accepted = json_string(held.differences.items[0].text);
    cr_expect_not_null(accepted, "%s", held.differences.items[0].text);
    json_decref(accepted);
}

Test(fingerprint, cuts_no_character_in_two) {
    expect_cut_between_characters(0);
    expect_cut_between_characters(1);
    expect_cut_between_characters(2);
}

Test(fingerprint, refuses_an_object_that_stands_twice) {
    fingerprint_add(held.left, "table", "public.orders");
    cr_expect_not(fingerprint_sort(held.left, &held.err));
    cr_expect_str_eq(held.err.message, "the table \"public.orders\" stands twice");
}

Test(fingerprint, refuses_an_attribute_that_stands_twice) {
    fingerprint_attribute_add(table_of(held.left), "orders.id", "integer");
    cr_expect_not(fingerprint_sort(held.left, &held.err));
    cr_expect_str_eq(held.err.message,
                     "table public.orders: the attribute \"orders.id\" stands twice");
}

Test(fingerprint, finds_an_object_by_kind_and_name) {
    cr_assert(fingerprint_sort(held.left, &held.err));
    cr_expect_not_null(fingerprint_find(held.left, "view", "public.totals"));
    cr_expect_null(fingerprint_find(held.left, "table", "public.totals"));
}

Test(fingerprint, keeps_bytes_that_are_not_utf8_apart) {
    fingerprint_attribute_add(table_of(held.left), "orders comment", "caf\xe9");
    fingerprint_attribute_add(table_of(held.right), "orders comment", "caf\xe8");
    expect_difference(DIFFERENCE_ATTRIBUTE_ALTERED, "orders comment: caf\\xe9 → caf\\xe8");
}

static bool read_back(void) {
    cr_assert(fingerprint_sort(held.left, &held.err));
    held.json = fingerprint_to_json(held.left);
    fingerprint_free(held.right);
    held.right = NULL;
    return fingerprint_from_json((struct json_place){held.json, "here"}, &held.right, &held.err);
}

Test(fingerprint, comes_back_from_json_as_it_was) {
    fill(held.left, 0, 1000);
    fingerprint_attribute_add(table_of(held.left), "orders comment", "größe \"1\"\n");
    cr_assert(read_back(), "%s", held.err.message);
    cr_expect(compare());
    cr_expect_eq(fingerprint_find(held.right, "table", "public.orders")->content.filled,
                 held.left->objects[1].content.filled);
}

// Of a sorted sample: index, table, view.
static void expect_refused(json_t *object, const char *name, json_t *value, const char *message) {
    json_object_set_new(object, name, value);
    cr_expect_not(
        fingerprint_from_json((struct json_place){held.json, "here"}, &held.right, &held.err));
    cr_expect_str_eq(held.err.message, message);
    cr_expect_null(held.right);
}

static json_t *content_in_json(void) {
    fill(held.left, 0, 3);
    cr_assert(read_back(), "%s", held.err.message);
    fingerprint_free(held.right);
    held.right = NULL;
    return json_object_get(json_array_get(json_object_get(held.json, "objects"), 1), "content");
}

Test(fingerprint, in_json_needs_every_sum_in_hex) {
    expect_refused(content_in_json(), "sum", json_string("12"),
                   "here.objects[1].content.sum: is not 32 hex digits");
}

Test(fingerprint, in_json_needs_buckets_that_add_up) {
    expect_refused(content_in_json(), "rows", json_integer(4),
                   "here.objects[1].content.buckets: do not add up to the total");
}

Test(fingerprint, in_json_needs_a_power_of_two_of_buckets) {
    expect_refused(content_in_json(), "bucket_count", json_integer(100),
                   "here.objects[1].content.bucket_count: is not a power of two up to 65536");
}

Test(fingerprint, in_json_needs_buckets_within_their_number) {
    expect_refused(content_in_json(), "bucket_count", json_integer(4),
                   "here.objects[1].content.buckets: the one at 0 is not [index, rows, sum]");
}

Test(fingerprint, in_json_needs_no_more_buckets_than_there_are) {
    expect_refused(content_in_json(), "bucket_count", json_integer(1),
                   "here.objects[1].content.buckets: are more than bucket_count says");
}

Test(fingerprint, in_json_needs_buckets_in_order) {
    json_t *buckets = json_object_get(content_in_json(), "buckets");
    json_array_append(buckets, json_array_get(buckets, 0));
    expect_refused(held.json, "x", json_null(),
                   "here.objects[1].content.buckets: the one at 3 is out of order");
}

Test(fingerprint, in_json_needs_buckets_of_three_parts) {
    json_t *buckets = json_object_get(content_in_json(), "buckets");
    json_array_remove(json_array_get(buckets, 1), 2);
    expect_refused(held.json, "x", json_null(),
                   "here.objects[1].content.buckets: the one at 1 is not [index, rows, sum]");
}

Test(fingerprint, in_json_needs_attributes_that_are_texts) {
    cr_assert(read_back());
    fingerprint_free(held.right);
    held.right = NULL;
    json_t *object = json_array_get(json_object_get(held.json, "objects"), 1);
    expect_refused(json_object_get(object, "attributes"), "orders.id", json_integer(8),
                   "here.objects[1].attributes.orders.id: is not a text");
}

Test(fingerprint, in_json_holds_each_object_once) {
    cr_assert(read_back());
    fingerprint_free(held.right);
    held.right = NULL;
    json_t *objects = json_object_get(held.json, "objects");
    json_array_append(objects, json_array_get(objects, 0));
    expect_refused(held.json, "x", json_null(),
                   "here: the index \"public.orders_pkey\" stands twice");
}
