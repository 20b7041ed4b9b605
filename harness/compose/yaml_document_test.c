#include "compose/yaml_document.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <string.h>

static struct yaml_arena arena;

static void clear(void) {
    yaml_arena_done(&arena);
}

TestSuite(yaml_document, .fini = clear, .timeout = 120);

// {a: [b, null]} with its places: a@1:1=[b@1:5,~@1:8]
static void describe(const struct yaml *value, struct text *text) {
    switch (value->type) {
    case YAML_NULL:
        text_append(text, "~");
        break;
    case YAML_TEXT:
        text_appendf(text, "%s@%d:%d", value->text, value->mark.line, value->mark.column);
        break;
    case YAML_LIST:
        text_append(text, "[");
        for (size_t i = 0; i < value->count; i++) {
            text_append(text, i > 0 ? "," : "");
            describe(value->items[i], text);
        }
        text_append(text, "]");
        break;
    case YAML_MAP:
        text_append(text, "{");
        for (size_t i = 0; i < value->count; i++) {
            text_appendf(text, "%s%s=", i > 0 ? "," : "", value->entries[i].key);
            describe(value->entries[i].value, text);
        }
        text_append(text, "}");
        break;
    }
}

static void expect_tree(const char *yaml, const char *expected) {
    struct error err = {0};
    struct yaml *root = NULL;
    cr_assert(yaml_document_parse(&arena, "f", yaml, strlen(yaml), &root, &err), "%s\nin\n%s",
              err.message, yaml);
    struct text text = {0};
    describe(root, &text);
    cr_assert_str_eq(text_string(&text), expected, "got %s\nnot %s", text_string(&text), expected);
    text_done(&text);
}

static void expect_refused(const char *yaml, size_t length, const char *message) {
    struct error err = {0};
    struct yaml *root = NULL;
    cr_assert_not(yaml_document_parse(&arena, "f", yaml, length, &root, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_assert_str_eq(err.message, message, "got %s\nnot %s", err.message, message);
}

Test(yaml_document, keeps_the_place_of_every_value) {
    expect_tree("a: b\nc:\n  - d\n  - 'e'\n", "{a=b@1:4,c=[d@3:5,e@4:5]}");
}

Test(yaml_document, tells_null_from_an_empty_text) {
    expect_tree("a:\nb: ''\nc: ~\nd: null\ne: 'null'\nf: !!str\n",
                "{a=~,b=@2:4,c=~,d=~,e=null@5:4,f=@6:4}");
}

Test(yaml_document, copies_what_an_alias_stands_for) {
    expect_tree("a: &x {b: c}\nd: *x\n", "{a={b=c@1:11},d={b=c@1:11}}");
}

Test(yaml_document, takes_an_anchor_of_any_letters) {
    expect_tree("a: &a\u0664 b\nc: *a\u0664\n", "{a=b@1:8,c=b@1:8}");
}

Test(yaml_document, merges_beneath_what_the_mapping_has_itself) {
    expect_tree("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  y: 3\n  <<: [*a, *b]\n",
                "{a={x=1@1:11,y=1@1:17},b={y=2@2:11,z=2@2:17},c={y=3@4:6,x=1@1:11,z=2@2:17}}");
}

Test(yaml_document, takes_a_quoted_merge_key_for_an_ordinary_one) {
    expect_tree("'<<': a\n", "{<<=a@1:7}");
}

Test(yaml_document, names_both_lines_of_a_repeated_key) {
    expect_refused("a: 1\nb: 2\na: 3\n", 15, "f:3:1: the key \"a\" was given before, in line 1");
}

Test(yaml_document, refuses_what_is_not_one_document_of_text_keys) {
    static const struct text_case cases[] = {
        {"a: 1\n---\nb: 2\n", "f:2:1: a second document starts here; only one is read"},
        {"a: [1\n", "f:2:1: not YAML: flow sequence without a closing bracket"},
        {"a: b: c\n", "f:1:5: not YAML: invalid nested block mapping on the same line"},
        {"? [a]\n: b\n", "f:1:1: a key must be a text"},
        {"~: b\n", "f:1:1: a key must be a text, not null"},
        {"a: *b\n", "f:1:5: there is no anchor &b above this alias"},
        {"a: &b [*b]\n", "f:1:9: the alias *b stands inside its own anchor"},
        {"a: !secret b\n", "f:1:4: unknown tag !secret; known are !reset and !override"},
        {"<<: b\n", "f:1:5: << takes a mapping or a list of mappings, not a single value"},
        {"a: &a {}\n<<: *a\n<<: *a\n",
         "f:3:1: << was given before, in line 1; give it a list instead: <<: [*a, *b]"},
        {"a: \"\\0\"\n", "f:1:4: a text with a NUL byte in it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(cases[i].input, strlen(cases[i].input), cases[i].expected);
}

Test(yaml_document, refuses_what_is_not_utf8) {
    expect_refused("a: b\nc: \xff\n", 9, "f:2:4: not UTF-8 text");
    expect_refused("a: \xc0\x80\n", 6, "f:1:4: not UTF-8 text");
    expect_refused("a: \xe4x\n", 6, "f:1:4: not UTF-8 text");
    expect_refused("a: \xed\xa0\x80\n", 7, "f:1:4: not UTF-8 text");
    expect_refused("a\0b", 3, "f:1:2: not UTF-8 text");
}

Test(yaml_document, keeps_two_tags_of_compose) {
    struct error err = {0};
    struct yaml *root = NULL;
    const char *yaml = "a: !reset null\nb: !override [c]\n";
    cr_assert(yaml_document_parse(&arena, "f", yaml, strlen(yaml), &root, &err), "%s", err.message);
    cr_expect_eq(yaml_get(root, "a")->tag, YAML_TAG_RESET);
    cr_expect_eq(yaml_get(root, "b")->tag, YAML_TAG_OVERRIDE);
}

Test(yaml_document, bounds_aliases_of_aliases) {
    struct text bomb = {0};
    text_append(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++)
        text_appendf(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
                     i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    struct error err = {0};
    struct yaml *root = NULL;
    cr_assert_not(yaml_document_parse(&arena, "f", bomb.bytes, bomb.length, &root, &err));
    cr_expect_not_null(strstr(err.message, "more than 100000 values once aliases"));
    cr_expect_lt(arena.count, (size_t)2 * YAML_MOST_VALUES);
    text_done(&bomb);
}

Test(yaml_document, bounds_depth_also_through_aliases) {
    char *deep = memory_new(4096, 1);
    memset(deep, '[', 2000);
    expect_refused(deep, 2000, "f:1:48: nested deeper than 48");
    free(deep);
    struct text chain = {0};
    text_append(&chain, "a0: &a0 x\n");
    for (int i = 1; i < 60; i++)
        text_appendf(&chain, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    expect_refused(chain.bytes, chain.length, "f:47:13: nested deeper than 48");
    text_done(&chain);
}

Test(yaml_document, bounds_size_and_keys) {
    struct text big = {0};
    for (int i = 0; i < 3000; i++)
        text_appendf(&big, "k%d: v\n", i);
    expect_refused(big.bytes, big.length, "f:2049:1: a mapping of more than 2048 keys");
    while (big.length <= YAML_MOST_BYTES)
        text_append(&big, "# and a comment that is long enough to pass the limit soon\n");
    expect_refused(big.bytes, big.length, "f: larger than 1048576 bytes");
    text_done(&big);
}

Test(yaml_document, says_which_file_cannot_be_read) {
    struct error err = {0};
    struct yaml *root = NULL;
    cr_assert_not(yaml_document_load(&arena, "/nowhere/x.yaml", "x.yaml", &root, &err));
    cr_assert_str_eq(err.message, "x.yaml: cannot read it: No such file or directory");
}

Test(yaml_document, says_that_a_file_is_too_large_before_it_is_parsed) {
    struct error err = {0};
    struct yaml *root = NULL;
    cr_assert_not(yaml_document_load(&arena, "/dev/zero", "x.yaml", &root, &err));
    cr_assert_str_eq(err.message, "x.yaml: larger than 1048576 bytes", "got %s", err.message);
}

Test(yaml_document, a_tag_that_says_what_a_value_is_anyway_does_no_harm) {
    struct error err = {0};
    struct yaml *root = NULL;
    static const char text[] = "a: !!int 5\nb: !!seq [!!bool yes]\n";
    cr_assert(yaml_document_parse(&arena, "f", text, sizeof text - 1, &root, &err), "%s",
              err.message);
    cr_expect_str_eq(yaml_get(root, "a")->text, "5");
    cr_expect_str_eq(yaml_get(root, "b")->items[0]->text, "yes");
}
