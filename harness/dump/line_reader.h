// Lines of a source, for dumps that are scripts: bounded, whatever a line's length.
//
// A line longer than LINE_LIMIT comes in pieces: all but the last have `whole` false. That is how
// a row of 1 GB in a COPY block passes through 64 KiB.
#pragma once

#include "dump/source.h"

#define LINE_LIMIT ((size_t)64 * 1024)

struct line_reader;

struct line {
    const char *bytes; // not NUL-terminated; without its end of line; borrowed until the next call
    size_t length;
    bool whole;  // the line ends here
    bool begins; // this is the line's first piece
    bool closed; // by an end of line ("\n"); a whole line is not only where the source ends in it
    uint64_t number; // 1-based
};

struct line_reader *line_reader_new(struct source *source) must_use; // borrows the source
void line_reader_free(struct line_reader *self);

// *ret_ended at the source's end; *ret_line is then untouched.
bool line_reader_next(struct line_reader *self, struct line *ret_line, bool *ret_ended,
                      struct error *err) must_use;

// "ERROR 12: text" begins with it? For whole words at the beginning of a line.
bool line_begins_with(const struct line *line, const char *text);

DEFINE_AUTOFREE(line_reader, line_reader_free);
