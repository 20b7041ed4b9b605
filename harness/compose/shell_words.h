// A command written as one text, split into its words as a shell would: for `command` and
// `entrypoint`, which Compose splits but does not hand to a shell.
#pragma once

#include "base/string_list.h"

enum shell_words_result {
    SHELL_WORDS_WHOLE,
    SHELL_WORDS_CUT,  // one of ; & | < > ( stands outside quotes: like Compose, the words before it
    SHELL_WORDS_OPEN, // a quote is never closed, or the text ends in a backslash
};

// Appends to *words. Quotes: '…' literal, "…" with \" \\ \$ \`; a backslash elsewhere takes the
// next character literally.
enum shell_words_result shell_words(const char *text, struct string_list *words) must_use;
