#define _GNU_SOURCE // strcasestr
#include "verify/backup/tool.h"

#include "base/memory.h"
#include "engine/exec.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS (24 * 60 * 60 * 1000)
#define ANSWER_LIMIT ((size_t)8 * 1024 * 1024)
#define COMPLAINT_LENGTH 600

struct feed {
    struct source *source; // NULL: none
    bool failed;
};

static ssize_t read_source(void *context, void *buffer, size_t size, struct error *err) {
    struct feed *self = context;
    size_t length = 0;
    self->failed = !source_read(self->source, buffer, size, &length, err);
    return self->failed ? -1 : (ssize_t)length;
}

bool tool_blame_engine(struct error *err) {
    if (err != NULL && err->domain == ERROR_PROTOCOL)
        err->domain = ERROR_UNAVAILABLE;
    return false;
}

bool tool_ask(const struct tool_stand *self, const struct tool_call *call,
              struct tool_answer *ret_answer, struct error *err) {
    const char *argv[TOOL_ARGUMENTS + 5] = {"sh", "-c", call->script, "sh"};
    for (size_t i = 0; i < TOOL_ARGUMENTS && call->arguments[i] != NULL; i++)
        argv[4 + i] = call->arguments[i];
    autofree(source) struct source *source = NULL;
    if (call->file != NULL && !source_open(call->file, &source, err))
        return false;
    if (source != NULL)
        source_watch(source, self->cancel, self->counter);
    struct feed feed = {.source = source};
    const struct exec_options options = {
        .argv = argv,
        .user = call->user != NULL ? call->user : self->user,
        .input = call->input,
        .input_length = call->input != NULL ? strlen(call->input) : 0,
        .source = source != NULL ? read_source : NULL,
        .source_context = &feed,
        .timeout_ms = self->timeout_ms > 0 ? self->timeout_ms : DAY_MS,
        .output_limit = ANSWER_LIMIT,
    };
    struct exec_result result;
    if (!exec_run(self->engine, self->container, &options, &result, err))
        return feed.failed ? false : tool_blame_engine(err);
    *ret_answer = (struct tool_answer){result.exit_status, result.output, result.errors};
    return true;
}

void tool_answer_done(struct tool_answer *self) {
    if (self == NULL)
        return;
    text_done(&self->output);
    text_done(&self->errors);
}

// The line that `at` is in, without white space around it, and not longer than people read.
static char *line_at(const char *text, const char *at) {
    while (at > text && at[-1] != '\n')
        at--;
    at += strspn(at, " \t\r\n");
    size_t length = strcspn(at, "\r\n");
    if (length > COMPLAINT_LENGTH)
        length = COMPLAINT_LENGTH;
    return memory_copy_bytes(at, length);
}

char *tool_complaint(const struct tool_answer *answer) {
    static const char *const words[] = {"error", "fatal", "panic", "cannot", "not "};
    const char *texts[] = {text_string(&answer->errors), text_string(&answer->output)};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            const char *found = strcasestr(texts[i], words[j]);
            if (found != NULL)
                return line_at(texts[i], found);
        }
    for (size_t i = 0; i < 2; i++)
        if (texts[i][strspn(texts[i], " \t\r\n")] != '\0')
            return line_at(texts[i], texts[i] + strspn(texts[i], " \t\r\n"));
    return memory_format("it said nothing, and ended with exit status %d", answer->exit_status);
}

bool tool_do(const struct tool_stand *self, const struct tool_call *call, char **ret_output,
             struct error *err) {
    autodone(tool_answer) struct tool_answer answer = {0};
    if (!tool_ask(self, call, &answer, err))
        return false;
    if (answer.exit_status != 0 || answer.errors.length > 0) {
        autofree_string char *complaint = tool_complaint(&answer);
        return error_set(err, ERROR_SERVICE, answer.exit_status, "%s", complaint);
    }
    if (ret_output != NULL)
        *ret_output = text_take(&answer.output);
    return true;
}
