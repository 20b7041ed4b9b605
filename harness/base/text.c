#include "base/text.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *self, size_t limit) {
    *self = (struct text){.limit = limit};
}

void text_done(struct text *self) {
    if (self == NULL)
        return;
    free(self->bytes);
    *self = (struct text){.limit = self->limit};
}

void text_clear(struct text *self) {
    self->length = 0;
    self->overflowed = false;
    if (self->bytes != NULL)
        self->bytes[0] = '\0';
}

static size_t limit_of(const struct text *self) {
    return self->limit > 0 ? self->limit : TEXT_DEFAULT_LIMIT;
}

// Makes room for up to `length` more bytes and a NUL; returns how many really fit.
static size_t reserve(struct text *self, size_t length) {
    const size_t room = limit_of(self) - self->length;
    if (length > room) {
        length = room;
        self->overflowed = true;
    }
    const size_t needed = self->length + length + 1;
    if (needed > self->capacity) {
        size_t capacity = self->capacity > 0 ? self->capacity : 64;
        while (capacity < needed)
            capacity *= 2;
        self->bytes = memory_resize(self->bytes, capacity, 1);
        self->capacity = capacity;
    }
    return length;
}

void text_append_bytes(struct text *self, const void *bytes, size_t length) {
    const size_t fits = reserve(self, length);
    if (fits > 0)
        memcpy(self->bytes + self->length, bytes, fits);
    self->length += fits;
    self->bytes[self->length] = '\0';
}

void text_append(struct text *self, const char *string) {
    text_append_bytes(self, string, strlen(string));
}

void text_append_char(struct text *self, char character) {
    text_append_bytes(self, &character, 1);
}

void text_appendf(struct text *self, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        self->overflowed = true;
        return;
    }
    char *formatted = memory_new((size_t)length + 1, 1);
    va_start(arguments, format);
    vsnprintf(formatted, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text_append_bytes(self, formatted, (size_t)length);
    free(formatted);
}

void text_keep_last(struct text *self, size_t length) {
    if (self->length <= length)
        return;
    memmove(self->bytes, self->bytes + self->length - length, length);
    self->length = length;
    self->bytes[length] = '\0';
}

const char *text_string(const struct text *self) {
    return self->bytes != NULL ? self->bytes : "";
}

char *text_take(struct text *self) {
    char *bytes = self->bytes != NULL ? self->bytes : memory_copy_string("");
    *self = (struct text){.limit = self->limit};
    return bytes;
}
