#include "compose/interpolate.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <string.h>

static struct variables variables;
static struct string_list warnings;
static const struct mark here = {"f", 4, 9};

static void prepare(void) {
    variables.closed = true;
    variables_set(&variables, "SET", "value");
    variables_set(&variables, "EMPTY", "");
    variables_set(&variables, "DOLLAR", "${SET}");
}

static void clear(void) {
    variables_done(&variables);
    string_list_done(&warnings);
}

TestSuite(interpolate, .init = prepare, .fini = clear, .timeout = 120);

static void expect_all(const struct text_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct error err = {0};
        char *text = NULL;
        cr_assert(interpolate(cases[i].input, &variables, here, &warnings, &text, &err), "%s: %s",
                  cases[i].input, err.message);
        cr_expect_str_eq(text, cases[i].expected, "%s: got \"%s\", not \"%s\"", cases[i].input,
                         text, cases[i].expected);
        free(text);
    }
}

static void expect_refused(const char *input, const char *message) {
    struct error err = {0};
    char *text = NULL;
    cr_assert_not(interpolate(input, &variables, here, &warnings, &text, &err), "%s gave %s", input,
                  text);
    cr_assert_str_eq(err.message, message, "got %s\nnot %s", err.message, message);
}

Test(interpolate, fills_in_values_and_defaults) {
    static const struct text_case cases[] = {
        {"$SET", "value"},     {"a${SET}b", "avalueb"},
        {"$SET-x", "value-x"}, {"${SET:-d}", "value"},
        {"${EMPTY:-d}", "d"},  {"${EMPTY-d}", ""},
        {"${NONE:-d}", "d"},   {"${NONE-d}", "d"},
        {"${NONE:-}", ""},     {"${SET:+r}", "r"},
        {"${EMPTY:+r}", ""},   {"${EMPTY+r}", "r"},
        {"${NONE+r}", ""},     {"${SET:?e}", "value"},
        {"${EMPTY?e}", ""},    {"${NONE:-a:b-c?d}", "a:b-c?d"},
    };
    expect_all(cases, sizeof cases / sizeof cases[0]);
    cr_expect_eq(warnings.count, 0);
}

Test(interpolate, reads_variables_inside_defaults) {
    static const struct text_case cases[] = {
        {"${NONE:-${SET}}", "value"},        {"${NONE:-${ALSO_NONE:-deep}}", "deep"},
        {"${NONE:-a${SET}b}c", "avaluebc"},  {"${SET:+[$SET]}", "[value]"},
        {"${NONE:-{\"a\": 1}", "{\"a\": 1"},
    };
    expect_all(cases, sizeof cases / sizeof cases[0]);
}

Test(interpolate, leaves_dollars_that_are_no_variables) {
    static const struct text_case cases[] = {
        {"$$SET", "$SET"},     {"$$", "$"},          {"100$", "100$"},     {"$1 $ $-", "$1 $ $-"},
        {"$${SET}", "${SET}"}, {"$$$SET", "$value"}, {"${NONE:-$$}", "$"},
    };
    expect_all(cases, sizeof cases / sizeof cases[0]);
}

Test(interpolate, does_not_read_a_value_again) {
    static const struct text_case cases[] = {{"$DOLLAR", "${SET}"}};
    expect_all(cases, 1);
}

Test(interpolate, warns_of_a_variable_that_is_not_set) {
    static const struct text_case cases[] = {{"<$NONE>", "<>"}, {"${NONE}", ""}};
    expect_all(cases, 2);
    cr_assert_eq(warnings.count, 1, "the same place once");
    cr_expect_str_eq(warnings.items[0],
                     "f:4:9: the variable NONE is not set; an empty string stands in its place");
}

Test(interpolate, refuses_a_required_variable_without_a_value) {
    expect_refused("${NONE:?say who you are}",
                   "f:4:9: the variable NONE is required and has no value: say who you are");
    expect_refused("${EMPTY:?}", "f:4:9: the variable EMPTY is required and has no value");
    expect_refused("${NONE?ask $SET}",
                   "f:4:9: the variable NONE is required and has no value: ask value");
}

Test(interpolate, refuses_malformed_braces) {
    expect_refused("a ${SET", "f:4:9: \"${SET\" has no closing brace; write $$ for a dollar");
    expect_refused("${}", "f:4:9: ${} is not a variable; write $$ for a dollar");
    expect_refused("${1}", "f:4:9: ${1} is not a variable; write $$ for a dollar");
    expect_refused("${SET!x}", "f:4:9: ${SET!x} is not a variable; write $$ for a dollar");
    expect_refused("${SET:}", "f:4:9: ${SET:} is not a variable; write $$ for a dollar");
    expect_refused("${ SET }", "f:4:9: ${ SET } is not a variable; write $$ for a dollar");
}

Test(interpolate, refuses_a_value_that_is_no_text) {
    variables_set(&variables, "BYTES", "a\xff");
    expect_refused("$BYTES", "f:4:9: not UTF-8 text once its variables are filled in");
}

Test(interpolate, bounds_how_deep_and_how_long) {
    struct text nested = {0};
    for (int i = 0; i < 40; i++)
        text_append(&nested, "${NONE:-");
    for (int i = 0; i < 40; i++)
        text_append(&nested, "}");
    expect_refused(text_string(&nested), "f:4:9: variables nested deeper than 32");
    text_clear(&nested);
    char *long_value = memory_new(1024 * 128, 1);
    memset(long_value, 'x', 1024 * 128 - 1);
    variables_set(&variables, "LONG", long_value);
    for (int i = 0; i < 9; i++)
        text_append(&nested, "$LONG");
    expect_refused(text_string(&nested),
                   "f:4:9: longer than 1048576 bytes once its variables are filled in");
    free(long_value);
    text_done(&nested);
}
