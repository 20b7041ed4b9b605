// The report for a person. Every line starts with a word or mark of ours, never with something that
// came from a test: GitHub's runner obeys lines that start with "::", whatever blanks are before.
#define _GNU_SOURCE
#include "reports/clean.h"
#include "reports/phrase.h"
#include "reports/report_writer.h"
#include "reports/style.h"

#include "base/cleanup.h"

#include <string.h>

#define DETAIL_LIMIT ((size_t)8 * 1024) // of one message or log; the JSON report has all of it
#define NAME_WIDTH 20
#define NAME_WIDTH_MOST 72

struct printer {
    const struct report *report;
    const struct report_options *options;
    struct text *out;
};

static void styled(struct printer *self, enum style style, const char *word, int width) {
    style_begin(self->out, style, self->options->colours);
    text_appendf(self->out, "%-*s", width, word);
    style_end(self->out, self->options->colours);
}

static void heading(struct printer *self, const char *title) {
    text_append_char(self->out, '\n');
    styled(self, STYLE_TITLE, title, 0);
    text_append_char(self->out, '\n');
}

// A name in a column: bytes, not columns, are counted, which is right for the names that we know.
static void name_column(struct printer *self, const char *name, size_t width) {
    const size_t before = self->out->length;
    clean_append(self->out, name, CLEAN_LINE);
    while (self->out->length < before + width && !self->out->overflowed)
        text_append_char(self->out, ' ');
    text_append_char(self->out, ' ');
}

// As wide as the longest name that is not too long for a column.
static size_t suite_width(const struct report *report) {
    size_t width = NAME_WIDTH;
    for (size_t i = 0; i < report->suite_count; i++) {
        const size_t length = strlen(report->suites[i].name);
        if (length > width && length <= NAME_WIDTH_MOST)
            width = length;
    }
    return width;
}

// Each line of the cleaned text behind `margin`.
static void lines(struct printer *self, const char *margin, const struct text *clean) {
    const char *line = text_string(clean);
    while (*line != '\0') {
        const size_t length = strcspn(line, "\n");
        text_append(self->out, margin);
        text_append_bytes(self->out, line, length);
        text_append_char(self->out, '\n');
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

static void block(struct printer *self, const char *margin, const char *string) {
    autodone(text) struct text clean = {0};
    clean_append_start(&clean, string, DETAIL_LIMIT, CLEAN_BLOCK);
    lines(self, margin, &clean);
}

static void log_block(struct printer *self, const char *label, const char *log) {
    if (log == NULL)
        return;
    autodone(text) struct text clean = {0};
    clean_append_end(&clean, log, DETAIL_LIMIT, CLEAN_BLOCK);
    text_appendf(self->out, "    %s\n", label);
    lines(self, "      | ", &clean);
}

static void labelled_block(struct printer *self, const char *label, const char *string) {
    if (string == NULL)
        return;
    text_appendf(self->out, "    %s\n", label);
    block(self, "      | ", string);
}

static void title(struct printer *self) {
    const struct report *report = self->report;
    styled(self, STYLE_TITLE, "assay " ASSAY_VERSION, 0);
    const char *const parts[] = {report->title, report->project, report->engine, report->run_id};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i] != NULL) {
            text_append(self->out, " · ");
            clean_append(self->out, parts[i], CLEAN_LINE);
        }
    text_append_char(self->out, '\n');
}

static void service(struct printer *self, const struct service_result *service) {
    const enum style style = service_is_up(service)             ? STYLE_GOOD
                             : service->state == SERVICE_FAILED ? STYLE_BAD
                                                                : STYLE_DOUBT;
    text_append(self->out, "  ");
    styled(self, style, service_state_name(service->state), 10);
    name_column(self, service->name, NAME_WIDTH);
    if (service->ready_us > 0) {
        text_append(self->out, "after ");
        phrase_duration(self->out, service->ready_us);
        text_append(self->out, "  ");
    }
    style_begin(self->out, STYLE_FAINT, self->options->colours);
    clean_append(self->out, service->ran != NULL ? service->ran : service->image, CLEAN_LINE);
    style_end(self->out, self->options->colours);
    text_append_char(self->out, '\n');
    if (service_is_up(service))
        return;
    if (service->message != NULL)
        block(self, "      | ", service->message);
    if (service->state == SERVICE_FAILED)
        log_block(self, "its log ends with", service->log_tail);
}

static void suite(struct printer *self, const struct suite_result *suite) {
    const struct tally tally = suite_tally(suite);
    const bool doubtful = tally.passed == 0 || tally.not_verified > 0;
    const enum style style = tally.failed > 0 ? STYLE_BAD : doubtful ? STYLE_DOUBT : STYLE_GOOD;
    const char *word = tally.failed > 0 ? "FAILED" : tally.passed > 0 ? "ok" : "skipped";
    text_append(self->out, "  ");
    styled(self, style, word, 10);
    name_column(self, suite->name, suite_width(self->report));
    phrase_tally(self->out, tally);
    text_append(self->out, "  ");
    phrase_duration(self->out, suite->duration_us);
    text_append_char(self->out, '\n');
}

static void failed_case(struct printer *self, const struct suite_result *suite,
                        const struct test_case *test) {
    text_append(self->out, "  ");
    styled(self, STYLE_BAD, "FAILED", 0);
    text_append_char(self->out, ' ');
    clean_append(self->out, suite->name, CLEAN_LINE);
    if (test->name != suite->name) { // else it stands for the suite itself
        text_append(self->out, ": ");
        clean_append(self->out, test->name, CLEAN_LINE);
    }
    if (test->file != NULL) {
        text_append(self->out, " (");
        clean_append(self->out, test->file, CLEAN_LINE);
        text_appendf(self->out, ":%d)", test->line);
    }
    text_append_char(self->out, '\n');
    if (test->message != NULL)
        block(self, "    | ", test->message);
    labelled_block(self, "expected", test->expected);
    labelled_block(self, "seen", test->seen);
}

static void failures_of(struct printer *self, const struct suite_result *suite) {
    for (size_t i = 0; i < suite_case_count(suite); i++) {
        const struct test_case test = suite_case(suite, i);
        if (test.outcome == OUTCOME_FAILED)
            failed_case(self, suite, &test);
    }
    if (suite_tally(suite).failed == 0)
        return;
    log_block(self, "the suite's output ends with", suite->output_tail);
    log_block(self, "the service's log ends with", suite->service_log);
}

static bool same_reason(const struct test_case *left, const struct test_case *right) {
    const char *left_reason = left->message != NULL ? left->message : "";
    const char *right_reason = right->message != NULL ? right->message : "";
    return left->outcome == right->outcome && strcmp(left_reason, right_reason) == 0;
}

// Neighbours with the same reason are one entry: "mongodb: one_test, another_test", then the
// reason.
static void reasons_of(struct printer *self, const struct suite_result *suite,
                       enum outcome outcome) {
    const size_t count = suite_case_count(suite);
    for (size_t i = 0; i < count; i++) {
        const struct test_case first = suite_case(suite, i);
        if (first.outcome != outcome)
            continue;
        text_append(self->out, "  - ");
        clean_append(self->out, suite->name, CLEAN_LINE);
        if (first.name != suite->name) {
            text_append(self->out, ": ");
            clean_append(self->out, first.name, CLEAN_LINE);
        }
        for (; i + 1 < count; i++) {
            const struct test_case next = suite_case(suite, i + 1);
            if (!same_reason(&first, &next))
                break;
            text_append(self->out, ", ");
            clean_append(self->out, next.name, CLEAN_LINE);
        }
        text_append_char(self->out, '\n');
        block(self, "    | ", first.message != NULL ? first.message : "no reason was given");
    }
}

static void reasons(struct printer *self, const char *title, size_t count, enum outcome outcome) {
    if (count == 0)
        return;
    heading(self, title);
    for (size_t i = 0; i < self->report->suite_count; i++)
        reasons_of(self, &self->report->suites[i], outcome);
}

static void services_and_suites(struct printer *self) {
    const struct report *report = self->report;
    if (report->service_count > 0)
        heading(self, "Services");
    for (size_t i = 0; i < report->service_count; i++)
        service(self, &report->services[i]);
    if (report->suite_count > 0)
        heading(self, "Suites");
    for (size_t i = 0; i < report->suite_count; i++)
        suite(self, &report->suites[i]);
}

static void warnings(struct printer *self) {
    if (self->report->warning_count > 0)
        heading(self, "Warnings");
    for (size_t i = 0; i < self->report->warning_count; i++)
        block(self, "  - ", self->report->warnings[i]);
}

static void verdict(struct printer *self, struct tally tally) {
    const int status = report_exit_status(self->report);
    if (self->report->failure != NULL) {
        heading(self, "The environment could not be built");
        block(self, "  | ", self->report->failure);
    }
    text_append_char(self->out, '\n');
    styled(self,
           status == 0   ? STYLE_GOOD
           : status == 4 ? STYLE_DOUBT
                         : STYLE_BAD,
           phrase_verdict(status), 0);
    text_appendf(self->out, " (exit status %d, ", status);
    phrase_duration(self->out, self->report->duration_us);
    text_append(self->out, ")\n");
    phrase_tally(self->out, tally); // the last line, for people and for grep alike
    text_append_char(self->out, '\n');
}

// "##[error]" anywhere in a line is an older form of "::error", which the runner still obeys.
static void defuse(struct text *out) {
    autodone(text) struct text before = *out;
    *out = (struct text){.limit = before.limit};
    const char *from = text_string(&before);
    const char *const end = from + before.length;
    const char *command;
    while ((command = memmem(from, (size_t)(end - from), "##[", 3)) != NULL) {
        text_append_bytes(out, from, (size_t)(command - from) + 2);
        text_append_char(out, ' ');
        from = command + 2;
    }
    text_append_bytes(out, from, (size_t)(end - from));
}

static bool compose(const struct report *report, const struct report_options *options,
                    struct text *out, struct error *err) {
    (void)err;
    struct printer self = {.report = report, .options = options, .out = out};
    const struct tally tally = report_tally(report);
    title(&self);
    services_and_suites(&self);
    if (tally.failed > 0) {
        heading(&self, "Failures");
        for (size_t i = 0; i < report->suite_count; i++)
            failures_of(&self, &report->suites[i]);
    }
    reasons(&self, "Not verified", tally.not_verified, OUTCOME_NOT_VERIFIED);
    reasons(&self, "Not applicable", tally.not_applicable, OUTCOME_NOT_APPLICABLE);
    warnings(&self);
    verdict(&self, tally);
    if (options->in_workflow)
        defuse(out);
    return true;
}

const struct report_writer writer_terminal = {.name = "terminal", .compose = compose};
