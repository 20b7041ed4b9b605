// What `assay backup` does when something breaks meanwhile: it is killed, the disk is full, a
// server dies, the engine goes away, a file promises more than it holds.
#define _GNU_SOURCE
#include "command/backup_fixture.h"
#include "command/proxy_fixture.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/exec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

static struct error problem;

#define must(call) cr_assert((call), "%s", problem.message)

TestSuite(backup_faults_real, .init = program_init_real, .fini = backup_fixture_done,
          .timeout = 300);

static size_t count(const char *pattern) {
    glob_t found = {0};
    const int status = glob(pattern, 0, NULL, &found);
    cr_assert(status == 0 || status == GLOB_NOMATCH, "%s", pattern);
    const size_t paths = status == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return paths;
}

// ---- a stack, and whether a backup has left anything in it

static const char COMPOSE[] = COMPOSE_BEGINS COMPOSE_POSTGRES COMPOSE_MYSQL COMPOSE_SECRETS;

// As much as takes a moment to be dumped.
static void fill(void) {
    backup_fixture_postgres("CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS note FROM "
                            "generate_series(1, 150000) i");
    backup_fixture_mysql(
        "SET cte_max_recursion_depth = 150000; CREATE TABLE items (id int PRIMARY KEY, note "
        "varchar(80)); INSERT INTO items WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 "
        "FROM n WHERE i < 150000) SELECT i, hex(i * 7919) FROM n");
}

// Processes of the tools that assay runs there, or that the relays are made of.
static const char TOOLS[] =
    "for p in /proc/[0-9]*; do read -r name <$p/comm && echo \"$name\"; done 2>/dev/null | "
    "grep -xE 'pg_dump|pg_dumpall|psql|mysqldump|mysql|bash|cat'; true";
static const char SESSIONS_OF_POSTGRES[] =
    IN_POSTGRES "\"SELECT 'a session: ' || state || ' ' || query FROM pg_stat_activity WHERE "
                "backend_type = 'client backend' AND pid <> pg_backend_pid() AND query NOT LIKE "
                "'%a lock of the test%'\"";
static const char SESSIONS_OF_MYSQL[] =
    IN_MYSQL "\"SELECT 'a session:', command, info FROM information_schema.processlist WHERE id "
             "<> connection_id() AND user <> 'event_scheduler'\"";

static bool is_idle(void *context, struct error *err) {
    static const char *const questions[][2] = {
        {"db", TOOLS}, {"shop", TOOLS}, {"db", SESSIONS_OF_POSTGRES}, {"shop", SESSIONS_OF_MYSQL}};
    bool idle = true;
    (void)context;
    for (size_t i = 0; i < sizeof questions / sizeof *questions && idle; i++) {
        autofree_string char *said = backup_fixture_ask(questions[i][0], questions[i][1], "");
        idle = said[0] == '\0' || error_set(err, ERROR_TIMEOUT, 0, "%s: %s", questions[i][0], said);
    }
    return idle;
}

static void assert_servers_are_idle(void) {
    must(eventually(deadline_in_ms(10000), is_idle, NULL, &problem, .interval_ms = 100));
}

// At once, so nobody holds a lock.
static void assert_servers_take_writes(void) {
    backup_fixture_postgres("SET lock_timeout = '1s'; LOCK TABLE orders; UPDATE orders SET note = "
                            "'' WHERE id = 1");
    backup_fixture_mysql("SET lock_wait_timeout = 1; UPDATE items SET note = '' WHERE id = 1; "
                         "ALTER TABLE items COMMENT = ''");
}

// Processes of the program on this machine.
static int programs(void) {
    DIR *folder = opendir("/proc");
    int found = 0;
    cr_assert_not_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char target[PATH_MAX] = "";
        autofree_string char *path = memory_format("/proc/%s/exe", entry->d_name);
        if (readlink(path, target, sizeof target - 1) > 0 && strcmp(target, ASSAY_PROGRAM) == 0)
            found++;
    }
    closedir(folder);
    return found;
}

static bool has_no_program_more(void *context, struct error *err) {
    const int *before = context;
    return programs() <= *before ||
           error_set(err, ERROR_TIMEOUT, 0, "%d processes, before %d", programs(), *before);
}

// ---- kills and interrupts

#define CREATE "backup", "create", "--stack", "default"

static int64_t time_of_a_whole_create(void) {
    const int64_t started_us = clock_monotonic_us();
    cr_assert_eq(assay(CREATE), 0, "%s", program_errors());
    return (clock_monotonic_us() - started_us) / 1000;
}

static int signal_create(int signal, int64_t after_ms) {
    struct child *child = assay_start(CREATE);
    const pid_t pid = child_pid(child);
    pause_ms((int)after_ms, NULL);
    cr_assert_eq(kill(pid, signal), 0);
    const int status = program_end(child, 20000);
    program_assert_nothing_left(pid, 10000);
    return status;
}

static void assert_backups_are_whole(void) {
    cr_expect_eq(count("backups/*"), count("backups/*/manifest.json"));
    cr_assert_eq(assay("backup", "list"), 0, "%s", program_errors());
    cr_expect_null(strstr(program_output(), ".making"), "%s", program_output());
}

#define ROUNDS 5

Test(backup_faults_real, a_create_that_is_killed_at_any_moment_leaves_nothing_half_done) {
    backup_fixture_up(COMPOSE);
    fill();
    const int64_t whole_ms = time_of_a_whole_create();
    int before = programs();
    size_t hidden = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t after_ms = whole_ms * (2 * round + 1) / (2 * ROUNDS);
        (void)signal_create(SIGKILL, after_ms);
        hidden += count("backups/.making-*");
        assert_servers_are_idle();
        assert_servers_take_writes();
        assert_backups_are_whole();
    }
    must(eventually(deadline_in_ms(10000), has_no_program_more, &before, &problem));
    cr_assert_gt(hidden, 0, "no kill came while a backup was made: a whole run takes %lld ms",
                 (long long)whole_ms);
    cr_assert_eq(assay(CREATE), 0, "%s", program_errors());
    cr_expect_eq(count("backups/.making-*"), 0);
    assert_backups_are_whole();
}

Test(backup_faults_real, a_create_that_is_interrupted_at_any_moment_leaves_nothing) {
    backup_fixture_up(COMPOSE);
    fill();
    const int64_t whole_ms = time_of_a_whole_create();
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t after_ms = 50 + whole_ms * (2 * round + 1) / (2 * ROUNDS);
        const int status = signal_create(SIGINT, after_ms);
        cr_expect(status == 130 || (status == 0 && round == ROUNDS - 1),
                  "after %lld of %lld ms: exit status %d, %s", (long long)after_ms,
                  (long long)whole_ms, status, program_errors());
        cr_expect_eq(count("backups/.making-*"), 0);
        assert_servers_are_idle();
        assert_servers_take_writes();
        assert_backups_are_whole();
    }
}

static void lock_orders(void) {
    backup_fixture_run("db",
                       IN_POSTGRES "'BEGIN; LOCK TABLE orders; SELECT pg_sleep(600) /* a lock of "
                                   "the test */' >/dev/null 2>&1 & exit 0",
                       "");
}

static bool pg_dump_runs(void *context, struct error *err) {
    (void)context;
    autofree_string char *tools = backup_fixture_ask("db", TOOLS, "");
    return strstr(tools, "pg_dump\n") != NULL || error_set(err, ERROR_TIMEOUT, 0, "no pg_dump");
}

static bool pg_dump_is_gone(void *context, struct error *err) {
    return !pg_dump_runs(context, NULL) || error_set(err, ERROR_TIMEOUT, 0, "pg_dump still runs");
}

// A dump of a large server goes on for hours, with its snapshot, when nobody ends it.
static void expect_dump_ends(int signal) {
    struct child *child = assay_start(CREATE, "--service", "db");
    must(eventually(deadline_in_ms(10000), pg_dump_runs, NULL, &problem));
    cr_assert_eq(kill(child_pid(child), signal), 0);
    (void)program_end(child, 10000);
    must(eventually(deadline_in_ms(5000), pg_dump_is_gone, NULL, &problem));
}

Test(backup_faults_real, a_dump_that_nobody_waits_for_any_more_is_ended_in_the_container) {
    backup_fixture_up(COMPOSE);
    backup_fixture_postgres("CREATE TABLE orders (id int)");
    lock_orders();
    expect_dump_ends(SIGKILL);
    expect_dump_ends(SIGINT);
}

// ---- restores

#define PG_DUMP_BEGINS                                                                           \
    "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 17.0\n-- Dumped by " \
    "pg_dump version 17.0\n\n"
#define PG_DUMP_ENDS "\n--\n-- PostgreSQL database dump complete\n--\n\n"
#define MYSQL_DUMP_BEGINS                                                                         \
    "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    "         \
    "Database: app\n-- ------------------------------------------------------\n-- Server version" \
    "\t8.0.36\n\n"
#define MYSQL_DUMP_ENDS "\n-- Dump completed on 2026-11-21  3:00:00\n"

static const char SOUND_IN_POSTGRES[] =
    PG_DUMP_BEGINS "CREATE TABLE public.t (n integer NOT NULL);\n"
                   "COPY public.t (n) FROM stdin;\n1\n2\n\\.\n\n" PG_DUMP_ENDS;
static const char SOUND_IN_MYSQL[] = MYSQL_DUMP_BEGINS
    "CREATE TABLE `t` (`n` int);\nINSERT INTO `t` VALUES (1),(2);\n" MYSQL_DUMP_ENDS;
static const char SLEEPS_IN_POSTGRES[] = PG_DUMP_BEGINS "SELECT pg_sleep(1000000);\n" PG_DUMP_ENDS;
static const char SLEEPS_IN_MYSQL[] =
    MYSQL_DUMP_BEGINS "CREATE TABLE `t` (`n` int);\nDO SLEEP(1000000);\n" MYSQL_DUMP_ENDS;

#define VERIFY(path) "backup", "verify", path, "--format", "terminal"

static void ask_container(const char *container, const char *script, char **ret_said) {
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct exec_options options = {.argv = argv, .user = "root"};
    struct exec_result result;
    must(exec_run(program_engine(), container, &options, &result, &problem));
    *ret_said = text_take(&result.output);
    exec_result_done(&result);
}

// A restore that sleeps: the container that its client is in.
struct sleeper {
    pid_t program;
    const char *client; // the name of its process
    char *container;
};

static bool find_client(const char *container, const char *client) {
    autofree_string char *script = memory_format("cat /proc/[0-9]*/comm | grep -x %s", client);
    autofree_string char *said = NULL;
    ask_container(container, script, &said);
    return said[0] != '\0';
}

static bool sleeps(void *context, struct error *err) {
    struct sleeper *self = context;
    autofree_string char *there = program_leftovers(self->program);
    for (char *at = there; (at = strstr(at, "container ")) != NULL && self->container == NULL;) {
        at += strlen("container ");
        autofree_string char *id = memory_copy_bytes(at, strcspn(at, "\n"));
        if (find_client(id, self->client))
            self->container = TAKE(id);
    }
    return self->container != NULL || error_set(err, ERROR_TIMEOUT, 0, "no %s yet", self->client);
}

// Returns when the restore has come to where it sleeps.
static struct child *start_verify(const char *path, struct sleeper *ret_sleeper) {
    struct child *child = assay_start(VERIFY(path));
    ret_sleeper->program = child_pid(child);
    must(eventually(deadline_in_ms(60000), sleeps, ret_sleeper, &problem, .interval_ms = 100));
    pause_ms(1500, NULL); // the statement before is executed
    return child;
}

Test(backup_faults_real, a_verify_that_is_killed_while_it_restores_leaves_nothing) {
    program_write("backup/a.sql", SLEEPS_IN_POSTGRES);
    struct sleeper sleeper = {.client = "psql"};
    struct child *child = start_verify("backup", &sleeper);
    cr_assert_eq(kill(sleeper.program, SIGKILL), 0);
    cr_expect_eq(program_end(child, 10000), -SIGKILL);
    program_assert_nothing_left(sleeper.program, 10000);
    autofree_string char *bytes = NULL;
    size_t length = 0;
    must(file_read("backup/a.sql", 1 << 20, &bytes, &length, &problem));
    cr_expect_str_eq(bytes, SLEEPS_IN_POSTGRES);
    cr_expect_eq(count("backup/*"), 1);
    free(sleeper.container);
}

Test(backup_faults_real, a_restore_that_never_ends_is_ended_by_an_interrupt) {
    program_write("backup/a.sql", SLEEPS_IN_POSTGRES);
    struct sleeper sleeper = {.client = "psql"};
    struct child *child = start_verify("backup", &sleeper);
    cr_assert_eq(kill(sleeper.program, SIGINT), 0);
    cr_expect_eq(program_end(child, 10000), 130, "%s", program_errors());
    program_assert_nothing_left(sleeper.program, 10000);
    free(sleeper.container);
}

// What the kernel does when memory runs out.
static void kill_in(const char *container, const char *name) {
    autofree_string char *script = memory_format(
        "for p in /proc/[0-9]*; do read -r name <$p/comm && [ \"$name\" = %s ] && kill -9 "
        "${p#/proc/}; done; true",
        name);
    autofree_string char *said = NULL;
    ask_container(container, script, &said);
}

static void expect_server_death(const char *dump, const char *sound, const char *client,
                                const char *server, const char *what) {
    program_write("backup/a.sql", dump);
    program_write("backup/b.sql", sound);
    struct sleeper sleeper = {.client = client};
    struct child *child = start_verify("backup", &sleeper);
    kill_in(sleeper.container, server);
    cr_expect_eq(program_end(child, 30000), 1, "%s", program_output());
    assert_says(program_output(), what);
    assert_says(program_output(), "ok        b.sql");
    program_assert_nothing_left(sleeper.program, 10000);
    free(sleeper.container);
}

Test(backup_faults_real, a_postgresql_that_dies_while_it_is_restored_into_spoils_no_other_dump) {
    expect_server_death(SLEEPS_IN_POSTGRES, SOUND_IN_POSTGRES, "psql", "postgres",
                        "connection to server was lost");
}

Test(backup_faults_real, a_mysql_that_dies_while_it_is_restored_into_spoils_no_other_dump) {
    expect_server_death(SLEEPS_IN_MYSQL, SOUND_IN_MYSQL, "mysql", "mysqld",
                        "Lost connection to MySQL server");
}

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
    return count(whole);
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
    const size_t kept = count("whole/2026*");
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

// In a mount namespace of this test's own: it goes with its last process, whatever happens.
static void mount_small(const char *folder) {
    if (geteuid() != 0)
        cr_skip_test("only root may mount a small disk");
    must(folder_make(folder, 0755, &problem));
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=256k,mode=0700") != 0)
        cr_skip_test("a small disk cannot be mounted here: %s", strerror(errno));
}

Test(backup_faults_real, a_create_onto_a_full_disk_names_the_file_and_leaves_nothing) {
    backup_fixture_up(COMPOSE);
    fill();
    mount_small("small");
    struct child *child = assay_start(CREATE, "--into", "small");
    const pid_t pid = child_pid(child);
    cr_expect_eq(program_end(child, 60000), 3, "%s", program_errors());
    assert_says(program_errors(), "db-app.dump");
    assert_says(program_errors(), "No space left on device");
    cr_expect_eq(count("small/*") + count("small/.[!.]*"), 0);
    program_assert_nothing_left(pid, 10000);
    assert_servers_are_idle();
    assert_servers_take_writes();
    cr_expect_eq(umount2("small", MNT_DETACH), 0);
}

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
    program_write("backup/a.sql", SOUND_IN_POSTGRES);
    mount_small("records");
    cr_assert_eq(assay(VERIFY("backup"), "--records", "records"), 0, "%s", program_output());
    autofree_string char *before = read_whole("records/history.json");
    autofree_string char *table = read_whole("records/history.csv");
    const size_t files = count("records/*");
    fill_disk("records/filler");
    cr_expect_eq(assay(VERIFY("backup"), "--records", "records"), 3, "%s", program_errors());
    assert_says(program_errors(), "No space left on device");
    assert_says(program_output(), "ok        a.sql");
    autofree_string char *after = read_whole("records/history.json");
    autofree_string char *table_after = read_whole("records/history.csv");
    cr_expect_str_eq(before, after);
    cr_expect_str_eq(table, table_after);
    cr_expect_eq(count("records/*"), files + 1); // the one that fills it
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
    run_script("printf '%s\\n' -- '-- PostgreSQL database dump' -- | "
               "xz -9 --lzma2=preset=9,dict=1536MiB >bombs/dictionary.sql.xz");
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
    const int status = program_end(assay_start(VERIFY(path)), 60000);
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

// ---- the engine goes away

// Of this test, which is a process of its own. Goes with it.
static struct proxy proxy;
static char *real_engine;

// From now on, the program's engine is behind it; the test's own connection is not.
static void put_proxy_before_engine(void) {
    real_engine = memory_copy_string(getenv("DOCKER_HOST"));
    proxy_fixture_open(real_engine, &proxy);
    setenv("DOCKER_HOST", proxy.host, 1);
}

// For what is taken down at the end.
static void bring_engine_back(void) {
    proxy_fixture_close(&proxy);
    proxy_fixture_open(real_engine, &proxy);
}

static struct child *start_create_that_waits(void) {
    backup_fixture_up(COMPOSE);
    backup_fixture_postgres("CREATE TABLE orders (id int)");
    lock_orders();
    struct child *child = assay_start(CREATE, "--service", "db");
    must(eventually(deadline_in_ms(10000), pg_dump_runs, NULL, &problem));
    return child;
}

Test(backup_faults_real, a_create_whose_engine_goes_away_says_so) {
    put_proxy_before_engine();
    struct child *child = start_create_that_waits();
    proxy_fixture_signal(&proxy, SIGKILL);
    cr_expect_eq(program_end(child, 20000), 3, "%s", program_errors());
    assert_says(program_errors(), "engine.sock");
    cr_expect_eq(count("backups/*") + count("backups/.[!.]*"), 0);
    must(eventually(deadline_in_ms(5000), pg_dump_is_gone, NULL, &problem));
    bring_engine_back();
}

Test(backup_faults_real, a_create_whose_engine_falls_silent_can_be_interrupted) {
    put_proxy_before_engine();
    struct child *child = start_create_that_waits();
    proxy_fixture_signal(&proxy, SIGSTOP);
    cr_assert_eq(kill(child_pid(child), SIGINT), 0);
    cr_expect_eq(program_end(child, 10000), 130, "%s", program_errors());
    cr_expect_eq(count("backups/*") + count("backups/.[!.]*"), 0);
    proxy_fixture_signal(&proxy, SIGCONT);
    must(eventually(deadline_in_ms(5000), pg_dump_is_gone, NULL, &problem));
}

Test(backup_faults_real,
     a_verify_whose_engine_goes_away_is_not_verified_and_is_cleaned_up_when_it_is_back) {
    put_proxy_before_engine();
    program_write("backup/a.sql", SLEEPS_IN_POSTGRES);
    program_write("backup/b.sql", SOUND_IN_POSTGRES);
    struct sleeper sleeper = {.client = "psql"};
    struct child *child = start_verify("backup", &sleeper);
    proxy_fixture_signal(&proxy, SIGKILL);
    pause_ms(4000,
             NULL); // both artifacts meet no engine; then the guardian waits for one, a minute
    bring_engine_back();
    cr_expect_eq(program_end(child, 30000), 4, "%s", program_output());
    assert_says(program_output(), "a.sql: pg_dump, plain SQL, of server 17.0: restores");
    assert_says(program_output(), "engine.sock");
    program_assert_nothing_left(sleeper.program, 20000);
    free(sleeper.container);
}
