#include "compose/dotenv.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compose/interpolate.h"
#include "compose/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { LARGEST_BYTES = 1024 * 1024 };

struct parser {
    struct variables *into;
    const struct dotenv_options *options;
    const char *at; // what is left; NUL-terminated
    const char *line_start;
    int line;
    struct error *err;
};

static struct mark here(const struct parser *self) {
    return (struct mark){self->options->file, self->line, (int)(self->at - self->line_start) + 1};
}

static void advance(struct parser *self) {
    if (*self->at++ == '\n') {
        self->line++;
        self->line_start = self->at;
    }
}

static bool is_blank(char character) {
    return character == ' ' || character == '\t' || character == '\r' || character == '\v' ||
           character == '\f';
}

static void skip_blanks(struct parser *self) {
    while (is_blank(*self->at))
        advance(self);
}

static void skip_line(struct parser *self) {
    while (*self->at != '\0' && *self->at != '\n')
        advance(self);
}

static bool in_key(char character) {
    return isalnum((unsigned char)character) || (character != '\0' && strchr("_.-[]", character));
}

static bool read_key(struct parser *self, char **ret_key) {
    if (strncmp(self->at, "export", 6) == 0 && is_blank(self->at[6])) {
        self->at += 6;
        skip_blanks(self);
    }
    const char *start = self->at;
    while (in_key(*self->at))
        self->at++;
    if (self->at == start)
        return mark_error(here(self), self->err, "expected a variable's name");
    *ret_key = memory_copy_bytes(start, (size_t)(self->at - start));
    return true;
}

// One escape of a double-quoted value. A dollar comes out doubled, so that interpolation leaves it.
static void read_escape(struct parser *self, struct text *value) {
    static const char names[] = "abfnrtv\\\"";
    static const char meanings[] = "\a\b\f\n\r\t\v\\\"";
    self->at++;
    const char *name = *self->at != '\0' ? strchr(names, *self->at) : NULL;
    if (name != NULL) {
        text_append_char(value, meanings[name - names]);
        advance(self);
    } else if (*self->at == '$') {
        text_append(value, "$$");
        advance(self);
    } else if (*self->at == '0') {
        unsigned code = 0;
        for (int i = 0; i < 4 && *self->at >= '0' && *self->at <= '7'; i++, self->at++)
            code = code * 8 + (unsigned)(*self->at - '0');
        if (code > 0 && code < 256)
            text_append_char(value, (char)code);
    } else {
        text_append_char(value, '\\');
    }
}

static bool read_quoted(struct parser *self, struct text *value) {
    const char quote = *self->at;
    const struct mark start = here(self);
    advance(self);
    while (*self->at != '\0' && *self->at != quote) {
        if (*self->at == '\\' && quote == '"') {
            read_escape(self, value);
        } else if (*self->at == '\\' && self->at[1] == quote) {
            advance(self);
            text_append_char(value, quote);
            advance(self);
        } else {
            text_append_char(value, *self->at);
            advance(self);
        }
    }
    if (*self->at == '\0')
        return mark_error(start, self->err, "the quote that opens here is never closed");
    advance(self);
    skip_blanks(self);
    if (*self->at != '\0' && *self->at != '\n' && *self->at != '#')
        return mark_error(here(self), self->err, "text after the closing quote");
    skip_line(self);
    return true;
}

static void read_unquoted(struct parser *self, struct text *value) {
    const char *start = self->at;
    skip_line(self);
    const char *end = self->at;
    for (const char *hash = start; hash < end; hash++) {
        if (*hash == '#' && (hash == start || is_blank(hash[-1]))) {
            end = hash;
            break;
        }
    }
    while (end > start && is_blank(end[-1]))
        end--;
    text_append_bytes(value, start, (size_t)(end - start));
}

static bool read_value(struct parser *self, const char *key) {
    const struct mark mark = here(self);
    autodone(text) struct text raw = {0};
    const bool literal = *self->at == '\'';
    if (*self->at == '\'' || *self->at == '"') {
        if (!read_quoted(self, &raw))
            return false;
    } else {
        read_unquoted(self, &raw);
    }
    if (literal) {
        variables_set(self->into, key, text_string(&raw));
        return true;
    }
    autofree_string char *value = NULL;
    if (!interpolate(text_string(&raw), self->into, mark, self->options->warnings, &value,
                     self->err))
        return false;
    variables_set(self->into, key, value);
    return true;
}

static bool read_statement(struct parser *self) {
    autofree_string char *key = NULL;
    if (!read_key(self, &key))
        return false;
    skip_blanks(self);
    if (*self->at == '=' || *self->at == ':') {
        self->at++;
        skip_blanks(self);
        return read_value(self, key);
    }
    if (*self->at != '\0' && *self->at != '\n' && *self->at != '#')
        return mark_error(here(self), self->err, "expected = after the variable's name %s", key);
    skip_line(self);
    const char *inherited = variables_get(self->into, key);
    if (inherited != NULL)
        variables_set(self->into, key, inherited);
    return true;
}

static bool read_raw_line(struct parser *self) {
    autofree_string char *key = NULL;
    if (!read_key(self, &key))
        return false;
    if (*self->at == '=') {
        const char *start = ++self->at;
        skip_line(self);
        size_t length = (size_t)(self->at - start);
        if (length > 0 && start[length - 1] == '\r')
            length--;
        autofree_string char *value = memory_copy_bytes(start, length);
        variables_set(self->into, key, value);
        return true;
    }
    skip_blanks(self);
    if (*self->at != '\0' && *self->at != '\n')
        return mark_error(here(self), self->err, "expected = after the variable's name %s", key);
    const char *inherited = variables_get(self->into, key);
    if (inherited != NULL)
        variables_set(self->into, key, inherited);
    return true;
}

bool dotenv_parse(struct variables *into, const char *bytes, size_t length,
                  const struct dotenv_options *options, struct error *err) {
    autofree_string char *copy = memory_copy_bytes(bytes, length);
    struct parser parser = {into, options, copy, copy, 1, err};
    struct mark wrong = {.file = options->file};
    if (!utf8_check(copy, length, &wrong.line, &wrong.column))
        return mark_error(wrong, err, "not UTF-8 text");
    if (strncmp(copy, "\xef\xbb\xbf", 3) == 0)
        parser.at += 3;
    for (;;) {
        while (is_blank(*parser.at) || *parser.at == '\n')
            advance(&parser);
        if (*parser.at == '\0')
            return true;
        if (*parser.at == '#')
            skip_line(&parser);
        else if (!(options->raw ? read_raw_line(&parser) : read_statement(&parser)))
            return false;
    }
}

bool dotenv_load(struct variables *into, const char *path, const struct dotenv_options *options,
                 struct error *err) {
    autofree_string char *bytes = NULL;
    size_t length = 0;
    struct error problem = {0};
    if (!file_read(path, LARGEST_BYTES, &bytes, &length, &problem)) {
        const struct mark mark = {.file = options->file};
        if (problem.code == EFBIG)
            return mark_error(mark, err, "larger than %d bytes", LARGEST_BYTES);
        return mark_error(mark, err, "cannot read it: %s", strerror(problem.code));
    }
    return dotenv_parse(into, bytes, length, options, err);
}
