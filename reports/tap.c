// TAP 14: one test point for each suite, its tests as a subtest; services that failed and an
// environment that could not be built are test points too, or a green stream would hide them.
#include "reports/clean.h"
#include "reports/phrase.h"
#include "reports/report_writer.h"

#include "base/cleanup.h"

// In a description `#` would begin a directive and `\` an escape.
static void append_description(struct text *out, const char *string) {
    autodone(text) struct text clean = {0};
    clean_append(&clean, string, CLEAN_LINE);
    for (size_t i = 0; i < clean.length; i++) {
        if (clean.bytes[i] == '#' || clean.bytes[i] == '\\')
            text_append_char(out, '\\');
        text_append_char(out, clean.bytes[i]);
    }
}

// A double-quoted YAML scalar (YAML 1.2 section 7.3.1), which can hold any text on one line.
static void append_scalar(struct text *out, const char *string) {
    autodone(text) struct text valid = {0};
    clean_append(&valid, string, CLEAN_UTF8);
    text_append_char(out, '"');
    for (size_t i = 0; i < valid.length; i++) {
        const unsigned char byte = (unsigned char)valid.bytes[i];
        if (byte == '"' || byte == '\\')
            text_appendf(out, "\\%c", byte);
        else if (byte == '\n')
            text_append(out, "\\n");
        else if (byte < 0x20 || byte == 0x7f)
            text_appendf(out, "\\x%02x", byte);
        else
            text_append_char(out, (char)byte);
    }
    text_append_char(out, '"');
}

static void append_entry(struct text *out, const char *indent, const char *key, const char *value) {
    if (value == NULL)
        return;
    text_appendf(out, "%s%s: ", indent, key);
    append_scalar(out, value);
    text_append_char(out, '\n');
}

static void test_point(struct text *out, size_t number, const struct test_case *test) {
    const bool failed = test->outcome == OUTCOME_FAILED;
    text_appendf(out, "    %s %zu - ", failed ? "not ok" : "ok", number);
    append_description(out, test->name);
    if (!failed && test->outcome != OUTCOME_PASSED) {
        text_appendf(out, " # SKIP %s: ", outcome_name(test->outcome));
        append_description(out, test->message != NULL ? test->message : "no reason was given");
    }
    text_append_char(out, '\n');
    if (!failed)
        return;
    text_append(out, "      ---\n");
    text_appendf(out, "      duration_ms: %.3f\n", (double)test->duration_us / 1000);
    append_entry(out, "      ", "message", test->message);
    append_entry(out, "      ", "expected", test->expected);
    append_entry(out, "      ", "seen", test->seen);
    if (test->file != NULL) {
        append_entry(out, "      ", "file", test->file);
        text_appendf(out, "      line: %d\n", test->line);
    }
    text_append(out, "      ...\n");
}

static void suite_point(struct text *out, size_t number, const struct suite_result *suite) {
    const size_t count = suite_case_count(suite);
    const struct tally tally = suite_tally(suite);
    text_append(out, "# Subtest: ");
    append_description(out, suite->name);
    text_appendf(out, "\n    1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        const struct test_case test = suite_case(suite, i);
        test_point(out, i + 1, &test);
    }
    text_appendf(out, "%s %zu - ", tally.failed > 0 ? "not ok" : "ok", number);
    append_description(out, suite->name);
    if (tally.failed == 0 && tally.passed == 0)
        text_append(out, " # SKIP nothing of it was verified");
    text_append_char(out, '\n');
    if (tally.failed == 0 || (suite->output_tail == NULL && suite->service_log == NULL))
        return;
    text_append(out, "  ---\n");
    append_entry(out, "  ", "output", suite->output_tail);
    append_entry(out, "  ", "service_log", suite->service_log);
    text_append(out, "  ...\n");
}

static void trouble_point(struct text *out, size_t number, const char *what, const char *name,
                          const char *message, const char *log_tail) {
    text_appendf(out, "not ok %zu - %s", number, what);
    append_description(out, name);
    text_append(out, "\n  ---\n");
    append_entry(out, "  ", "message", message != NULL ? message : "");
    append_entry(out, "  ", "service_log", log_tail);
    text_append(out, "  ...\n");
}

static size_t failed_services(const struct report *report) {
    size_t count = 0;
    for (size_t i = 0; i < report->service_count; i++)
        count += report->services[i].state == SERVICE_FAILED ? 1 : 0;
    return count;
}

static void header(struct text *out, const struct report *report) {
    text_append(out, "TAP version 14\n# assay " ASSAY_VERSION);
    const char *const parts[] = {report->title, report->project, report->engine, report->run_id};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i] != NULL) {
            text_append(out, ", ");
            clean_append(out, parts[i], CLEAN_LINE);
        }
    const size_t points =
        report->suite_count + failed_services(report) + (report->failure != NULL ? 1 : 0);
    text_appendf(out, "\n1..%zu%s\n", points, points == 0 ? " # SKIP no suite was run" : "");
}

static bool compose(const struct report *report, const struct report_options *options,
                    struct text *out, struct error *err) {
    (void)options;
    (void)err;
    size_t number = 0;
    header(out, report);
    if (report->failure != NULL)
        trouble_point(out, ++number, "environment", NULL, report->failure, NULL);
    for (size_t i = 0; i < report->service_count; i++) {
        const struct service_result *service = &report->services[i];
        if (service->state == SERVICE_FAILED)
            trouble_point(out, ++number, "service ", service->name, service->message,
                          service->log_tail);
    }
    for (size_t i = 0; i < report->suite_count; i++)
        suite_point(out, ++number, &report->suites[i]);
    text_append(out, "# ");
    phrase_tally(out, report_tally(report));
    text_append_char(out, '\n');
    return true;
}

const struct report_writer writer_tap = {.name = "tap", .file_suffix = ".tap", .compose = compose};
