#include "dump/lzf.h"

#include <string.h>

void lzf_init(struct lzf *self, uint64_t declared, lzf_put put, void *context) {
    self->put = put;
    self->context = context;
    self->declared = declared;
    self->produced = 0;
    self->state = LZF_CONTROL;
    self->filled = self->given = 0;
}

static void flush(struct lzf *self) {
    if (self->filled > self->given)
        self->put(self->context, self->buffer + self->given, self->filled - self->given);
    self->given = self->filled;
}

// The longest run is 264 bytes; the last window stays, for references into it.
static uint8_t *room_for(struct lzf *self, size_t length) {
    if (self->filled + length > sizeof self->buffer) {
        flush(self);
        memmove(self->buffer, self->buffer + self->filled - LZF_WINDOW, LZF_WINDOW);
        self->filled = self->given = LZF_WINDOW;
    }
    uint8_t *room = self->buffer + self->filled;
    self->filled += length;
    self->produced += length;
    return room;
}

static bool is_too_much(const struct lzf *self, size_t length) {
    return length > self->declared - self->produced;
}

static const char *copy_back(struct lzf *self, unsigned distance) {
    if (distance > self->filled)
        return "a compressed string refers to what is before its beginning";
    if (is_too_much(self, self->length))
        return "a compressed string is longer than it says";
    uint8_t *to = room_for(self, self->length);
    for (unsigned i = 0; i < self->length; i++) // may overlap: that is how runs are made
        to[i] = to[(ptrdiff_t)i - (ptrdiff_t)distance];
    return NULL;
}

static void take_control(struct lzf *self, uint8_t control) {
    const unsigned length = control >> 5;
    if (length == 0) {
        self->length = control + 1u;
        self->state = LZF_LITERAL;
        return;
    }
    self->length = length + 2;
    self->offset = (control & 0x1fu) << 8;
    self->state = length == 7 ? LZF_LENGTH : LZF_OFFSET;
}

const char *lzf_feed(struct lzf *self, const uint8_t *bytes, size_t length) {
    const char *problem = NULL;
    for (size_t at = 0; at < length && problem == NULL;) {
        switch (self->state) {
        case LZF_CONTROL:
            take_control(self, bytes[at++]);
            break;
        case LZF_LITERAL: {
            const size_t run = length - at < self->length ? length - at : self->length;
            if (is_too_much(self, run))
                return "a compressed string is longer than it says";
            memcpy(room_for(self, run), bytes + at, run);
            at += run;
            self->length -= (unsigned)run;
            if (self->length == 0)
                self->state = LZF_CONTROL;
            break;
        }
        case LZF_LENGTH:
            self->length += bytes[at++];
            self->state = LZF_OFFSET;
            break;
        case LZF_OFFSET:
            problem = copy_back(self, (self->offset | bytes[at++]) + 1);
            self->state = LZF_CONTROL;
            break;
        }
    }
    return problem;
}

const char *lzf_end(struct lzf *self) {
    flush(self);
    if (self->state != LZF_CONTROL)
        return "a compressed string ends within a run";
    return self->produced == self->declared ? NULL : "a compressed string is shorter than it says";
}
