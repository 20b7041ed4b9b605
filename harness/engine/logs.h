// A container's output as a demultiplexed stream.
#pragma once

#include "engine/engine.h"

#include "base/text.h"

enum stream_source { STREAM_STDOUT = 1, STREAM_STDERR = 2 };

// Return false to stop the stream early (that is not an error).
typedef bool stream_sink(void *context, enum stream_source source, const char *bytes,
                         size_t length);

struct logs_options {
    bool follow;
    int tail_lines; // 0: all
    bool timestamps;
    const struct cancel *cancel; // ends a follow
};

// Reads TTY and multiplexed logs alike (a TTY's come as STREAM_STDOUT). A frame cut short is
// ERROR_PROTOCOL after every complete frame was delivered.
bool container_logs(struct engine *engine, const char *id, const struct logs_options *options,
                    stream_sink *sink, void *context, struct error *err) must_use;

// The last lines of both streams in the order they came, at most ret_text's limit.
bool container_log_tail(struct engine *engine, const char *id, int lines, struct text *ret_text,
                        struct error *err) must_use;
