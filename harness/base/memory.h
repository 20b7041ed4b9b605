// Allocation that does not fail: out of memory ends the process with one line and exit status 3.
// A harness that is out of memory has nothing useful left to say; the guardian, a process of its
// own, removes what the run created. See docs/adr/0003.
#pragma once

#include "base/attributes.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdnoreturn.h>

void *memory_new(size_t count, size_t size) must_use;                    // zeroed
void *memory_resize(void *block, size_t count, size_t size) must_use;    // as reallocarray
char *memory_copy_string(const char *string) must_use;                   // NULL gives NULL
char *memory_copy_bytes(const void *bytes, size_t length) must_use;      // NUL-terminated copy
char *memory_format(const char *format, ...) printf_like(1, 2) must_use; // as asprintf
char *memory_format_list(const char *format, va_list arguments) printf_like(1, 0) must_use;

// The same end, for a library whose NULL can mean nothing else.
noreturn void memory_is_out(void);
