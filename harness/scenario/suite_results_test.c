// What a suite's results file may hold: it is written by a process under test, so anything.
#include "scenario/suite_results.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct report *report;
static struct suite_result *suite;
static struct suite_progress progress;

static void open_suite(void) {
    report = report_new("test");
    suite = report_add_suite(report);
}

static void close_suite(void) {
    report_free(report);
}

TestSuite(suite_results, .init = open_suite, .fini = close_suite, .timeout = 120);

static bool read_line(const char *line) {
    return suite_results_read_line(line, strlen(line), suite, &progress);
}

static const struct test_result *read_test(const char *line) {
    cr_assert(read_line(line), "%s", line);
    cr_assert_eq(suite->test_count, 1);
    return &suite->tests[0];
}

Test(suite_results, refuses_lines_that_are_none_of_a_recorders) {
    static const char *const lines[] = {
        "",
        " ",
        "garbage",
        "{",
        "{}",
        "[]",
        "null",
        "42",
        "\"test\"",
        "[{\"test\":\"a\",\"outcome\":\"passed\"}]",
        "{\"test\":\"a\"}",
        "{\"outcome\":\"passed\"}",
        "{\"test\":1,\"outcome\":\"passed\"}",
        "{\"test\":\"a\",\"outcome\":true}",
        "{\"planned\":\"3\"}",
        "{\"planned\":1.5}",
        "{\"test\":\"a\",\"outcome\":\"passed\"} {\"test\":\"b\",\"outcome\":\"passed\"}",
        "{\"test\":\"\xff\",\"outcome\":\"passed\"}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_not(read_line(lines[i]), "%s", lines[i]);
    cr_assert_eq(suite->test_count, 0);
    cr_assert_not(progress.planned_known);
    cr_assert_not(progress.ended);
}

Test(suite_results, refuses_a_line_cut_anywhere) {
    static const char line[] =
        "{\"test\":\"a\",\"outcome\":\"failed\",\"seconds\":0.5,\"failures\":"
        "[{\"message\":\"no\",\"file\":\"a.c\",\"line\":3}]}";
    for (size_t length = 0; length < sizeof line - 1; length++)
        cr_expect_not(suite_results_read_line(line, length, suite, &progress), "%zu bytes", length);
    cr_assert_eq(suite->test_count, 0);
    cr_assert(suite_results_read_line(line, sizeof line - 1, suite, &progress));
}

Test(suite_results, an_outcome_that_nobody_knows_is_a_failure) {
    cr_assert_eq(read_test("{\"test\":\"a\",\"outcome\":\"splendid\"}")->outcome, OUTCOME_FAILED);
}

Test(suite_results, a_failure_without_a_message_still_says_so) {
    const struct test_result *test = read_test("{\"test\":\"a\",\"outcome\":\"failed\"}");
    cr_assert_str_eq(test->message, "failed without a message");
    cr_assert_null(test->file);
}

Test(suite_results, fields_of_another_type_are_as_if_absent) {
    const struct test_result *test =
        read_test("{\"test\":\"a\",\"outcome\":\"failed\",\"seconds\":\"long\",\"failures\":"
                  "[{\"message\":7,\"file\":[],\"line\":\"x\"},3]}");
    cr_assert_eq(test->outcome, OUTCOME_FAILED);
    cr_assert_eq(test->duration_us, 0);
    cr_assert_null(test->file);
    cr_assert_eq(test->line, 0);
}

Test(suite_results, a_duration_that_no_clock_can_show_is_no_duration) {
    cr_assert_eq(read_test("{\"test\":\"a\",\"outcome\":\"passed\",\"seconds\":1e300}")->outcome,
                 OUTCOME_PASSED);
    cr_assert_geq(suite->tests[0].duration_us, 0);
}

Test(suite_results, a_skip_without_a_reason_is_not_verified) {
    const struct test_result *test = read_test("{\"test\":\"a\",\"outcome\":\"skipped\"}");
    cr_assert_eq(test->outcome, OUTCOME_NOT_VERIFIED);
    cr_assert_str_eq(test->message, "skipped without a reason");
}

Test(suite_results, keeps_a_huge_message_whole) {
    const size_t size = (size_t)4 * 1024 * 1024;
    char *said = memory_new(size + 1, 1);
    memset(said, 'x', size);
    char *line = memory_format(
        "{\"test\":\"a\",\"outcome\":\"failed\",\"failures\":[{\"message\":\"%s\"}]}", said);
    const struct test_result *test = read_test(line);
    cr_assert_eq(strlen(test->message), size);
    free(line);
    free(said);
}

Test(suite_results, does_not_follow_a_line_that_nests_without_end) {
    const size_t depth = 1000000;
    char *line = memory_new(depth + 1, 1);
    memset(line, '[', depth);
    cr_assert_not(suite_results_read_line(line, depth, suite, &progress));
    free(line);
}

Test(suite_results, a_plan_below_nothing_is_refused) {
    cr_assert_not(read_line("{\"planned\":-1}"));
    cr_assert_not(progress.planned_known);
}
