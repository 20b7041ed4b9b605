#include "base/memory.h"
#include "reports/sample_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a consumer sees: plans and test points of both levels, YAML blocks left out.
struct tap {
    long plan;
    long points;
    long failed;
    long sub_plan; // of the subtest that is being read
    long sub_points;
    long sub_failed;
    long all_failed_subtests;
    bool in_yaml;
    bool wrong; // something is out of order
};

static void read_point(const char *line, long *points, long *failed, bool *wrong) {
    const bool is_bad = strncmp(line, "not ok ", 7) == 0;
    if (!is_bad && strncmp(line, "ok ", 3) != 0)
        return;
    ++*points;
    *failed += is_bad ? 1 : 0;
    *wrong = *wrong || strtol(line + (is_bad ? 7 : 3), NULL, 10) != *points;
}

static void read_line(struct tap *tap, const char *line) {
    const char *content = line + strspn(line, " ");
    if (strcmp(content, "---") == 0 || strcmp(content, "...") == 0) {
        tap->wrong = tap->wrong || tap->in_yaml == (content[0] == '-');
        tap->in_yaml = content[0] == '-';
        return;
    }
    if (tap->in_yaml)
        return;
    if (strncmp(line, "    1..", 7) == 0) {
        tap->sub_plan = strtol(line + 7, NULL, 10);
        tap->sub_points = tap->sub_failed = 0;
    } else if (strncmp(line, "    ", 4) == 0) {
        read_point(line + 4, &tap->sub_points, &tap->sub_failed, &tap->wrong);
    } else if (strncmp(line, "1..", 3) == 0) {
        tap->plan = strtol(line + 3, NULL, 10);
    } else {
        read_point(line, &tap->points, &tap->failed, &tap->wrong);
        tap->wrong = tap->wrong || tap->sub_plan != tap->sub_points;
        tap->all_failed_subtests += tap->sub_failed;
        tap->sub_failed = 0;
    }
}

static struct tap read_tap(const char *output) {
    struct tap tap = {0};
    char *copy = memory_copy_string(output);
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        read_line(&tap, line);
    free(copy);
    tap.wrong = tap.wrong || tap.in_yaml || tap.plan != tap.points;
    return tap;
}

TestSuite(tap, .fini = sample_forget);

Test(tap, is_well_formed_and_counts_right) {
    struct report *report = sample_report();
    const char *output = sample_compose(&writer_tap, report);
    const struct tap tap = read_tap(output);
    cr_expect_not(tap.wrong, "%s", output);
    cr_expect_eq(strncmp(output, "TAP version 14\n", 15), 0);
    cr_expect_eq(tap.plan, 6); // five suites and a service that failed
    cr_expect_eq(tap.failed, 3);
    cr_expect_eq(tap.all_failed_subtests, 3);
}

Test(tap, marks_what_was_not_verified_with_its_reason) {
    struct report *report = sample_report();
    const char *output = sample_compose(&writer_tap, report);
    cr_expect(strstr(output, "ok 3 - streams_a_gigabyte # SKIP not verified: needs 4 GiB") != NULL);
    cr_expect(strstr(output, "ok 1 - expires_documents # SKIP not applicable: Ferret") != NULL);
    cr_expect(strstr(output, "- mongodb # SKIP nothing of it was verified") != NULL);
}

Test(tap, fails_a_suite_that_crashed_and_an_environment_that_was_not_built) {
    struct report *report = sample_report();
    report->failure = memory_copy_string("no engine");
    const char *output = sample_compose(&writer_tap, report);
    cr_expect(strstr(output, "not ok 1 - environment\n  ---\n  message: \"no engine\"") != NULL);
    cr_expect(strstr(output, "    not ok 1 - crasher\n") != NULL);
    cr_expect_not(read_tap(output).wrong, "%s", output);
}

Test(tap, of_nothing_is_a_skipped_plan) {
    struct report *report = sample_own(report_new("assay run"));
    const char *output = sample_compose(&writer_tap, report);
    cr_expect(strstr(output, "\n1..0 # SKIP no suite was run\n") != NULL, "%s", output);
}

Test(tap, stays_well_formed_whatever_a_test_says) {
    struct report *report = sample_report_of(sample_evil());
    const char *output = sample_compose(&writer_tap, report);
    const struct tap tap = read_tap(output);
    cr_expect_not(tap.wrong, "%s", output);
    cr_expect_eq(tap.plan, 2);
    cr_expect_eq(tap.failed, 2);
    cr_expect(strstr(output, "\nBail out!") == NULL);
}

Test(tap, escapes_what_would_be_a_directive_or_end_a_scalar) {
    struct report *report = sample_report_of("say \"no\" \\ # SKIP\n");
    const char *output = sample_compose(&writer_tap, report);
    cr_expect(strstr(output, "not ok 1 - say \"no\" \\\\ \\# SKIP\\\\n\n") != NULL, "%s", output);
    cr_expect(strstr(output, "message: \"say \\\"no\\\" \\\\ # SKIP\\n\"\n") != NULL, "%s", output);
}
