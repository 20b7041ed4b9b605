#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct error sample(void) {
    struct error err = {0};
    error_set(&err, ERROR_ENGINE, 409, "the name %s is taken", "db");
    return err;
}

Test(error, holds_domain_code_and_message) {
    const struct error err = sample();
    cr_expect_eq(err.domain, ERROR_ENGINE);
    cr_expect_eq(err.code, 409);
    cr_expect_str_eq(err.message, "the name db is taken");
}

Test(error, setting_one_says_false) {
    struct error err;
    cr_expect_not(error_set(&err, ERROR_USAGE, 0, "x"));
    cr_expect_not(error_set_errno(&err, "x"));
    cr_expect_not(error_prefix(&err, "x"));
    cr_expect_not(error_append(&err, "x"));
}

Test(error, nobody_needs_to_want_it) {
    cr_expect_not(error_set(NULL, ERROR_USAGE, 0, "x"));
    cr_expect_not(error_set_errno(NULL, "x"));
    cr_expect_not(error_prefix(NULL, "x"));
    cr_expect_not(error_append(NULL, "x"));
    error_clear(NULL);
}

Test(error, of_the_system_tells_what_the_system_said) {
    struct error err;
    errno = ENOENT;
    error_set_errno(&err, "cannot open %s", "/no/file");
    cr_expect_eq(err.domain, ERROR_SYSTEM);
    cr_expect_eq(err.code, ENOENT);
    cr_expect_str_eq(err.message, "cannot open /no/file: No such file or directory");
}

Test(error, context_goes_in_front_and_advice_behind) {
    struct error err = sample();
    snprintf(err.reference, sizeof err.reference, "E7");
    error_prefix(&err, "service %s", "postgres");
    error_append(&err, ", try %s", "another");
    cr_expect_str_eq(err.message, "service postgres: the name db is taken, try another");
    cr_expect_eq(err.code, 409);
    cr_expect_str_eq(err.reference, "E7");
}

Test(error, may_be_composed_of_itself) {
    struct error err = sample();
    error_append(&err, " (%s)", err.message);
    cr_expect_str_eq(err.message, "the name db is taken (the name db is taken)");
    err = sample();
    error_prefix(&err, "%s", err.message);
    cr_expect_str_eq(err.message, "the name db is taken: the name db is taken");
    err = sample();
    error_set(&err, ERROR_SERVICE, 1, "it said: %s", err.message);
    cr_expect_str_eq(err.message, "it said: the name db is taken");
}

Test(error, is_cut_and_never_overrun) {
    char huge[3 * ERROR_MESSAGE_SIZE];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    struct error err;
    error_set(&err, ERROR_SERVICE, 0, "%s", huge);
    cr_expect_eq(strlen(err.message), (size_t)ERROR_MESSAGE_SIZE - 1);
    error_append(&err, "%s", huge);
    error_prefix(&err, "front");
    cr_expect_eq(strlen(err.message), (size_t)ERROR_MESSAGE_SIZE - 1);
    cr_expect_eq(strncmp(err.message, "front: xxx", 10), 0);
    error_prefix(&err, "%s", huge);
    cr_expect_eq(strlen(err.message), (size_t)ERROR_MESSAGE_SIZE - 1);
    errno = EIO;
    error_set_errno(&err, "%s", huge);
    cr_expect_eq(strlen(err.message), (size_t)ERROR_MESSAGE_SIZE - 1);
}

Test(error, set_again_forgets_the_reference_of_the_last_one) {
    struct error err = sample();
    snprintf(err.reference, sizeof err.reference, "42P01");
    error_set(&err, ERROR_SERVICE, 0, "another");
    cr_expect_str_eq(err.reference, "");
}

Test(error, every_domain_has_a_name) {
    cr_expect_str_eq(error_domain_name(ERROR_ENGINE), "engine");
    for (int domain = ERROR_NONE; domain <= ERROR_CANCELLED; domain++)
        cr_expect_str_neq(error_domain_name((enum error_domain)domain), "unknown");
    cr_expect_str_eq(error_domain_name((enum error_domain)99), "unknown");
}
