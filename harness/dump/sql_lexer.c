#include "dump/sql_lexer.h"

#include <string.h>

enum state {
    CODE = 0,
    LINE_COMMENT,
    BLOCK_COMMENT,
    QUOTED,
    QUOTED_BACKSLASH,
    QUOTE_CLOSED, // unless the same quote follows
    TAG_OPENING,  // $tag
    TAG_BODY,
    TAG_CLOSING,
    DASHES,          // MySQL: "--", a comment if white space follows
    COMMENT_OPENED,  // MySQL: "/*", code if "!" or "M!" follows
    COMMENT_OPENED_M // MySQL: "/*M"
};

void sql_lexer_init(struct sql_lexer *self, enum sql_dialect dialect) {
    *self = (struct sql_lexer){
        .dialect = dialect, .backslash_escapes = true, .previous = '\n', .delimiter = ";"};
}

bool sql_lexer_set_delimiter(struct sql_lexer *self, const char *delimiter, size_t length) {
    if (length == 0 || length >= SQL_DELIMITER_SIZE)
        return false;
    memcpy(self->delimiter, delimiter, length);
    self->delimiter[length] = '\0';
    self->delimiter_at = 0;
    return true;
}

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(uint8_t byte) {
    return ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte == '_' || byte >= 0x80;
}

static bool is_word(uint8_t byte) {
    return is_letter(byte) || is_digit(byte) || byte == '$';
}

// ---- words and statements

static bool word_is(const struct sql_lexer *self, const char *word) {
    return self->word_length == strlen(word) && memcmp(self->word, word, self->word_length) == 0;
}

static void begin_word(struct sql_lexer *self) {
    self->word_length = 0;
    self->word_begins_line = self->previous == '\n' && !self->in_statement;
}

static void add_to_word(struct sql_lexer *self, uint8_t byte) {
    if (self->word_length < sizeof self->word)
        self->word[self->word_length] = (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
    self->word_length++;
}

static void end_word(struct sql_lexer *self) {
    if (self->word_begins_line && (word_is(self, "INSERT") || word_is(self, "REPLACE")))
        self->insert = true;
    if (self->depth == 0 && word_is(self, "VALUES"))
        self->values = true;
    self->word_length = 0;
    self->word_begins_line = false;
}

static void end_statement(struct sql_lexer *self) {
    // INSERT … DEFAULT VALUES has no parentheses.
    if (self->insert && self->values && self->statement_rows == 0)
        self->rows++;
    self->in_statement = self->insert = self->values = false;
    self->statement_rows = 0;
    self->depth = 0;
}

static void parenthesis(struct sql_lexer *self, uint8_t byte) {
    if (byte == ')') {
        self->depth -= self->depth > 0 ? 1 : 0;
        return;
    }
    if (self->depth++ == 0 && self->insert && self->values) {
        self->statement_rows++;
        self->rows++;
    }
}

// ---- one byte of code

static void open_quote(struct sql_lexer *self, uint8_t byte) {
    self->quote = (char)byte;
    if (self->dialect == SQL_MYSQL)
        self->quote_escapes = byte != '`' && self->backslash_escapes;
    else
        self->quote_escapes = byte == '\'' && word_is(self, "E");
    self->state = QUOTED;
}

static bool opens_quote(const struct sql_lexer *self, uint8_t byte) {
    return byte == '\'' || byte == '"' || (byte == '`' && self->dialect == SQL_MYSQL);
}

// Of two bytes, the second of which is `byte`; what they begin was taken for code until now.
static bool opens_comment(struct sql_lexer *self, uint8_t byte) {
    const bool mysql = self->dialect == SQL_MYSQL;
    if (self->previous == '-' && byte == '-')
        self->state = mysql ? DASHES : LINE_COMMENT;
    else if (self->previous == '/' && byte == '*') {
        self->state = mysql ? COMMENT_OPENED : BLOCK_COMMENT;
        self->comment_depth = 1;
    } else
        return false;
    self->previous = 0;
    return true;
}

static bool matches_delimiter(struct sql_lexer *self, uint8_t byte) {
    if (byte != (uint8_t)self->delimiter[self->delimiter_at])
        self->delimiter_at = 0;
    if (byte == (uint8_t)self->delimiter[self->delimiter_at])
        self->delimiter_at++;
    if (self->delimiter[self->delimiter_at] != '\0')
        return false;
    self->delimiter_at = 0;
    return self->dialect == SQL_MYSQL ? !self->in_version_comment : self->depth == 0;
}

static void code(struct sql_lexer *self, uint8_t byte) {
    if (opens_comment(self, byte))
        return;
    if (is_word(byte) && !(byte == '$' && self->word_length == 0)) {
        if (self->word_length == 0)
            begin_word(self);
        add_to_word(self, byte);
        self->in_statement = true;
        self->previous = byte;
        self->delimiter_at = 0;
        return;
    }
    const bool after_slash = self->previous == '*' && byte == '/';
    if (opens_quote(self, byte))
        open_quote(self, byte);
    else if (byte == '$' && self->dialect == SQL_POSTGRES) {
        self->state = TAG_OPENING;
        self->tag_length = 0;
    } else if (byte == '#' && self->dialect == SQL_MYSQL)
        self->state = LINE_COMMENT;
    end_word(self);
    if (byte == '(' || byte == ')')
        parenthesis(self, byte);
    self->previous = byte;
    if (after_slash && self->in_version_comment) {
        self->in_version_comment = false;
        self->previous = 0;
    } else if (matches_delimiter(self, byte))
        end_statement(self);
    // What may begin a comment is no statement yet: see sql_lexer_open.
    else if (!is_space(byte) && self->state != LINE_COMMENT && byte != '-' && byte != '/')
        self->in_statement = true;
}

// ---- one byte of anything else

static void line_comment(struct sql_lexer *self, uint8_t byte) {
    if (byte != '\n')
        return;
    self->state = CODE;
    self->previous = '\n';
}

static void block_comment(struct sql_lexer *self, uint8_t byte) {
    const uint8_t before = self->previous;
    self->previous = byte;
    if (before == '*' && byte == '/') {
        self->previous = 0;
        if (--self->comment_depth == 0)
            self->state = CODE;
    } else if (before == '/' && byte == '*' && self->dialect == SQL_POSTGRES) {
        self->previous = 0;
        self->comment_depth++;
    }
}

static void quoted(struct sql_lexer *self, uint8_t byte) {
    if (byte == (uint8_t)self->quote)
        self->state = QUOTE_CLOSED;
    else if (byte == '\\' && self->quote_escapes)
        self->state = QUOTED_BACKSLASH;
}

static void quoted_backslash(struct sql_lexer *self, uint8_t byte) {
    (void)byte;
    self->state = QUOTED;
}

static void quote_closed(struct sql_lexer *self, uint8_t byte) {
    self->state = byte == (uint8_t)self->quote ? QUOTED : CODE;
    self->previous = 0;
    if (self->state == CODE)
        code(self, byte);
}

static void tag_opening(struct sql_lexer *self, uint8_t byte) {
    const bool fits = self->tag_length < SQL_TAG_SIZE;
    if (byte == '$') {
        self->state = TAG_BODY;
    } else if (fits && (is_letter(byte) || (is_digit(byte) && self->tag_length > 0))) {
        self->tag[self->tag_length++] = (char)byte;
    } else { // a parameter ($1) or an operator
        self->state = CODE;
        self->previous = 0;
        code(self, byte);
    }
}

static void tag_body(struct sql_lexer *self, uint8_t byte) {
    if (byte != '$')
        return;
    self->state = TAG_CLOSING;
    self->tag_at = 0;
}

static void tag_closing(struct sql_lexer *self, uint8_t byte) {
    if (self->tag_at == self->tag_length && byte == '$') {
        self->state = CODE;
        self->previous = 0;
    } else if (self->tag_at < self->tag_length && byte == (uint8_t)self->tag[self->tag_at])
        self->tag_at++;
    else {
        self->state = TAG_BODY;
        tag_body(self, byte);
    }
}

static void dashes(struct sql_lexer *self, uint8_t byte) {
    self->state = is_space(byte) ? LINE_COMMENT : CODE;
    if (self->state == LINE_COMMENT) {
        line_comment(self, byte);
        return;
    }
    self->in_statement = true;
    code(self, byte);
}

static void comment_opened(struct sql_lexer *self, uint8_t byte) {
    if (byte == '!') {
        self->state = CODE;
        self->in_version_comment = true;
        self->in_statement = true;
        self->previous = 0;
        return;
    }
    const bool m = byte == 'M' && self->state == COMMENT_OPENED;
    self->state = m ? COMMENT_OPENED_M : BLOCK_COMMENT;
    if (!m)
        block_comment(self, byte);
}

static void (*const STEPS[])(struct sql_lexer *self, uint8_t byte) = {
    [CODE] = code,
    [LINE_COMMENT] = line_comment,
    [BLOCK_COMMENT] = block_comment,
    [QUOTED] = quoted,
    [QUOTED_BACKSLASH] = quoted_backslash,
    [QUOTE_CLOSED] = quote_closed,
    [TAG_OPENING] = tag_opening,
    [TAG_BODY] = tag_body,
    [TAG_CLOSING] = tag_closing,
    [DASHES] = dashes,
    [COMMENT_OPENED] = comment_opened,
    [COMMENT_OPENED_M] = comment_opened,
};

// Most of a dump is inside of strings: their plain bytes are stepped over at once.
static size_t plain_length(const struct sql_lexer *self, const uint8_t *bytes, size_t length) {
    if (self->state != QUOTED)
        return 0;
    size_t at = 0;
    while (at < length && bytes[at] != (uint8_t)self->quote && bytes[at] != '\\')
        at++;
    return at;
}

void sql_lexer_feed(struct sql_lexer *self, const void *bytes, size_t length) {
    const uint8_t *first = bytes;
    for (size_t at = 0; at < length; at++) {
        at += plain_length(self, first + at, length - at);
        if (at < length)
            STEPS[self->state](self, first[at]);
    }
}

const char *sql_lexer_open(const struct sql_lexer *self) {
    static const char *const names[] = {
        [CODE] = "a statement",
        [BLOCK_COMMENT] = "a comment",
        [QUOTED] = "a quoted text",
        [QUOTED_BACKSLASH] = "a quoted text",
        [TAG_OPENING] = "a statement",
        [TAG_BODY] = "a dollar-quoted text",
        [TAG_CLOSING] = "a dollar-quoted text",
        [COMMENT_OPENED] = "a comment",
        [COMMENT_OPENED_M] = "a comment",
    };
    const size_t state = (size_t)self->state;
    if (state != CODE && state != LINE_COMMENT && state != DASHES && state != QUOTE_CLOSED)
        return names[state];
    if (self->in_version_comment)
        return "a version comment";
    return self->in_statement || self->previous == '-' || self->previous == '/' ? names[CODE]
                                                                                : NULL;
}
