#include "compose/shell_words.h"

#include <criterion/criterion.h>

static struct string_list words;

static void clear(void) {
    string_list_done(&words);
}

TestSuite(shell_words, .fini = clear);

static void expect_words(const char *text, size_t count, const char *const *expected) {
    string_list_done(&words);
    cr_assert_eq(shell_words(text, &words), SHELL_WORDS_WHOLE, "%s", text);
    cr_assert_eq(words.count, count, "%s: %zu words", text, words.count);
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(words.items[i], expected[i], "%s: \"%s\"", text, words.items[i]);
}

Test(shell_words, splits_at_blanks_outside_quotes) {
    expect_words("", 0, NULL);
    expect_words("  a\tb\n c ", 3, (const char *const[]){"a", "b", "c"});
    expect_words("sh -c 'echo \"a b\" $X'", 3,
                 (const char *const[]){"sh", "-c", "echo \"a b\" $X"});
    expect_words("a\"b c\"'d e'f", 1, (const char *const[]){"ab cd ef"});
    expect_words("a '' \"\"", 3, (const char *const[]){"a", "", ""});
}

Test(shell_words, reads_backslashes_as_a_shell_does) {
    expect_words("a\\ b \\\\ \\'", 3, (const char *const[]){"a b", "\\", "'"});
    expect_words("\"\\\"\\\\\\n\"", 1, (const char *const[]){"\"\\\\n"});
    expect_words("'\\'", 1, (const char *const[]){"\\"});
}

Test(shell_words, stops_where_a_shell_would_have_to_act) {
    cr_expect_eq(shell_words("a && b", &words), SHELL_WORDS_CUT);
    cr_expect_eq(words.count, 1);
    cr_expect_eq(shell_words("a>b", &words), SHELL_WORDS_CUT);
}

Test(shell_words, finds_a_quote_that_is_never_closed) {
    cr_expect_eq(shell_words("a 'b", &words), SHELL_WORDS_OPEN);
    cr_expect_eq(shell_words("a \"b", &words), SHELL_WORDS_OPEN);
    cr_expect_eq(shell_words("a \\", &words), SHELL_WORDS_OPEN);
}
