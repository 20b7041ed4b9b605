#include "compose/mark.h"

#include <criterion/criterion.h>

Test(mark, puts_the_place_in_front) {
    struct error err = {0};
    cr_expect_not(mark_error((struct mark){"a.yaml", 3, 5}, &err, "no %s", "good"));
    cr_expect_str_eq(err.message, "a.yaml:3:5: no good");
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_not(mark_error((struct mark){.file = "a.yaml"}, &err, "empty"));
    cr_expect_str_eq(err.message, "a.yaml: empty");
}

Test(mark, warns_of_the_same_thing_once) {
    struct string_list warnings = {0};
    const struct mark mark = {"a.yaml", 1, 2};
    mark_warning(mark, &warnings, "x");
    mark_warning(mark, &warnings, "x");
    mark_warning(mark, &warnings, "y");
    cr_expect_eq(warnings.count, 2);
    cr_expect_str_eq(warnings.items[0], "a.yaml:1:2: x");
    string_list_done(&warnings);
}

Test(mark, cuts_a_flood_of_warnings_and_says_so) {
    struct string_list warnings = {0};
    for (int i = 0; i < 1000; i++)
        mark_warning((struct mark){"a.yaml", i + 1, 1}, &warnings, "x");
    cr_expect_eq(warnings.count, 501);
    cr_expect_str_eq(warnings.items[500], "there are more warnings than these; mend these first");
    string_list_done(&warnings);
}
