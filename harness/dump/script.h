// A dump that is a script of SQL, read statement by statement: what psql and mysql would do, in so
// far as it says where statements begin and end. Lines of any length pass through; zero bytes,
// which no such script holds, are refused.
#pragma once

#include "base/text.h"
#include "dump/line_reader.h"
#include "dump/sql_lexer.h"

struct script {
    struct source *source; // borrowed
    struct line_reader *lines;
    struct line line; // the present one, or a piece of it
    bool line_free;   // it begins where no statement is open
    bool ended;
    struct sql_lexer lexer;
    struct text statement; // that began last, as far as it is kept
    bool keeps;
};

void script_init(struct script *self, struct source *source, enum sql_dialect dialect);
void script_done(struct script *self);

// The next piece of a line. The caller then says what it is: script_lex for SQL; nothing for a
// command of the client's or for data.
bool script_next(struct script *self, struct error *err) must_use;

// The present piece is SQL. Returns true if it ended the statement that is kept: self->statement is
// that statement, all of it unless it was longer than the text's limit.
bool script_lex(struct script *self);
// From the present line on, which begins a statement, it is kept.
void script_keep(struct script *self);

// The present piece is a whole line, and reads so (a carriage return at its end does not count).
bool script_line_is(const struct script *self, const char *text);
// What follows `text` at the beginning of the present line, without the line's end: a copy of at
// most 1000 bytes, the caller's; NULL if the line does not begin so.
char *script_after(const struct script *self, const char *text) must_use;

// "line 7: …" is put into an error.
bool script_error(const struct script *self, struct error *err, const char *format, ...)
    printf_like(3, 4);

DEFINE_AUTODONE(script, script_done);
