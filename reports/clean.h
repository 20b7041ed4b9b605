// Bytes of unknown origin (a server's log, a test's message) made fit for a report: valid UTF-8, no
// control character that a terminal, a browser or a CI server would act upon. What may not stand is
// shown as an escape that a person can read, "\x1b" or "\u202e"; nothing is dropped silently.
//
// Sources: RFC 3629 (UTF-8); XML 1.0 production 2 (Char), whose set is what CLEAN_BLOCK leaves;
// Unicode UAX 9 for the direction marks that make text read otherwise than it is.
#pragma once

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

enum clean {
    CLEAN_LINE,  // one line: line feed, return and tab are escaped ("\n") too
    CLEAN_BLOCK, // line feed and tab stay
    CLEAN_UTF8,  // only what is not UTF-8 is escaped: for formats with escapes of their own
};

// NULL counts as empty.
void clean_append(struct text *out, const char *string, enum clean how);
void clean_append_bytes(struct text *out, const char *bytes, size_t length, enum clean how);

// As clean_append, at most about `limit` bytes of the string: its start, then how much was cut.
void clean_append_start(struct text *out, const char *string, size_t limit, enum clean how);

// Its end, from the start of a line where there is one, after how much was cut: for logs.
void clean_append_end(struct text *out, const char *string, size_t limit, enum clean how);

// Decodes one code point; returns how many bytes it takes, 0 when they are not UTF-8.
size_t utf8_decode(const char *bytes, size_t length, uint32_t *ret_code_point);
