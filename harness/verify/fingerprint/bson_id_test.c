#include "verify/fingerprint/bson_id.h"

#include <criterion/criterion.h>
#include <string.h>

#define BEFORE_ID \
    "\x0a"        \
    "n\0"
#define ID  \
    "\x10"  \
    "_id\0" \
    "\x07\0\0\0"

static uint8_t document[256];
static size_t length;

// Elements with a document's head and end around them.
static void make(const char *elements, size_t elements_length) {
    length = 4 + elements_length + 1;
    memset(document, 0, sizeof document);
    document[0] = (uint8_t)length;
    memcpy(document + 4, elements, elements_length);
}
#define MAKE(elements) make((elements), sizeof(elements) - 1)

static void expect_id(const char *expected, size_t expected_length) {
    const uint8_t *id = NULL;
    size_t id_length = 0;
    struct error err = {0};
    cr_assert(bson_id(document, length, &id, &id_length, &err), "%s", err.message);
    cr_assert_not_null(id);
    cr_expect_eq(id_length, expected_length, "%zu", id_length);
    cr_expect_arr_eq(id, expected, expected_length);
}
#define EXPECT_ID(expected) expect_id((expected), sizeof(expected) - 1)

static void expect_refused(void) {
    const uint8_t *id = NULL;
    size_t id_length = 0;
    struct error err = {0};
    cr_expect_not(bson_id(document, length, &id, &id_length, &err));
    cr_expect_eq(err.domain, ERROR_PROTOCOL);
    cr_expect_null(id);
}

Test(bson_id, stands_first) {
    MAKE(ID "\x02"
            "name\0"
            "\x02\0\0\0"
            "a\0");
    EXPECT_ID(ID);
}

Test(bson_id, is_found_behind_every_type) {
    static const struct {
        const char *bytes;
        size_t length;
    } values[] = {
#define VALUE(bytes) {bytes, sizeof(bytes) - 1}
        VALUE("\x01"
              "n\0"
              "12345678"),
        VALUE("\x02"
              "n\0"
              "\x04\0\0\0"
              "a\0b\0"),
        VALUE("\x03"
              "n\0"
              "\x0e\0\0\0" ID "\0"), // its own _id is another's
        VALUE("\x04"
              "n\0"
              "\x05\0\0\0\0"),
        VALUE("\x05"
              "n\0"
              "\x03\0\0\0"
              "\x80"
              "abc"),
        VALUE("\x06"
              "n\0"),
        VALUE("\x07"
              "n\0"
              "123456789012"),
        VALUE("\x08"
              "n\0"
              "\x01"),
        VALUE("\x09"
              "n\0"
              "12345678"),
        VALUE("\x0a"
              "n\0"),
        VALUE("\x0b"
              "n\0"
              "^a\0"
              "im\0"),
        VALUE("\x0c"
              "n\0"
              "\x02\0\0\0"
              "a\0"
              "123456789012"),
        VALUE("\x0d"
              "n\0"
              "\x02\0\0\0"
              "f\0"),
        VALUE("\x0e"
              "n\0"
              "\x02\0\0\0"
              "f\0"),
        VALUE("\x0f"
              "n\0"
              "\x0f\0\0\0"
              "\x02\0\0\0"
              "f\0"
              "\x05\0\0\0\0"),
        VALUE("\x10"
              "n\0"
              "1234"),
        VALUE("\x11"
              "n\0"
              "12345678"),
        VALUE("\x12"
              "n\0"
              "12345678"),
        VALUE("\x13"
              "n\0"
              "1234567890123456"),
        VALUE("\x7f"
              "n\0"),
        VALUE("\xff"
              "n\0"),
        VALUE("\x0a"
              "_id2\0"),
        VALUE("\x0a"
              "\0"), // no name
#undef VALUE
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char elements[128];
        memcpy(elements, values[i].bytes, values[i].length);
        memcpy(elements + values[i].length, ID, sizeof ID - 1);
        make(elements, values[i].length + sizeof ID - 1);
        EXPECT_ID(ID);
    }
}

Test(bson_id, may_be_missing) {
    const uint8_t *id = document;
    size_t id_length = 1;
    MAKE(BEFORE_ID);
    cr_assert(bson_id(document, length, &id, &id_length, NULL));
    cr_expect_null(id);
    cr_expect_eq(id_length, 0);
    MAKE("");
    cr_expect(bson_id(document, length, &id, &id_length, NULL));
}

Test(bson_id, is_not_looked_for_in_what_is_no_bson) {
    MAKE(BEFORE_ID ID);
    for (size_t cut = length - 1; cut > 0; cut--) { // the length that it says is no longer its own
        length = cut;
        expect_refused();
    }
    length = 0;
    expect_refused();
}

// Each says of itself the length that it has, and of an element more than there is.
Test(bson_id, is_not_looked_for_beyond_the_end) {
    MAKE("\x01"
         "n\0"
         "1234567");
    expect_refused();
    MAKE("\x02"
         "n\0"
         "\xff\xff\xff\xff"
         "a");
    expect_refused();
    MAKE("\x02"
         "n\0"
         "\x04\0");
    expect_refused();
    MAKE("\x03"
         "n\0"
         "\x03\0\0\0"); // shorter than its own length
    expect_refused();
    MAKE("\x05"
         "n\0"
         "\x04\0\0\0"
         "\x80"
         "abc");
    expect_refused();
    MAKE("\x42"
         "n\0"); // no type
    expect_refused();
    MAKE("\x10"
         "n");
    expect_refused(); // a name without end
    MAKE("\x10"
         "_id\0"
         "123");
    expect_refused();
    MAKE(ID);
    document[length - 1] = 1; // no end of its own
    expect_refused();
}
