#define _GNU_SOURCE
#include "verify/backup/record.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "verify/backup/history_sample.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_MS INT64_C(1795316405000) // 2026-11-22T03:00:05Z
#define MS_A_DAY ((int64_t)86400000)

static struct error err;

TestSuite(record, .fini = sample_done);

// A file of that name that was last written `days` before now.
static void add(const char *name, int days) {
    const time_t written = (time_t)((NOW_MS - days * MS_A_DAY) / 1000);
    const struct timespec times[2] = {{.tv_sec = written}, {.tv_sec = written}};
    sample_write(name, "x");
    cr_assert_eq(utimensat(AT_FDCWD, sample_path(name), times, 0), 0);
}

static const char *reserve(int64_t at_ms) {
    char *stem = NULL;
    cr_assert(record_reserve(sample_folder(), at_ms, &stem, &err), "%s", err.message);
    return sample_own(stem);
}

Test(record, folder_is_for_nobody_else) {
    struct stat status;
    const char *folder = sample_path("logs/backup-verification");
    cr_assert(records_folder_make(folder, &err), "%s", err.message);
    cr_assert(records_folder_make(folder, &err), "%s", err.message);
    cr_assert_eq(stat(folder, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0700);
}

Test(record, is_named_after_the_second_in_which_its_run_began) {
    struct stat status;
    cr_expect_str_eq(reserve(NOW_MS + 999), sample_path("verify-20261122-030005"));
    cr_assert_eq(stat(sample_path("verify-20261122-030005.log"), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    cr_expect_eq(status.st_size, 0);
}

Test(record, of_two_runs_in_one_second_are_two) {
    reserve(NOW_MS);
    sample_write("verify-20261122-030005.log", "first");
    cr_expect_str_eq(reserve(NOW_MS), sample_path("verify-20261122-030005-2"));
    cr_expect_str_eq(reserve(NOW_MS), sample_path("verify-20261122-030005-3"));
    cr_expect_str_eq(sample_text("verify-20261122-030005.log"), "first");
}

Test(record, that_cannot_be_made_names_its_path) {
    char *stem = NULL;
    cr_assert_not(record_reserve(sample_path("none"), NOW_MS, &stem, &err));
    cr_expect_not_null(strstr(err.message, "none/verify-20261122-030005.log"), "%s", err.message);
}

Test(record, older_than_ninety_days_goes) {
    size_t removed = 0;
    add("verify-20260823-030005.log", 91);
    add("verify-20260823-030005.json", 91);
    add("verify-20260823-030005.xml", 91);
    add("verify-20260823-030005-2.log", 91);
    add("verify-20260823-030005-12.log", 91);
    add("verify-20260824-030005.log", 90);
    cr_assert(records_rotate(sample_folder(), RECORDS_KEPT_DAYS, NOW_MS, &removed, &err), "%s",
              err.message);
    cr_expect_eq(removed, 5);
    cr_expect(file_exists(sample_path("verify-20260824-030005.log")));
    cr_expect_not(file_exists(sample_path("verify-20260823-030005.log")));
}

Test(record, goes_only_when_both_its_name_and_its_mtime_are_old) {
    size_t removed = 9;
    add("verify-20260101-030005.log", 1);
    add("verify-20261121-030005.log", 300);
    cr_assert(records_rotate(sample_folder(), RECORDS_KEPT_DAYS, NOW_MS, &removed, &err), "%s",
              err.message);
    cr_expect_eq(removed, 0);
}

Test(record, rotation_removes_nothing_that_is_not_ours) {
    const char *const others[] = {"history.json",
                                  "history.csv",
                                  ".history.lock",
                                  "notes.log",
                                  "verify-20260101.log",
                                  "verify-20260101-030005.txt",
                                  "verify-20260101-030005.log.gz",
                                  "verify-20260101-030005",
                                  "my-verify-20260101-030005.log",
                                  "verify-20260101-030005-123.log",
                                  "verify-20260230-030005.log",
                                  "verify-20260101-030005-.log",
                                  "Verify-20260101-030005.log"};
    const size_t count = sizeof others / sizeof *others;
    size_t removed = 9;
    for (size_t i = 0; i < count; i++)
        add(others[i], 300);
    cr_assert_eq(mkdir(sample_path("verify-20260102-030005.log"), 0700), 0);
    cr_assert_eq(symlink("notes.log", sample_path("verify-20260103-030005.log")), 0);
    cr_assert(
        records_rotate(sample_folder(), RECORDS_KEPT_DAYS, NOW_MS + 400 * MS_A_DAY, &removed, &err),
        "%s", err.message);
    cr_expect_eq(removed, 0);
    for (size_t i = 0; i < count; i++)
        cr_expect(file_exists(sample_path(others[i])), "%s", others[i]);
}

Test(record, rotation_without_a_folder_has_nothing_to_do) {
    size_t removed = 9;
    cr_assert(records_rotate(sample_path("none"), RECORDS_KEPT_DAYS, NOW_MS, &removed, &err), "%s",
              err.message);
    cr_expect_eq(removed, 0);
}
