// Writes a fixed report in every format: the terminal's to standard output, the others to files.
//
//   write_reports FOLDER
#include "base/json_memory.h"
#include "base/memory.h"
#include "reports/report_writer.h"

#include <stdio.h>

static void add_service(struct report *report, const char *name, enum service_state state) {
    struct service_result *service = report_add_service(report);
    service->name = memory_copy_string(name);
    service->kind = memory_copy_string("postgres");
    service->image = memory_format("assay/%s", name);
    service->state = state;
    service->message =
        memory_copy_string(state == SERVICE_FAILED ? "it ended with status 1" : NULL);
    service->log_tail = memory_copy_string(state == SERVICE_FAILED ? "no space\naborting" : NULL);
}

static void add_test(struct suite_result *suite, const char *name, enum outcome outcome,
                     const char *message) {
    struct test_result *test = suite_add_test(suite);
    test->name = memory_copy_string(name);
    test->outcome = outcome;
    test->message = memory_copy_string(message);
    if (outcome != OUTCOME_FAILED)
        return;
    test->expected = memory_copy_string("größe");
    test->seen = memory_copy_string("gr??e");
    test->file = memory_copy_string("suites/postgres_suite.c");
    test->line = 42;
}

static void add_suite(struct report *report, const char *name, const char *failure) {
    struct suite_result *suite = report_add_suite(report);
    suite->name = memory_copy_string(name);
    suite->subject = memory_copy_string(name);
    suite->command = memory_format("build/suites/%s", name);
    suite->failure = memory_copy_string(failure);
    suite->output_tail = memory_copy_string("[FAIL] of <all> & \"everything\"");
    suite->service_log = memory_copy_string("ERROR: value \x01 of \xff");
    add_test(suite, "connects", OUTCOME_PASSED, NULL);
    add_test(suite, "keeps_the_text", OUTCOME_FAILED, "it came back changed");
    add_test(suite, "replicates", OUTCOME_NOT_VERIFIED, "there is no second server");
    add_test(suite, "has_a_ttl_index", OUTCOME_NOT_APPLICABLE, "not offered");
}

static struct report *make_report(void) {
    struct report *report = report_new("assay run");
    report->project = memory_copy_string("devstack");
    report->engine = memory_copy_string("Docker 20.10.24 at unix:///run/docker.sock");
    report->started_wall_ms = 1763823230000;
    add_service(report, "postgres", SERVICE_READY);
    add_service(report, "mysql", SERVICE_FAILED);
    add_suite(report, "postgres", NULL);
    add_suite(report, "mysql", "crashed, signal 11");
    report_add_warning(report, "compose.yaml:12: `deploy.placement` is not honoured");
    return report;
}

int main(int argc, char **argv) {
    json_memory_init();
    if (argc != 2)
        return 2;
    const struct report_options options = {.stream = stdout, .folder = argv[1]};
    struct report *report = make_report();
    struct error problem = {0};
    bool ok = true;
    const struct report_writer *writer;
    for (size_t i = 0; ok && (writer = report_writer_at(i)) != NULL; i++)
        ok = report_publish(report, writer, &options, &problem);
    report_free(report);
    if (ok)
        return 0;
    fprintf(stderr, "write_reports: %s\n", problem.message);
    return 3;
}
