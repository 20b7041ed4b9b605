#define _GNU_SOURCE
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

noreturn void memory_is_out(void) {
    static const char message[] = "assay: out of memory\n";
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
        // Nobody can be told; the exit status still says it.
    }
    _exit(3);
}

static void *or_exit(void *block) {
    if (block == NULL)
        memory_is_out();
    return block;
}

void *memory_new(size_t count, size_t size) {
    return or_exit(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *memory_resize(void *block, size_t count, size_t size) {
    return or_exit(reallocarray(block, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *memory_copy_string(const char *string) {
    return string == NULL ? NULL : memory_copy_bytes(string, strlen(string));
}

char *memory_copy_bytes(const void *bytes, size_t length) {
    char *copy = memory_new(length + 1, 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *memory_format_list(const char *format, va_list arguments) {
    char *formatted = NULL;
    const int length = vasprintf(&formatted, format, arguments);
    return or_exit(length < 0 ? NULL : formatted);
}

char *memory_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *formatted = memory_format_list(format, arguments);
    va_end(arguments);
    return formatted;
}
