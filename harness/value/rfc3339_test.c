#include "value/rfc3339.h"

#include "base/clock.h"

#include <criterion/criterion.h>

static int64_t parsed(const char *text) {
    int64_t ms = INT64_MIN;
    cr_assert(rfc3339_parse(text, &ms), "%s", text);
    return ms;
}

static void expect_refused(const char *text) {
    int64_t ms = 77;
    cr_expect_not(rfc3339_parse(text, &ms), "%s", text);
    cr_expect_eq(ms, 77);
}

// Numbers of `date -u -d TEXT +%s`.
Test(rfc3339, counts_days_as_the_calendar_does) {
    cr_expect_eq(parsed("1970-01-01T00:00:00Z"), 0);
    cr_expect_eq(parsed("2026-11-22T03:00:00Z"), 1795316400000);
    cr_expect_eq(parsed("2000-02-29T23:59:59Z"), 951868799000);
    cr_expect_eq(parsed("1969-12-31T23:59:59Z"), -1000);
    cr_expect_eq(parsed("0001-01-01T00:00:00Z"), -62135596800000);
    cr_expect_eq(parsed("0000-01-01T00:00:00Z"), -62167219200000);
}

Test(rfc3339, takes_zones_and_fractions) {
    cr_expect_eq(parsed("1970-01-01T01:00:00.25+01:00"), 250);
    cr_expect_eq(parsed("1969-12-31t22:30:00.0019-01:30"), 1);
    cr_expect_eq(parsed("1970-01-01T00:00:60z"), 60000);
}

Test(rfc3339, reads_what_the_clock_writes) {
    char text[CLOCK_TEXT_SIZE];
    for (int64_t ms = 0; ms < INT64_C(4102444800000); ms += INT64_C(86399000) * 97)
        cr_expect_eq(parsed(clock_format_utc(ms, text)), ms, "%s", text);
}

Test(rfc3339, refuses_days_that_there_are_not) {
    expect_refused("2026-02-29T00:00:00Z");
    expect_refused("1900-02-29T00:00:00Z");
    expect_refused("2026-13-01T00:00:00Z");
    expect_refused("2026-00-01T00:00:00Z");
    expect_refused("2026-04-31T00:00:00Z");
    expect_refused("2026-04-00T00:00:00Z");
    expect_refused("2026-04-01T24:00:00Z");
    expect_refused("2026-04-01T00:60:00Z");
    expect_refused("2026-04-01T00:00:61Z");
}

Test(rfc3339, refuses_other_forms) {
    expect_refused("");
    expect_refused("2026-11-22");
    expect_refused("2026-11-22 03:00:00Z");
    expect_refused("2026-11-22T03:00:00");
    expect_refused("2026-11-22T03:00:00.Z");
    expect_refused("2026-11-22T03:00:00+0100");
    expect_refused("2026-11-22T03:00:00+24:00");
    expect_refused("2026-11-22T03:00:00Z ");
    expect_refused("+026-11-22T03:00:00Z");
    expect_refused("20261-11-22T03:00:00Z");
}
