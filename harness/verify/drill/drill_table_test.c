#include "verify/drill/drill_table.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/assay-drill-table.XXXXXX";
static struct drill_table table;
static struct error problem;

static void begin(void) {
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void end(void) {
    drill_table_done(&table);
    cr_expect(file_remove_tree(folder, &problem), "%s", problem.message);
}

TestSuite(drill_table, .init = begin, .fini = end);

static bool load(const char *yaml) {
    cr_assert(file_write_atomic("table.yaml", yaml, strlen(yaml), 0600, &problem), "%s",
              problem.message);
    return drill_table_load("table.yaml", "table.yaml", &table, &problem);
}

static void expect_refused(const char *yaml, const char *message) {
    cr_expect_not(load(yaml), "%s", yaml);
    cr_expect_str_eq(problem.message, message, "%s", problem.message);
}

#define FILL "fill: [{do: SET a 1}]\n"

Test(drill_table, counts_what_is_filled_in_and_keeps_what_must_be_said) {
    cr_assert(load("fill: [{do: SET a 1}, {do: SET m%d %d, times: 2}]\n"
                   "alterations: [{do: [DEL a, DEL m1], said: two, differences: 2}]\n"),
              "%s", problem.message);
    cr_assert_eq(table.fill.count, 3);
    cr_expect_str_eq(table.fill.items[2], "SET m2 2");
    cr_assert_eq(table.count, 1);
    cr_expect_eq(table.alterations[0].statements.count, 2);
    cr_expect_str_eq(table.alterations[0].said, "two");
    cr_expect_eq(table.alterations[0].differences, 2);
}

Test(drill_table, says_where_something_is_missing) {
    expect_refused("fill: [{times: 2}]\n", "table.yaml:1:8: what is filled in needs `do`");
    expect_refused(FILL, "table.yaml:1:1: `alterations` is missing");
    expect_refused(FILL "alterations: []\n", "table.yaml:2:14: `alterations` is empty");
    expect_refused(FILL "alterations: [{do: DEL a}]\n",
                   "table.yaml:2:15: an alteration needs `do` and `said`");
    expect_refused(FILL "alterations: [{do: [], said: a}]\n",
                   "table.yaml:2:20: alterations.do: nothing is done");
}

// An empty text is part of every report.
Test(drill_table, what_must_be_said_is_not_nothing) {
    expect_refused(FILL "alterations: [{do: DEL a, said: ''}]\n",
                   "table.yaml:2:15: alterations.said: every report says that");
}
