// Whether bytes are UTF-8 text (RFC 3629, section 4). A NUL byte does not count: it would end a
// text early. libfyaml drops what is not UTF-8 without a word, and jansson takes no other text.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The length of the sequence at `bytes`, or 0 when there is none.
static inline size_t utf8_sequence(const unsigned char *bytes, size_t left) {
    static const unsigned least[] = {0, 1, 0x80, 0x800, 0x10000};
    const unsigned lead = bytes[0];
    const size_t length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length == 0 || length > left || lead >= 0xf8)
        return 0;
    unsigned point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3fu);
    }
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    return point >= least[length] && point <= 0x10ffff && !surrogate ? length : 0;
}

// true when all of it is UTF-8; else *ret_line and *ret_column (from 1) are where it is not.
static inline bool utf8_check(const char *text, size_t length, int *ret_line, int *ret_column) {
    const unsigned char *at = (const unsigned char *)text;
    *ret_line = 1;
    *ret_column = 1;
    while (length > 0) {
        const size_t step = utf8_sequence(at, length);
        if (step == 0)
            return false;
        (*ret_column)++;
        if (*at == '\n') {
            (*ret_line)++;
            *ret_column = 1;
        }
        at += step;
        length -= step;
    }
    return true;
}
