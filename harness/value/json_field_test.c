#include "value/json_field.h"

#include <criterion/criterion.h>
#include <string.h>

static struct {
    json_t *root;
    struct error err;
} held;

static void release(void) {
    json_decref(held.root);
}

TestSuite(json_field, .fini = release);

static struct json_place document(const char *text) {
    cr_assert(json_read(text, strlen(text), &held.root, &held.err), "%s", held.err.message);
    return (struct json_place){held.root, "files[2]"};
}

static void expect_error(const char *message) {
    cr_expect_eq(held.err.domain, ERROR_PROTOCOL);
    cr_expect_str_eq(held.err.message, message);
}

static void expect_malformed(const char *text, const char *message) {
    cr_expect_not(json_read(text, strlen(text), &held.root, &held.err), "%s", text);
    cr_expect_null(held.root);
    cr_expect_not_null(strstr(held.err.message, message), "%s", held.err.message);
}

Test(json_field, of_malformed_json_is_named_by_line_and_column) {
    expect_malformed("{\n \"a\": 1,\n \"b\" 2}", "line 3, column 6: ");
    expect_malformed("", "line 1, column 0: ");
    expect_malformed("{} {}", "end of file expected");
    expect_malformed("{\"a\": 1, \"a\": 2}", "duplicate object key");
    expect_malformed("{\"a\": 9223372036854775808}", "too big integer");
    expect_malformed("{\"a\": \"\\u0000\"}", "\\u0000");
}

Test(json_field, returns_what_is_there) {
    const struct json_place place =
        document("{\"t\": \"x\", \"n\": 9223372036854775807, \"h\": \"0aFF\"}");
    const char *text = NULL;
    uint64_t size = 0;
    uint8_t bytes[2];
    cr_expect(json_field_text(place, "t", &text, &held.err));
    cr_expect_str_eq(text, "x");
    cr_expect(json_field_size(place, "n", &size, &held.err));
    cr_expect_eq(size, INT64_MAX);
    cr_expect(json_field_hex(place, "h", bytes, 2, &held.err));
    cr_expect_eq(bytes[0], 0x0a);
    cr_expect_eq(bytes[1], 0xff);
}

Test(json_field, that_is_missing_is_named_with_its_place) {
    const char *text = NULL;
    cr_expect_not(json_field_text(document("{}"), "path", &text, &held.err));
    expect_error("files[2].path: is missing");
}

Test(json_field, of_a_wrong_type_is_named) {
    const struct json_place place = document("{\"a\": 1.5, \"b\": \"1\", \"c\": null, \"d\": -1}");
    uint64_t size = 5;
    const char *text = NULL;
    json_t *list = NULL;
    cr_expect_not(json_field_size(place, "a", &size, &held.err));
    expect_error("files[2].a: is not a whole number");
    cr_expect_not(json_field_size(place, "b", &size, &held.err));
    expect_error("files[2].b: is not a whole number");
    cr_expect_not(json_field_size(place, "d", &size, &held.err));
    expect_error("files[2].d: is negative");
    cr_expect_not(json_field_text(place, "c", &text, &held.err));
    expect_error("files[2].c: is not a text");
    cr_expect_not(json_field_list(place, "b", &list, &held.err));
    expect_error("files[2].b: is not a list");
    cr_expect_not(json_field_object(place, "b", &list, &held.err));
    expect_error("files[2].b: is not an object");
    cr_expect_eq(size, 5);
}

Test(json_field, of_wrong_hex_leaves_the_callers_bytes) {
    const struct json_place place =
        document("{\"a\": \"0a\", \"b\": \"0a0g\", \"c\": \"0a0b0c\", \"d\": \"0a 0\"}");
    uint8_t bytes[2] = {7, 7};
    for (const char *name = "a\0b\0c\0d\0"; *name != '\0'; name += 2)
        cr_expect_not(json_field_hex(place, name, bytes, 2, &held.err), "%s", name);
    expect_error("files[2].d: is not 4 hex digits");
    cr_expect_eq(bytes[0], 7);
    cr_expect_eq(bytes[1], 7);
}

static bool note(void *context, struct json_place element, struct error *err) {
    const char *text = NULL;
    *(int *)context += 1;
    return json_field_text(element, "name", &text, err);
}

Test(json_field, of_a_list_is_named_with_its_number) {
    struct json_place place = document("{\"files\": [{\"name\": \"a\"}, {}]}");
    int seen = 0;
    place.where = "";
    cr_expect_not(json_field_each(place, "files", note, &seen, &held.err));
    expect_error("files[1].name: is missing");
    cr_expect_eq(seen, 2);
}

Test(json_field, of_a_list_must_be_objects) {
    int seen = 0;
    cr_expect_not(json_field_each(document("{\"x\": [1]}"), "x", note, &seen, &held.err));
    expect_error("files[2].x[0]: is not an object");
    cr_expect_eq(seen, 0);
}
