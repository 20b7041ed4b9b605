#define _GNU_SOURCE
#include "base/memory.h"
#include "reports/sample_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *last_line(const char *output) {
    const char *end = output + strlen(output) - 1;
    const char *before = memrchr(output, '\n', (size_t)(end - output));
    return before != NULL ? before + 1 : output;
}

TestSuite(terminal, .fini = sample_forget);

Test(terminal, last_line_is_the_tally_and_nothing_else) {
    struct report *report = sample_report();
    const char *output = sample_compose(&writer_terminal, report);
    cr_expect_str_eq(last_line(output), "2 passed, 3 failed, 3 skipped\n");
}

Test(terminal, shows_everything_that_a_person_needs_after_a_failure) {
    struct report *report = sample_report();
    const char *output = sample_compose(&writer_terminal, report);
    sample_expect_part(output, "ready     postgres             after 0.41 s  postgres:17");
    sample_expect_part(output, "the container ended with status 1");
    sample_expect_part(output, "| [ERROR] InnoDB: no space\n");
    sample_expect_part(output, "FAILED mysql: keeps_unicode (/home/dev/assay/suites/mysql.c:42)");
    sample_expect_part(output, "| the text came back changed");
    sample_expect_part(output, "    expected\n      | größe\n    seen\n      | gr??e\n");
    sample_expect_part(output, "the service's log ends with\n      | [ERROR] Aborting");
    sample_expect_part(output, "FAILED crasher\n    | killed by signal 11");
    sample_expect_part(output, "- mysql: streams_a_gigabyte\n    | needs 4 GiB of disk");
    sample_expect_part(output, "- empty\n    | the suite reported no test");
    sample_expect_part(output, "- mongodb: expires_documents\n    | FerretDB says");
    sample_expect_part(output, "- compose.yaml:12: `deploy.placement` is not honoured");
    sample_expect_part(output, "Something failed. (exit status 1, 12.34 s)");
}

Test(terminal, says_so_when_everything_passed) {
    struct report *report = sample_report_all_passed();
    const char *output = sample_compose(&writer_terminal, report);
    sample_expect_part(output, "Everything was verified and passed. (exit status 0, 12.34 s)\n"
                               "2 passed, 0 failed, 0 skipped\n");
    cr_expect(strstr(output, "Failures") == NULL);
}

Test(terminal, says_why_the_environment_could_not_be_built) {
    struct report *report = sample_own(report_new("assay run"));
    report->failure = memory_copy_string("no engine at unix:///var/run/docker.sock");
    const char *output = sample_compose(&writer_terminal, report);
    sample_expect_part(output, "| no engine at unix:///var/run/docker.sock");
    cr_expect_str_eq(last_line(output), "0 passed, 0 failed, 0 skipped\n");
}

Test(terminal, tests_with_the_same_reason_are_one_entry) {
    struct report *report = sample_report_all_passed();
    for (int i = 0; i < 3; i++) {
        struct test_result *test = suite_add_test(&report->suites[0]);
        test->name = memory_format("test_%d", i);
        test->message = memory_copy_string("no image");
    }
    const char *output = sample_compose(&writer_terminal, report);
    sample_expect_part(output, "- postgres: test_0, test_1, test_2\n    | no image\n");
    cr_expect_eq(sample_count(output, "no image"), 1);
}

Test(terminal, has_escape_sequences_only_when_colours_are_wanted) {
    struct report *report = sample_report();
    const char *plain = sample_compose(&writer_terminal, report);
    const char *coloured =
        sample_compose_with(&writer_terminal, report, &(struct report_options){.colours = true});
    cr_expect(strchr(plain, '\x1b') == NULL);
    cr_expect(strstr(coloured, "\x1b[31mFAILED\x1b[0m") != NULL);
    cr_expect_str_eq(last_line(coloured), "2 passed, 3 failed, 3 skipped\n");
}

Test(terminal, lets_no_text_command_the_terminal_or_the_workflow) {
    struct report *report = sample_report_of(sample_evil());
    const char *output = sample_compose_with(&writer_terminal, report,
                                             &(struct report_options){.in_workflow = true});
    for (const char *at = output; *at != '\0'; at++)
        cr_assert((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t', "byte %02x", *at);
    cr_expect(strstr(output, "##[") == NULL);
    const char *line = output;
    while (*line != '\0') {
        const char *begin = line + strspn(line, " \t");
        cr_expect_neq(strncmp(begin, "::", 2), 0, "%.80s", line);
        cr_expect_neq(strncmp(begin, "99 passed", 9), 0, "%.80s", line);
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    cr_expect_str_eq(last_line(output), "0 passed, 1 failed, 1 skipped\n");
}

Test(terminal, cuts_a_message_of_a_megabyte) {
    char *huge = memory_new(1 << 20, 1);
    memset(huge, 'x', (1 << 20) - 1);
    struct report *report = sample_report_all_passed();
    report->suites[0].tests[0].outcome = OUTCOME_FAILED;
    report->suites[0].tests[0].message = huge;
    const char *output = sample_compose(&writer_terminal, report);
    cr_expect_lt(strlen(output), (size_t)20000);
    sample_expect_part(output, "more bytes)");
}
