// A place in a file of the user's, and the two things said about it: an error or a warning.
#pragma once

#include "base/error.h"
#include "base/string_list.h"

struct mark {
    const char *file; // as the user gave it; borrowed from whoever read the file
    int line;         // 1-based; 0: unknown
    int column;
};

// ERROR_CONFIGURATION, "file:line:column: …"; returns false.
bool mark_error(struct mark mark, struct error *err, const char *format, ...) printf_like(3, 4);

// Appends "file:line:column: …" unless it was said before; a flood is cut with a last line that
// says so.
void mark_warning(struct mark mark, struct string_list *warnings, const char *format, ...)
    printf_like(3, 4);
