#include "reports/sample_fixture.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define OWNED_LIMIT 8

static struct {
    struct report *reports[OWNED_LIMIT];
    size_t report_count;
    char *texts[OWNED_LIMIT];
    size_t text_count;
} owned; // by this test, which is a process of its own

struct report *sample_own(struct report *report) {
    check(owned.report_count < OWNED_LIMIT);
    return owned.reports[owned.report_count++] = report;
}

void sample_forget(void) {
    for (size_t i = 0; i < owned.report_count; i++)
        report_free(owned.reports[i]);
    for (size_t i = 0; i < owned.text_count; i++)
        free(owned.texts[i]);
    owned.report_count = owned.text_count = 0;
}

static void add_test(struct suite_result *suite, const char *name, enum outcome outcome,
                     const char *message) {
    struct test_result *test = suite_add_test(suite);
    test->name = memory_copy_string(name);
    test->outcome = outcome;
    test->message = memory_copy_string(message);
    test->duration_us = 1234;
}

static struct suite_result *add_suite(struct report *report, const char *name) {
    struct suite_result *suite = report_add_suite(report);
    suite->name = memory_copy_string(name);
    suite->subject = memory_copy_string(name);
    suite->command = memory_format("build/suites/%s", name);
    suite->duration_us = 310000;
    return suite;
}

static void add_service(struct report *report, const char *name, enum service_state state,
                        const char *message) {
    struct service_result *service = report_add_service(report);
    service->name = memory_copy_string(name);
    service->kind = memory_copy_string(name);
    service->image = memory_format("%s:17", name);
    service->state = state;
    service->message = memory_copy_string(message);
    service->ready_us = state == SERVICE_READY ? 410000 : 0;
}

static struct report *new_report(void) {
    struct report *report = sample_own(report_new("assay run"));
    report->project = memory_copy_string("devstack");
    report->run_id = memory_copy_string("r-1f2e");
    report->engine = memory_copy_string("Docker 20.10.24 at unix:///run/docker.sock");
    report->started_wall_ms = 1795359230000;
    report->duration_us = 12340000;
    return report;
}

struct report *sample_report_all_passed(void) {
    struct report *report = new_report();
    add_service(report, "postgres", SERVICE_READY, NULL);
    struct suite_result *suite = add_suite(report, "postgres");
    add_test(suite, "commits_what_it_was_told", OUTCOME_PASSED, NULL);
    add_test(suite, "refuses_a_wrong_password", OUTCOME_PASSED, NULL);
    return report;
}

struct report *sample_report(void) {
    struct report *report = sample_report_all_passed();
    add_service(report, "mysql", SERVICE_FAILED, "the container ended with status 1");
    report->services[1].log_tail = memory_copy_string("[ERROR] InnoDB: no space\n[ERROR] Aborting");

    struct suite_result *mysql = add_suite(report, "mysql");
    add_test(mysql, "connects", OUTCOME_FAILED, "mysql is not there");
    add_test(mysql, "keeps_unicode", OUTCOME_FAILED, "the text came back changed");
    mysql->tests[1].expected = memory_copy_string("größe");
    mysql->tests[1].seen = memory_copy_string("gr??e");
    mysql->tests[1].file = memory_copy_string("/home/dev/assay/suites/mysql.c");
    mysql->tests[1].line = 42;
    add_test(mysql, "streams_a_gigabyte", OUTCOME_NOT_VERIFIED, "needs 4 GiB of disk");
    mysql->service_log = memory_copy_string("[ERROR] Aborting");
    mysql->output_tail = memory_copy_string("[FAIL] mysql::connects");

    add_test(add_suite(report, "mongodb"), "expires_documents", OUTCOME_NOT_APPLICABLE,
             "FerretDB says: TTL indexes are not supported");
    add_suite(report, "crasher")->failure = memory_copy_string("killed by signal 11");
    add_suite(report, "empty");
    report_add_warning(report, "compose.yaml:12: `deploy.placement` is not honoured");
    return report;
}

struct report *sample_report_of(const char *evil) {
    struct report *report = report_new(evil);
    report->project = memory_copy_string(evil);
    report->run_id = memory_copy_string(evil);
    report->engine = memory_copy_string(evil);
    add_service(report, evil, SERVICE_FAILED, evil);
    report->services[0].ran = memory_copy_string(evil);
    report->services[0].log_tail = memory_copy_string(evil);
    struct suite_result *suite = add_suite(report, evil);
    suite->output_tail = memory_copy_string(evil);
    suite->service_log = memory_copy_string(evil);
    add_test(suite, evil, OUTCOME_FAILED, evil);
    suite->tests[0].expected = memory_copy_string(evil);
    suite->tests[0].seen = memory_copy_string(evil);
    suite->tests[0].file = memory_copy_string(evil);
    suite->tests[0].line = 1;
    add_test(suite, evil, OUTCOME_NOT_VERIFIED, evil);
    report_add_warning(report, evil);
    return report;
}

const char *sample_evil(void) {
    return "\n::error title=injected::gotcha\n  ::set-output name=x::y\n##[error]old form\r"
           "]]></failure><injected/>&amp;<!--\n1..0 # SKIP\nok 99 - injected\nBail out!\n...\n"
           "\x1b[2J\x1b]0;title\x07\x9b" // terminal escapes, an 8-bit CSI that is bad UTF-8 too
           "\xff\xfe \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x80\xae" // not UTF-8;
                                                                          // right-to-left
           "\xef\xbf\xbe \xc2\x85 \xc2\x9b"                               // U+FFFE, NEL, CSI
           "| a | `b` </pre></details> <script> # \\ \" ' % %0A , : \xe2\x82\xac \xf0\x9f\x98\x80"
           "\n99 passed, 0 failed, 0 skipped\n";
}

const char *sample_compose_with(const struct report_writer *writer, const struct report *report,
                                const struct report_options *options) {
    struct text out;
    struct error err = {0};
    text_init(&out, (size_t)64 * 1024 * 1024);
    check(writer->compose(report, options, &out, &err));
    check(!out.overflowed);
    check(owned.text_count < OWNED_LIMIT);
    return owned.texts[owned.text_count++] = text_take(&out);
}

const char *sample_compose(const struct report_writer *writer, const struct report *report) {
    return sample_compose_with(writer, report, &(struct report_options){.stream = stdout});
}

size_t sample_count(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}
