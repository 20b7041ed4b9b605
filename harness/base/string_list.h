// A growing array of owned strings, NULL-terminated so that `items` serves as an argv.
// A zeroed struct is an empty list.
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct string_list {
    char **items; // items[count] is NULL; NULL while nothing was ever added
    size_t count;
    size_t capacity;
};

void string_list_done(struct string_list *self);
void string_list_add(struct string_list *self, const char *string); // copies
void string_list_take(struct string_list *self, char *string);      // owns from now on
void string_list_addf(struct string_list *self, const char *format, ...) printf_like(2, 3);
bool string_list_contains(const struct string_list *self, const char *string);
void string_list_sort(struct string_list *self); // by bytes

DEFINE_AUTODONE(string_list, string_list_done);
