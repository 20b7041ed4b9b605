#include "value/result.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

static struct report *report_of(const char *outcomes) {
    struct report *report = report_new("assay run");
    struct suite_result *suite = report_add_suite(report);
    suite->name = memory_copy_string("postgres");
    for (const char *letter = outcomes; *letter != '\0'; letter++) {
        struct test_result *test = suite_add_test(suite);
        test->name = memory_format("test_%c", *letter);
        test->outcome = *letter == 'p'   ? OUTCOME_PASSED
                        : *letter == 'f' ? OUTCOME_FAILED
                        : *letter == 'a' ? OUTCOME_NOT_APPLICABLE
                                         : OUTCOME_NOT_VERIFIED;
    }
    return report;
}

struct exit_case {
    char outcomes[8]; // p passed, f failed, a not applicable, n not verified
    bool environment_failed;
    bool has_service;
    enum service_state service;
    int expected;
};

ParameterizedTestParameters(result, exit_status_follows_the_table) {
    static struct exit_case cases[] = {
        {"ppp", false, false, 0, 0},
        {"ppa", false, false, 0, 0},
        {"ppf", false, false, 0, 1},
        {"npf", false, false, 0, 1},
        {"ppn", false, false, 0, 4},
        {"n", false, false, 0, 4},
        {"a", false, false, 0, 4},
        {"", false, false, 0, 4},
        {"ppp", true, false, 0, 3},
        {"ppf", true, false, 0, 3},
        {"", true, false, 0, 3},
        {"ppp", false, true, SERVICE_READY, 0},
        {"ppp", false, true, SERVICE_COMPLETED, 0},
        {"ppp", false, true, SERVICE_FAILED, 3},
        {"ppf", false, true, SERVICE_FAILED, 1},
        {"ppp", false, true, SERVICE_MISSING, 4},
        {"ppp", false, true, SERVICE_WAITING, 4},
        {"ppp", false, true, SERVICE_STARTING, 4},
    };
    return cr_make_param_array(struct exit_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct exit_case *expected, result, exit_status_follows_the_table) {
    struct report *report = report_of(expected->outcomes);
    if (expected->environment_failed)
        report->failure = memory_copy_string("no engine");
    if (expected->has_service)
        report_add_service(report)->state = expected->service;

    cr_expect_eq(report_exit_status(report), expected->expected, "\"%s\": %d instead of %d",
                 expected->outcomes, report_exit_status(report), expected->expected);
    report_free(report);
}

Test(result, a_report_without_any_suite_is_not_verified) {
    struct report *report = report_new("assay run");
    cr_expect_eq(report_exit_status(report), 4);
    cr_expect_eq(report_tally(report).passed, 0);
    report_free(report);
}

Test(result, a_test_that_nobody_filled_in_is_not_verified) {
    struct report *report = report_new("assay run");
    suite_add_test(report_add_suite(report));
    cr_expect_eq(report_tally(report).not_verified, 1);
    cr_expect_eq(report_exit_status(report), 4);
    report_free(report);
}

Test(result, a_suite_that_crashed_counts_as_one_failed_test_named_after_it) {
    struct report *report = report_of("pp");
    report->suites[0].failure = memory_copy_string("killed by signal 11");

    cr_assert_eq(suite_case_count(&report->suites[0]), 3);
    const struct test_case last = suite_case(&report->suites[0], 2);
    cr_expect_str_eq(last.name, "postgres");
    cr_expect_str_eq(last.message, "killed by signal 11");
    cr_expect_eq(last.outcome, OUTCOME_FAILED);
    cr_expect_eq(report_tally(report).failed, 1);
    cr_expect_eq(report_exit_status(report), 1);
    report_free(report);
}

Test(result, a_suite_without_tests_counts_as_not_verified) {
    struct report *report = report_of("");
    cr_assert_eq(suite_case_count(&report->suites[0]), 1);
    cr_expect_eq(suite_case(&report->suites[0], 0).outcome, OUTCOME_NOT_VERIFIED);
    cr_expect_eq(suite_tally(&report->suites[0]).not_verified, 1);
    report_free(report);
}

Test(result, skipped_is_not_verified_and_not_applicable_together) {
    struct report *report = report_of("pnna");
    cr_expect_eq(tally_skipped(report_tally(report)), 3);
    report_free(report);
}

Test(result, holds_many_suites_tests_services_and_warnings) {
    struct report *report = report_new("assay run");
    for (int i = 0; i < 100; i++) {
        struct suite_result *suite = report_add_suite(report);
        suite->name = memory_format("suite_%d", i);
        for (int j = 0; j < 100; j++)
            suite_add_test(suite)->outcome = OUTCOME_PASSED;
        report_add_service(report)->state = SERVICE_READY;
        report_add_warning(report, "a warning");
    }
    cr_expect_eq(report_tally(report).passed, 10000);
    cr_expect_str_eq(report->suites[99].name, "suite_99");
    cr_expect_eq(report->warning_count, 100);
    cr_expect_eq(report_exit_status(report), 0);
    report_free(report);
}

Test(result, takes_what_another_report_found_under_a_prefix) {
    struct report *report = report_new("assay run"), *other = report_new("other");
    report_add_service(other)->name = memory_copy_string("db");
    struct suite_result *suite = report_add_suite(other);
    suite->name = memory_copy_string("rows"); // without a subject
    suite_add_test(suite)->outcome = OUTCOME_FAILED;
    report_add_warning(other, "look");
    other->failure = memory_copy_string("lost");
    report_add_suite(report)->name = memory_copy_string("own");
    report_take(report, other, "drill/");
    report_free(other);
    cr_assert_eq(report->service_count, 1);
    cr_expect_str_eq(report->services[0].name, "drill/db");
    cr_assert_eq(report->suite_count, 2);
    cr_expect_str_eq(report->suites[1].name, "drill/rows");
    cr_expect_null(report->suites[1].subject);
    cr_expect_eq(report_tally(report).failed, 1);
    cr_expect_str_eq(report->warnings[0], "look");
    cr_expect_str_eq(report->failure, "lost");
    other = report_new("other");
    other->failure = memory_copy_string("later");
    report_take(report, other, "");
    report_free(other);
    cr_expect_str_eq(report->failure, "lost"); // the first is the cause
    report_free(report);
}

Test(result, every_outcome_and_state_has_a_name_of_its_own) {
    cr_expect_str_eq(outcome_name(OUTCOME_PASSED), "passed");
    cr_expect_str_eq(outcome_name(OUTCOME_FAILED), "failed");
    cr_expect_str_eq(outcome_name(OUTCOME_NOT_VERIFIED), "not verified");
    cr_expect_str_eq(outcome_name(OUTCOME_NOT_APPLICABLE), "not applicable");
    for (int state = SERVICE_WAITING; state <= SERVICE_MISSING; state++)
        cr_expect_str_neq(service_state_name((enum service_state)state), "unknown");
}

Test(result, freeing_nothing_is_fine) {
    report_free(NULL);
}
