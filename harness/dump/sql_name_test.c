#include "dump/sql_name.h"

#include <criterion/criterion.h>

static void expect(const char *sql, const char *name, const char *rest) {
    struct text text = {0};
    const char *after = sql_name_read(sql, &text);
    if (name == NULL)
        cr_expect_null(after, "%s", sql);
    else {
        cr_expect_str_eq(text_string(&text), name);
        cr_expect_str_eq(after, rest);
    }
    text_done(&text);
}

Test(sql_name, reads_plain_and_quoted_names) {
    expect("public.orders (a)", "public.orders", " (a)");
    expect("\"Odd \"\"one\"\"\".\"a.b\" FROM", "Odd \"one\".a.b", " FROM");
    expect("`a``b`;", "a`b", ";");
    expect("\"open", NULL, NULL);
    expect("", NULL, NULL);
    expect("a.", NULL, NULL);
}

Test(sql_name, counts_the_names_of_a_list) {
    cr_expect_eq(sql_name_count("(a)"), 1);
    cr_expect_eq(sql_name_count("(\"a,b\", \"c\"\"d\", e) FROM"), 3);
    cr_expect_eq(sql_name_count(" FROM stdin"), 0);
    cr_expect_eq(sql_name_count("(a, b"), 0);
    cr_expect_eq(sql_name_count("()"), 0);
    cr_expect_eq(sql_name_count(""), 0);
}
