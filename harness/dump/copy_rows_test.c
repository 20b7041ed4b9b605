#include "dump/copy_rows.h"

#include <criterion/criterion.h>
#include <string.h>

static char wrong[COPY_WRONG_SIZE];

// The rows, or -1: refused, `wrong` says why. Fed in pieces of every size with the same result.
static int read_rows(unsigned columns, const char *bytes, size_t length) {
    int first = 0;
    for (size_t piece = 1; piece <= length + 1; piece++) {
        struct copy_rows rows = {.columns = columns};
        bool good = true;
        for (size_t at = 0; good && at < length; at += piece)
            good =
                copy_rows_feed(&rows, bytes + at, length - at < piece ? length - at : piece, wrong);
        const int result = good && copy_rows_end(&rows, wrong) ? (int)rows.rows : -1;
        first = piece == 1 ? result : first;
        cr_expect_eq(result, first);
    }
    return first;
}

#define READ(columns, bytes) read_rows(columns, bytes, sizeof(bytes) - 1)

Test(copy_rows, counts_rows_to_the_terminator) {
    cr_expect_eq(READ(2, "1\ta\n2\t\\N\n\\.\n\n\n"), 2);
    cr_expect_eq(READ(1, "\n\n\\.\n"), 2);
    cr_expect_eq(READ(0, "\n\n\\.\n"), 2);
    cr_expect_eq(READ(1, "\\.\n"), 0);
    cr_expect_eq(READ(1, "\\\\.\n\\.\n"), 1);
    cr_expect_eq(READ(1, "1\r\n\\.\r\n"), 1);
}

static void expect_refused(const char *why) {
    cr_expect_not_null(strstr(wrong, why), "%s", wrong);
}

Test(copy_rows, refuses_what_no_copy_holds) {
    cr_expect_eq(READ(2, "1\ta\n2\n\\.\n"), -1);
    expect_refused("row 2 has 1 columns instead of 2");
    cr_expect_eq(READ(2, "1\ta\tb\n\\.\n"), -1);
    expect_refused("row 1 has 3 columns");
    cr_expect_eq(READ(1, "1\n2\n"), -1);
    expect_refused("after row 2");
    cr_expect_eq(READ(1, "1\n\\."), -1);
    cr_expect_eq(READ(1, "a\0b\n\\.\n"), -1);
    expect_refused("zero byte");
    cr_expect_eq(READ(1, "\\.\n\nmore\n"), -1);
    expect_refused("follow the end");
}

Test(copy_rows, takes_the_columns_from_the_statement) {
    cr_expect_eq(copy_rows_columns("COPY public.t (a, \"b,c\") FROM stdin;\n"), 2);
    cr_expect_eq(copy_rows_columns("COPY \"S c\".\"t (x\" (a) FROM stdin;\n"), 1);
    cr_expect_eq(copy_rows_columns("COPY public.t  FROM stdin;\n"), 0);
    cr_expect_eq(copy_rows_columns("SELECT 1"), 0);
}
