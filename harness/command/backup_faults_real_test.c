// What `assay backup` does when something breaks meanwhile: it is killed, the disk is full, a
// server dies, the engine goes away, a file promises more than it holds.
#define _GNU_SOURCE
#include "command/backup_fixture.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "engine/exec.h"

#include <dirent.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
