#include "engine/json_stream.h"

#include "base/cleanup.h"
#include "engine/reply.h"

#include <string.h>

#define SHOWN_BYTES 120

void json_stream_init(struct json_stream *self, size_t line_limit, json_stream_sink *sink,
                      void *context) {
    *self = (struct json_stream){.sink = sink, .context = context};
    text_init(&self->line, line_limit > 0 ? line_limit : JSON_STREAM_LINE_LIMIT);
}

void json_stream_done(struct json_stream *self) {
    if (self != NULL)
        text_done(&self->line);
}

static bool is_blank(const struct text *line) {
    const char *bytes = text_string(line);
    for (size_t i = 0; i < line->length; i++) {
        if (bytes[i] != ' ' && bytes[i] != '\r' && bytes[i] != '\t')
            return false;
    }
    return true;
}

static bool bad_line(const struct text *line, const char *complaint, struct error *err) {
    autodone(text) struct text shown = {0};
    reply_append_shown(&shown, text_string(line), line->length, SHOWN_BYTES);
    return error_set(err, ERROR_PROTOCOL, 0, "the engine's stream holds %s: \"%s\"", complaint,
                     text_string(&shown));
}

static bool take_line(struct json_stream *self, const char *complaint, struct error *err) {
    if (is_blank(&self->line)) {
        text_clear(&self->line);
        return true;
    }
    json_t *object = json_loadb(text_string(&self->line), self->line.length, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return bad_line(&self->line, complaint, err);
    }
    text_clear(&self->line);
    const bool go_on = self->sink(self->context, object, err);
    json_decref(object);
    return go_on;
}

bool json_stream_feed(struct json_stream *self, const void *bytes, size_t length,
                      struct error *err) {
    const char *at = bytes;
    const char *const end = at + length;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        text_append_bytes(&self->line, at, (size_t)(stop - at));
        if (self->line.overflowed)
            return bad_line(&self->line, "a line without end", err);
        if (newline == NULL)
            return true;
        if (!take_line(self, "something that is not a JSON object", err))
            return false;
        at = newline + 1;
    }
    return true;
}

bool json_stream_end(struct json_stream *self, struct error *err) {
    return take_line(self, "an object cut short", err);
}
