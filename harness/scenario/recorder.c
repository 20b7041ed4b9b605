// Writes down what each test came to, as Criterion reports it, one JSON object a line, into the
// file named by ASSAY_RESULTS (see recorder.h). Criterion's own XML, JSON and TAP do not escape
// messages and lose reasons of skipped tests; this runs in its reporting process and loses nothing,
// also when a test crashes.
#define _GNU_SOURCE
#include "scenario/recorder.h"

#include "base/json_memory.h"
#include "run/run_folder.h"
#include "scenario/worker_memory.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void record(json_t *line) {
    const char *path = getenv(RUN_RESULTS_VARIABLE);
    FILE *file = path != NULL ? fopen(path, "ae") : NULL;
    char *text = json_dumps(line, JSON_COMPACT);
    if (file != NULL && text != NULL)
        fprintf(file, "%s\n", text);
    if (file != NULL)
        fclose(file);
    free(text);
    json_decref(line);
}

// Messages may hold bytes of a server that are not UTF-8; JSON may not.
static json_t *string_of(const char *text) {
    json_t *string = json_string(text != NULL ? text : "");
    if (string != NULL)
        return string;
    char *ascii = strdup(text);
    for (char *at = ascii; ascii != NULL && *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    string = ascii != NULL ? json_string(ascii) : NULL;
    free(ascii);
    return string != NULL ? string : json_string("");
}

static const char *outcome_of(const struct criterion_test_stats *stats) {
    if (stats->crashed)
        return "crashed";
    if (stats->timed_out)
        return "timed out";
    if (stats->exit_code != 0)
        return "exited";
    if (stats->test_status == CR_STATUS_SKIPPED)
        return "skipped";
    return stats->test_status == CR_STATUS_PASSED ? "passed" : "failed";
}

static void record_test(const struct criterion_test_stats *stats) {
    json_t *line = json_pack("{s:o, s:o, s:s, s:f, s:i, s:i}", "suite",
                             string_of(stats->test->category), "test", string_of(stats->test->name),
                             "outcome", outcome_of(stats), "seconds", (double)stats->elapsed_time,
                             "signal", stats->signal, "exit_status", stats->exit_code);
    if (stats->message != NULL)
        json_object_set_new(line, "reason", string_of(stats->message));
    json_t *failures = json_array();
    for (const struct criterion_assert_stats *assert = stats->asserts; assert != NULL;
         assert = assert->next)
        if (!assert->passed)
            json_array_append_new(
                failures, json_pack("{s:o, s:o, s:i}", "message", string_of(assert->message),
                                    "file", string_of(assert->file), "line", (int)assert->line));
    json_object_set_new(line, "failures", failures);
    record(line);
}

// What is going to run: the runner compares it with what was recorded.
ReportHook(PRE_ALL)(struct criterion_test_set *set) {
    json_memory_init();
    record(json_pack("{s:I}", "planned", (json_int_t)set->tests));
}

ReportHook(POST_TEST)(struct criterion_test_stats *stats) {
    record_test(stats);
}

ReportHook(TEST_CRASH)(struct criterion_test_stats *stats) {
    record_test(stats);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats) {
    record(json_pack("{s:I}", "ended", (json_int_t)stats->nb_tests));
}

void recorder_link(void) {
    worker_memory_link();
}
