// The engine's progress stream (pull, load, import, build): lines for a person, and the failure
// that such a stream may carry inside a reply of status 200. Internal to engine/.
#pragma once

#include "engine/image.h"
#include "engine/json_stream.h"
#include "engine/request.h"

#define PROGRESS_TAIL_BYTES 1000

struct progress_stream {
    struct json_stream json;
    const struct image_progress *progress; // may be NULL
    struct text step;                      // the last "Step 2/5 : …" of a build
    struct text tail;                      // the last output of a build
};

void progress_stream_init(struct progress_stream *self, const struct image_progress *progress);
void progress_stream_done(struct progress_stream *self);

// A byte_sink; context is the struct progress_stream. {"error": …} is ERROR_ENGINE, its code the
// one in errorDetail or 500.
bool progress_stream_take(void *self, const void *bytes, size_t length, struct error *err) must_use;
bool progress_stream_end(struct progress_stream *self, struct error *err) must_use;

// Performs a request whose reply is such a stream; its sink and context are ignored.
bool progress_perform(struct engine *engine, const struct request *request,
                      const struct image_progress *progress, struct error *err) must_use;

DEFINE_AUTODONE(progress_stream, progress_stream_done);
