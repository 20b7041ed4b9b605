// JUnit XML, in the shape that Jenkins' junit-10.xsd and GitLab accept: failures are failed tests,
// errors are whatever went wrong around them, skipped is what was not verified or does not apply.
//
// A service that failed and an environment that could not be built are a suite of their own,
// "environment": without it a reader of this file alone would see green.
#include "reports/clean.h"
#include "reports/report_writer.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"

#include <libxml/xmlwriter.h>
#include <stdlib.h>

// Parsers refuse what is longer by default (libxml2: 10 MB after the escaping, which may make six
// bytes of one); the JSON report has all of it.
#define ATTRIBUTE_LIMIT ((size_t)4 * 1024)
#define BODY_LIMIT ((size_t)1024 * 1024)

#define XML(string) ((const xmlChar *)(string))

// Errors of xmlwriter are kept and looked at once.
struct junit {
    const struct report *report;
    xmlTextWriterPtr xml;
    bool broken;
};

static void note(struct junit *self, int result) {
    self->broken = self->broken || result < 0;
}

static void begin(struct junit *self, const char *element) {
    note(self, xmlTextWriterStartElement(self->xml, XML(element)));
}

static void end(struct junit *self) {
    note(self, xmlTextWriterEndElement(self->xml));
}

static void attribute(struct junit *self, const char *name, const char *value) {
    autodone(text) struct text clean = {0};
    clean_append_start(&clean, value, ATTRIBUTE_LIMIT, CLEAN_BLOCK);
    note(self, xmlTextWriterWriteAttribute(self->xml, XML(name), XML(text_string(&clean))));
}

static void number(struct junit *self, const char *name, size_t value) {
    note(self, xmlTextWriterWriteFormatAttribute(self->xml, XML(name), "%zu", value));
}

static void seconds(struct junit *self, int64_t duration_us) {
    note(self, xmlTextWriterWriteFormatAttribute(self->xml, XML("time"), "%.6f",
                                                 (double)duration_us / 1e6));
}

static void body(struct junit *self, const char *string) {
    autodone(text) struct text clean = {0};
    clean_append_start(&clean, string, BODY_LIMIT, CLEAN_BLOCK);
    note(self, xmlTextWriterWriteString(self->xml, XML(text_string(&clean))));
}

static void log_element(struct junit *self, const char *name, const char *log) {
    if (log == NULL)
        return;
    autodone(text) struct text clean = {0};
    clean_append_end(&clean, log, BODY_LIMIT, CLEAN_BLOCK);
    begin(self, name);
    note(self, xmlTextWriterWriteString(self->xml, XML(text_string(&clean))));
    end(self);
}

static void property(struct junit *self, const char *name, const char *value) {
    if (value == NULL)
        return;
    begin(self, "property");
    attribute(self, "name", name);
    attribute(self, "value", value);
    end(self);
}

static void properties(struct junit *self, const struct suite_result *suite) {
    begin(self, "properties");
    property(self, "assay", ASSAY_VERSION);
    property(self, "engine", self->report->engine);
    property(self, "project", self->report->project);
    property(self, "run", self->report->run_id);
    property(self, "command", suite != NULL ? suite->command : NULL);
    property(self, "service", suite != NULL ? suite->subject : NULL);
    for (size_t i = 0; suite == NULL && i < self->report->service_count; i++) {
        const struct service_result *service = &self->report->services[i];
        autofree_string char *name = memory_format("service.%s", service->name);
        property(self, name, service->ran != NULL ? service->ran : service->image);
    }
    end(self);
}

// <failure> or <error>: the message as an attribute, everything as the text.
static void trouble(struct junit *self, const char *kind, const struct test_case *test) {
    autodone(text) struct text details = {0};
    text_append(&details, test->message != NULL ? test->message : "no message");
    if (test->expected != NULL)
        text_appendf(&details, "\nexpected: %s", test->expected);
    if (test->seen != NULL)
        text_appendf(&details, "\nseen: %s", test->seen);
    if (test->file != NULL)
        text_appendf(&details, "\nat %s:%d", test->file, test->line);
    begin(self, kind);
    attribute(self, "message", test->message != NULL ? test->message : "no message");
    body(self, text_string(&details));
    end(self);
}

static void skipped(struct junit *self, const struct test_case *test) {
    autofree_string char *reason =
        memory_format("%s: %s", outcome_name(test->outcome),
                      test->message != NULL ? test->message : "no reason was given");
    begin(self, "skipped");
    attribute(self, "message", reason);
    end(self);
}

static void test_element(struct junit *self, const char *suite_name, const struct test_case *test,
                         bool stands_for_suite) {
    begin(self, "testcase");
    attribute(self, "name", test->name);
    attribute(self, "classname", suite_name);
    if (test->file != NULL) {
        attribute(self, "file", test->file);
        number(self, "line", test->line > 0 ? (size_t)test->line : 0);
    }
    seconds(self, test->duration_us);
    if (test->outcome == OUTCOME_FAILED)
        trouble(self, stands_for_suite ? "error" : "failure", test);
    else if (test->outcome != OUTCOME_PASSED)
        skipped(self, test);
    end(self);
}

static void counts(struct junit *self, size_t tests, size_t failures, size_t errors,
                   size_t skipped_count) {
    number(self, "tests", tests);
    number(self, "failures", failures);
    number(self, "errors", errors);
    number(self, "skipped", skipped_count);
}

static void timestamp(struct junit *self) {
    char started[CLOCK_TEXT_SIZE];
    attribute(self, "timestamp", clock_format_utc(self->report->started_wall_ms, started));
}

static void suite_element(struct junit *self, const struct suite_result *suite) {
    const struct tally tally = suite_tally(suite);
    const size_t errors = suite->failure != NULL ? 1 : 0;
    begin(self, "testsuite");
    attribute(self, "name", suite->name);
    counts(self, suite_case_count(suite), tally.failed - errors, errors, tally_skipped(tally));
    seconds(self, suite->duration_us);
    timestamp(self);
    properties(self, suite);
    for (size_t i = 0; i < suite_case_count(suite); i++) {
        const struct test_case test = suite_case(suite, i);
        test_element(self, suite->name, &test, i >= suite->test_count);
    }
    log_element(self, "system-out", suite->output_tail);
    log_element(self, "system-err", suite->service_log);
    end(self);
}

static size_t environment_errors(const struct report *report) {
    size_t count = report->failure != NULL ? 1 : 0;
    for (size_t i = 0; i < report->service_count; i++)
        count += report->services[i].state == SERVICE_FAILED ? 1 : 0;
    return count;
}

static void environment_element(struct junit *self) {
    const struct report *report = self->report;
    const size_t errors = environment_errors(report);
    begin(self, "testsuite");
    attribute(self, "name", "environment");
    counts(self, errors, 0, errors, 0);
    seconds(self, 0);
    timestamp(self);
    properties(self, NULL);
    if (report->failure != NULL) {
        const struct test_case test = {
            .name = "environment", .outcome = OUTCOME_FAILED, .message = report->failure};
        test_element(self, "environment", &test, true);
    }
    for (size_t i = 0; i < report->service_count; i++) {
        const struct service_result *service = &report->services[i];
        const struct test_case test = {.name = service->name,
                                       .outcome = OUTCOME_FAILED,
                                       .message = service->message,
                                       .seen = service->log_tail};
        if (service->state == SERVICE_FAILED)
            test_element(self, "environment", &test, true);
    }
    end(self);
}

static void document(struct junit *self) {
    const struct report *report = self->report;
    const struct tally tally = report_tally(report);
    const size_t around = environment_errors(report);
    size_t suite_errors = 0;
    for (size_t i = 0; i < report->suite_count; i++)
        suite_errors += report->suites[i].failure != NULL ? 1 : 0;
    note(self, xmlTextWriterStartDocument(self->xml, "1.0", "UTF-8", NULL));
    begin(self, "testsuites");
    attribute(self, "name", report->title);
    counts(self, tally.passed + tally.failed + tally_skipped(tally) + around,
           tally.failed - suite_errors, suite_errors + around, tally_skipped(tally));
    seconds(self, report->duration_us);
    environment_element(self);
    for (size_t i = 0; i < report->suite_count; i++)
        suite_element(self, &report->suites[i]);
    end(self);
    note(self, xmlTextWriterEndDocument(self->xml));
}

// Without memory libxml2 (2.9) writes an empty element and says that all is well.
static void *allocate(size_t size) {
    return memory_new(size, 1);
}

static void *resize(void *block, size_t size) {
    return memory_resize(block, size, 1);
}

static bool compose(const struct report *report, const struct report_options *options,
                    struct text *out, struct error *err) {
    (void)options;
    xmlMemSetup(free, allocate, resize, memory_copy_string);
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr xml = buffer != NULL ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    struct junit self = {.report = report, .xml = xml, .broken = xml == NULL};
    if (xml != NULL) {
        note(&self, xmlTextWriterSetIndent(xml, 1));
        document(&self);
        xmlFreeTextWriter(xml); // flushes into the buffer
    }
    if (!self.broken)
        text_append_bytes(out, xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer));
    if (buffer != NULL)
        xmlBufferFree(buffer);
    return !self.broken || error_set(err, ERROR_SYSTEM, 0, "the report cannot be written as XML");
}

const struct report_writer writer_junit = {
    .name = "junit", .file_suffix = ".junit.xml", .compose = compose};
