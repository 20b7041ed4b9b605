// UTF-8 that comes in pieces: is it well-formed? Overlong forms, surrogates and what is above
// U+10FFFF are not. Source: RFC 3629.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A zeroed struct is at a character's beginning.
struct utf8 {
    uint8_t left;            // bytes that the character still needs
    uint8_t lowest, highest; // what the next of them may be
};

bool utf8_feed(struct utf8 *self, const uint8_t *bytes, size_t length);

static inline bool utf8_is_complete(const struct utf8 *self) {
    return self->left == 0;
}
