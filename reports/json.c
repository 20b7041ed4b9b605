// The whole report for programs; report.schema.json says what is where.
#include "reports/clean.h"
#include "reports/phrase.h"
#include "reports/report_writer.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <jansson.h>
#include <stdlib.h>

#define FORMAT_VERSION 1

// jansson refuses a string that is not UTF-8.
static json_t *name_of(const char *string) {
    autodone(text) struct text valid = {0};
    clean_append(&valid, string, CLEAN_UTF8);
    return json_stringn(text_string(&valid), valid.length);
}

static json_t *string_of(const char *string) {
    return string != NULL ? name_of(string) : json_null();
}

static json_t *json_of_tally(struct tally tally) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "passed", (json_int_t)tally.passed, "failed",
                     (json_int_t)tally.failed, "skipped", (json_int_t)tally_skipped(tally),
                     "not_verified", (json_int_t)tally.not_verified, "not_applicable",
                     (json_int_t)tally.not_applicable);
}

static json_t *json_of_test(const struct test_case *test, bool stands_for_suite) {
    return json_pack("{s:o, s:s, s:b, s:I, s:o, s:o, s:o, s:o, s:o}", "name", name_of(test->name),
                     "outcome", phrase_outcome_key(test->outcome), "stands_for_suite",
                     stands_for_suite, "duration_us", (json_int_t)test->duration_us, "message",
                     string_of(test->message), "expected", string_of(test->expected), "seen",
                     string_of(test->seen), "file", string_of(test->file), "line",
                     test->file != NULL ? json_integer(test->line) : json_null());
}

static json_t *json_of_suite(const struct suite_result *suite) {
    json_t *tests = json_array();
    for (size_t i = 0; i < suite_case_count(suite); i++) {
        const struct test_case test = suite_case(suite, i);
        json_array_append_new(tests, json_of_test(&test, i >= suite->test_count));
    }
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "name", name_of(suite->name),
                     "subject", string_of(suite->subject), "command", string_of(suite->command),
                     "duration_us", (json_int_t)suite->duration_us, "tally",
                     json_of_tally(suite_tally(suite)), "failure", string_of(suite->failure),
                     "output_tail", string_of(suite->output_tail), "service_log",
                     string_of(suite->service_log), "tests", tests);
}

static json_t *json_of_service(const struct service_result *service) {
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "name", name_of(service->name), "kind",
        string_of(service->kind), "image", string_of(service->image), "ran",
        string_of(service->ran), "state", service_state_name(service->state), "ready_us",
        service->ready_us > 0 ? json_integer(service->ready_us) : json_null(), "message",
        string_of(service->message), "log_tail", string_of(service->log_tail));
}

static json_t *json_of_report(const struct report *report) {
    json_t *services = json_array();
    json_t *suites = json_array();
    json_t *warnings = json_array();
    for (size_t i = 0; i < report->service_count; i++)
        json_array_append_new(services, json_of_service(&report->services[i]));
    for (size_t i = 0; i < report->suite_count; i++)
        json_array_append_new(suites, json_of_suite(&report->suites[i]));
    for (size_t i = 0; i < report->warning_count; i++)
        json_array_append_new(warnings, string_of(report->warnings[i]));
    char started[CLOCK_TEXT_SIZE];
    return json_pack(
        "{s:s, s:i, s:s, s:o, s:o, s:o, s:o, s:s, s:I, s:i, s:o, s:o, s:o, s:o, s:o}", "format",
        "assay-report", "format_version", FORMAT_VERSION, "assay_version", ASSAY_VERSION, "title",
        name_of(report->title), "project", string_of(report->project), "run_id",
        string_of(report->run_id), "engine", string_of(report->engine), "started",
        clock_format_utc(report->started_wall_ms, started), "duration_us",
        (json_int_t)report->duration_us, "exit_status", report_exit_status(report), "failure",
        string_of(report->failure), "tally", json_of_tally(report_tally(report)), "services",
        services, "suites", suites, "warnings", warnings);
}

static int append_piece(const char *bytes, size_t length, void *out) {
    text_append_bytes(out, bytes, length);
    return 0;
}

static bool compose(const struct report *report, const struct report_options *options,
                    struct text *out, struct error *err) {
    (void)options;
    json_t *root = json_of_report(report);
    const bool ok =
        root != NULL && json_dump_callback(root, append_piece, out, JSON_INDENT(2)) == 0;
    json_decref(root);
    text_append_char(out, '\n');
    return ok || error_set(err, ERROR_SYSTEM, 0, "the report cannot be written as JSON");
}

const struct report_writer writer_json = {
    .name = "json", .file_suffix = ".json", .compose = compose};
