// How far a script of SQL has got: within a string, a comment, a statement, or between statements.
// Fed in pieces of any size; holds a few bytes whatever it reads. It is what tells a completion
// line from the same words inside a function's body.
//
// Sources: PostgreSQL's manual, 4.1 Lexical Structure; MySQL's manual, 9.1 and 9.7 (version
// comments count as code) and mysql's DELIMITER command.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sql_dialect { SQL_POSTGRES, SQL_MYSQL };

#define SQL_TAG_SIZE 64
#define SQL_DELIMITER_SIZE 16

struct sql_lexer {
    enum sql_dialect dialect;
    int state;
    bool in_statement;       // since its first letter, to its delimiter
    bool in_version_comment; // MySQL: /*! … */
    bool backslash_escapes;  // MySQL: off under NO_BACKSLASH_ESCAPES
    uint64_t depth;          // of parentheses; of comments in a comment
    uint64_t comment_depth;
    char quote;
    bool quote_escapes; // this string knows backslashes
    uint8_t previous;   // byte of code
    char word[8];       // upper case; the present one
    size_t word_length; // may be more than is held
    bool word_begins_line;
    bool insert; // the statement is one, at the beginning of a line
    bool values; // and has come to its VALUES
    uint64_t statement_rows;
    char tag[SQL_TAG_SIZE]; // of a $tag$
    size_t tag_length;
    size_t tag_at;
    char delimiter[SQL_DELIMITER_SIZE];
    size_t delimiter_at;
    uint64_t rows; // that INSERT statements hold
};

void sql_lexer_init(struct sql_lexer *self, enum sql_dialect dialect);
void sql_lexer_feed(struct sql_lexer *self, const void *bytes, size_t length);
// MySQL: what ends a statement from now on; one that is empty or too long: false.
bool sql_lexer_set_delimiter(struct sql_lexer *self, const char *delimiter, size_t length);
// NULL: between statements, nothing is open. Otherwise what is: "a string".
const char *sql_lexer_open(const struct sql_lexer *self);
