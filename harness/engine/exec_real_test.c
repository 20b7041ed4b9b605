#include "engine/exec.h"

#include "base/memory.h"
#include "engine/real_fixture.h"

#include <string.h>

REAL_SUITE(exec_real);

Test(exec_real, keeps_the_two_outputs_of_a_command_apart) {
    const char *const argv[] = {"sh", "-c", "echo out; echo bad >&2; exit 5", NULL};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &(struct exec_options){.argv = argv}, &result,
                  &test.err));
    cr_expect_eq(result.exit_status, 5);
    cr_expect_str_eq(result.output.bytes, "out\n");
    cr_expect_str_eq(result.errors.bytes, "bad\n");
    exec_result_done(&result);
}

Test(exec_real, runs_a_command_as_another_user_elsewhere_with_its_environment) {
    const char *const argv[] = {"sh", "-c", "id -un; pwd; echo $FRUIT", NULL};
    const char *const environment[] = {"FRUIT=pear tree", NULL};
    const struct exec_options options = {
        .argv = argv, .user = "nobody", .working_folder = "/var/tmp", .environment = environment};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_str_eq(result.output.bytes, "nobody\n/var/tmp\npear tree\n");
    exec_result_done(&result);
}

Test(exec_real, sends_a_mebibyte_through_cat_unaltered) {
    char *input = memory_new(MEBIBYTE, 1);
    for (size_t i = 0; i < MEBIBYTE; i++)
        input[i] = (char)(i * 2654435761u >> 13); // every byte value, no short period
    const char *const argv[] = {"cat", NULL};
    const struct exec_options options = {
        .argv = argv, .input = input, .input_length = MEBIBYTE, .output_limit = 2 * MEBIBYTE};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_eq(result.exit_status, 0);
    cr_assert_eq(result.output.length, MEBIBYTE);
    cr_expect(memcmp(result.output.bytes, input, MEBIBYTE) == 0);
    exec_result_done(&result);
    free(input);
}

Test(exec_real, ends_the_input_of_a_command) {
    const char *const argv[] = {"sh", "-c", "wc -c; exit 4", NULL};
    const struct exec_options options = {.argv = argv, .input = "12345", .input_length = 5};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_eq(result.exit_status, 4);
    cr_expect_str_eq(result.output.bytes, "5\n");
    exec_result_done(&result);
}

Test(exec_real, does_not_mind_a_command_that_ignores_its_input) {
    char *input = memory_new(4 * MEBIBYTE, 1);
    const char *const argv[] = {"sh", "-c", "exit 6", NULL};
    const struct exec_options options = {
        .argv = argv, .input = input, .input_length = 4 * MEBIBYTE};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_eq(result.exit_status, 6);
    exec_result_done(&result);
    free(input);
}

Test(exec_real, reports_a_command_that_does_not_exist) {
    const char *const argv[] = {"/no/such/command", NULL};
    struct exec_result result = {0};
    must(exec_run(test.engine, start_idle(), &(struct exec_options){.argv = argv}, &result,
                  &test.err));
    cr_expect(result.exit_status == 126 || result.exit_status == 127);
    cr_expect(strstr(text_string(&result.output), "no such file") != NULL);
    exec_result_done(&result);
}

Test(exec_real, bounds_the_output_of_a_command) {
    const char *const argv[] = {"sh", "-c", "seq 1 100000", NULL};
    const struct exec_options options = {.argv = argv, .output_limit = 10};
    struct exec_result result;
    must(exec_run(test.engine, start_idle(), &options, &result, &test.err));
    cr_expect_str_eq(result.output.bytes, "1\n2\n3\n4\n5\n");
    cr_expect(result.output.overflowed);
    exec_result_done(&result);
}

Test(exec_real, gives_up_on_a_command_that_takes_too_long) {
    const char *const argv[] = {"sleep", "30", NULL};
    const struct exec_options plain = {.argv = argv, .timeout_ms = 300};
    const struct exec_options fed = {
        .argv = argv, .timeout_ms = 300, .input = "", .input_length = 0};
    const char *id = start_idle();
    struct exec_result result;
    cr_assert(!exec_run(test.engine, id, &plain, &result, &test.err));
    cr_expect_eq(test.err.domain, ERROR_TIMEOUT);
    cr_assert(!exec_run(test.engine, id, &fed, &result, &test.err));
    cr_expect_eq(test.err.domain, ERROR_TIMEOUT);
}

Test(exec_real, refuses_to_run_a_command_in_a_stopped_container) {
    const char *id = create("true", NULL);
    const char *const argv[] = {"true", NULL};
    struct exec_result result;
    cr_assert(!exec_run(test.engine, id, &(struct exec_options){.argv = argv}, &result, &test.err));
    cr_expect_eq(test.err.code, 409);
    cr_expect(strstr(test.err.message, "is not running") != NULL);
}
