#define _GNU_SOURCE
#include "verify/backup/rotation_folder.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/history_sample.h"
#include "verify/backup/removal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rotation_folder *folder;
static struct rotation_folder *second;
static struct error err;
static struct string_list names;
static struct text out;
static const struct civil_time TODAY = {.year = 2026, .month = 11, .day = 22};
static const struct rotation_policy POLICY = {.daily = 2, .month_day = 1};

static void make(const char *path) {
    cr_assert(folder_make(sample_path(path), 0755, &err), "%s", err.message);
}

static void make_backups(void) {
    const char *const days[] = {"root/20261118", "root/20261119", "root/20261121", "root/20261122"};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        make(days[i]);
        char *file = sample_own(path_join(days[i], "app.dump"));
        sample_write(file, "1234567890");
    }
    sample_write("root/app-20261120.sql", "12345");
    make("root/.hidden-20261101");
    make("root/lost+found");
    make("elsewhere");
    cr_assert_eq(symlink("20261122", sample_path("root/latest")), 0);
    cr_assert_eq(symlink("../elsewhere", sample_path("root/20261101")), 0);
}

// What the last verifications said of the backup of that day.
static struct history *history_of(const char *name, enum outcome outcome) {
    struct history_record record = sample_record("r1", "2026-11-21T05:00:00Z", outcome);
    free(record.path);
    record.path = path_join(sample_path("root"), name);
    return sample_history(&record, 1);
}

static void open_with(const struct history *history) {
    cr_assert(rotation_folder_open(sample_path("root"), history, &folder, &err), "%s", err.message);
    rotation_folder_decide(folder, &POLICY, &TODAY);
}

static const char *listing(void) {
    string_list_done(&names);
    names = (struct string_list){0};
    text_clear(&out);
    cr_assert(folder_list(sample_path("root"), &names, &err), "%s", err.message);
    for (size_t i = 0; i < names.count; i++)
        text_appendf(&out, "%s ", names.items[i]);
    return text_string(&out);
}

static void forget(void) {
    rotation_folder_close(folder);
    rotation_folder_close(second);
    string_list_done(&names);
    text_done(&out);
    sample_done();
}

TestSuite(rotation_folder, .init = make_backups, .fini = forget);

Test(rotation_folder, lists_folders_and_files_but_no_links_and_hidden_names) {
    open_with(NULL);
    for (size_t i = 0; i < folder->count; i++)
        text_appendf(&out, "%s=%d ", folder->items[i].name, (int)folder->items[i].bytes);
    cr_expect_str_eq(text_string(&out), "20261118=10 20261119=10 20261121=10 20261122=10 "
                                        "app-20261120.sql=5 lost+found=0 ");
}

Test(rotation_folder, removes_what_was_decided_and_nothing_else) {
    struct rotation_freed freed;
    open_with(history_of("20261119", OUTCOME_PASSED));
    cr_assert(rotation_folder_apply(folder, &freed, &err), "%s", err.message);
    cr_expect_str_eq(listing(), ".hidden-20261101 20261101 20261119 20261121 20261122 latest "
                                "lost+found ");
    cr_expect_eq(freed.count, 2);
    cr_expect_eq(freed.bytes, 15);
}

Test(rotation_folder, removes_nothing_while_nothing_is_verified) {
    struct rotation_freed freed;
    open_with(history_of("20261119", OUTCOME_FAILED));
    cr_assert(rotation_folder_apply(folder, &freed, &err), "%s", err.message);
    cr_expect_eq(freed.count, 0);
    cr_expect(file_exists(sample_path("root/20261118")));
}

Test(rotation_folder, touches_nothing_in_a_dry_run) {
    struct rotation_freed freed = {.count = 7};
    make("root/" REMOVAL_PREFIX "20261101");
    const char *before = sample_own(memory_copy_string(listing()));
    open_with(history_of("20261119", OUTCOME_PASSED));
    cr_assert(rotation_folder_apply(folder, &freed, &err, .dry_run = true), "%s", err.message);
    cr_expect_str_eq(listing(), before);
    cr_expect_eq(freed.count, 0);
}

Test(rotation_folder, prints_its_root_and_what_a_killed_rotation_left) {
    make("root/" REMOVAL_PREFIX "20261101");
    open_with(history_of("20261119", OUTCOME_PASSED));
    rotation_folder_append_plan(folder, &out, &POLICY, &TODAY);
    cr_expect_not_null(strstr(text_string(&out), sample_path("root")), "%s", text_string(&out));
    cr_expect_not_null(strstr(text_string(&out), "2 of 6 removed, which frees 15 B"), "%s",
                       text_string(&out));
    cr_expect_not_null(strstr(text_string(&out), "interrupted: " REMOVAL_PREFIX "20261101"), "%s",
                       text_string(&out));
}

Test(rotation_folder, removes_what_a_killed_rotation_left) {
    make("root/" REMOVAL_PREFIX "20261101/a");
    open_with(NULL);
    cr_expect_null(strstr(folder->items[0].name, REMOVAL_PREFIX));
    cr_assert(rotation_folder_apply(folder, NULL, &err), "%s", err.message);
    cr_expect_not(file_exists(sample_path("root/" REMOVAL_PREFIX "20261101")));
}

Test(rotation_folder, that_nobody_decided_about_stays_as_it_is) {
    const char *before = sample_own(memory_copy_string(listing()));
    cr_assert(rotation_folder_open(sample_path("root"), NULL, &folder, &err), "%s", err.message);
    cr_assert(rotation_folder_apply(folder, NULL, &err), "%s", err.message);
    cr_expect_str_eq(listing(), before);
}

Test(rotation_folder, goes_on_after_a_failure_and_tells_of_the_first) {
    struct rotation_freed freed;
    open_with(history_of("20261119", OUTCOME_PASSED));
    cr_assert(file_remove_tree(sample_path("root/20261118"), &err), "%s", err.message);
    cr_assert_not(rotation_folder_apply(folder, &freed, &err));
    cr_expect_not_null(strstr(err.message, "20261118: cannot be looked at"), "%s", err.message);
    cr_expect_eq(freed.count, 1);
    cr_expect_not(file_exists(sample_path("root/app-20261120.sql")));
}

Test(rotation_folder, exchanged_for_a_link_meanwhile_leads_nowhere) {
    open_with(history_of("20261119", OUTCOME_PASSED));
    sample_write("elsewhere/precious", "precious");
    cr_assert_eq(rename(sample_path("root/20261118"), sample_path("moved")), 0);
    cr_assert_eq(symlink("../elsewhere", sample_path("root/20261118")), 0);
    cr_assert_not(rotation_folder_apply(folder, NULL, &err));
    cr_expect_str_eq(sample_text("elsewhere/precious"), "precious");
    cr_expect(file_exists(sample_path("moved/app.dump")));
}

Test(rotation_folder, is_open_once_at_a_time) {
    open_with(NULL);
    cr_assert_not(rotation_folder_open(sample_path("root"), NULL, &second, &err));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE);
    rotation_folder_close(TAKE(folder));
    cr_assert(rotation_folder_open(sample_path("root"), NULL, &second, &err), "%s", err.message);
}

Test(rotation_folder, may_be_reached_by_a_link) {
    cr_assert_eq(symlink("root", sample_path("link")), 0);
    cr_assert(rotation_folder_open(sample_path("link"), history_of("20261119", OUTCOME_PASSED),
                                   &folder, &err),
              "%s", err.message);
    cr_expect_str_eq(folder->items[1].name, "20261119");
    cr_expect(folder->items[1].verified);
    cr_expect_not(folder->items[0].verified);
}

Test(rotation_folder, does_not_trust_a_backup_that_failed_under_its_other_name) {
    struct history_record records[] = {
        sample_record("r1", "2026-11-21T05:00:00Z", OUTCOME_PASSED),
        sample_record("r2", "2026-11-21T04:00:00Z", OUTCOME_FAILED),
    };
    cr_assert_eq(symlink("root", sample_path("link")), 0);
    free(records[0].path);
    free(records[1].path);
    records[0].path = memory_copy_string(sample_path("link/20261119"));
    records[1].path = memory_copy_string(sample_path("root/20261119"));
    cr_assert(rotation_folder_open(sample_path("link"), sample_history(records, 2), &folder, &err),
              "%s", err.message);
    cr_expect_str_eq(folder->items[1].name, "20261119");
    cr_expect_not(folder->items[1].verified);
}

Test(rotation_folder, must_be_there) {
    cr_assert_not(rotation_folder_open(sample_path("nowhere"), NULL, &folder, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(err.message, "No such file"), "%s", err.message);
}

// ---- killed -------------------------------------------------------------------------------------

#define BIG 3      // backups that are to be removed
#define FILES 3000 // in each: enough to be killed among them

static void fill(void) {
    for (int i = 0; i < BIG; i++) {
        const char *path = sample_own(memory_format("root/2026100%d", i + 1));
        make(path);
        const int fd = open(sample_path(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int j = 0; j < FILES; j++) {
            char name[16];
            snprintf(name, sizeof name, "f%d", j);
            close(openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        }
        close(fd);
    }
}

// Its first file is no longer where it was: it is being removed.
static bool has_begun(void *context, struct error *probe_err) {
    return !file_exists(context) || error_set(probe_err, ERROR_TIMEOUT, 0, "nothing happens");
}

static void rotate_and_be_killed(const struct history *history, int wanted) {
    char *first = sample_own(
        path_join(sample_path(sample_own(memory_format("root/2026100%d", wanted))), "f0"));
    const pid_t pid = fork();
    if (pid == 0) {
        open_with(history);
        _exit(rotation_folder_apply(folder, NULL, NULL) ? 0 : 1);
    }
    const bool got_there =
        eventually(deadline_in_ms(20000), has_begun, first, &err, .interval_ms = 1);
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert(got_there, "%s", err.message);
}

Test(rotation_folder, killed_at_any_moment_lists_no_half_of_a_backup, .timeout = 120) {
    const struct history *history = history_of("20261119", OUTCOME_PASSED);
    for (int wanted = 1; wanted <= BIG; wanted++) {
        fill();
        rotate_and_be_killed(history, wanted);
        for (int i = 0; i < BIG; i++) {
            struct string_list left = {0};
            const char *path = sample_path(sample_own(memory_format("root/2026100%d", i + 1)));
            const bool is_listed = folder_list(path, &left, NULL);
            cr_expect(!is_listed || left.count == FILES, "%s has %zu", path, left.count);
            string_list_done(&left);
        }
        open_with(history);
        cr_assert(rotation_folder_apply(folder, NULL, &err), "%s", err.message);
        rotation_folder_close(TAKE(folder));
        cr_expect_str_eq(listing(), ".hidden-20261101 20261101 20261119 20261121 20261122 latest "
                                    "lost+found ");
    }
}
