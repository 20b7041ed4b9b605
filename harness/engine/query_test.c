#include "engine/query.h"

#include "base/memory.h"
#include "engine/json_text.h"

#include <criterion/criterion.h>
#include <jansson.h>

static void expect_path(const char *name, const char *expected) {
    char *path = query_path("/images", name, "/json");
    cr_expect_str_eq(path, expected);
    free(path);
}

Test(query, keeps_what_references_are_made_of) {
    expect_path("registry:5000/a/b:c@sha256:12", "/images/registry:5000/a/b:c@sha256:12/json");
}

Test(query, encodes_what_would_change_the_request) {
    expect_path("a?b#c d%", "/images/a%3Fb%23c%20d%25/json");
    expect_path("a\r\nHost: b", "/images/a%0D%0AHost:%20b/json");
    expect_path("ü", "/images/%C3%BC/json");
}

Test(query, joins_parameters) {
    struct text query = {0};
    query_add(&query, "name", "a&b=c");
    query_add(&query, "platform", NULL);
    query_add_number(&query, "t", -1);
    cr_expect_str_eq(text_string(&query), "name=a%26b%3Dc&t=-1");
    text_done(&query);
}

Test(query, gathers_filters_of_the_same_key) {
    struct text query = {0};
    const char *const filters[] = {"label=a=b", "name=x", "label=c", "dangling", NULL};
    query_add_filters(&query, filters);
    cr_expect_str_eq(text_string(&query),
                     "filters=%7B%22label%22%3A%5B%22a%3Db%22%2C%22c%22%5D%2C%22name%22%3A%5B%22x%"
                     "22%5D%2C%22dangling%22%3A%5B%22%22%5D%7D");
    text_done(&query);
}

Test(query, adds_nothing_without_filters) {
    struct text query = {0};
    const char *const none[] = {NULL};
    query_add_filters(&query, NULL);
    query_add_filters(&query, none);
    cr_expect_eq(query.length, 0);
}

// A filter that silently disappeared would select everything.
Test(query, never_drops_a_filter_for_its_bytes) {
    struct text query = {0};
    const char *const filters[] = {"label=\xff", NULL};
    query_add_filters(&query, filters);
    cr_expect_str_eq(text_string(&query), "filters=%7B%22label%22%3A%5B%22%FF%22%5D%7D");
    text_done(&query);
}

Test(json_text, says_what_jansson_reads_back) {
    static const char value[] = "a\"b\\c\n\t\x01/ü";
    struct text json = {0};
    json_text_append(&json, value);
    json_t *string = json_loadb(json.bytes, json.length, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(string);
    cr_expect_str_eq(json_string_value(string), value);
    json_decref(string);
    text_done(&json);
}
