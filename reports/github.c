// GitHub Actions: annotations as workflow commands on the stream, and a Markdown summary.
//
// Source: docs.github.com, "Workflow commands for GitHub Actions" (::error, job summaries; at most
// 10 errors and 10 warnings a step are shown, a summary holds at most 1 MiB) and the escaping of
// actions/toolkit, packages/core/src/command.ts: % CR LF in data, also : and , in properties.
#include "reports/clean.h"
#include "reports/phrase.h"
#include "reports/report_writer.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_ERRORS ((size_t)10)
#define SHOWN_WARNINGS ((size_t)10)
#define MESSAGE_LIMIT ((size_t)4 * 1024)
#define SUMMARY_LIMIT ((size_t)1024 * 1024)

struct annotator {
    const struct report_options *options;
    struct text *out;
    size_t errors;
    size_t warnings;
};

// As `escapeData` and, for a property, `escapeProperty` of the toolkit; what comes here is clean
// (see clean.h), so that it holds no carriage return.
static void append_escaped(struct text *out, const char *string, bool is_property) {
    for (const char *at = string; *at != '\0'; at++) {
        if (*at == '%')
            text_append(out, "%25");
        else if (*at == '\n')
            text_append(out, "%0A");
        else if (is_property && *at == ':')
            text_append(out, "%3A");
        else if (is_property && *at == ',')
            text_append(out, "%2C");
        else
            text_append_char(out, *at);
    }
}

// GitHub places an annotation only by a path relative to the repository.
static const char *below_root(const char *path, const char *root) {
    const size_t length = root != NULL ? strlen(root) : 0;
    if (length == 0 || strncmp(path, root, length) != 0 || path[length] != '/')
        return path;
    return path + length + 1;
}

static void annotate(struct annotator *self, const char *level, const char *title,
                     const struct text *message, const char *file, int line) {
    autodone(text) struct text clean_title = {0};
    clean_append(&clean_title, title, CLEAN_LINE);
    text_appendf(self->out, "::%s ", level);
    if (file != NULL) {
        autodone(text) struct text path = {0};
        clean_append(&path, below_root(file, self->options->source_root), CLEAN_LINE);
        text_append(self->out, "file=");
        append_escaped(self->out, text_string(&path), true);
        text_appendf(self->out, ",line=%d,", line > 0 ? line : 1);
    }
    text_append(self->out, "title=");
    append_escaped(self->out, text_string(&clean_title), true);
    text_append(self->out, "::");
    append_escaped(self->out, text_string(message), false);
    text_append_char(self->out, '\n');
}

static void compose_message(struct text *message, const struct test_case *test) {
    clean_append_start(message, test->message != NULL ? test->message : "no message", MESSAGE_LIMIT,
                       CLEAN_BLOCK);
    if (test->expected != NULL) {
        text_append(message, "\nexpected: ");
        clean_append_start(message, test->expected, MESSAGE_LIMIT, CLEAN_BLOCK);
    }
    if (test->seen != NULL) {
        text_append(message, "\nseen: ");
        clean_append_start(message, test->seen, MESSAGE_LIMIT, CLEAN_BLOCK);
    }
}

static void annotate_failure(struct annotator *self, const char *where,
                             const struct test_case *test) {
    autodone(text) struct text message = {0};
    autodone(text) struct text title = {0};
    if (++self->errors > SHOWN_ERRORS)
        return;
    compose_message(&message, test);
    text_append(&title, where);
    if (test->name != NULL && test->name != where)
        text_appendf(&title, ": %s", test->name);
    annotate(self, "error", text_string(&title), &message, test->file, test->line);
}

// One warning a suite: what is not verified must be seen, but not drown the failures.
static void annotate_doubts(struct annotator *self, const struct suite_result *suite) {
    const struct tally tally = suite_tally(suite);
    if (tally.not_verified == 0 || ++self->warnings > SHOWN_WARNINGS)
        return;
    autodone(text) struct text message = {0};
    text_appendf(&message, "%zu of %zu not verified", tally.not_verified, suite_case_count(suite));
    for (size_t i = 0; i < suite_case_count(suite); i++) {
        const struct test_case test = suite_case(suite, i);
        if (test.outcome != OUTCOME_NOT_VERIFIED || message.length > MESSAGE_LIMIT)
            continue;
        text_append_char(&message, '\n');
        clean_append(&message, test.name, CLEAN_LINE);
        text_append(&message, ": ");
        clean_append_start(&message, test.message != NULL ? test.message : "no reason was given",
                           MESSAGE_LIMIT, CLEAN_BLOCK);
    }
    annotate(self, "warning", suite->name != NULL ? suite->name : "", &message, NULL, 0);
}

static void annotate_suite(struct annotator *self, const struct suite_result *suite) {
    const char *name = suite->name != NULL ? suite->name : "";
    for (size_t i = 0; i < suite_case_count(suite); i++) {
        const struct test_case test = suite_case(suite, i);
        if (test.outcome == OUTCOME_FAILED)
            annotate_failure(self, name, &test);
    }
    annotate_doubts(self, suite);
}

static bool compose(const struct report *report, const struct report_options *options,
                    struct text *out, struct error *err) {
    (void)err;
    struct annotator self = {.options = options, .out = out};
    if (report->failure != NULL)
        annotate_failure(&self, "environment", &(struct test_case){.message = report->failure});
    for (size_t i = 0; i < report->service_count; i++) {
        const struct service_result *service = &report->services[i];
        if (service->state == SERVICE_FAILED)
            annotate_failure(
                &self, "service",
                &(struct test_case){.name = service->name, .message = service->message});
    }
    for (size_t i = 0; i < report->suite_count; i++)
        annotate_suite(&self, &report->suites[i]);
    if (self.errors > SHOWN_ERRORS)
        text_appendf(out, "::notice title=assay::%zu more failures are in the report\n",
                     self.errors - SHOWN_ERRORS);
    return true;
}

// Markdown lets HTML through: inside <pre> and table cells only entities are safe. Backquotes,
// bars and the rest go as numbers, so that no text can end a cell or begin a link.
static void append_markdown(struct text *out, const char *string, size_t limit, enum clean how) {
    autodone(text) struct text clean = {0};
    clean_append_start(&clean, string, limit, how);
    for (size_t i = 0; i < clean.length; i++) {
        const char byte = clean.bytes[i];
        if (strchr("&<>|`*_[]\\~#@!:\"'", byte) != NULL && byte != '\0')
            text_appendf(out, "&#%d;", byte);
        else if (byte == '\n')
            text_append(out, "&#10;"); // a blank line would end the HTML block
        else
            text_append_char(out, byte);
    }
}

static void summary_suites(struct text *out, const struct report *report) {
    if (report->suite_count == 0)
        return;
    text_append(out, "| suite | passed | failed | not verified | not applicable | time |\n"
                     "|---|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < report->suite_count; i++) {
        const struct suite_result *suite = &report->suites[i];
        const struct tally tally = suite_tally(suite);
        text_append(out, "| ");
        append_markdown(out, suite->name, MESSAGE_LIMIT, CLEAN_LINE);
        text_appendf(out, " | %zu | %zu | %zu | %zu | ", tally.passed, tally.failed,
                     tally.not_verified, tally.not_applicable);
        phrase_duration(out, suite->duration_us);
        text_append(out, " |\n");
    }
    text_append_char(out, '\n');
}

static void summary_case(struct text *out, const char *where, const struct test_case *test) {
    autodone(text) struct text message = {0};
    compose_message(&message, test);
    text_append(out, "<details><summary>");
    append_markdown(out, outcome_name(test->outcome), MESSAGE_LIMIT, CLEAN_LINE);
    text_append(out, ": ");
    append_markdown(out, where, MESSAGE_LIMIT, CLEAN_LINE);
    if (test->name != NULL && test->name != where) {
        text_append(out, " / ");
        append_markdown(out, test->name, MESSAGE_LIMIT, CLEAN_LINE);
    }
    text_append(out, "</summary><pre>");
    append_markdown(out, text_string(&message), 3 * MESSAGE_LIMIT, CLEAN_BLOCK);
    text_append(out, "</pre></details>\n");
}

static void summary_cases(struct text *out, const struct report *report, enum outcome outcome) {
    for (size_t i = 0; i < report->suite_count; i++)
        for (size_t j = 0; j < suite_case_count(&report->suites[i]); j++) {
            const struct test_case test = suite_case(&report->suites[i], j);
            if (test.outcome == outcome)
                summary_case(out, report->suites[i].name, &test);
        }
}

static void compose_summary(const struct report *report, struct text *out) {
    text_append(out, "### assay: ");
    phrase_tally(out, report_tally(report));
    text_appendf(out, "\n\n%s\n\n", phrase_verdict(report_exit_status(report)));
    if (report->failure != NULL)
        summary_case(out, "environment",
                     &(struct test_case){.outcome = OUTCOME_FAILED, .message = report->failure});
    for (size_t i = 0; i < report->service_count; i++)
        if (report->services[i].state == SERVICE_FAILED)
            summary_case(out, "service",
                         &(struct test_case){.name = report->services[i].name,
                                             .outcome = OUTCOME_FAILED,
                                             .message = report->services[i].message});
    summary_suites(out, report);
    summary_cases(out, report, OUTCOME_FAILED);
    summary_cases(out, report, OUTCOME_NOT_VERIFIED);
    text_append_char(out, '\n');
}

// Cuts at a line, each of which is whole in itself; GitHub would refuse the summary altogether.
static void cut_summary(struct text *summary, size_t limit) {
    static const char notice[] = "\n\nThe summary is cut; the report has all of it.\n";
    if (summary->length <= limit)
        return;
    size_t keep = limit > sizeof notice ? limit - sizeof notice : 0;
    while (keep > 0 && summary->bytes[keep - 1] != '\n')
        keep--;
    autodone(text) struct text whole = *summary;
    *summary = (struct text){0};
    text_append_bytes(summary, whole.bytes, keep);
    text_append(summary, notice);
}

static bool append_summary(const struct report *report, const struct report_options *options,
                           struct error *err) {
    if (options->step_summary == NULL || options->step_summary[0] == '\0')
        return true;
    autoclose_fd int fd =
        open(options->step_summary, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_set_errno(err, "cannot open the step summary %s", options->step_summary);
    const size_t used = status.st_size > 0 ? (size_t)status.st_size : 0;
    autodone(text) struct text summary = {0};
    compose_summary(report, &summary);
    cut_summary(&summary, used < SUMMARY_LIMIT ? SUMMARY_LIMIT - used : 0);
    size_t written = 0;
    while (written < summary.length) {
        const ssize_t put = write(fd, summary.bytes + written, summary.length - written);
        if (put < 0)
            return error_set_errno(err, "cannot write the step summary %s", options->step_summary);
        written += (size_t)put;
    }
    return true;
}

const struct report_writer writer_github = {
    .name = "github", .compose = compose, .publish_more = append_summary};
