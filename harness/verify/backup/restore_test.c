#include "verify/backup/restore.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

Test(restore, the_major_version_is_the_first_number) {
    cr_expect_eq(restore_major("17.2 (Debian 17.2-1)"), 17);
    cr_expect_eq(restore_major("postgres (PostgreSQL) 9.6.24"), 9);
    cr_expect_eq(restore_major("none"), -1);
    cr_expect_eq(restore_major(NULL), -1);
}

Test(restore, every_engine_has_a_restorer_of_its_own) {
    for (enum dump_engine engine = DUMP_POSTGRES; engine <= DUMP_REDIS; engine++) {
        const struct restorer *restorer = restorer_of(engine);
        cr_assert_not_null(restorer, "%s", dump_engine_name(engine));
        cr_expect_eq(restorer->engine, engine);
    }
    cr_expect_null(restorer_of(DUMP_UNKNOWN));
}

// A name that is spelled otherwise would just not be restored.
Test(restore, the_formats_that_restorers_name_are_formats) {
    for (enum dump_engine engine = DUMP_POSTGRES; engine <= DUMP_REDIS; engine++) {
        const char *const *names = restorer_of(engine)->formats;
        for (; *names != NULL; names++) {
            size_t i = 0;
            while (DUMP_FORMATS[i] != NULL && strcmp(DUMP_FORMATS[i]->name, *names) != 0)
                i++;
            cr_expect_not_null(DUMP_FORMATS[i], "%s", *names);
        }
    }
}

static struct report *report;
static struct suite_result *suite;

static void begin(void) {
    report = report_new("test");
    suite = report_add_suite(report);
}

static void end(void) {
    report_free(report);
}

TestSuite(restore_result, .init = begin, .fini = end);

Test(restore_result, a_check_that_prints_nothing_has_passed) {
    restore_lines(suite, "sound", true, " \n", NULL);
    cr_expect_eq(suite->tests[0].outcome, OUTCOME_PASSED);
    cr_expect_null(suite->tests[0].message);
}

Test(restore_result, a_check_that_prints_a_line_has_failed_with_it) {
    restore_lines(suite, "sound", true, "orders: page 3 is damaged\n", NULL);
    cr_expect_eq(suite->tests[0].outcome, OUTCOME_FAILED);
    cr_expect_str_eq(suite->tests[0].message, "orders: page 3 is damaged");
}

Test(restore_result, many_lines_are_cut_and_counted) {
    struct text lines = {0};
    for (int i = 0; i < 50; i++)
        text_appendf(&lines, "line %d\n", i);
    restore_lines(suite, "sound", true, text_string(&lines), NULL);
    cr_expect_not_null(strstr(suite->tests[0].message, "and 30 more"), "%s",
                       suite->tests[0].message);
    cr_expect_null(strstr(suite->tests[0].message, "line 20"));
    text_done(&lines);
}

Test(restore_result, a_check_that_could_not_be_asked_is_not_verified) {
    struct error problem;
    error_set(&problem, ERROR_TIMEOUT, 0, "too late");
    restore_lines(suite, "sound", false, NULL, &problem);
    cr_expect_eq(suite->tests[0].outcome, OUTCOME_NOT_VERIFIED);
    cr_expect_str_eq(suite->tests[0].message, "too late");
}

Test(restore_result, counts_that_differ_are_shown_beside_each_other) {
    restore_counts(suite, "rows_are_all_there", "rows", 3, 2);
    cr_expect_eq(suite->tests[0].outcome, OUTCOME_FAILED);
    cr_expect_str_eq(suite->tests[0].expected, "3");
    cr_expect_str_eq(suite->tests[0].seen, "2");
    restore_counts(suite, "rows_are_all_there", "rows", 2, 2);
    cr_expect_eq(suite->tests[1].outcome, OUTCOME_PASSED);
}

// ---- what tools say

static void expect_complaint(const char *output, const char *errors, int status,
                             const char *expected) {
    struct tool_answer answer = {.exit_status = status};
    text_append(&answer.output, output);
    text_append(&answer.errors, errors);
    char *complaint = tool_complaint(&answer);
    cr_expect_str_eq(complaint, expected);
    free(complaint);
    tool_answer_done(&answer);
}

Test(restore_result, a_tools_complaint_is_the_line_with_its_error) {
    expect_complaint("", "NOTICE: hello\npsql:<stdin>:3: ERROR:  no table\nHINT: make it\n", 3,
                     "psql:<stdin>:3: ERROR:  no table");
    expect_complaint("Wrong RDB checksum expected\nfatal: stop\n", "", 1, "fatal: stop");
    expect_complaint("only this\n", "", 1, "only this");
    expect_complaint("", "", 7, "it said nothing, and ended with exit status 7");
}
