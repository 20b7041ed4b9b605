// LZF, undone as it streams by: the compression of long strings in Redis' files. It has no
// checksum; what can be known is whether references lie within what came before, and whether as
// many bytes come out as was said.
//
//   000LLLLL                     L + 1 bytes follow as they are
//   LLLooooo oooooooo            L (1 to 6) + 2 bytes from offset o + 1 back
//   111ooooo LLLLLLLL oooooooo   L + 9 bytes from offset o + 1 back
//
// Source: the format of M. Lehmann's LibLZF.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LZF_WINDOW 8192

typedef void (*lzf_put)(void *context, const uint8_t *bytes, size_t length);

enum lzf_state {
    LZF_CONTROL = 0,
    LZF_LITERAL,
    LZF_LENGTH,
    LZF_OFFSET,
};

struct lzf {
    lzf_put put;
    void *context;
    uint64_t declared; // bytes that shall come out
    uint64_t produced;
    enum lzf_state state;
    unsigned length; // of the present run
    unsigned offset; // its upper bits
    size_t filled;   // of the buffer
    size_t given;    // of those, already put
    uint8_t buffer[4 * LZF_WINDOW];
};

void lzf_init(struct lzf *self, uint64_t declared, lzf_put put, void *context);

// NULL, or what is wrong.
const char *lzf_feed(struct lzf *self, const uint8_t *bytes, size_t length);
const char *lzf_end(struct lzf *self);
