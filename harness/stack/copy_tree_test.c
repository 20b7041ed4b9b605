#define _GNU_SOURCE
#include "stack/copy_tree.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static struct error problem;

static void open_folder(void) {
    strncpy(folder, "/tmp/assay-copy-tree-XXXXXX", sizeof folder - 1);
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    cr_assert_eq(mkdir("from", 0755), 0);
}

static void close_folder(void) {
    (void)!(chdir("/") == 0 && file_remove_tree(folder, NULL));
}

TestSuite(copy_tree, .init = open_folder, .fini = close_folder, .timeout = 120);

static void write_file(const char *path, const char *content, mode_t mode) {
    cr_assert(file_write_atomic(path, content, strlen(content), mode, &problem), "%s",
              problem.message);
    cr_assert_eq(chmod(path, mode), 0);
}

static void copy(void) {
    cr_assert(copy_tree("from", "to", &problem), "%s", problem.message);
}

static void assert_content(const char *path, const char *content) {
    char *bytes = NULL;
    size_t length = 0;
    cr_assert(file_read(path, 1 << 20, &bytes, &length, &problem), "%s", problem.message);
    cr_assert_str_eq(bytes, content);
    free(bytes);
}

static struct stat status_of(const char *path) {
    struct stat status;
    cr_assert_eq(lstat(path, &status), 0, "%s", path);
    return status;
}

Test(copy_tree, copies_a_file_with_its_content_and_mode) {
    write_file("from/script", "#!/bin/sh\n", 0751);
    cr_assert(copy_tree("from/script", "to", &problem), "%s", problem.message);
    assert_content("to", "#!/bin/sh\n");
    cr_assert_eq(status_of("to").st_mode & 07777, 0751);
}

Test(copy_tree, copies_folders_in_folders_with_modes_that_nobody_may_write_to) {
    cr_assert_eq(mkdir("from/deep", 0755), 0);
    write_file("from/deep/read_only", "x", 0444);
    write_file("from/empty", "", 0600);
    cr_assert_eq(chmod("from/deep", 0555), 0);
    copy();
    assert_content("to/deep/read_only", "x");
    assert_content("to/empty", "");
    cr_assert_eq(status_of("to/deep").st_mode & 07777, 0555);
    cr_assert_eq(status_of("to/deep/read_only").st_mode & 07777, 0444);
}

Test(copy_tree, keeps_owners_when_it_may) {
    if (geteuid() != 0)
        cr_skip_test("only root can give a file away");
    write_file("from/theirs", "x", 04755);
    cr_assert_eq(chown("from/theirs", 1234, 4321), 0);
    cr_assert_eq(chmod("from/theirs", 04755), 0);
    copy();
    cr_assert_eq(status_of("to/theirs").st_uid, 1234);
    cr_assert_eq(status_of("to/theirs").st_gid, 4321);
    cr_assert_eq(status_of("to/theirs").st_mode & 07777, 04755);
}

Test(copy_tree, copies_links_as_links_and_follows_none) {
    cr_assert_eq(symlink("/etc/passwd", "from/out"), 0);
    cr_assert_eq(symlink("nowhere", "from/dangling"), 0);
    copy();
    cr_assert(S_ISLNK(status_of("to/out").st_mode));
    cr_assert(S_ISLNK(status_of("to/dangling").st_mode));
}

Test(copy_tree, follows_the_link_that_the_mount_itself_is) {
    write_file("from/a", "x", 0600);
    cr_assert_eq(symlink("from", "alias"), 0);
    cr_assert(copy_tree("alias", "to", &problem), "%s", problem.message);
    assert_content("to/a", "x");
}

Test(copy_tree, leaves_out_what_is_neither_file_nor_folder_nor_link) {
    cr_assert_eq(mkfifo("from/fifo", 0600), 0); // opening it would wait forever
    write_file("from/a", "x", 0600);
    copy();
    cr_assert(file_exists("to/a"));
    cr_assert_not(file_exists("to/fifo"));
}

Test(copy_tree, refuses_more_than_its_limit_before_it_copies_it) {
    const int sparse = open("from/huge", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_eq(ftruncate(sparse, COPY_TREE_LIMIT + 1), 0);
    close(sparse);
    cr_assert_not(copy_tree("from", "to", &problem));
    cr_assert_eq(problem.domain, ERROR_CONFIGURATION);
    cr_assert_not_null(strstr(problem.message, "/from/huge is too large to copy"), "%s",
                       problem.message);
    cr_assert_not(file_exists("to/huge"));
}

Test(copy_tree, counts_all_files_against_its_limit) {
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "from/%d", i);
        const int sparse = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        cr_assert_eq(ftruncate(sparse, i == 0 ? 4096 : COPY_TREE_LIMIT - 4096), 0);
        close(sparse);
    }
    cr_assert_not(copy_tree("from", "to", &problem));
    cr_assert_eq(problem.domain, ERROR_CONFIGURATION);
}

Test(copy_tree, never_writes_into_what_is_there_already) {
    write_file("to", "precious", 0600);
    write_file("from/a", "x", 0600);
    cr_assert_not(copy_tree("from/a", "to", &problem));
    cr_assert_not(copy_tree("from", "to", &problem));
    assert_content("to", "precious");
}

Test(copy_tree, names_what_is_not_there) {
    cr_assert_not(copy_tree("gone", "to", &problem));
    cr_assert_eq(problem.domain, ERROR_SYSTEM);
    cr_assert_not_null(strstr(problem.message, "cannot find gone"), "%s", problem.message);
}

Test(copy_tree, copies_bytes_that_are_no_text_up_to_the_last) {
    static char bytes[3 * 1024 * 1024 + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31);
    cr_assert(file_write_atomic("from/big", bytes, sizeof bytes, 0600, &problem));
    copy();
    char *copied = NULL;
    size_t length = 0;
    cr_assert(file_read("to/big", sizeof bytes, &copied, &length, &problem));
    cr_assert_eq(length, sizeof bytes);
    cr_assert_eq(memcmp(copied, bytes, sizeof bytes), 0);
    free(copied);
}
