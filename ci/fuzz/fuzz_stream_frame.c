// Fuzzes the reader of multiplexed logs: no input may crash it, and what it delivers must not
// depend on how the input is cut into pieces.
//
//     clang -g -O1 -fsanitize=fuzzer,address,undefined -D_POSIX_C_SOURCE=200809L -Iharness \
//         ci/fuzz/fuzz_stream_frame.c harness/engine/stream_frame.c harness/engine/reply.c \
//         harness/base/error.c harness/base/memory.c harness/base/text.c -ljansson -o fuzz
//     ./fuzz -max_total_time=60 /tmp/new ci/fuzz/corpus/stream_frame
#include "engine/stream_frame.h"

#include "base/check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What came out, as a hash (FNV-1a), so that two readings can be compared in constant memory.
struct outcome {
    uint64_t hash;
    bool fed;
    bool whole;
};

static bool note(void *context, enum stream_source source, const char *bytes, size_t length) {
    uint64_t *hash = context;
    check(source == STREAM_STDOUT || source == STREAM_STDERR);
    check(length > 0);
    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ (uint8_t)bytes[i] ^ (uint64_t)source << 8) * 1099511628211u;
    return true;
}

static struct outcome read_in_pieces(const uint8_t *data, size_t size, size_t piece) {
    struct outcome outcome = {.hash = 14695981039346656037u, .fed = true};
    struct stream_frames frames;
    struct error err = {0};
    stream_frames_init(&frames, note, &outcome.hash);
    for (size_t at = 0; at < size && outcome.fed; at += piece) {
        const size_t length = size - at < piece ? size - at : piece;
        outcome.fed = stream_frames_feed(&frames, data + at, length, &err);
    }
    check(outcome.fed || err.domain == ERROR_PROTOCOL || err.domain == ERROR_ENGINE);
    outcome.whole = stream_frames_end(&frames, &err);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct outcome whole = read_in_pieces(data, size, size > 0 ? size : 1);
    const struct outcome single = read_in_pieces(data, size, 1);
    check(whole.fed == single.fed && whole.hash == single.hash && whole.whole == single.whole);
    return 0;
}
