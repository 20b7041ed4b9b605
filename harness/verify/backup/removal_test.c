#define _GNU_SOURCE
#include "verify/backup/removal.h"

#include "base/file.h"
#include "verify/backup/history_sample.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int root = -1;
static struct error err;
static struct string_list left;

static void make(const char *path) {
    cr_assert(folder_make(sample_path(path), 0755, &err), "%s", err.message);
}

static void open_root(void) {
    make("root");
    make("other");
    sample_write("other/precious", "precious");
    root = open(sample_path("root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(root, 0);
}

static void close_root(void) {
    close(root);
    string_list_done(&left);
    sample_done();
}

TestSuite(removal, .init = open_root, .fini = close_root);

Test(removal, takes_a_folder_with_all_that_is_in_it) {
    make("root/a/b/c");
    make("root/kept");
    sample_write("root/a/one", "1");
    sample_write("root/a/b/c/two", "2");
    cr_assert(removal_of(root, "a", &err), "%s", err.message);
    cr_expect_not(file_exists(sample_path("root/a")));
    cr_expect(file_exists(sample_path("root/kept")));
    cr_assert(removal_left(root, &left, &err), "%s", err.message);
    cr_expect_eq(left.count, 0);
}

Test(removal, takes_a_file) {
    sample_write("root/a.sql.gz", "1");
    cr_assert(removal_of(root, "a.sql.gz", &err), "%s", err.message);
    cr_expect_not(file_exists(sample_path("root/a.sql.gz")));
}

Test(removal, removes_links_and_not_what_they_point_to) {
    make("root/a");
    cr_assert_eq(symlink("../../other", sample_path("root/a/folder")), 0);
    cr_assert_eq(symlink("../../other/precious", sample_path("root/a/file")), 0);
    cr_assert(removal_of(root, "a", &err), "%s", err.message);
    cr_expect_str_eq(sample_text("other/precious"), "precious");
    cr_expect_not(file_exists(sample_path("root/a")));
}

Test(removal, refuses_a_link_itself) {
    cr_assert_eq(symlink("../other", sample_path("root/a")), 0);
    cr_assert_not(removal_of(root, "a", &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(err.message, "a: neither a folder nor"), "%s", err.message);
    cr_expect_str_eq(sample_text("other/precious"), "precious");
    cr_expect(file_exists(sample_path("root/a")));
}

Test(removal, never_leaves_its_folder) {
    make("root/a");
    const char *const names[] = {"", ".", "..", "../other", "a/../../other", "/tmp", "a/"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_expect_not(removal_of(root, names[i], &err), "%s", names[i]);
        cr_expect_eq(err.domain, ERROR_USAGE, "%s: %s", names[i], err.message);
    }
    cr_expect_str_eq(sample_text("other/precious"), "precious");
    cr_expect(file_exists(sample_path("root/a")));
}

Test(removal, of_what_is_not_there_is_an_error) {
    cr_assert_not(removal_of(root, "a", &err));
    cr_expect_eq(err.code, ENOENT);
    cr_expect_eq(strncmp(err.message, "a: ", 3), 0, "%s", err.message);
}

// Too deep is what can fail for root too.
Test(removal, that_fails_halfway_is_hidden_and_names_the_place) {
    char path[8 + 2 * REMOVAL_DEPTH + 8] = "root/a";
    for (int i = 0; i < REMOVAL_DEPTH; i++)
        strncat(path, "/d", sizeof path - strlen(path) - 1);
    make(path);
    cr_assert_not(removal_of(root, "a", &err));
    cr_expect_not_null(strstr(err.message, REMOVAL_PREFIX "a: d: d: "), "%s", err.message);
    cr_expect_not(file_exists(sample_path("root/a")));
    cr_assert(removal_left(root, &left, &err), "%s", err.message);
    cr_assert_eq(left.count, 1);
    cr_expect_str_eq(left.items[0], REMOVAL_PREFIX "a");
}

Test(removal, finishes_what_a_kill_left) {
    make("root/" REMOVAL_PREFIX "a/b");
    sample_write("root/" REMOVAL_PREFIX "a/b/one", "1");
    sample_write("root/..other", "kept");
    make("root/a");
    cr_assert(removal_finish(root, &err), "%s", err.message);
    cr_assert(removal_left(root, &left, &err), "%s", err.message);
    cr_expect_eq(left.count, 0);
    cr_expect(file_exists(sample_path("root/..other")));
    cr_expect(file_exists(sample_path("root/a")));
}

Test(removal, hides_under_a_shortened_name_what_has_the_longest) {
    char name[256];
    memset(name, 'a', 255);
    name[255] = '\0';
    cr_assert_eq(mkdirat(root, name, 0755), 0);
    cr_assert(removal_of(root, name, &err), "%s", err.message);
}

Test(removal, counts_the_bytes_of_files_and_not_of_what_links_point_to) {
    uint64_t bytes = 0;
    bool is_backup = false;
    make("root/a/b");
    sample_write("root/a/one", "12345");
    sample_write("root/a/b/two", "678");
    cr_assert_eq(symlink("../../other/precious", sample_path("root/a/link")), 0);
    cr_assert(removal_size(root, "a", &bytes, &is_backup, &err), "%s", err.message);
    cr_expect_eq(bytes, 8);
    cr_expect(is_backup);
    cr_assert_eq(symlink("a", sample_path("root/latest")), 0);
    cr_assert(removal_size(root, "latest", &bytes, &is_backup, &err), "%s", err.message);
    cr_expect_not(is_backup);
    cr_expect_eq(bytes, 0);
}
