#include "compose/suggestion.h"

#include <criterion/criterion.h>

static const char *const names[] = {"environment", "env_file", "ports", "image", NULL};

Test(suggestion, finds_the_name_that_was_meant) {
    cr_expect_str_eq(suggestion_of("enviroment", names), "environment");
    cr_expect_str_eq(suggestion_of("prots", names), "ports", "neighbours swapped");
    cr_expect_str_eq(suggestion_of("Image", names), "image");
}

Test(suggestion, says_nothing_when_nothing_is_near) {
    cr_expect_null(suggestion_of("volumes", names));
    cr_expect_null(suggestion_of("", names));
    cr_expect_null(suggestion_of(
        "a_name_that_is_longer_than_any_that_was_ever_meant_to_be_typed_by_hand", names));
}
