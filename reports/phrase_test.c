#include "reports/phrase.h"

#include <criterion/criterion.h>

static void expect_duration(int64_t duration_us, const char *expected) {
    autodone(text) struct text out = {0};
    phrase_duration(&out, duration_us);
    cr_expect_str_eq(text_string(&out), expected);
}

Test(phrase, gives_a_duration_in_the_unit_that_suits_it) {
    expect_duration(0, "0 ms");
    expect_duration(99499, "99 ms");
    expect_duration(100000, "0.10 s");
    expect_duration(59994000, "59.99 s");
    expect_duration(60000000, "1 min 00 s");
    expect_duration((int64_t)3725 * 1000000, "62 min 05 s");
    expect_duration(-5, "0 ms"); // a clock that went backwards is nobody's report
}

Test(phrase, has_a_verdict_for_every_exit_status) {
    cr_expect_str_eq(phrase_verdict(0), "Everything was verified and passed.");
    cr_expect_str_eq(phrase_verdict(1), "Something failed.");
    cr_expect_str_eq(phrase_verdict(3), "The environment could not be built.");
    cr_expect_str_eq(phrase_verdict(4), "Nothing failed, but not everything could be verified.");
    cr_expect_str_eq(phrase_verdict(130), "The run ended early.");
}
