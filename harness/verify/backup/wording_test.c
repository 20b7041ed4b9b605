#include "verify/backup/wording.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct text out;

static void forget(void) {
    text_done(&out);
}

static const char *said(void (*append)(struct text *out, int64_t number), int64_t number) {
    text_clear(&out);
    append(&out, number);
    return text_string(&out);
}

TestSuite(wording, .fini = forget);

Test(wording, lets_no_name_act_upon_a_terminal) {
    wording_append_name(&out, "gr\xc3\xb6\xc3\x9f"
                              "e\n\x1b[1m \xff \xc2\x9b \x7f \xe2\x82");
    cr_expect_str_eq(text_string(&out), "gr\xc3\xb6\xc3\x9f"
                                        "e\\x0a\\x1b[1m \\xff \\xc2\\x9b \\x7f \\xe2\\x82");
}

Test(wording, of_a_missing_name_is_empty) {
    char *name = wording_name(NULL);
    const bool is_empty = name != NULL && name[0] == '\0';
    free(name);
    cr_expect(is_empty);
}

Test(wording, gives_sizes_in_units_that_people_read) {
    cr_expect_str_eq(said(wording_append_bytes, -1), "unknown");
    cr_expect_str_eq(said(wording_append_bytes, 0), "0 B");
    cr_expect_str_eq(said(wording_append_bytes, 1023), "1023 B");
    cr_expect_str_eq(said(wording_append_bytes, 1536), "1.5 KiB");
    cr_expect_str_eq(said(wording_append_bytes, 1024 * 1024 - 1), "1.0 MiB");
    cr_expect_str_eq(said(wording_append_bytes, INT64_MAX), "8.0 EiB");
}

Test(wording, gives_durations_and_ages_in_two_units_at_most) {
    cr_expect_str_eq(said(wording_append_duration, -1), "unknown");
    cr_expect_str_eq(said(wording_append_duration, 850), "850 ms");
    cr_expect_str_eq(said(wording_append_duration, 59949), "59.9 s");
    cr_expect_str_eq(said(wording_append_duration, 59999), "1 min 0 s");
    cr_expect_str_eq(said(wording_append_duration, 245000), "4 min 5 s");
    cr_expect_str_eq(said(wording_append_duration, 3599600), "1 h 0 min");
    cr_expect_str_eq(said(wording_append_age, -1), "unknown");
    cr_expect_str_eq(said(wording_append_age, 3599), "59 min");
    cr_expect_str_eq(said(wording_append_age, 86399), "23 h");
    cr_expect_str_eq(said(wording_append_age, 183600), "2 days 3 h");
}
