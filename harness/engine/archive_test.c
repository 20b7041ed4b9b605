#include "engine/archive.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

static char folder[64];
static struct error err;

static void begin(void) {
    snprintf(folder, sizeof folder, "/tmp/assay-archive-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static void end(void) {
    cr_expect(file_remove_tree(folder, NULL));
}

TestSuite(archive, .init = begin, .fini = end);

#define must(call) cr_assert((call), "%s", err.message)

static void write_file(const char *name, const char *content, mode_t mode) {
    char *path = path_join(folder, name);
    must(file_write_atomic(path, content, strlen(content), mode, &err));
    free(path);
}

static void make_folder(const char *name) {
    char *path = path_join(folder, name);
    must(folder_make(path, 0755, &err));
    free(path);
}

// "name mode uid mtime link=content|" of each entry.
static char *describe(int fd) {
    struct text text = {0};
    struct archive *tar = archive_read_new();
    struct archive_entry *entry = NULL;
    archive_read_support_format_tar(tar);
    cr_assert_eq(archive_read_open_fd(tar, fd, 10240), ARCHIVE_OK);
    while (archive_read_next_header(tar, &entry) == ARCHIVE_OK) {
        char content[64] = "";
        const la_ssize_t length = archive_read_data(tar, content, sizeof content - 1);
        const char *link = archive_entry_symlink(entry);
        text_appendf(&text, "%s %o %d %d %s=%.*s|", archive_entry_pathname(entry),
                     (unsigned)archive_entry_perm(entry), (int)archive_entry_uid(entry),
                     (int)archive_entry_mtime(entry), link != NULL ? link : "",
                     length > 0 ? (int)length : 0, content);
    }
    archive_read_free(tar);
    return text_take(&text);
}

Test(archive, holds_files_folders_and_links_in_order) {
    make_folder("b");
    write_file("b/z", "last", 0640);
    write_file("b/a", "", 0755);
    write_file("B", "upper", 0600);
    char *link = path_join(folder, "a-link");
    cr_assert(symlink("b/z", link) == 0);
    free(link);
    char *path = path_join(folder, "B");
    const struct archive_extra extras[] = {{"x/from-memory", "made up", 7, 0400, NULL},
                                           {"from-file", NULL, 0, 0, path}};
    int fd = -1;
    must(archive_folder(folder, extras, 2, &fd, &err));
    char *described = describe(fd);
    cr_expect_str_eq(described, "B 600 0 0 =upper|a-link 777 0 0 b/z=|b/ 755 0 0 =|"
                                "b/a 755 0 0 =|b/z 640 0 0 =last|x/from-memory 400 0 0 =made up|"
                                "from-file 600 0 0 =upper|");
    free(described);
    free(path);
    close(fd);
}

static char *bytes_of(int fd, size_t *ret_length) {
    struct stat status;
    cr_assert(fstat(fd, &status) == 0);
    char *bytes = memory_new((size_t)status.st_size, 1);
    cr_assert_eq(pread(fd, bytes, (size_t)status.st_size, 0), status.st_size);
    *ret_length = (size_t)status.st_size;
    close(fd);
    return bytes;
}

Test(archive, gives_the_same_bytes_for_the_same_content) {
    write_file("a", "same", 0644);
    int fd = -1;
    size_t first_length = 0;
    size_t second_length = 0;
    must(archive_folder(folder, NULL, 0, &fd, &err));
    char *first = bytes_of(fd, &first_length);
    char *path = path_join(folder, "a");
    const struct utimbuf then = {1000000000, 1000000000};
    cr_assert(utime(path, &then) == 0);
    must(archive_folder(folder, NULL, 0, &fd, &err));
    char *second = bytes_of(fd, &second_length);
    cr_assert_eq(first_length, second_length);
    cr_expect_eq(memcmp(first, second, first_length), 0);
    free(path);
    free(first);
    free(second);
}

Test(archive, keeps_a_name_that_is_long_and_not_ascii) {
    static const char name[] =
        "ü0123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789";
    write_file(name, "x", 0644);
    int fd = -1;
    must(archive_folder(folder, NULL, 0, &fd, &err));
    char *described = describe(fd);
    cr_expect_eq(strncmp(described, name, sizeof name - 1), 0, "%s", described);
    free(described);
    close(fd);
}

Test(archive, names_what_it_cannot_hold) {
    char *path = path_join(folder, "pipe");
    cr_assert(mkfifo(path, 0600) == 0);
    int fd = -1;
    cr_assert(!archive_folder(folder, NULL, 0, &fd, &err));
    cr_expect(strstr(err.message, path) != NULL);
    cr_expect_eq(fd, -1);
    free(path);
}

Test(archive, names_a_folder_that_is_not_there) {
    int fd = -1;
    cr_assert(!archive_folder("/no/such/folder", NULL, 0, &fd, &err));
    cr_expect_eq(err.domain, ERROR_SYSTEM);
    cr_expect(strstr(err.message, "/no/such/folder") != NULL);
}

Test(archive, says_that_there_is_no_place_for_it) {
    setenv("TMPDIR", "/no/such/folder", 1);
    int fd = -1;
    cr_assert(!archive_folder(folder, NULL, 0, &fd, &err));
    cr_expect(strstr(err.message, "/no/such/folder") != NULL);
}

Test(archive, does_not_go_down_for_ever) {
    struct text deep = {0};
    for (int i = 0; i < 102; i++)
        text_append(&deep, i > 0 ? "/d" : "d");
    make_folder(text_string(&deep));
    text_done(&deep);
    int fd = -1;
    cr_assert(!archive_folder(folder, NULL, 0, &fd, &err));
    cr_expect(strstr(err.message, "more than 100 folders deep") != NULL, "%s", err.message);
}
