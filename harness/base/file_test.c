#define _GNU_SOURCE
#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char folder[64];
    char *path;
    char *bytes;
} held;

static void hold(void) {
    snprintf(held.folder, sizeof held.folder, "/tmp/assay-file-XXXXXX");
    cr_assert_not_null(mkdtemp(held.folder));
    held.path = path_join(held.folder, "file");
}

static void release(void) {
    cr_expect(file_remove_tree(held.folder, NULL));
    free(held.path);
    free(held.bytes);
}

TestSuite(file, .init = hold, .fini = release);

static size_t entries(void) {
    size_t count = 0;
    DIR *folder = opendir(held.folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    return count;
}

static mode_t mode_of(const char *path) {
    struct stat status;
    cr_assert_eq(lstat(path, &status), 0, "%s", path);
    return status.st_mode & 07777;
}

static void write_file(const char *content) {
    struct error err;
    cr_assert(file_write_atomic(held.path, content, strlen(content), 0640, &err), "%s",
              err.message);
}

Test(file, what_is_written_can_be_read) {
    const char content[] = "one\0two\n";
    struct error err;
    cr_assert(file_write_atomic(held.path, content, sizeof content, 0600, &err), "%s", err.message);
    size_t length = 0;
    cr_assert(file_read(held.path, 100, &held.bytes, &length, &err), "%s", err.message);
    cr_expect_eq(length, sizeof content);
    cr_expect_arr_eq(held.bytes, content, sizeof content);
}

Test(file, empty_is_an_empty_string) {
    write_file("");
    size_t length = 1;
    cr_assert(file_read(held.path, 0, &held.bytes, &length, NULL));
    cr_expect_eq(length, 0);
    cr_expect_str_eq(held.bytes, "");
}

Test(file, of_a_megabyte_is_read_whole) {
    char *huge = memory_new((1 << 20) + 1, 1);
    memset(huge, 'x', 1 << 20);
    write_file(huge);
    cr_assert(file_read(held.path, 1 << 20, &held.bytes, NULL, NULL));
    cr_expect_str_eq(held.bytes, huge);
    free(huge);
}

Test(file, larger_than_the_limit_is_an_error) {
    write_file("12345");
    struct error err = {0};
    cr_expect(file_read(held.path, 5, &held.bytes, NULL, &err));
    free(held.bytes);
    held.bytes = NULL;
    cr_expect_not(file_read(held.path, 4, &held.bytes, NULL, &err));
    cr_expect_eq(err.code, EFBIG);
    cr_expect_null(held.bytes);
}

Test(file, that_is_not_there_is_an_error_that_names_it) {
    struct error err = {0};
    cr_expect_not(file_read(held.path, 4, &held.bytes, NULL, &err));
    cr_expect_eq(err.code, ENOENT);
    cr_expect(strstr(err.message, held.path) != NULL, "%s", err.message);
    cr_expect_not(file_exists(held.path));
}

Test(file, folder_cannot_be_read_as_one) {
    struct error err = {0};
    cr_expect_not(file_read(held.folder, 4, &held.bytes, NULL, &err));
    cr_expect_eq(err.code, EISDIR);
}

Test(file, is_replaced_whole_with_the_mode_asked_for) {
    umask(077);
    write_file("old and longer");
    write_file("new");
    cr_assert(file_read(held.path, 100, &held.bytes, NULL, NULL));
    cr_expect_str_eq(held.bytes, "new");
    cr_expect_eq(mode_of(held.path), (mode_t)0640);
    cr_expect_eq(entries(), 1);
}

Test(file, is_not_written_through_a_link) {
    char *target = path_join(held.folder, "target");
    cr_assert_eq(symlink(target, held.path), 0);
    write_file("new");
    cr_expect_not(file_exists(target));
    free(target);
}

Test(file, old_one_stays_when_the_disk_is_full) {
    write_file("old");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 2, .rlim_max = before.rlim_max});
    struct error err = {0};
    const bool written = file_write_atomic(held.path, "newer", 5, 0640, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    cr_expect_not(written);
    cr_expect_eq(err.code, EFBIG, "%s", err.message);
    cr_assert(file_read(held.path, 100, &held.bytes, NULL, NULL));
    cr_expect_str_eq(held.bytes, "old");
    cr_expect_eq(entries(), 1, "a temporary file is left");
}

Test(file, cannot_take_the_place_of_a_folder) {
    cr_assert(folder_make(held.path, 0700, NULL));
    struct error err = {0};
    cr_expect_not(file_write_atomic(held.path, "x", 1, 0600, &err));
    cr_expect_eq(err.code, EISDIR);
    cr_expect_eq(entries(), 1, "a temporary file is left");
}

Test(file, in_a_folder_that_is_not_there_is_an_error_that_names_it) {
    struct error err = {0};
    cr_expect_not(file_write_atomic("/no/folder/file", "x", 1, 0600, &err));
    cr_expect_eq(err.code, ENOENT);
    cr_expect(strstr(err.message, "/no/folder/file") != NULL, "%s", err.message);
}

Test(file, folder_is_made_with_its_parents_and_its_mode) {
    umask(022);
    char *deep = path_join(held.folder, "a/b//c/"); // the mode is the last part's, slash or not
    struct error err = {0};
    cr_expect(folder_make(deep, 0700, &err), "%s", err.message);
    cr_expect_eq(mode_of(deep), (mode_t)0700);
    cr_expect(folder_make(deep, 0700, &err), "it is there already: %s", err.message);
    free(deep);
    char *parent = path_join(held.folder, "a");
    cr_expect_eq(mode_of(parent), (mode_t)0755);
    free(parent);
    cr_expect(folder_make("/", 0700, &err), "%s", err.message);
}

Test(file, folder_cannot_be_made_of_nothing_or_in_the_place_of_a_file) {
    struct error err = {0};
    cr_expect_not(folder_make("", 0700, &err));
    cr_expect_eq(err.code, ENOENT);
    write_file("x");
    cr_expect_not(folder_make(held.path, 0700, &err));
    cr_expect_eq(err.code, ENOTDIR);
    char *below = path_join(held.path, "below");
    cr_expect_not(folder_make(below, 0700, &err));
    cr_expect_eq(err.code, ENOTDIR);
    free(below);
}

Test(file, tree_is_removed_and_links_are_not_followed) {
    char *inner = path_join(held.folder, "outside/kept");
    char *tree = path_join(held.folder, "tree");
    char *deep = path_join(tree, "a/b/c");
    char *link = path_join(tree, "a/link");
    char *outside = path_join(held.folder, "outside");
    cr_assert(folder_make(deep, 0755, NULL));
    cr_assert(folder_make(outside, 0755, NULL));
    cr_assert(file_write_atomic(inner, "x", 1, 0600, NULL));
    cr_assert_eq(symlink(outside, link), 0);
    struct error err = {0};
    cr_expect(file_remove_tree(tree, &err), "%s", err.message);
    cr_expect_not(file_exists(tree));
    cr_expect(file_exists(inner));
    free(inner);
    free(tree);
    free(deep);
    free(link);
    free(outside);
}

Test(file, tree_that_is_absent_or_a_file_or_a_dangling_link_is_removed_too) {
    struct error err = {0};
    cr_expect(file_remove_tree(held.path, &err), "%s", err.message);
    write_file("x");
    cr_expect(file_remove_tree(held.path, &err), "%s", err.message);
    cr_assert_eq(symlink("/no/where", held.path), 0);
    cr_expect(file_remove_tree(held.path, &err), "%s", err.message);
    cr_expect_eq(entries(), 0);
}

// Names that nobody has: a test of this must do no harm when it fails.
Test(file, tree_at_the_top_of_the_file_system_is_never_removed) {
    static const char *const paths[] = {"/assay-no-such-folder", "//assay-no-such-folder",
                                        "/assay-no-such-folder/", "/assay-no-such-folder//", ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct error err = {0};
        cr_expect_not(file_remove_tree(paths[i], &err), "%s", paths[i]);
        cr_expect_eq(err.code, EPERM, "%s: %s", paths[i], err.message);
    }
    cr_expect(file_remove_tree("/assay-no-such-folder/below", NULL));
}

Test(file, paths_are_joined_with_one_slash) {
    const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"a", "/b", "/b"}, {"", "b", "b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *joined = path_join(cases[i][0], cases[i][1]);
        cr_expect_str_eq(joined, cases[i][2]);
        free(joined);
    }
}

Test(file, of_a_folder_are_listed_by_name_and_a_folder_that_is_none_is_an_error) {
    struct error err = {0};
    struct string_list names = {0};
    write_file("x");
    cr_assert(folder_list(held.folder, &names, &err), "%s", err.message);
    cr_assert_eq(names.count, 1);
    cr_assert_str_eq(names.items[0], "file");
    string_list_done(&names);

    cr_assert_not(folder_list(held.path, &names, &err));
    cr_assert_eq(err.code, ENOTDIR);
}

// A link that leads to itself stands for all that is there and cannot be looked at.
Test(file, that_cannot_be_looked_at_counts_as_there) {
    cr_assert_not(file_exists(held.path));
    cr_assert_eq(symlink("file", held.path), 0);
    cr_assert(file_exists(held.path));
    struct error err = {0};
    cr_assert_not(file_read(held.path, 100, &held.bytes, NULL, &err));
    cr_assert_eq(err.code, ELOOP);
}
