#define _GNU_SOURCE
#include "scenario/suite_runner.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compose/environment_file.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[64];
static struct report *report;
static struct error problem;

static void open_folder(void) {
    strncpy(folder, "/tmp/assay-suite-runner-XXXXXX", sizeof folder - 1);
    cr_assert(mkdtemp(folder) != NULL);
    report = report_new("test");
}

static void close_folder(void) {
    report_free(report);
    cr_assert(file_remove_tree(folder, NULL));
}

TestSuite(suite_runner, .init = open_folder, .fini = close_folder, .timeout = 120);

static const struct suite_result *run_one(const char *path, struct suite_runner runner) {
    const struct suite_job job = {.path = path};
    runner.folder = folder;
    cr_assert(suite_runner_run(&runner, &job, 1, report, &problem), "%s", problem.message);
    cr_assert_eq(report->suite_count, 1);
    return &report->suites[0];
}

static const struct test_result *test_named(const struct suite_result *suite, const char *name) {
    for (size_t i = 0; i < suite->test_count; i++)
        if (strcmp(suite->tests[i].name, name) == 0)
            return &suite->tests[i];
    cr_assert_fail("no test named %s", name);
    return NULL;
}

Test(suite_runner, tells_every_outcome_apart) {
    const struct suite_result *suite = run_one(SAMPLE_SUITE, (struct suite_runner){0});
    static const struct {
        const char *name;
        enum outcome outcome;
        const char *message;
    } expected[] = {
        {"passes", OUTCOME_PASSED, NULL},
        {"shares_memory_in_the_folder_of_the_run", OUTCOME_PASSED, NULL},
        {"reports_by_a_socket_in_the_folder_of_the_run", OUTCOME_PASSED, NULL},
        {"fails_with_a_message_no_format_can_hold", OUTCOME_FAILED, "say \"hi\" \\ ]]>"},
        {"expected_another_error", OUTCOME_FAILED, "too late"},
        {"crashes", OUTCOME_FAILED, "crashed, signal 9"},
        {"hangs", OUTCOME_FAILED, "timed out"},
        {"leaves", OUTCOME_FAILED, "exit status 7"},
        {"asks_a_service_that_says_nothing", OUTCOME_NOT_VERIFIED, "ASSAY_ENVIRONMENT"},
        {"waits_for_what_never_comes", OUTCOME_FAILED,
         "not so within 10 ms; the last answer: not today"},
        {"cannot_verify", OUTCOME_NOT_VERIFIED, "the server is not there"},
        {"does_not_apply", OUTCOME_NOT_APPLICABLE, "the server says \"no\""},
        {"skips_plainly", OUTCOME_NOT_VERIFIED, "because"},
        {"asks_for_a_service_without_a_runner", OUTCOME_NOT_VERIFIED, "ASSAY_ENVIRONMENT"},
    };
    cr_assert_eq(suite->test_count, sizeof expected / sizeof *expected);
    cr_assert_null(suite->failure, "%s", suite->failure);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct test_result *test = test_named(suite, expected[i].name);
        cr_expect_eq(test->outcome, expected[i].outcome, "%s: %s", test->name,
                     outcome_name(test->outcome));
        if (expected[i].message != NULL)
            cr_expect(test->message != NULL && strstr(test->message, expected[i].message) != NULL,
                      "%s: %s", test->name, test->message);
    }
}

// A listener of the loopback and an environment file that names it as the service "silent".
static char *given_a_silent_service(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              listen(fd, 4) == 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)ntohs(address.sin_port));
    struct environment_writer *writer = environment_writer_new();
    environment_writer_set(writer, "ASSAY_SERVICES", "silent");
    environment_writer_set_of(writer, "silent", "STATE", "ready");
    environment_writer_set_of(writer, "silent", "HOST", "127.0.0.1");
    environment_writer_set_of(writer, "silent", "PORT", port);
    char *path = path_join(folder, "environment");
    cr_assert(environment_writer_save(writer, path, &problem), "%s", problem.message);
    environment_writer_free(writer);
    return path;
}

Test(suite_runner, a_test_of_a_service_that_says_nothing_fails_by_its_name_and_does_not_hang) {
    char *path = given_a_silent_service();
    const struct suite_result *suite =
        run_one(SAMPLE_SUITE, (struct suite_runner){.environment_file = path});
    const struct test_result *test = test_named(suite, "asks_a_service_that_says_nothing");
    cr_assert_eq(test->outcome, OUTCOME_FAILED);
    cr_assert_not_null(strstr(test->message, "silent (127.0.0.1:"), "%s", test->message);
    cr_assert_null(strstr(test->message, "timed out after"), "%s", test->message);
    free(path);
}

Test(suite_runner, shows_what_was_expected_beside_what_was_seen) {
    const struct suite_result *suite = run_one(SAMPLE_SUITE, (struct suite_runner){0});
    const struct test_result *test = test_named(suite, "expected_another_error");
    cr_assert_str_eq(test->expected, "service 1");
    cr_assert_str_eq(test->seen, "timeout 0: too late");
    cr_assert(strstr(test->file, "sample_suite.c") != NULL);
}

Test(suite_runner, fails_a_suite_that_dies_before_its_last_test) {
    const struct suite_result *suite =
        run_one(SAMPLE_DYING_SUITE, (struct suite_runner){.tests_at_once = 1});
    cr_assert_not_null(suite->failure);
    cr_assert(strstr(suite->failure, "signal 9") != NULL, "%s", suite->failure);
    cr_assert_eq(report_exit_status(report), 1);
}

Test(suite_runner, fails_a_suite_without_a_test) {
    const struct suite_result *suite = run_one(SAMPLE_EMPTY_SUITE, (struct suite_runner){0});
    cr_assert_str_eq(suite->failure, "ran no test");
    cr_assert_eq(report_exit_status(report), 1);
}

Test(suite_runner, fails_an_executable_that_records_nothing) {
    const struct suite_result *suite = run_one("/bin/true", (struct suite_runner){0});
    cr_assert(strstr(suite->failure, "recorded nothing") != NULL, "%s", suite->failure);
}

Test(suite_runner, fails_an_executable_that_is_not_there) {
    const struct suite_result *suite = run_one("/nonexistent/suite", (struct suite_runner){0});
    cr_assert(strstr(suite->failure, "/nonexistent/suite") != NULL, "%s", suite->failure);
}

// An executable that is a shell script.
static const struct suite_result *run_script(const char *lines, struct suite_runner runner) {
    autofree_string char *script = memory_format("#!/bin/sh\n%s\n", lines);
    autofree_string char *path = path_join(folder, "script");
    cr_assert(file_write_atomic(path, script, strlen(script), 0755, &problem));
    return run_one(path, runner);
}

Test(suite_runner, fails_a_suite_whose_results_somebody_else_wrote_in) {
    const struct suite_result *suite =
        run_script("echo mine >$ASSAY_RESULTS; echo not yours >>$ASSAY_RESULTS; exit 3",
                   (struct suite_runner){0});
    cr_assert(strstr(suite->failure, "not a recorder's") != NULL, "%s", suite->failure);
}

Test(suite_runner, fails_a_suite_that_says_it_failed_and_shows_no_test_that_did) {
    const struct suite_result *suite =
        run_script("{ echo '{\"planned\":1}'; echo '{\"test\":\"a\",\"outcome\":\"passed\"}'; "
                   "echo '{\"ended\":1}'; } >$ASSAY_RESULTS; exit 9",
                   (struct suite_runner){0});
    cr_assert(strstr(suite->failure, "ended with exit status 9 though no test failed") != NULL,
              "%s", suite->failure);
}

Test(suite_runner, fails_a_suite_that_cannot_be_sharded) {
    const struct suite_result *suite =
        run_one("/bin/false", (struct suite_runner){.shard = 1, .shards = 2});
    cr_assert(strstr(suite->failure, "does not list its tests") != NULL, "%s", suite->failure);
}

Test(suite_runner, kills_a_suite_that_hangs) {
    const struct suite_result *suite =
        run_script("exec tail -f /dev/null", (struct suite_runner){.timeout_ms = 300});
    cr_assert(strstr(suite->failure, "hung") != NULL, "%s", suite->failure);
    cr_assert(suite->duration_us < 5000000);
}

Test(suite_runner, lists_the_tests_of_an_executable) {
    autodone(string_list) struct string_list tests = {0};
    cr_assert(suite_list(SAMPLE_SUITE, &tests, &problem), "%s", problem.message);
    cr_assert_eq(tests.count, 14);
    cr_assert(string_list_contains(&tests, "sample/passes"));
}

Test(suite_runner, lists_the_tests_in_any_locale) {
    autodone(string_list) struct string_list tests = {0};
    cr_assert_eq(setenv("LC_ALL", "C", 1), 0);
    cr_assert(suite_list(SAMPLE_SUITE, &tests, &problem), "%s", problem.message);
    cr_assert_eq(tests.count, 14);
}

Test(suite_runner, refuses_to_list_a_suite_without_a_test) {
    autodone(string_list) struct string_list tests = {0};
    cr_assert(!suite_list(SAMPLE_EMPTY_SUITE, &tests, &problem));
    cr_assert(strstr(problem.message, "has no test") != NULL, "%s", problem.message);
}

Test(suite_runner, refuses_to_list_what_is_no_suite) {
    autodone(string_list) struct string_list tests = {0};
    cr_assert(!suite_list("/bin/false", &tests, &problem));
    cr_assert_eq(problem.domain, ERROR_CONFIGURATION);
}

Test(suite_runner, runs_each_test_in_exactly_one_shard) {
    size_t ran = 0;
    for (int shard = 1; shard <= 3; shard++) {
        struct report *part = report_new("shard");
        const struct suite_job job = {.path = SAMPLE_SUITE};
        const struct suite_runner runner = {.folder = folder, .shard = shard, .shards = 3};
        cr_assert(suite_runner_run(&runner, &job, 1, part, &problem));
        cr_expect_null(part->suites[0].failure, "shard %d: %s", shard, part->suites[0].failure);
        for (size_t i = 0; i < part->suites[0].test_count; i++)
            ran += part->suites[0].tests[i].outcome != OUTCOME_NOT_VERIFIED ||
                   strstr(part->suites[0].tests[i].message, "disabled") == NULL;
        report_free(part);
    }
    cr_assert_eq(ran, 14);
}

Test(suite_runner, gives_up_when_interrupted) {
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, &problem));
    cancel_request(&cancel);
    const struct suite_job job = {.path = SAMPLE_SUITE};
    const struct suite_runner runner = {.folder = folder, .cancel = &cancel};
    cr_assert(!suite_runner_run(&runner, &job, 1, report, &problem));
    cr_assert_eq(problem.domain, ERROR_CANCELLED);
    cr_assert_neq(report_exit_status(report), 0);
    cancel_done(&cancel);
}
