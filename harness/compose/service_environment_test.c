#define _GNU_SOURCE
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(service_environment, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

Test(service_environment, takes_a_list_or_a_mapping) {
    expect_config(SERVICE("environment: [A=1, 'B=x=y', C=]"),
                  "{\"Env\": [\"A=1\", \"B=x=y\", \"C=\"]}");
    expect_config(SERVICE("environment: {A: 1, B: true, C: ''}"),
                  "{\"Env\": [\"A=1\", \"B=true\", \"C=\"]}");
}

Test(service_environment, takes_a_name_alone_from_around_it) {
    setenv("ASSAY_TEST_SET", "here", 1);
    expect_config(SERVICE("environment: [ASSAY_TEST_SET, ASSAY_TEST_NONE]"),
                  "{\"Env\": [\"ASSAY_TEST_SET=here\", \"ASSAY_TEST_NONE\"]}");
    expect_config(SERVICE("environment: {ASSAY_TEST_SET: , ASSAY_TEST_NONE: }"),
                  "{\"Env\": [\"ASSAY_TEST_SET=here\", \"ASSAY_TEST_NONE\"]}");
}

Test(service_environment, puts_its_own_values_over_those_of_files) {
    plan_test_write("a.env", "A=a\nB=a\n");
    plan_test_write("sub/b.env", "B=b\nC=b\n");
    expect_config(SERVICE("env_file: [a.env, ./sub/b.env]\n    environment: {C: own}"),
                  "{\"Env\": [\"A=a\", \"B=b\", \"C=own\"]}");
    expect_config(SERVICE("env_file: a.env"), "{\"Env\": [\"A=a\", \"B=a\"]}");
}

Test(service_environment, reads_a_file_raw_when_told) {
    plan_test_write("a.env", "A='$X'\n");
    expect_config(SERVICE("env_file: [{path: a.env, format: raw}]"), "{\"Env\": [\"A='$X'\"]}");
    expect_config(SERVICE("env_file: a.env"), "{\"Env\": [\"A=$X\"]}");
}

Test(service_environment, fills_in_a_file_from_the_service) {
    plan_test_write("a.env", "A=${OWN}\n");
    expect_config(SERVICE("env_file: a.env\n    environment: {OWN: x}"),
                  "{\"Env\": [\"A=x\", \"OWN=x\"]}");
}

Test(service_environment, misses_a_file_only_when_it_is_required) {
    expect_config(SERVICE("env_file: [{path: none.env, required: false}]"), "{\"Env\": null}");
    struct error err = {0};
    struct plan *plan = NULL;
    plan_test_write("compose.yaml", SERVICE("env_file: /nowhere/none.env"));
    cr_assert_not(plan_load(&(const struct plan_options){0}, &plan, &err));
    cr_assert_str_eq(err.message, "compose.yaml:4:15: services.s.env_file: there is no file "
                                  "/nowhere/none.env");
}

Test(service_environment, says_who_named_a_broken_file) {
    plan_test_write("/tmp/assay-test-broken.env", "A=1\n=2\n");
    expect_error(SERVICE("env_file: /tmp/assay-test-broken.env"),
                 "/tmp/assay-test-broken.env:2:1: expected a variable's name (named by "
                 "services.s.env_file in compose.yaml:4:15)");
    unlink("/tmp/assay-test-broken.env");
}

Test(service_environment, refuses_a_value_that_is_no_text) {
    setenv("ASSAY_TEST_BYTES", "\xff", 1);
    expect_error(
        SERVICE("environment: [ASSAY_TEST_BYTES]"),
        "compose.yaml:4:19: services.s.environment: the value of ASSAY_TEST_BYTES is not UTF-8 "
        "text");
}

Test(service_environment, says_what_is_wrong_and_where) {
    expect_error(SERVICE("environment: a"),
                 "compose.yaml:4:18: services.s.environment: expected a list or a mapping, found a "
                 "single value");
    expect_error(
        SERVICE("environment: {A: [1]}"),
        "compose.yaml:4:22: services.s.environment: expected a single value, found a list");
    expect_error(SERVICE("environment: [{A: 1}]"),
                 "compose.yaml:4:19: services.s.environment[0]: expected a single value, found a "
                 "mapping");
    plan_test_write("a.env", "A=1\n");
    expect_error(SERVICE("env_file: [{path: a.env, format: json}]"),
                 "compose.yaml:4:38: services.s.env_file: unknown format \"json\"; known is raw");
    expect_error(SERVICE("env_file: [{format: raw}]"),
                 "compose.yaml:4:16: services.s.env_file: path is missing");
}
