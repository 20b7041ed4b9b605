#include "engine/progress_stream.h"

#include "engine/reply.h"

#include <string.h>

static void report(const struct progress_stream *self, const char *line, int64_t done,
                   int64_t total) {
    if (self->progress != NULL && self->progress->report != NULL && line[0] != '\0')
        self->progress->report(self->progress->context, line, done, total);
}

static bool failed(const struct progress_stream *self, const json_t *object, const char *message,
                   struct error *err) {
    const json_t *code = json_object_get(json_object_get(object, "errorDetail"), "code");
    // A build's code is the exit status of its step, a pull's an HTTP status.
    const int status = json_integer_value(code) >= 400 ? (int)json_integer_value(code) : 500;
    autofree_string char *line = reply_one_line(message);
    if (self->step.length == 0)
        return error_set(err, ERROR_ENGINE, status, "the engine reports: %s", line);
    error_set(err, ERROR_ENGINE, status, "%s: %s", text_string(&self->step), line);
    if (self->tail.length > 0)
        error_append(err, "; last output:\n%s", text_string(&self->tail));
    return false;
}

// Output of a build: remembered for the case that it fails, and shown without its line end.
static void take_output(struct progress_stream *self, const char *output) {
    const size_t length = strcspn(output, "\r\n");
    if (strncmp(output, "Step ", 5) == 0) {
        text_clear(&self->step);
        text_clear(&self->tail);
        text_append_bytes(&self->step, output, length);
    } else {
        text_append(&self->tail, output);
        text_keep_last(&self->tail, PROGRESS_TAIL_BYTES);
    }
    autodone(text) struct text line = {0};
    text_append_bytes(&line, output, length);
    report(self, text_string(&line), 0, 0);
}

static bool take_object(void *context, const json_t *object, struct error *err) {
    struct progress_stream *self = context;
    const char *message = json_string_value(json_object_get(object, "error"));
    if (message != NULL)
        return failed(self, object, message, err);
    const char *output = json_string_value(json_object_get(object, "stream"));
    if (output != NULL)
        take_output(self, output);
    const char *status = json_string_value(json_object_get(object, "status"));
    if (status == NULL)
        return true;
    const char *layer = json_string_value(json_object_get(object, "id"));
    const json_t *detail = json_object_get(object, "progressDetail");
    autodone(text) struct text line = {0};
    text_appendf(&line, "%s%s%s", layer != NULL ? layer : "", layer != NULL ? ": " : "", status);
    report(self, text_string(&line), json_integer_value(json_object_get(detail, "current")),
           json_integer_value(json_object_get(detail, "total")));
    return true;
}

void progress_stream_init(struct progress_stream *self, const struct image_progress *progress) {
    *self = (struct progress_stream){.progress = progress};
    json_stream_init(&self->json, 0, take_object, self);
    text_init(&self->step, PROGRESS_TAIL_BYTES / 2);
    text_init(&self->tail, JSON_STREAM_LINE_LIMIT + PROGRESS_TAIL_BYTES);
}

void progress_stream_done(struct progress_stream *self) {
    if (self == NULL)
        return;
    json_stream_done(&self->json);
    text_done(&self->step);
    text_done(&self->tail);
}

bool progress_stream_take(void *context, const void *bytes, size_t length, struct error *err) {
    struct progress_stream *self = context;
    return json_stream_feed(&self->json, bytes, length, err);
}

bool progress_stream_end(struct progress_stream *self, struct error *err) {
    return json_stream_end(&self->json, err);
}

bool progress_perform(struct engine *engine, const struct request *request,
                      const struct image_progress *progress, struct error *err) {
    autodone(progress_stream) struct progress_stream stream;
    progress_stream_init(&stream, progress);
    struct request streamed = *request;
    streamed.sink = progress_stream_take;
    streamed.context = &stream;
    if (!request_perform(engine, &streamed, err))
        return false;
    return progress_stream_end(&stream, err) ||
           error_prefix(err, "%s %s", request->method, request->path);
}
