#include "dump/script.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT_LIMIT ((size_t)512 * 1024) // 1600 columns of 63 letters, all of them quotes
#define AFTER_LIMIT ((size_t)1000)

void script_init(struct script *self, struct source *source, enum sql_dialect dialect) {
    *self = (struct script){.source = source, .lines = line_reader_new(source)};
    sql_lexer_init(&self->lexer, dialect);
    text_init(&self->statement, STATEMENT_LIMIT);
}

void script_done(struct script *self) {
    line_reader_free(self->lines);
    text_done(&self->statement);
}

bool script_next(struct script *self, struct error *err) {
    if (!line_reader_next(self->lines, &self->line, &self->ended, err))
        return false;
    if (self->ended)
        return true;
    if (memchr(self->line.bytes, '\0', self->line.length) != NULL)
        return script_error(self, err, "a zero byte");
    self->line_free = self->line.begins && sql_lexer_open(&self->lexer) == NULL;
    return true;
}

void script_keep(struct script *self) {
    text_clear(&self->statement);
    self->keeps = true;
}

bool script_lex(struct script *self) {
    if (self->keeps)
        text_append_bytes(&self->statement, self->line.bytes, self->line.length);
    sql_lexer_feed(&self->lexer, self->line.bytes, self->line.length);
    if (self->line.closed) {
        sql_lexer_feed(&self->lexer, "\n", 1);
        if (self->keeps)
            text_append_char(&self->statement, '\n');
    }
    if (!self->keeps || !self->line.whole || sql_lexer_open(&self->lexer) != NULL)
        return false;
    self->keeps = false;
    return true;
}

bool script_line_is(const struct script *self, const char *text) {
    const struct line *line = &self->line;
    size_t length = line->length;
    if (length > 0 && line->bytes[length - 1] == '\r')
        length--;
    return line->begins && line->closed && length == strlen(text) &&
           memcmp(line->bytes, text, length) == 0;
}

char *script_after(const struct script *self, const char *text) {
    const struct line *line = &self->line;
    if (!line_begins_with(line, text))
        return NULL;
    const char *after = line->bytes + strlen(text);
    size_t length = line->length - strlen(text);
    if (length > 0 && after[length - 1] == '\r')
        length--;
    return memory_copy_bytes(after, length < AFTER_LIMIT ? length : AFTER_LIMIT);
}

bool script_error(const struct script *self, struct error *err, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *what = memory_format_list(format, arguments);
    va_end(arguments);
    return source_error(self->source, err, "line %" PRIu64 ": %s", self->line.number, what);
}
