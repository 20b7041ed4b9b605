#include "scenario/suite_results.h"

#include "base/memory.h"
#include "base/text.h"
#include "scenario/recorder.h"

#include <jansson.h>
#include <string.h>

#define LONGEST_SECONDS 1e9

static bool begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// A skip without one of our two reasons (a plain cr_skip_test) did not run: not verified.
static void skipped(struct test_result *test, const char *reason) {
    test->outcome = OUTCOME_NOT_VERIFIED;
    if (begins(reason, RECORDER_NOT_APPLICABLE)) {
        test->outcome = OUTCOME_NOT_APPLICABLE;
        reason += strlen(RECORDER_NOT_APPLICABLE);
    } else if (begins(reason, RECORDER_NOT_VERIFIED)) {
        reason += strlen(RECORDER_NOT_VERIFIED);
    }
    test->message = memory_copy_string(reason[0] != '\0' ? reason : "skipped without a reason");
}

// must_fail() and our clients word it "…expected X, seen Y…": a report shows them side by side.
static void split_expectation(struct test_result *test) {
    const char *expected = strstr(test->message, "expected ");
    const char *seen = expected != NULL ? strstr(expected, ", seen ") : NULL;
    if (seen == NULL)
        return;
    expected += strlen("expected ");
    test->expected = memory_copy_bytes(expected, (size_t)(seen - expected));
    test->seen = memory_copy_string(seen + strlen(", seen "));
}

static void failed(struct test_result *test, const json_t *line) {
    test->outcome = OUTCOME_FAILED;
    autodone(text) struct text message = {0};
    size_t index = 0;
    json_t *failure = NULL;
    json_array_foreach (json_object_get(line, "failures"), index, failure) {
        const char *said = json_string_value(json_object_get(failure, "message"));
        text_appendf(&message, "%s%s", index > 0 ? "\n" : "", said != NULL ? said : "");
        if (index > 0)
            continue;
        test->file = memory_copy_string(json_string_value(json_object_get(failure, "file")));
        test->line = (int)json_integer_value(json_object_get(failure, "line"));
    }
    if (message.length == 0)
        text_append(&message, "failed without a message");
    test->message = text_take(&message);
    split_expectation(test);
}

static void ended_badly(struct test_result *test, const char *outcome, const json_t *line) {
    test->outcome = OUTCOME_FAILED;
    if (strcmp(outcome, "crashed") == 0)
        test->message = memory_format(
            "crashed, signal %d (%s)", (int)json_integer_value(json_object_get(line, "signal")),
            strsignal((int)json_integer_value(json_object_get(line, "signal"))));
    else if (strcmp(outcome, "exited") == 0)
        test->message =
            memory_format("ended the process with exit status %d",
                          (int)json_integer_value(json_object_get(line, "exit_status")));
    else
        test->message = memory_format("%s after %.1f s", outcome,
                                      json_real_value(json_object_get(line, "seconds")));
}

// The process under test wrote it: a number that fits no duration is none (C11 6.3.1.4).
static int64_t duration_of(double seconds) {
    return seconds > 0 && seconds < LONGEST_SECONDS ? (int64_t)(seconds * 1e6) : 0;
}

static void read_test(const json_t *line, const char *name, const char *outcome,
                      struct suite_result *suite) {
    struct test_result *test = suite_add_test(suite);
    test->name = memory_copy_string(name);
    test->duration_us = duration_of(json_number_value(json_object_get(line, "seconds")));
    const char *reason = json_string_value(json_object_get(line, "reason"));
    if (strcmp(outcome, "passed") == 0)
        test->outcome = OUTCOME_PASSED;
    else if (strcmp(outcome, "skipped") == 0)
        skipped(test, reason != NULL ? reason : "");
    else if (strcmp(outcome, "failed") == 0)
        failed(test, line);
    else
        ended_badly(test, outcome, line);
}

bool suite_results_read_line(const char *line, size_t length, struct suite_result *suite,
                             struct suite_progress *progress) {
    json_t *json = json_loadb(line, length, 0, NULL);
    const char *name = json_string_value(json_object_get(json, "test"));
    const char *outcome = json_string_value(json_object_get(json, "outcome"));
    const json_t *planned = json_object_get(json, "planned");
    bool known = true;
    if (name != NULL && outcome != NULL) {
        read_test(json, name, outcome, suite);
    } else if (json_is_integer(planned) && json_integer_value(planned) >= 0) {
        progress->planned_known = true;
        progress->planned = (size_t)json_integer_value(planned);
    } else if (json_object_get(json, "ended") != NULL) {
        progress->ended = true;
    } else {
        known = false;
    }
    json_decref(json);
    return known;
}
