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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static struct error problem;

#define must(call) cr_assert((call), "%s", problem.message)

TestSuite(backup_faults_real, .init = program_init_real, .fini = backup_fixture_done,
          .timeout = 300);

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

static bool is_of_this_test(const char *process, const char *mark) {
    autofree_string char *path = memory_format("/proc/%s/environ", process);
    autofree_string char *environment = NULL;
    size_t length = 0;
    return file_read(path, 1 << 20, &environment, &length, NULL) &&
           memmem(environment, length, mark, strlen(mark)) != NULL;
}

// What this test has started, however far it strayed: guardians, too.
static int programs(void) {
    autofree_string char *mark = memory_format("ASSAY_STATE=%s/", program_folder());
    DIR *folder = opendir("/proc");
    int found = 0;
    cr_assert_not_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        found += is_of_this_test(entry->d_name, mark);
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
    cr_expect_eq(program_count_paths("backups/*"), program_count_paths("backups/*/manifest.json"));
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
        hidden += program_count_paths("backups/.making-*");
        assert_servers_are_idle();
        assert_servers_take_writes();
        assert_backups_are_whole();
    }
    cr_expect_gt(before, 0); // the stack's guardian: they can be seen
    must(eventually(deadline_in_ms(10000), has_no_program_more, &before, &problem));
    cr_assert_gt(hidden, 0, "no kill came while a backup was made: a whole run takes %lld ms",
                 (long long)whole_ms);
    cr_assert_eq(assay(CREATE), 0, "%s", program_errors());
    cr_expect_eq(program_count_paths("backups/.making-*"), 0);
    assert_backups_are_whole();
}

Test(backup_faults_real, a_create_that_is_interrupted_at_any_moment_leaves_nothing) {
    backup_fixture_up(COMPOSE);
    fill();
    const int64_t whole_ms = time_of_a_whole_create();
    int interrupted = 0; // a later one may take less time than the first
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t after_ms = 50 + whole_ms * (2 * round + 1) / (2 * ROUNDS);
        const int status = signal_create(SIGINT, after_ms);
        interrupted += status == 130;
        const bool was_done = status == 0 || status == -SIGINT; // it had let go of the signal
        cr_expect(status == 130 || was_done, "after %lld of %lld ms: exit status %d, %s",
                  (long long)after_ms, (long long)whole_ms, status, program_errors());
        cr_expect_eq(program_count_paths("backups/.making-*"), 0);
        assert_servers_are_idle();
        assert_servers_take_writes();
        assert_backups_are_whole();
    }
    cr_expect_geq(interrupted, 2, "%d of %d, of %lld ms", interrupted, ROUNDS, (long long)whole_ms);
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

// Who waits for it makes all others wait behind.
Test(backup_faults_real, a_table_that_somebody_holds_is_not_waited_for_without_end) {
    backup_fixture_up(COMPOSE);
    backup_fixture_mysql("CREATE TABLE items (id int PRIMARY KEY, note varchar(80))");
    backup_fixture_run(
        "shop", IN_MYSQL "'LOCK TABLES items WRITE; DO SLEEP(600)' >/dev/null 2>&1 & exit 0", "");
    cr_expect_eq(assay(CREATE, "--service", "shop"), 1, "%s", program_errors());
    assert_says(program_errors(), "others have held a table for 20 s");
    cr_expect_eq(program_count_paths("backups/*"), 0);
}

// ---- restores

#define MYSQL_DUMP_BEGINS                                                                         \
    "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    "         \
    "Database: app\n-- ------------------------------------------------------\n-- Server version" \
    "\t8.0.36\n\n"
#define MYSQL_DUMP_ENDS "\n-- Dump completed on 2026-11-21  3:00:00\n"

static const char SOUND_IN_MYSQL[] = MYSQL_DUMP_BEGINS
    "CREATE TABLE `t` (`n` int);\nINSERT INTO `t` VALUES (1),(2);\n" MYSQL_DUMP_ENDS;
static const char SLEEPS_IN_POSTGRES[] =
    PG_DUMP_BEGINS("17") "SELECT pg_sleep(1000000);\n" PG_DUMP_ENDS;
static const char SLEEPS_IN_MYSQL[] =
    MYSQL_DUMP_BEGINS "CREATE TABLE `t` (`n` int);\nDO SLEEP(1000000);\n" MYSQL_DUMP_ENDS;

// NULL: it cannot be asked, for it does not run yet.
static char *ask_container(const char *container, const char *script) {
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct exec_options options = {.argv = argv, .user = "root"};
    struct exec_result result = {0};
    if (!exec_run(program_engine(), container, &options, &result, &problem))
        return NULL;
    char *said = text_take(&result.output);
    exec_result_done(&result);
    return said;
}

// A restore that sleeps: the container that its client is in.
struct sleeper {
    pid_t program;
    const char *client; // the name of its process
    char *container;
};

static bool find_client(const char *container, const char *client) {
    autofree_string char *script = memory_format("cat /proc/[0-9]*/comm | grep -x %s", client);
    autofree_string char *said = ask_container(container, script);
    return said != NULL && said[0] != '\0';
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
    struct child *child = assay_start(BACKUP_VERIFY(path));
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
    cr_expect_eq(program_count_paths("backup/*"), 1);
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

// The other dump shows that the server's container is as it was.
static void expect_stall(const char *dump, const char *sound) {
    program_write("backup/a.sql", dump);
    program_write("backup/b.sql", sound);
    cr_expect_eq(assay(BACKUP_VERIFY("backup"), "--patience", "8"), 1, "%s", program_errors());
    assert_says(program_output(), "the server had done nothing for 8 s");
    assert_says(program_output(), "ok        b.sql");
    assert_says(program_output(), " passed, 1 failed, 0 skipped\n");
}

Test(backup_faults_real, a_restore_into_postgresql_that_does_not_go_on_is_ended) {
    expect_stall(SLEEPS_IN_POSTGRES, PG_DUMP_OF_TWO_ROWS);
}

Test(backup_faults_real, a_restore_into_mysql_that_does_not_go_on_is_ended) {
    expect_stall(SLEEPS_IN_MYSQL, SOUND_IN_MYSQL);
}

// What the kernel does when memory runs out.
static void kill_in(const char *container, const char *name) {
    autofree_string char *script = memory_format(
        "for p in /proc/[0-9]*; do read -r name <$p/comm && [ \"$name\" = %s ] && kill -9 "
        "${p#/proc/}; done; true",
        name);
    autofree_string char *said = ask_container(container, script);
    cr_assert_not_null(said, "%s", problem.message);
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
    assert_says(program_output(), " passed, 1 failed, 0 skipped\n"); // "ok" may be skipped
    program_assert_nothing_left(sleeper.program, 10000);
    free(sleeper.container);
}

Test(backup_faults_real, a_postgresql_that_dies_while_it_is_restored_into_spoils_no_other_dump) {
    expect_server_death(SLEEPS_IN_POSTGRES, PG_DUMP_OF_TWO_ROWS, "psql", "postgres",
                        "connection to server was lost");
}

Test(backup_faults_real, a_mysql_that_dies_while_it_is_restored_into_spoils_no_other_dump) {
    expect_server_death(SLEEPS_IN_MYSQL, SOUND_IN_MYSQL, "mysql", "mysqld",
                        "Lost connection to MySQL server");
}

// ---- a full disk

Test(backup_faults_real, a_create_onto_a_full_disk_names_the_file_and_leaves_nothing) {
    backup_fixture_up(COMPOSE);
    fill();
    program_mount_small("small");
    struct child *child = assay_start(CREATE, "--into", "small");
    const pid_t pid = child_pid(child);
    cr_expect_eq(program_end(child, 60000), 3, "%s", program_errors());
    assert_says(program_errors(), "db-app.dump");
    assert_says(program_errors(), "No space left on device");
    cr_expect_eq(program_count_paths("small/*") + program_count_paths("small/.[!.]*"), 0);
    program_assert_nothing_left(pid, 10000);
    assert_servers_are_idle();
    assert_servers_take_writes();
    cr_expect_eq(umount2("small", MNT_DETACH), 0);
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
    cr_expect_eq(program_count_paths("backups/*") + program_count_paths("backups/.[!.]*"), 0);
    must(eventually(deadline_in_ms(5000), pg_dump_is_gone, NULL, &problem));
    bring_engine_back();
}

Test(backup_faults_real, a_create_whose_engine_falls_silent_can_be_interrupted) {
    put_proxy_before_engine();
    struct child *child = start_create_that_waits();
    proxy_fixture_signal(&proxy, SIGSTOP);
    cr_assert_eq(kill(child_pid(child), SIGINT), 0);
    cr_expect_eq(program_end(child, 10000), 130, "%s", program_errors());
    cr_expect_eq(program_count_paths("backups/*") + program_count_paths("backups/.[!.]*"), 0);
    proxy_fixture_signal(&proxy, SIGCONT);
    must(eventually(deadline_in_ms(5000), pg_dump_is_gone, NULL, &problem));
}

Test(backup_faults_real,
     a_verify_whose_engine_goes_away_is_not_verified_and_is_cleaned_up_when_it_is_back) {
    put_proxy_before_engine();
    program_write("backup/a.sql", SLEEPS_IN_POSTGRES);
    program_write("backup/b.sql", PG_DUMP_OF_TWO_ROWS);
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
