// Compressions as one shape: bytes in, bytes out, one stream after the other. Private to source.c,
// which feeds them, knows offsets, and decides whether the end of a stream is the end of the file.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_HEAD ((size_t)16) // what `recognises` and `has_checksum` want to see of a stream
#define CODEC_WRONG_SIZE 160

// Moved on by a step: what is left of the input and of the room for output.
struct codec_buffers {
    const uint8_t *in;
    size_t in_length;
    uint8_t *out;
    size_t out_size;
};

enum codec_result {
    CODEC_GOES_ON, // wants more input or more room; nothing moved: it cannot go on without
    CODEC_STREAM_ENDED,
    CODEC_WRONG, // `wrong` says what
};

struct codec {
    const char *name;
    // Zero padding between and after streams comes in units of this many bytes. Above 1: another
    // stream may follow the padding.
    size_t padding_unit;
    bool (*recognises)(const uint8_t *head, size_t length);
    bool (*recognises_next)(const uint8_t *head, size_t length); // a stream after the first
    // Of a stream that begins so: would a flipped bit in its data be noticed?
    bool (*has_checksum)(const uint8_t *head, size_t length);
    void *(*new)(void);
    // Called at the beginning of each stream but the first.
    void (*again)(void *state);
    enum codec_result (*step)(void *state, struct codec_buffers *buffers,
                              char wrong[CODEC_WRONG_SIZE]);
    void (*free)(void *state);
};

extern const struct codec *const CODECS[]; // NULL-terminated

// For formats that say themselves what they use. zlib has no magic number (RFC 1950).
extern const struct codec *const CODEC_ZLIB;
extern const struct codec *const CODEC_ZSTD;
extern const struct codec *const CODEC_LZ4;
