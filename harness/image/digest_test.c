#define _GNU_SOURCE
#include "image/digest.h"
#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(digest, .init = ground_set_up, .fini = ground_tear_down);

static char *digest_of(const char *folder) {
    struct digest digest;
    struct error err = {0};
    char *hex = calloc(1, DIGEST_HEX_SIZE);
    digest_init(&digest);
    cr_assert(digest_add_folder(&digest, folder, &err), "%s", err.message);
    digest_end(&digest, hex);
    return hex;
}

static char *some_folder(const char *name) {
    char path[100];
    snprintf(path, sizeof path, "%s/Dockerfile", name);
    free(ground_file(path, "FROM x\n", 0644));
    snprintf(path, sizeof path, "%s/src/run", name);
    free(ground_file(path, "true\n", 0755));
    return ground_path(name);
}

Test(digest, is_the_same_for_every_checkout) {
    char *mine = some_folder("mine");
    char *theirs = some_folder("theirs");
    char *theirs_run = ground_path("theirs/src/run");
    char *theirs_file = ground_path("theirs/Dockerfile");
    cr_assert(chmod(theirs_run, 0700) == 0 && chmod(theirs_file, 0600) == 0);
    char *empty = ground_path("theirs/empty");
    cr_assert(mkdir(empty, 0700) == 0);
    cr_expect_str_eq(digest_of(mine), digest_of(theirs));
}

Test(digest, sees_an_edit_a_rename_and_an_executable_bit) {
    char *folder = some_folder("folder");
    char *before = digest_of(folder);
    char *file = ground_file("folder/Dockerfile", "FROM y\n", 0644);
    char *edited = digest_of(folder);
    cr_expect_str_neq(before, edited);
    cr_assert(chmod(file, 0755) == 0);
    char *executable = digest_of(folder);
    cr_expect_str_neq(edited, executable);
    char *renamed = ground_path("folder/dockerfile");
    cr_assert(rename(file, renamed) == 0);
    cr_expect_str_neq(executable, digest_of(folder));
}

Test(digest, sees_where_a_symbolic_link_points_and_does_not_follow_it) {
    char *folder = some_folder("folder");
    char *link = ground_path("folder/link");
    cr_assert(symlink("/nowhere", link) == 0);
    char *before = digest_of(folder);
    cr_assert(unlink(link) == 0 && symlink("/elsewhere", link) == 0);
    cr_expect_str_neq(before, digest_of(folder));
}

Test(digest, refuses_a_pipe_and_names_it) {
    char *folder = some_folder("folder");
    char *pipe = ground_path("folder/pipe");
    cr_assert(mkfifo(pipe, 0600) == 0);
    struct digest digest;
    struct error err = {0};
    digest_init(&digest);
    cr_expect_not(digest_add_folder(&digest, folder, &err));
    cr_expect_not_null(strstr(err.message, "folder/pipe"), "%s", err.message);
}

static void digest_pair(const char *name, const char *value, char ret_hex[DIGEST_HEX_SIZE]) {
    struct digest digest;
    digest_init(&digest);
    digest_add_string(&digest, name, value);
    digest_end(&digest, ret_hex);
}

Test(digest, never_reads_two_different_inputs_alike) {
    char hex[4][DIGEST_HEX_SIZE];
    digest_pair("ab", "c", hex[0]);
    digest_pair("a", "bc", hex[1]);
    digest_pair("a", "", hex[2]);
    digest_pair("a", NULL, hex[3]);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = i + 1; j < 4; j++)
            cr_expect_str_neq(hex[i], hex[j], "%zu and %zu", i, j);
}
