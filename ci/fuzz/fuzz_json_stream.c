// Fuzzes the reader of progress and event streams: no input may
// crash it or make it hold more than its bounds, and its answer must not depend on how the input is
// cut into pieces.
//
//     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_POSIX_C_SOURCE=200809L -Iharness \
//         ci/fuzz/fuzz_json_stream.c harness/engine/json_stream.c harness/engine/reply.c \
//         harness/base/error.c harness/base/memory.c harness/base/text.c -ljansson -o fuzz
//     ./fuzz -max_total_time=60 /tmp/new ci/fuzz/corpus/json_stream
#include "engine/json_stream.h"

#include "base/check.h"

#include <stdint.h>
#include <string.h>

#define LINE_LIMIT 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    size_t objects;
    size_t members;
    enum error_domain domain; // of the failure
    bool stopped;
};

static bool note(void *context, const json_t *object, struct error *err) {
    struct outcome *outcome = context;
    outcome->objects++;
    outcome->members += json_object_size(object);
    if (json_object_get(object, "error") != NULL)
        return error_set(err, ERROR_ENGINE, 500, "an error within the stream");
    outcome->stopped = json_object_get(object, "stop") != NULL;
    return !outcome->stopped;
}

static struct outcome read_in_pieces(const uint8_t *data, size_t size, size_t piece) {
    struct outcome outcome = {0};
    struct json_stream stream;
    struct error err = {0};
    bool fed = true;
    json_stream_init(&stream, LINE_LIMIT, note, &outcome);
    for (size_t at = 0; at < size && fed; at += piece) {
        const size_t length = size - at < piece ? size - at : piece;
        fed = json_stream_feed(&stream, data + at, length, &err);
        check(stream.line.length <= LINE_LIMIT);
    }
    check(fed || outcome.stopped || err.domain != ERROR_NONE);
    const bool whole = fed && json_stream_end(&stream, &err);
    check(whole || outcome.stopped || err.domain != ERROR_NONE);
    json_stream_done(&stream);
    outcome.domain = err.domain;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct outcome whole = read_in_pieces(data, size, size > 0 ? size : 1);
    const struct outcome single = read_in_pieces(data, size, 1);
    check(whole.objects == single.objects && whole.members == single.members &&
          whole.domain == single.domain && whole.stopped == single.stopped);
    return 0;
}
