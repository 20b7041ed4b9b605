#include "dump/lzf.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

static struct lzf lzf;
static struct text out;

static void put(void *context, const uint8_t *bytes, size_t length) {
    text_append_bytes(context, bytes, length);
}

static void end(void) {
    text_done(&out);
}

TestSuite(lzf, .fini = end);

// In pieces of `step`; NULL or what is wrong.
static const char *undo(const char *bytes, size_t length, uint64_t declared, size_t step) {
    text_clear(&out);
    lzf_init(&lzf, declared, put, &out);
    for (size_t at = 0; at < length; at += step) {
        const size_t piece = length - at < step ? length - at : step;
        const char *problem = lzf_feed(&lzf, (const uint8_t *)bytes + at, piece);
        if (problem != NULL)
            return problem;
    }
    return lzf_end(&lzf);
}

// "ab", then 2 + 3 back from 2: "ababab"; then "a" twenty times by a long run.
#define PACKED \
    "\x01"     \
    "ab"       \
    "\x40\x01" \
    "\x00"     \
    "a"        \
    "\xe0\x0a\x00"
static const char UNPACKED[] = "abababaaaaaaaaaaaaaaaaaaaaa";

Test(lzf, undoes_literals_and_both_kinds_of_references) {
    for (size_t step = 1; step <= sizeof PACKED; step++) {
        const char *problem = undo(PACKED, sizeof PACKED - 1, 26, step);
        cr_assert_null(problem, "%s", problem);
        cr_assert_eq(out.length, 26);
        cr_assert_eq(memcmp(text_string(&out), UNPACKED, 26), 0, "%s", text_string(&out));
    }
}

Test(lzf, says_what_is_wrong) {
    cr_expect_not_null(strstr(undo(PACKED, sizeof PACKED - 1, 27, 100), "shorter than it says"));
    cr_expect_not_null(strstr(undo(PACKED, sizeof PACKED - 1, 25, 100), "longer than it says"));
    cr_expect_not_null(strstr(undo("\x01"
                                   "ab",
                                   3, 1, 100),
                              "longer than it says"));
    cr_expect_not_null(strstr(undo("\x00"
                                   "a"
                                   "\x20\x01",
                                   4, 4, 100),
                              "before its beginning"));
    for (size_t length = 0; length < sizeof PACKED - 1; length++)
        cr_assert_not_null(undo(PACKED, length, 26, 100), "cut to %zu", length);
}

Test(lzf, refers_back_as_far_as_the_format_can_however_much_came_before) {
    // 300 times 32 bytes as they are, then references 8192 back.
    char packed[300 * 33 + 100 * 3];
    size_t length = 0;
    for (int i = 0; i < 300; i++) {
        packed[length++] = 31;
        for (int j = 0; j < 32; j++)
            packed[length++] = (char)(i + j);
    }
    for (int i = 0; i < 100; i++) {
        memcpy(packed + length, "\xff\xff\xff", 3); // 264 bytes
        length += 3;
    }
    cr_assert_null(undo(packed, length, 9600 + 26400, 7));
    for (size_t i = 9600; i < out.length; i++)
        cr_assert_eq(out.bytes[i], out.bytes[i - 8192], "at %zu", i);
}
