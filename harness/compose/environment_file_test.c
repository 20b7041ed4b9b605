#define _GNU_SOURCE
#include "compose/environment_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct environment_file *file;
static struct environment_writer *writer;

static void prepare(void) {
    plan_test_folder();
    writer = environment_writer_new();
}

static void clear(void) {
    environment_file_free(file);
    environment_writer_free(writer);
    plan_test_leave();
}

TestSuite(environment_file, .init = prepare, .fini = clear, .timeout = 120);

static void save_and_read(void) {
    struct error err = {0};
    cr_assert(environment_writer_save(writer, "env", &err), "%s", err.message);
    environment_file_free(file);
    file = NULL;
    cr_assert(environment_file_read("env", &file, &err), "%s", err.message);
}

static void expect_refused(const char *content, const char *message) {
    struct error err = {0};
    plan_test_write("env", content);
    cr_assert_not(environment_file_read("env", &file, &err));
    cr_assert_str_eq(err.message, message, "got %s", err.message);
}

// What a value may hold: everything that a shell would act upon, and lines.
static const char nasty[] = "it's \"$HOME\" `id` \\ \n  # two;lines|&<>()* ~";

Test(environment_file, gives_back_what_was_written) {
    environment_writer_set(writer, "ASSAY_RUN", "k3v9x2m7qa");
    environment_writer_set(writer, "ASSAY_EMPTY", "");
    environment_writer_set(writer, "ASSAY_NASTY", nasty);
    environment_writer_set_of(writer, "redis-1", "HOST", "10.231.0.2");
    environment_writer_set_of(writer, "redis-1", "TOKEN_FILE", NULL);
    save_and_read();
    cr_expect_str_eq(environment_get(file, "ASSAY_RUN"), "k3v9x2m7qa");
    cr_expect_str_eq(environment_get(file, "ASSAY_EMPTY"), "");
    cr_expect_str_eq(environment_get(file, "ASSAY_NASTY"), nasty);
    cr_expect_str_eq(environment_get(file, "ASSAY_REDIS_1_HOST"), "10.231.0.2");
    cr_expect_str_eq(environment_of(file, "redis-1", "HOST"), "10.231.0.2");
    cr_expect_null(environment_of(file, "redis-1", "TOKEN_FILE"));
}

Test(environment_file, keeps_the_last_value_of_a_key) {
    environment_writer_set(writer, "ASSAY_RUN", "a");
    environment_writer_set(writer, "ASSAY_RUN", "b");
    save_and_read();
    cr_expect_str_eq(environment_get(file, "ASSAY_RUN"), "b");
}

Test(environment_file, is_for_its_owner_only) {
    struct stat status;
    save_and_read();
    cr_assert_eq(stat("env", &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
}

static int shell_status(const char *script) {
    const pid_t shell = fork();
    if (shell == 0) {
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    return waitpid(shell, &status, 0) == shell && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(environment_file, reads_the_same_in_a_shell) {
    environment_writer_set(writer, "ASSAY_NASTY", nasty);
    save_and_read();
    plan_test_write("expected", nasty);
    cr_expect_eq(shell_status("set -a; . ./env; printf %s \"$ASSAY_NASTY\" | cmp - expected"), 0);
}

Test(environment_file, skips_comments_and_empty_lines) {
    struct error err = {0};
    plan_test_write("env", "# by assay\n\nASSAY_RUN=a\nASSAY_LINES='a\nb'");
    cr_assert(environment_file_read("env", &file, &err), "%s", err.message);
    cr_expect_str_eq(environment_get(file, "ASSAY_RUN"), "a");
    cr_expect_str_eq(environment_get(file, "ASSAY_LINES"), "a\nb");
}

Test(environment_file, names_the_line_of_a_mistake) {
    expect_refused("ASSAY_RUN=a\nnonsense\n", "env:2:1: expected KEY=VALUE");
    expect_refused("ASSAY_RUN='a\nb'\nB\n", "env:3:1: expected KEY=VALUE");
    expect_refused("ASSAY_RUN='a\n", "env:1:1: a quote is never closed");
    expect_refused("1A=a\n", "env:1:1: expected KEY=VALUE");
}

Test(environment_file, says_that_there_is_none) {
    struct error err = {0};
    cr_assert_not(environment_file_read("none", &file, &err));
    cr_expect_eq(err.domain, ERROR_SYSTEM);
    cr_expect_str_eq(err.message, "cannot open none: No such file or directory");
}

Test(environment_file, refuses_a_file_with_a_zero_byte) {
    struct error err = {0};
    cr_assert(file_write_atomic("env", "A='\0'\n", 6, 0600, &err), "%s", err.message);
    cr_assert_not(environment_file_read("env", &file, &err));
    cr_assert_str_eq(err.message, "env:1:1: holds a NUL byte", "got %s", err.message);
}

Test(environment_file, does_not_write_what_could_not_be_read) {
    const size_t size = (size_t)4 * 1024 * 1024 + 1;
    char *large = memory_new(size + 1, 1);
    memset(large, 'x', size);
    environment_writer_set(writer, "ASSAY_LARGE", large);
    free(large);
    struct error err = {0};
    cr_assert_not(environment_writer_save(writer, "env", &err));
    cr_assert_str_eq(err.message, "env would be larger than 4194304 bytes", "got %s", err.message);
    cr_assert_not(file_exists("env"));
}
