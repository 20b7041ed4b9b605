#define _GNU_SOURCE
#include "base/file.h"
#include "base/memory.h"
#include "reports/sample_fixture.h"
#include "reports/style.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char folder[64];
    struct report *report;
} held;

static void hold(void) {
    snprintf(held.folder, sizeof held.folder, "/tmp/assay-reports-XXXXXX");
    cr_assert_not_null(mkdtemp(held.folder));
    held.report = sample_report();
}

static void release(void) {
    cr_expect(file_remove_tree(held.folder, NULL));
    sample_forget();
}

TestSuite(report_writer, .init = hold, .fini = release);

static size_t entries(const char *path) {
    size_t count = 0;
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    return count;
}

Test(report_writer, is_found_by_name) {
    const struct report_writer *writer = NULL;
    cr_expect(report_writer_find("tap", &writer, NULL));
    cr_expect_eq(writer, &writer_tap);
}

Test(report_writer, that_does_not_exist_is_a_usage_error_that_lists_those_that_do) {
    const struct report_writer *writer = NULL;
    struct error err = {0};
    cr_expect_not(report_writer_find("xml", &writer, &err));
    cr_expect_eq(err.domain, ERROR_USAGE);
    cr_expect_str_eq(err.message, "\"xml\" is no report format; there are terminal, junit, tap, "
                                  "json, github");
}

Test(report_writer, makes_the_folder_and_leaves_one_file_for_each_format) {
    char *folder = path_join(held.folder, "deep/down");
    const struct report_options options = {.stream = stdout, .folder = folder};
    struct error err = {0};
    cr_expect(report_publish(held.report, &writer_junit, &options, &err), "%s", err.message);
    cr_expect(report_publish(held.report, &writer_tap, &options, &err), "%s", err.message);
    cr_expect(report_publish(held.report, &writer_json, &options, &err), "%s", err.message);
    cr_expect_eq(entries(folder), 3);
    char *path = path_join(folder, "assay.junit.xml");
    cr_expect(file_exists(path));
    free(path);
    free(folder);
}

Test(report_writer, writes_to_the_stream_when_there_is_no_folder) {
    char *bytes = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&bytes, &length);
    const struct report_options options = {.stream = stream};
    cr_expect(report_publish(held.report, &writer_tap, &options, NULL));
    fclose(stream);
    cr_expect_eq(strncmp(bytes, "TAP version 14\n", 15), 0);
    free(bytes);
}

Test(report_writer, names_a_folder_that_is_in_the_way_of_a_file) {
    char *path = path_join(held.folder, "file");
    cr_assert(file_write_atomic(path, "x", 1, 0644, NULL));
    const struct report_options options = {.stream = stdout, .folder = path};
    struct error err = {0};
    cr_expect_not(report_publish(held.report, &writer_json, &options, &err));
    cr_expect_eq(err.domain, ERROR_SYSTEM);
    cr_expect_eq(err.code, ENOTDIR, "%s", err.message);
    cr_expect(strstr(err.message, path) != NULL, "%s", err.message);
    free(path);
}

Test(report_writer, names_a_folder_that_is_not_writable) {
    cr_assert_eq(chmod(held.folder, 0555), 0);
    if (geteuid() == 0 && seteuid(65534) != 0) // root may write everywhere
        cr_skip_test("cannot become a user who may not write");
    const struct report_options options = {.stream = stdout, .folder = held.folder};
    struct error err = {0};
    const bool published = report_publish(held.report, &writer_json, &options, &err);
    if (geteuid() != getuid())
        cr_assert_eq(seteuid(getuid()), 0);
    chmod(held.folder, 0755);
    cr_expect_not(published);
    cr_expect_eq(err.code, EACCES, "%s", err.message);
    cr_expect(strstr(err.message, held.folder) != NULL, "%s", err.message);
}

// A limit on the size of files fails a write halfway, as a full disk does.
Test(report_writer, keeps_the_old_file_when_the_disk_is_full) {
    char *path = path_join(held.folder, "assay.json");
    cr_assert(file_write_atomic(path, "old", 3, 0644, NULL));
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small = {.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    const struct report_options options = {.stream = stdout, .folder = held.folder};
    struct error err = {0};
    const bool published = report_publish(held.report, &writer_json, &options, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    cr_expect_not(published);
    cr_expect_eq(err.code, EFBIG, "%s", err.message);
    cr_expect(strstr(err.message, path) != NULL, "%s", err.message);
    char *bytes = NULL;
    cr_assert(file_read(path, 100, &bytes, NULL, NULL));
    cr_expect_str_eq(bytes, "old");
    cr_expect_eq(entries(held.folder), 1, "a temporary file is left");
    free(bytes);
    free(path);
}

Test(report_writer, says_so_when_the_stream_is_full) {
    FILE *full = fopen("/dev/full", "we");
    const struct report_options options = {.stream = full};
    struct error err = {0};
    cr_expect_not(report_publish(held.report, &writer_terminal, &options, &err));
    cr_expect_eq(err.code, ENOSPC, "%s", err.message);
    fclose(full);
}

Test(report_writer, colours_are_for_terminals_only_and_never_with_no_color) {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal, 0);
    cr_assert_eq(grantpt(terminal) | unlockpt(terminal), 0);
    FILE *stream = fdopen(open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC), "w+");
    FILE *file = fopen("/dev/null", "we");
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    cr_expect(style_wants_colours(stream));
    cr_expect_not(style_wants_colours(file));
    setenv("TERM", "dumb", 1);
    cr_expect_not(style_wants_colours(stream));
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    cr_expect_not(style_wants_colours(stream));
    setenv("NO_COLOR", "", 1); // no-color.org: only when not empty
    cr_expect(style_wants_colours(stream));
    fclose(stream);
    fclose(file);
    close(terminal);
}
