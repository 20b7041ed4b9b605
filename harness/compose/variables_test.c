#define _GNU_SOURCE
#include "compose/variables.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(variables, asks_the_process_then_the_outer_scope_then_its_own) {
    struct variables outer = {0};
    struct variables own = {.outer = &outer};
    variables_set(&own, "ASSAY_TEST_X", "own");
    cr_expect_str_eq(variables_get(&own, "ASSAY_TEST_X"), "own");
    variables_set(&outer, "ASSAY_TEST_X", "outer");
    cr_expect_str_eq(variables_get(&own, "ASSAY_TEST_X"), "outer");
    setenv("ASSAY_TEST_X", "process", 1);
    cr_expect_str_eq(variables_get(&own, "ASSAY_TEST_X"), "process");
    own.own_first = true;
    cr_expect_str_eq(variables_get(&own, "ASSAY_TEST_X"), "own");
    cr_expect_null(variables_get(&own, "ASSAY_TEST_Y"));
    variables_done(&own);
    variables_done(&outer);
}

Test(variables, keeps_the_last_value_of_a_name) {
    struct variables own = {.closed = true};
    variables_set(&own, "PATH", "a");
    variables_set(&own, "PATH", "b");
    cr_expect_eq(own.names.count, 1);
    cr_expect_str_eq(variables_get(&own, "PATH"), "b");
    variables_done(&own);
}
