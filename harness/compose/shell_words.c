#include "compose/shell_words.h"

#include "base/text.h"

#include <string.h>

// Reads from after the opening quote to after the closing one; NULL: there is none.
static const char *read_quoted(const char *at, char quote, struct text *word) {
    for (; *at != quote; at++) {
        if (*at == '\0')
            return NULL;
        if (quote == '"' && *at == '\\' && at[1] != '\0' && strchr("\"\\$`", at[1]) != NULL)
            at++;
        text_append_char(word, *at);
    }
    return at + 1;
}

enum shell_words_result shell_words(const char *text, struct string_list *words) {
    const char *at = text;
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (*at == '\0')
            return SHELL_WORDS_WHOLE;
        if (strchr(";&|<>(", *at) != NULL)
            return SHELL_WORDS_CUT;
        autodone(text) struct text word = {0};
        while (*at != '\0' && strchr(" \t\r\n;&|<>(", *at) == NULL) {
            if (*at == '\'' || *at == '"') {
                at = read_quoted(at + 1, *at, &word);
                if (at == NULL)
                    return SHELL_WORDS_OPEN;
            } else if (*at == '\\' && at[1] == '\0') {
                return SHELL_WORDS_OPEN;
            } else {
                at += *at == '\\';
                text_append_char(&word, *at++);
            }
        }
        string_list_take(words, text_take(&word));
    }
}
