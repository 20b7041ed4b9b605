// What `assay backup` does with files when something breaks meanwhile: a rotation is killed, the
// disk is full, a file promises more than it holds.
#define _GNU_SOURCE
#include "command/backup_fixture.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

static struct error problem;

#define must(call) cr_assert((call), "%s", problem.message)

// The suite is set up in backup_faults_real_test.c.

// ---- removing

#define BACKUPS 60
#define FILES_EACH 40

static void fill_root(const char *root) {
    for (int i = 0; i < BACKUPS; i++) {
        autofree_string char *folder =
            memory_format("%s/2026%02d%02d-030000/db", root, 1 + i / 28, 1 + i % 28);
        must(folder_make(folder, 0755, &problem));
        for (int j = 0; j < FILES_EACH; j++) {
            autofree_string char *path = memory_format("%s/%d.dat", folder, j);
            const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            cr_assert(fd >= 0 && write(fd, path, 8) == 8);
            close(fd);
        }
    }
}

static size_t count_in(const char *root, const char *pattern) {
    autofree_string char *whole = path_join(root, pattern);
    return program_count_paths(whole);
}

#define ROTATE(root) "backup", "rotate", "--unverified", "--root", root

// The moments are spread evenly between the program's start and its end.
static bool kill_rotation(const char *root, int64_t after_us) {
    const int64_t started_us = clock_monotonic_us();
    struct child *child = assay_start(ROTATE(root));
    while (clock_monotonic_us() - started_us < after_us)
        continue;
    cr_assert_eq(kill(child_pid(child), SIGKILL), 0);
    return program_end(child, 10000) == -SIGKILL;
}

static void expect_all_or_nothing(const char *root) {
    const size_t backups = count_in(root, "2026*");
    cr_expect_eq(count_in(root, "2026*/db/*.dat"), backups * FILES_EACH,
                 "%zu backups of %d files each have %zu", backups, FILES_EACH,
                 count_in(root, "2026*/db/*.dat"));
}

#define ROTATIONS 8

Test(backup_faults_real, a_rotation_that_is_killed_removes_a_backup_whole_or_not_at_all) {
    fill_root("whole");
    const int64_t started_us = clock_monotonic_us();
    cr_assert_eq(assay(ROTATE("whole")), 0, "%s", program_errors());
    const int64_t whole_us = clock_monotonic_us() - started_us;
    const size_t kept = program_count_paths("whole/2026*");
    cr_assert(kept > 0 && kept < BACKUPS, "%zu", kept);
    size_t midway = 0;
    for (int round = 0; round < ROTATIONS; round++) {
        autofree_string char *root = memory_format("root-%d", round);
        fill_root(root);
        const bool killed = kill_rotation(root, whole_us * (round + 1) / (ROTATIONS + 1));
        const size_t left = count_in(root, "2026*");
        midway += killed && left > kept && left < BACKUPS;
        expect_all_or_nothing(root);
        cr_assert_eq(assay("backup", "list", "--root", root), 0, "%s", program_errors());
        cr_expect_null(strstr(program_output(), "removing-"), "%s", program_output());
        cr_assert_eq(assay(ROTATE(root)), 0, "%s", program_errors());
        expect_all_or_nothing(root);
        cr_expect_eq(count_in(root, "2026*"), kept);
        cr_expect_eq(count_in(root, ".[!.]*") + count_in(root, "..?*"), 0, "%s", root);
    }
    cr_assert_gt(midway, 0, "no kill came while it removed: it takes %lld us", (long long)whole_us);
}

// ---- a full disk

static void fill_disk(const char *path) {
    char bytes[1024] = {0};
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    while (write(fd, bytes, sizeof bytes) > 0)
        continue;
    cr_assert_eq(errno, ENOSPC);
    close(fd);
}

static char *read_whole(const char *path) {
    char *bytes = NULL;
    size_t length = 0;
    must(file_read(path, 1 << 20, &bytes, &length, &problem));
    return bytes;
}

Test(backup_faults_real, a_verification_whose_records_find_no_room_is_told_all_the_same) {
    program_write("backup/a.sql", PG_DUMP_OF_TWO_ROWS);
    program_mount_small("records");
    cr_assert_eq(assay(BACKUP_VERIFY("backup"), "--records", "records"), 0, "%s", program_output());
    autofree_string char *before = read_whole("records/history.json");
    autofree_string char *table = read_whole("records/history.csv");
    const size_t files = program_count_paths("records/*");
    fill_disk("records/filler");
    cr_expect_eq(assay(BACKUP_VERIFY("backup"), "--records", "records"), 3, "%s", program_errors());
    assert_says(program_errors(), "No space left on device");
    assert_says(program_output(), "ok        a.sql");
    autofree_string char *after = read_whole("records/history.json");
    autofree_string char *table_after = read_whole("records/history.csv");
    cr_expect_str_eq(before, after);
    cr_expect_str_eq(table, table_after);
    cr_expect_eq(program_count_paths("records/*"), files + 1); // the one that fills it
    cr_expect_eq(umount2("records", MNT_DETACH), 0);
}

// ---- files that promise more than they hold

static void write_bytes(const char *path, const void *bytes, size_t length) {
    must(file_write_atomic(path, bytes, length, 0600, &problem));
}

#define WRITE(path, bytes) write_bytes(path, bytes, sizeof(bytes) - 1)

static void run_script(const char *script) {
    cr_assert_eq(program_run((const char *const[]){"sh", "-c", script, NULL}), 0, "%s",
                 program_errors());
}

// Compressed once, and then many times the same member: of a gigabyte, a second's work.
#define REPEATED(once, piece, times, name)                                                   \
    once " | gzip -9 >piece; " piece " | gzip -9 >again; { cat piece; for i in $(seq " times \
         "); do cat again; done; } >" name "; rm piece again"

#define NUMBER(low) "\0" low "\0\0\0" // of pg_dump's header: a sign, then four bytes

static void write_bombs(void) {
    must(folder_make("bombs", 0755, &problem));
    run_script(REPEATED(":", "head -c 100M /dev/zero", "10", "bombs/zeros.gz"));
    run_script(REPEATED("printf '%s\\n' -- '-- PostgreSQL database dump' --",
                        "head -c 100M /dev/zero | tr '\\0' a", "5", "bombs/one-line.sql.gz"));
    run_script(REPEATED("printf '%s\\n' '-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)' "
                        "'--' 'INSERT INTO `t` VALUES (1'",
                        "head -c 100M /dev/zero | tr '\\0' 1", "5", "bombs/one-row.sql.gz"));
    // The beginning of a pg_dump whose header asks for a dictionary of 1.5 GiB. (To make one by xz
    // takes 16 GiB.)
    WRITE("bombs/dictionary.sql.xz",
          "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x25\x00"
          "\x00\x00\x3b\x78\x7b\x41\x01\x00\x21\x2d\x2d\x0a\x2d\x2d\x20\x50\x6f\x73"
          "\x74\x67\x72\x65\x53\x51\x4c\x20\x64\x61\x74\x61\x62\x61\x73\x65\x20\x64"
          "\x75\x6d\x70\x0a\x2d\x2d\x0a\x00\x00\x00\xfc\x81\x42\x20\xd7\x63\xc9\x21"
          "\x00\x01\x3a\x22\xb6\x2a\x4f\xd0\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04"
          "\x59\x5a");
    // A frame with a window and a content of 16 GiB, then one block that repeats a byte.
    WRITE("bombs/window.sql.zst", "\x28\xb5\x2f\xfd\xe0\0\0\0\0\4\0\0\0\3\0\0a");
    // A key of 10 GiB, a document of 2 GiB, a database's name of 2 GiB.
    WRITE("bombs/key.rdb", "REDIS0011\xfe\0\0\x81\0\0\0\2\x80\0\0\0name");
    WRITE("bombs/orders.bson", "\xff\xff\xff\x7f\x02name\0\xff\xff\xff\x7fvalue");
    WRITE("bombs/name.dump",
          "PGDMP\1\20\0\4\10\1\1" NUMBER("\0") NUMBER("\0") NUMBER("\0") NUMBER("\1") NUMBER("\0")
              NUMBER("\176") NUMBER("\0") "\0\xff\xff\xff\x7f"
                                          "app");
}

static long peak_of_children_mib(void) {
    struct rusage usage;
    cr_assert_eq(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_maxrss / 1024;
}

struct bomb {
    const char *name;
    const char *what;
};

static void expect_refused(const struct bomb *bomb) {
    autofree_string char *path = memory_format("bombs/%s", bomb->name);
    const int status = program_end(assay_start(BACKUP_VERIFY(path)), 60000);
    cr_expect(status == 1 || status == 4, "%s: exit status %d, %s", bomb->name, status,
              program_errors());
    assert_says(program_output(), bomb->what);
    cr_expect_lt(peak_of_children_mib(), 64, "%s: %ld MiB", bomb->name, peak_of_children_mib());
}

Test(backup_faults_real, a_file_that_promises_more_than_it_holds_costs_neither_memory_nor_hours) {
    static const struct bomb bombs[] = {
        {"key.rdb", "the data end within a key"},
        {"orders.bson", "unknown format"},
        {"name.dump", "the data end within"},
        {"window.sql.zst", "needs more memory than the 64 MiB"},
        {"dictionary.sql.xz", "needs more memory than the 64 MiB"},
        {"zeros.gz", "looks like zeros"},
        {"one-line.sql.gz", "the dump ends within a statement"},
        {"one-row.sql.gz", "the dump ends within a statement"},
    };
    write_bombs();
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++)
        expect_refused(&bombs[i]);
}
