// JSON objects, one a line, as the engine streams its progress and its events. Fed in pieces of
// any size; a line longer than the limit is ERROR_PROTOCOL, so that memory stays bounded.
// Internal to engine/.
#pragma once

#include "base/error.h"
#include "base/text.h"

#include <jansson.h>

#define JSON_STREAM_LINE_LIMIT ((size_t)1024 * 1024)

// Borrowed for the call. False with err set is a failure, without is a wish to stop.
typedef bool json_stream_sink(void *context, const json_t *object, struct error *err);

struct json_stream {
    struct text line;
    json_stream_sink *sink;
    void *context;
};

void json_stream_init(struct json_stream *self, size_t line_limit, json_stream_sink *sink,
                      void *context); // line_limit 0: JSON_STREAM_LINE_LIMIT
void json_stream_done(struct json_stream *self);

// False on a failure (err set) and when the sink stopped (err untouched).
bool json_stream_feed(struct json_stream *self, const void *bytes, size_t length,
                      struct error *err) must_use;
// A last line without its newline counts when it is whole; otherwise the stream was cut short.
bool json_stream_end(struct json_stream *self, struct error *err) must_use;
