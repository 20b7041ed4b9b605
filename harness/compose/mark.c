#include "compose/mark.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <stdarg.h>

enum { MOST_WARNINGS = 500 };

static char *place(struct mark mark) {
    const char *file = mark.file != NULL ? mark.file : "(no file)";
    if (mark.line == 0)
        return memory_format("%s: ", file);
    return memory_format("%s:%d:%d: ", file, mark.line, mark.column);
}

bool mark_error(struct mark mark, struct error *err, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *message = memory_format_list(format, arguments);
    va_end(arguments);
    autofree_string char *where = place(mark);
    return error_set(err, ERROR_CONFIGURATION, 0, "%s%s", where, message);
}

void mark_warning(struct mark mark, struct string_list *warnings, const char *format, ...) {
    if (warnings->count > MOST_WARNINGS)
        return;
    if (warnings->count == MOST_WARNINGS) {
        string_list_add(warnings, "there are more warnings than these; mend these first");
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *message = memory_format_list(format, arguments);
    va_end(arguments);
    autofree_string char *where = place(mark);
    autofree_string char *warning = memory_format("%s%s", where, message);
    if (!string_list_contains(warnings, warning))
        string_list_add(warnings, warning);
}
