#include "dump/line_reader.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct line_reader {
    struct source *source;
    char *bytes; // LINE_LIMIT of them
    size_t from; // what was not given yet is from here
    size_t to;
    uint64_t number;
    bool within; // a line whose first piece was given
    bool ended;  // the source
};

struct line_reader *line_reader_new(struct source *source) {
    struct line_reader *self = memory_new(1, sizeof *self);
    self->source = source;
    self->bytes = memory_resize(NULL, LINE_LIMIT, 1);
    self->number = 1;
    return self;
}

void line_reader_free(struct line_reader *self) {
    if (self == NULL)
        return;
    free(self->bytes);
    free(self);
}

static bool fill(struct line_reader *self, struct error *err) {
    memmove(self->bytes, self->bytes + self->from, self->to - self->from);
    self->to -= self->from;
    self->from = 0;
    size_t length = 0;
    if (!source_read(self->source, self->bytes + self->to, LINE_LIMIT - self->to, &length, err))
        return false;
    self->to += length;
    self->ended = length == 0;
    return true;
}

// Gives what is held up to `length`; the line goes on, ended with the source, or was closed.
static void give(struct line_reader *self, size_t length, bool whole, bool closed,
                 struct line *ret_line) {
    *ret_line = (struct line){
        .bytes = self->bytes + self->from,
        .length = length,
        .whole = whole,
        .begins = !self->within,
        .closed = closed,
        .number = self->number,
    };
    self->from += length + (closed ? 1 : 0);
    self->number += whole ? 1 : 0;
    self->within = !whole;
}

bool line_reader_next(struct line_reader *self, struct line *ret_line, bool *ret_ended,
                      struct error *err) {
    size_t looked = 0; // of what is held: no end of line there
    for (;;) {
        const char *const first = self->bytes + self->from;
        const size_t length = self->to - self->from;
        const char *const end =
            length > looked ? memchr(first + looked, '\n', length - looked) : NULL;
        *ret_ended = false;
        if (end != NULL) {
            give(self, (size_t)(end - first), true, true, ret_line);
            return true;
        }
        looked = length;
        if (length == LINE_LIMIT) {
            give(self, length, false, false, ret_line);
            return true;
        }
        if (self->ended) {
            // A line that was given in pieces up to the very end still has to be ended.
            *ret_ended = length == 0 && !self->within;
            if (!*ret_ended)
                give(self, length, true, false, ret_line);
            return true;
        }
        if (!fill(self, err))
            return false;
    }
}

bool line_begins_with(const struct line *line, const char *text) {
    const size_t length = strlen(text);
    return line->begins && line->length >= length && memcmp(line->bytes, text, length) == 0;
}
