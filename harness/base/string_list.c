#define _GNU_SOURCE
#include "base/string_list.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void string_list_done(struct string_list *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i]);
    free(self->items);
    *self = (struct string_list){0};
}

void string_list_take(struct string_list *self, char *string) {
    if (self->count + 2 > self->capacity) {
        self->capacity = self->capacity > 0 ? self->capacity * 2 : 8;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
    }
    self->items[self->count++] = string;
    self->items[self->count] = NULL;
}

void string_list_add(struct string_list *self, const char *string) {
    check(string != NULL);
    string_list_take(self, memory_copy_string(string));
}

void string_list_addf(struct string_list *self, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    string_list_take(self, memory_format_list(format, arguments));
    va_end(arguments);
}

bool string_list_contains(const struct string_list *self, const char *string) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i], string) == 0)
            return true;
    return false;
}

static int compare(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void string_list_sort(struct string_list *self) {
    if (self->count > 1)
        qsort(self->items, self->count, sizeof *self->items, compare);
}
