#include "verify/drill/random_words.h"

#include <string.h>

static const char *const FRAGMENTS[] = {
    "a",    "Z",      "0",   " ",  "  ",   "é",   "e\u0301", "ß",  "Ω",  "日本",
    "🙂", "\u00a0", "'",   "\"", "\\",   "\\N", "\n",      "\r", "\t", "\b",
    "\x1f", "--",     "/* ", "*/", ";",    "%",   "_",       "$1", "`",  ",",
    "{",    "}",      "[",   ":",  "NULL", "\\",  "\\\\",    "&",  "<",  "null",
};
#define FRAGMENT_COUNT (sizeof FRAGMENTS / sizeof *FRAGMENTS)
#define LONG_TEXT 3000 // fragments: more than a server keeps beside the row

static void append_words(struct chance *chance, struct text *text) {
    const size_t count = chance_below(chance, 40) == 0 ? LONG_TEXT : chance_below(chance, 7);
    for (size_t i = 0; i < count; i++)
        text_append(text, FRAGMENTS[chance_below(chance, FRAGMENT_COUNT)]);
}

void random_sql_literal(struct chance *chance, bool with_escapes, struct text *text) {
    autodone(text) struct text words = {0};
    append_words(chance, &words);
    text_append_char(text, '\'');
    for (const char *at = text_string(&words); *at != '\0'; at++) {
        if (*at == '\'' || (with_escapes && *at == '\\'))
            text_append_char(text, *at);
        text_append_char(text, *at);
    }
    text_append_char(text, '\'');
}

void random_json_string(struct chance *chance, struct text *text) {
    autodone(text) struct text words = {0};
    append_words(chance, &words);
    text_append_char(text, '"');
    for (const char *at = text_string(&words); *at != '\0'; at++) {
        if ((unsigned char)*at < ' ')
            text_appendf(text, "\\u%04x", (unsigned)*at);
        else
            text_appendf(text, strchr("\"\\", *at) != NULL ? "\\%c" : "%c", *at);
    }
    text_append_char(text, '"');
}
