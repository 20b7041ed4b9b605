#include "dump/utf8.h"

#include <string.h>

// By a character's first byte: how many follow, and what the first of those may be.
static bool begin(struct utf8 *self, uint8_t first) {
    self->lowest = 0x80;
    self->highest = 0xbf;
    if (first >= 0xc2 && first <= 0xdf)
        self->left = 1;
    else if (first >= 0xe0 && first <= 0xef)
        self->left = 2;
    else if (first >= 0xf0 && first <= 0xf4)
        self->left = 3;
    else
        return false;
    if (first == 0xe0)
        self->lowest = 0xa0;
    else if (first == 0xed)
        self->highest = 0x9f;
    else if (first == 0xf0)
        self->lowest = 0x90;
    else if (first == 0xf4)
        self->highest = 0x8f;
    return true;
}

// How many of the bytes are ASCII, in steps of eight.
static size_t skip_ascii(const uint8_t *bytes, size_t length) {
    size_t at = 0;
    for (uint64_t word; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return at;
}

bool utf8_feed(struct utf8 *self, const uint8_t *bytes, size_t length) {
    for (size_t at = 0; at < length; at++) {
        if (self->left == 0) {
            at += skip_ascii(bytes + at, length - at);
            if (at == length)
                break;
            if (bytes[at] >= 0x80 && !begin(self, bytes[at]))
                return false;
            continue;
        }
        if (bytes[at] < self->lowest || bytes[at] > self->highest)
            return false;
        self->lowest = 0x80;
        self->highest = 0xbf;
        self->left--;
    }
    return true;
}
