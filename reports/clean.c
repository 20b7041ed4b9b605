#define _GNU_SOURCE
#include "reports/clean.h"

#include <stdbool.h>
#include <string.h>

// Length by the first byte, and the least code point that may be written with it: a longer form of
// a smaller one is not UTF-8 (RFC 3629 section 3).
static size_t sequence_length(unsigned char first, uint32_t *ret_bits, uint32_t *ret_least) {
    if (first < 0x80) {
        *ret_bits = first;
        *ret_least = 0;
        return 1;
    }
    if ((first & 0xe0) == 0xc0) {
        *ret_bits = first & 0x1f;
        *ret_least = 0x80;
        return 2;
    }
    if ((first & 0xf0) == 0xe0) {
        *ret_bits = first & 0x0f;
        *ret_least = 0x800;
        return 3;
    }
    if ((first & 0xf8) == 0xf0) {
        *ret_bits = first & 0x07;
        *ret_least = 0x10000;
        return 4;
    }
    return 0;
}

size_t utf8_decode(const char *bytes, size_t length, uint32_t *ret_code_point) {
    uint32_t code_point = 0;
    uint32_t least = 0;
    const size_t needed =
        length > 0 ? sequence_length((unsigned char)bytes[0], &code_point, &least) : 0;
    if (needed == 0 || needed > length)
        return 0;
    for (size_t i = 1; i < needed; i++) {
        const unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code_point = code_point << 6 | (next & 0x3f);
    }
    const bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (code_point < least || is_surrogate || code_point > 0x10ffff)
        return 0;
    *ret_code_point = code_point;
    return needed;
}

static bool is_control(uint32_t code_point) {
    return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
}

// Direction marks, the line and paragraph separators, and what XML cannot hold.
static bool is_treacherous(uint32_t code_point) {
    return (code_point >= 0x202a && code_point <= 0x202e) ||
           (code_point >= 0x2066 && code_point <= 0x2069) || code_point == 0x2028 ||
           code_point == 0x2029 || code_point == 0xfffe || code_point == 0xffff;
}

static bool may_stand(uint32_t code_point, enum clean how) {
    if (how == CLEAN_UTF8)
        return true;
    if (code_point == '\n' || code_point == '\t')
        return how == CLEAN_BLOCK;
    return !is_control(code_point) && !is_treacherous(code_point);
}

static void append_escape(struct text *out, uint32_t code_point) {
    if (code_point == '\n')
        text_append(out, "\\n");
    else if (code_point == '\r')
        text_append(out, "\\r");
    else if (code_point == '\t')
        text_append(out, "\\t");
    else
        text_appendf(out, code_point < 0x100 ? "\\x%02x" : "\\u%04x", code_point);
}

void clean_append_bytes(struct text *out, const char *bytes, size_t length, enum clean how) {
    size_t good_from = 0; // whatever may stand is appended in runs
    size_t at = 0;
    while (at < length) {
        uint32_t code_point = 0;
        const size_t taken = utf8_decode(bytes + at, length - at, &code_point);
        if (taken > 0 && may_stand(code_point, how)) {
            at += taken;
            continue;
        }
        text_append_bytes(out, bytes + good_from, at - good_from);
        append_escape(out, taken > 0 ? code_point : (unsigned char)bytes[at]);
        at += taken > 0 ? taken : 1;
        good_from = at;
    }
    text_append_bytes(out, bytes + good_from, at - good_from);
}

void clean_append(struct text *out, const char *string, enum clean how) {
    if (string != NULL)
        clean_append_bytes(out, string, strlen(string), how);
}

void clean_append_start(struct text *out, const char *string, size_t limit, enum clean how) {
    const size_t length = string != NULL ? strlen(string) : 0;
    if (length <= limit) {
        clean_append(out, string, how);
        return;
    }
    size_t start = limit; // not within a code point
    while (start > 0 && ((unsigned char)string[start] & 0xc0) == 0x80 && limit - start < 4)
        start--;
    clean_append_bytes(out, string, start, how);
    text_appendf(out, "… (%zu more bytes)", length - start);
}

void clean_append_end(struct text *out, const char *string, size_t limit, enum clean how) {
    const size_t length = string != NULL ? strlen(string) : 0;
    if (length <= limit) {
        clean_append(out, string, how);
        return;
    }
    size_t from = length - limit;
    const char *line = memchr(string + from, '\n', limit);
    if (line != NULL && line[1] != '\0')
        from = (size_t)(line - string) + 1;
    for (int i = 0; i < 3 && ((unsigned char)string[from] & 0xc0) == 0x80; i++)
        from++; // not within a code point
    text_appendf(out, "(%zu bytes before) …%s", from, how == CLEAN_LINE ? " " : "\n");
    clean_append(out, string + from, how);
}
