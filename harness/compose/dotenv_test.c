#define _GNU_SOURCE
#include "compose/dotenv.h"

#include "base/memory.h"
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct variables outer;
static struct variables found;
static struct string_list warnings;

static void prepare(void) {
    outer.closed = true;
    found = (struct variables){.outer = &outer, .closed = true, .own_first = true};
    variables_set(&outer, "OUTER", "from outside");
}

static void clear(void) {
    variables_done(&outer);
    variables_done(&found);
    string_list_done(&warnings);
}

TestSuite(dotenv, .init = prepare, .fini = clear, .timeout = 120);

static void expect_value(const char *line, const char *name, const char *expected, bool raw) {
    struct error err = {0};
    const struct dotenv_options options = {.file = ".env", .raw = raw, .warnings = &warnings};
    cr_assert(dotenv_parse(&found, line, strlen(line), &options, &err), "%s: %s", line,
              err.message);
    const char *value = variables_own(&found, name);
    cr_assert_not_null(value, "%s", line);
    cr_assert_str_eq(value, expected, "%s: got \"%s\", not \"%s\"", line, value, expected);
}

static void expect_refused(const char *bytes, const char *message) {
    struct error err = {0};
    const struct dotenv_options options = {.file = ".env", .warnings = &warnings};
    cr_assert_not(dotenv_parse(&found, bytes, strlen(bytes), &options, &err), "%s", bytes);
    cr_assert_str_eq(err.message, message, "got %s\nnot %s", err.message, message);
}

Test(dotenv, reads_lines_as_docker_compose_does) {
    static const struct text_case cases[] = {
        {"A=1", "1"},
        {"A = 1 \t\r\n", "1"},
        {"export A=1", "1"},
        {"A: 1", "1"},
        {"A=", ""},
        {"# A=0\n\nA=1 # one", "1"},
        {"A=1#2", "1#2"},
        {"A=#2", ""},
        {"A='a # $B \\n'", "a # $B \\n"},
        {"A='it\\'s'", "it's"},
        {"A=\"a # b\" # c", "a # b"},
        {"A=\"a\\nb\\t\\\"c\\\"\\\\\"", "a\nb\t\"c\"\\"},
        {"A=\"\\101\\q\"", "\\101\\q"},
        {"A=\"\\0101\"", "A"},
        {"A=\"one\ntwo\"", "one\ntwo"},
        {"A='one\n two'\nB=3", "one\n two"},
        {"\xef\xbb\xbf"
         "A=1",
         "1"},
        {"A=0\nA=1", "1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_value(cases[i].input, "A", cases[i].expected, false);
}

Test(dotenv, fills_in_variables_outside_single_quotes) {
    expect_value("B=b\nA=${B}-$OUTER", "A", "b-from outside", false);
    expect_value("A=\"<${B}>\"", "A", "<b>", false);
    expect_value("A=\"\\$B\"", "A", "$B", false);
    expect_value("A=$$B", "A", "$B", false);
    expect_value("A=${NONE:-d}", "A", "d", false);
    expect_value("OUTER=own\nA=$OUTER", "A", "own", false);
}

Test(dotenv, inherits_a_name_without_a_value) {
    expect_value("OUTER", "OUTER", "from outside", false);
    expect_value("A=1\nNONE\n", "A", "1", false);
    cr_expect_null(variables_own(&found, "NONE"));
}

Test(dotenv, takes_raw_lines_as_they_are) {
    expect_value("A='$B' # c", "A", "'$B' # c", true);
    expect_value("A= x \r\n", "A", " x ", true);
    expect_value("#c\n\nOUTER\nA=1", "OUTER", "from outside", true);
}

Test(dotenv, warns_with_the_line) {
    expect_value("\nA=$NONE", "A", "", false);
    cr_assert_eq(warnings.count, 1);
    cr_expect_str_eq(warnings.items[0],
                     ".env:2:3: the variable NONE is not set; an empty string stands in its place");
}

Test(dotenv, names_the_place_of_a_mistake) {
    expect_refused("A=1\nB='\xff'\n", ".env:2:4: not UTF-8 text");
    expect_refused("A=\"\\0377\"\n", ".env:1:3: not UTF-8 text once its variables are filled in");
    expect_refused("A=1\n=2\n", ".env:2:1: expected a variable's name");
    expect_refused("A B=2\n", ".env:1:3: expected = after the variable's name A");
    expect_refused("A=1\nB=\"x\n\n", ".env:2:3: the quote that opens here is never closed");
    expect_refused("A='x'y\n", ".env:1:6: text after the closing quote");
    expect_refused("A=\"x\ny\" z\n", ".env:2:4: text after the closing quote");
    expect_refused("A=${B\n", ".env:1:3: \"${B\" has no closing brace; write $$ for a dollar");
}

Test(dotenv, refuses_a_raw_line_of_two_words) {
    struct error err = {0};
    const struct dotenv_options options = {.file = ".env", .raw = true, .warnings = &warnings};
    cr_assert_not(dotenv_parse(&found, "A B", 3, &options, &err));
    cr_assert_str_eq(err.message, ".env:1:3: expected = after the variable's name A", "got %s",
                     err.message);
}

Test(dotenv, says_that_a_file_is_too_large) {
    plan_test_folder();
    char *large = memory_new(1024 * 1024 + 2, 1);
    memset(large, '\n', 1024 * 1024 + 1);
    plan_test_write("large.env", large);
    struct error err = {0};
    const struct dotenv_options options = {.file = "large.env", .warnings = &warnings};
    cr_assert_not(dotenv_load(&found, "large.env", &options, &err));
    cr_assert_str_eq(err.message, "large.env: larger than 1048576 bytes", "got %s", err.message);
    free(large);
    plan_test_leave();
}
