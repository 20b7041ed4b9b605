#include "dump/cursor.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void cursor_init(struct cursor *self, struct source *source) {
    *self = (struct cursor){.source = source};
}

static void sum(struct cursor *self) {
    if (self->kind != NULL && self->at > self->summed)
        self->crc = crc64_update(self->kind, self->crc, self->bytes + self->summed,
                                 self->at - self->summed);
    self->summed = self->at;
}

// Tells the source what was taken.
static bool settle(struct cursor *self, struct error *err) {
    sum(self);
    const size_t taken = self->at;
    self->bytes = NULL;
    self->at = self->summed = self->length = 0;
    return taken == 0 || source_skip(self->source, taken, "what was seen already", err);
}

bool cursor_look(struct cursor *self, size_t wanted, const uint8_t **ret_bytes, size_t *ret_length,
                 struct error *err) {
    check(wanted <= SOURCE_HEAD);
    if (self->length - self->at < wanted) {
        if (!settle(self, err) ||
            !source_peek(self->source, SOURCE_HEAD, &self->bytes, &self->length, err))
            return false;
    }
    *ret_bytes = self->bytes + self->at;
    *ret_length = self->length - self->at;
    return true;
}

void cursor_take(struct cursor *self, size_t length) {
    check(length <= self->length - self->at);
    self->at += length;
}

static bool ends_within(struct cursor *self, const char *what, struct error *err) {
    return cursor_error(self, err, "the data end within %s", what);
}

bool cursor_read(struct cursor *self, void *bytes, size_t size, const char *what,
                 struct error *err) {
    uint8_t *to = bytes;
    while (size > 0) {
        const uint8_t *from;
        size_t length;
        if (!cursor_look(self, size < SOURCE_HEAD ? size : SOURCE_HEAD, &from, &length, err))
            return false;
        if (length == 0)
            return ends_within(self, what, err);
        if (length > size)
            length = size;
        memcpy(to, from, length);
        cursor_take(self, length);
        to += length;
        size -= length;
    }
    return true;
}

bool cursor_skip(struct cursor *self, uint64_t length, const char *what, struct error *err) {
    while (length > 0) {
        const uint8_t *bytes;
        size_t shown;
        if (!cursor_look(self, 1, &bytes, &shown, err))
            return false;
        if (shown == 0)
            return ends_within(self, what, err);
        if (shown > length)
            shown = (size_t)length;
        cursor_take(self, shown);
        length -= shown;
    }
    return true;
}

bool cursor_end(struct cursor *self, struct error *err) {
    const uint8_t *bytes;
    size_t length;
    if (!cursor_look(self, 1, &bytes, &length, err))
        return false;
    if (length > 0)
        return cursor_error(self, err, "the file goes on after its end");
    uint8_t byte;
    return settle(self, err) && source_read(self->source, &byte, 1, &length, err);
}

void cursor_sum(struct cursor *self, const struct crc64 *kind, uint64_t crc) {
    sum(self);
    self->kind = kind;
    self->crc = crc;
}

uint64_t cursor_crc(struct cursor *self) {
    sum(self);
    return self->crc;
}

uint64_t cursor_offset(const struct cursor *self) {
    return source_offset(self->source) + self->at;
}

bool cursor_error(struct cursor *self, struct error *err, const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    // The source puts its own offset in front: bring it here first.
    return settle(self, err) && source_error(self->source, err, "%s", message);
}
