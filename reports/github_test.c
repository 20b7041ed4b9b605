#include "base/file.h"
#include "base/memory.h"
#include "reports/sample_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What report_publish appends to a step summary that holds `before`.
static char *summary_of(const struct report *report, const char *before) {
    char path[] = "/tmp/assay-summary-XXXXXX";
    const int fd = mkstemp(path);
    cr_assert_eq(write(fd, before, strlen(before)), (ssize_t)strlen(before));
    close(fd);
    FILE *stream = fopen("/dev/null", "we");
    struct error err = {0};
    const struct report_options options = {.stream = stream, .step_summary = path};
    cr_assert(report_publish(report, &writer_github, &options, &err), "%s", err.message);
    fclose(stream);
    char *summary = NULL;
    cr_assert(file_read(path, 4 << 20, &summary, NULL, NULL));
    unlink(path);
    return summary;
}

TestSuite(github, .fini = sample_forget);

Test(github, annotates_failures_at_their_line_relative_to_the_repository) {
    struct report *report = sample_report();
    const char *output = sample_compose_with(
        &writer_github, report, &(struct report_options){.source_root = "/home/dev/assay"});
    sample_expect_part(output, "::error file=suites/mysql.c,line=42,title=mysql%3A keeps_unicode::"
                               "the text came back changed%0Aexpected: größe%0Aseen: gr??e\n");
    sample_expect_part(output, "::error title=crasher::killed by signal 11\n");
    sample_expect_part(output,
                       "::error title=service%3A mysql::the container ended with status 1\n");
}

Test(github, warns_once_a_suite_of_what_was_not_verified) {
    struct report *report = sample_report();
    const char *output = sample_compose(&writer_github, report);
    sample_expect_part(output, "::warning title=mysql::1 of 3 not verified%0A"
                               "streams_a_gigabyte: needs 4 GiB of disk\n");
    cr_expect_eq(sample_count(output, "::warning "), 2);
}

Test(github, says_nothing_when_everything_passed) {
    struct report *report = sample_report_all_passed();
    const char *output = sample_compose(&writer_github, report);
    cr_expect_str_eq(output, "");
}

Test(github, shows_ten_errors_and_counts_the_rest) {
    struct report *report = sample_report_all_passed();
    for (int i = 0; i < 25; i++) {
        struct test_result *test = suite_add_test(&report->suites[0]);
        test->name = memory_format("test_%d", i);
        test->outcome = OUTCOME_FAILED;
    }
    const char *output = sample_compose(&writer_github, report);
    cr_expect_eq(sample_count(output, "::error "), 10);
    sample_expect_part(output, "15 more failures");
}

Test(github, lets_no_text_become_a_command_of_its_own) {
    struct report *report = sample_report_of(sample_evil());
    const char *output = sample_compose(&writer_github, report);
    size_t lines = 0;
    for (const char *line = output; *line != '\0'; lines++) {
        cr_expect(strncmp(line, "::error ", 8) == 0 || strncmp(line, "::warning ", 10) == 0,
                  "%.80s", line);
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    cr_expect_eq(lines, 3);                      // the service, the test, what was not verified
    sample_expect_part(output, "%25 %250A , :"); // a % of the text stays a %
}

Test(github, appends_a_summary_to_what_is_there) {
    struct report *report = sample_report();
    char *summary = summary_of(report, "earlier step\n");
    cr_expect_eq(strncmp(summary, "earlier step\n### assay: 2 passed, 3 failed, 3 skipped", 50), 0);
    sample_expect_part(summary, "| mysql | 0 | 2 | 1 | 0 | 0.31 s |");
    sample_expect_part(summary,
                       "<details><summary>failed: mysql / keeps&#95;unicode</summary><pre>");
    free(summary);
}

Test(github, summary_lets_no_text_become_markup) {
    struct report *report = sample_report_of(sample_evil());
    char *summary = summary_of(report, "");
    cr_expect(strstr(summary, "<script>") == NULL);
    cr_expect_eq(sample_count(summary, "</pre>"), 3);
    cr_expect_eq(sample_count(summary, "`"), 0);
    free(summary);
}

Test(github, summary_stays_below_what_github_takes) {
    struct report *report = sample_report_all_passed();
    for (int i = 0; i < 2000; i++) {
        struct test_result *test = suite_add_test(&report->suites[0]);
        test->name = memory_format("test_%d", i);
        test->outcome = OUTCOME_FAILED;
        test->message = memory_new(4001, 1);
        memset(test->message, '<', 4000);
    }
    char *summary = summary_of(report, "earlier step\n");
    cr_expect_leq(strlen(summary), (size_t)1024 * 1024);
    sample_expect_part(summary, "The summary is cut");
    free(summary);
}

Test(github, that_cannot_write_the_summary_names_it) {
    struct report *report = sample_report();
    struct error err = {0};
    FILE *stream = fopen("/dev/null", "we");
    const struct report_options options = {.stream = stream, .step_summary = "/no/such/summary"};
    cr_expect_not(report_publish(report, &writer_github, &options, &err));
    sample_expect_part(err.message, "/no/such/summary");
    fclose(stream);
}

Test(github, tells_of_an_environment_that_could_not_be_built) {
    struct report *report = sample_own(report_new("run"));
    report->failure = memory_copy_string("no engine,\r\n100% of it");
    const char *output = sample_compose(&writer_github, report);
    sample_expect_part(output, "::error title=environment::no engine,\\r%0A100%25 of it\n");
    char *summary = summary_of(report, "");
    sample_expect_part(summary, "environment");
    sample_expect_part(summary, "no engine,");
    cr_expect_null(strstr(summary, "| suite |"), "a table of no suite:\n%s", summary);
    free(summary);
}

Test(github, writes_no_summary_where_there_is_no_place_for_one) {
    struct report *report = sample_report();
    FILE *stream = fopen("/dev/null", "we");
    struct error err = {0};
    const struct report_options options = {.stream = stream, .step_summary = ""};
    cr_expect(report_publish(report, &writer_github, &options, &err), "%s", err.message);
    fclose(stream);
}
