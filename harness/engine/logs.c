#include "engine/logs.h"

#include "engine/container.h"
#include "engine/query.h"
#include "engine/request.h"
#include "engine/stream_frame.h"

// Where the bytes of a reply go: through the frames, or as they are (TTY).
struct reader {
    bool tty;
    struct stream_frames frames;
    stream_sink *sink;
    void *context;
};

static bool take_bytes(void *context, const void *bytes, size_t length, struct error *err) {
    struct reader *self = context;
    if (self->tty)
        return self->sink(self->context, STREAM_STDOUT, bytes, length);
    return stream_frames_feed(&self->frames, bytes, length, err) && !self->frames.stopped;
}

static bool has_tty(struct engine *engine, const char *id, bool *ret_tty, struct error *err) {
    json_t *json = NULL;
    if (!container_inspect(engine, id, &json, err))
        return false;
    *ret_tty = json_is_true(json_object_get(json_object_get(json, "Config"), "Tty"));
    json_decref(json);
    return true;
}

bool container_logs(struct engine *engine, const char *id, const struct logs_options *options,
                    stream_sink *sink, void *context, struct error *err) {
    struct reader reader = {.sink = sink, .context = context};
    if (!has_tty(engine, id, &reader.tty, err))
        return false;
    stream_frames_init(&reader.frames, sink, context);
    autodone(text) struct text query = {0};
    query_add(&query, "stdout", "1");
    query_add(&query, "stderr", "1");
    query_add(&query, "follow", options->follow ? "1" : NULL);
    query_add(&query, "timestamps", options->timestamps ? "1" : NULL);
    if (options->tail_lines > 0)
        query_add_number(&query, "tail", options->tail_lines);
    autofree_string char *path = query_path("/containers", id, "/logs");
    const struct request request = {
        .method = "GET",
        .path = path,
        .query = text_string(&query),
        .sink = take_bytes,
        .context = &reader,
        .idle_timeout_ms = options->follow ? REQUEST_NO_IDLE_LIMIT : 0,
        .cancel = options->cancel,
    };
    if (!request_perform(engine, &request, err))
        return false;
    if (!reader.tty && !stream_frames_end(&reader.frames, err))
        return error_prefix(err, "GET %s", path);
    return true;
}

static bool keep_last(void *context, enum stream_source source, const char *bytes, size_t length) {
    (void)source;
    struct text *text = context;
    const size_t limit = text->limit > 0 ? text->limit : TEXT_DEFAULT_LIMIT;
    if (length > limit) {
        bytes += length - limit;
        length = limit;
    }
    if (text->length + length > limit)
        text_keep_last(text, limit - length);
    text_append_bytes(text, bytes, length);
    return true;
}

bool container_log_tail(struct engine *engine, const char *id, int lines, struct text *ret_text,
                        struct error *err) {
    const struct logs_options options = {.tail_lines = lines};
    return container_logs(engine, id, &options, keep_last, ret_text, err);
}
