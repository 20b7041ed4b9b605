// `assay backup verify` as people run it, on real servers and real dumps.
#define _GNU_SOURCE
#include "command/backup_fixture.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

TestSuite(verify_backup_real, .init = program_init_real, .fini = program_done, .timeout = 900);

static struct error problem;

static void copy_sample(const char *sample, const char *name) {
    char *from = path_join(DUMP_SAMPLES, sample);
    char *to = path_join(program_folder(), name);
    char *parent = memory_copy_string(to);
    *strrchr(parent, '/') = '\0';
    char *bytes = NULL;
    size_t length = 0;
    cr_assert(file_read(from, 1 << 24, &bytes, &length, &problem), "%s", problem.message);
    cr_assert(folder_make(parent, 0755, &problem), "%s", problem.message);
    cr_assert(file_write_atomic(to, bytes, length, 0644, &problem), "%s", problem.message);
    free(bytes);
    free(parent);
    free(to);
    free(from);
}

#define VERIFY(path) assay("backup", "verify", path, "--format", "terminal")

Test(verify_backup_real, restores_sound_dumps_of_every_engine_without_any_configuration) {
    copy_sample("pg17.custom", "backup/app");
    copy_sample("mysql9-two.sql", "backup/two.sql");
    copy_sample("mongodump-100.18-orders.bson", "backup/shop/orders.bson");
    copy_sample("mongodump-100.18.archive", "backup/docs.archive");
    copy_sample("redis-8.0.rdb", "backup/dump.rdb");
    struct child *child = assay_start("backup", "verify", "backup", "--format", "terminal");
    const pid_t pid = child_pid(child);
    cr_expect_eq(program_end(child, 600000), 0, "%s\n%s", program_output(), program_errors());
    assert_says(program_output(), "app: pg_dump, custom format, of server 17");
    assert_says(program_output(), "two.sql: mysqldump");
    assert_says(program_output(), "shop: mongodump");
    assert_says(program_output(), "docs.archive: mongodump");
    assert_says(program_output(), "dump.rdb: Redis");
    assert_says(program_output(), " 0 failed, 0 skipped");
    program_assert_nothing_left(pid, 20000);
}

// A statement that fails after others have worked, as a restore by hand passes over it.
static const char FAILS_LATE[] =
    PG_DUMP_BEGINS("17") "CREATE TABLE public.t (n integer NOT NULL);\n"
                         "COPY public.t (n) FROM stdin;\n1\n2\n\\.\n\n"
                         "ALTER TABLE public.t ADD CONSTRAINT once CHECK (n < 2);\n" PG_DUMP_ENDS;

Test(verify_backup_real, a_dump_that_does_not_restore_fails_in_the_servers_own_words) {
    program_write("backup/late.sql", FAILS_LATE);
    cr_expect_eq(VERIFY("backup"), 1, "%s", program_errors());
    assert_says(program_output(), "late.sql");
    assert_says(program_output(), "is violated by some row");
}

static const char LOSES_ROWS[] =
    PG_DUMP_BEGINS("17") "CREATE TABLE public.t (n integer NOT NULL);\n"
                         "CREATE RULE gone AS ON INSERT TO public.t DO INSTEAD NOTHING;\n"
                         "CREATE FUNCTION public.skip() RETURNS trigger LANGUAGE plpgsql AS "
                         "'BEGIN RETURN NULL; END';\n"
                         "CREATE TRIGGER skip BEFORE INSERT ON public.t FOR EACH ROW "
                         "WHEN (NEW.n = 2) EXECUTE FUNCTION public.skip();\n"
                         "COPY public.t (n) FROM stdin;\n1\n2\n3\n\\.\n\n" PG_DUMP_ENDS;

Test(verify_backup_real, rows_that_do_not_arrive_are_missed_although_every_tool_is_content) {
    program_write("backup/loses.sql", LOSES_ROWS);
    cr_expect_eq(VERIFY("backup"), 1, "%s", program_errors());
    assert_says(program_output(), "rows_are_all_there");
    assert_says(program_output(), "the file holds 3 rows, the restored server 2");
}

Test(verify_backup_real, smoke_queries_are_asked_of_the_restored_server) {
    program_write("backup/two.sql", PG_DUMP_OF_TWO_ROWS);
    program_write("assay.yaml",
                  "backup:\n  smoke:\n"
                  "    - {name: two, engine: postgres, sql: select count(*) from t, expect: 2}\n");
    cr_expect_eq(VERIFY("backup"), 0, "%s", program_output());
    program_write("three.yaml",
                  "backup:\n  smoke:\n"
                  "    - {name: three, engine: postgres, sql: table t, expect_rows: 3}\n");
    cr_expect_eq(assay("backup", "verify", "backup", "--settings", "three.yaml"), 1);
    assert_says(program_output(), "three");
    assert_says(program_output(), "it answers otherwise than expected");
    assert_says(program_output(), "2 rows");
}

static const char OWNED[] =
    PG_DUMP_BEGINS("17") "CREATE TABLE public.t (n integer NOT NULL);\n"
                         "ALTER TABLE public.t OWNER TO \"some one\";\n"
                         "GRANT SELECT ON TABLE public.t TO another;\n"
                         "COPY public.t (n) FROM stdin;\n1\n\\.\n\n" PG_DUMP_ENDS;

Test(verify_backup_real, roles_that_a_dump_does_not_hold_are_made_and_are_no_failure) {
    program_write("backup/owned.sql", OWNED);
    cr_expect_eq(VERIFY("backup"), 0, "%s", program_output());
}

Test(verify_backup_real, a_dump_of_a_newer_server_is_not_verified_when_this_one_refuses_it) {
    program_write("backup/newer.sql", PG_DUMP_BEGINS("99") "SET tomorrow = 'yes';\n" PG_DUMP_ENDS);
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_output());
    assert_says(program_output(), "the dump is of PostgreSQL 99");
}

#define MYSQL_DUMP(head, version, statement)                                      \
    "-- " head " (x86_64)\n--\n-- Host: localhost    Database: shop\n-- ------\n" \
    "-- Server version\t" version "\n\n" statement "\n-- Dump completed on 2026-11-20  3:00:00\n"

Test(verify_backup_real, what_only_other_servers_have_is_not_verified) {
    program_write("backup/maria.sql",
                  MYSQL_DUMP("MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu",
                             "10.11.6-MariaDB",
                             "CREATE TABLE `t` (`n` int(11)) ENGINE=Aria PAGE_CHECKSUM=1;"));
    program_write("backup/words.sql",
                  MYSQL_DUMP("MySQL dump 10.13  Distrib 8.0.36, for Linux", "8.0.36",
                             "CREATE TABLE `t` (`n` text) COLLATE=tomorrow_ci;"));
    program_write("backup/places.sql",
                  PG_DUMP_BEGINS("17") "CREATE EXTENSION postgis;\n" PG_DUMP_ENDS);
    cr_expect_eq(VERIFY("backup"), 4, "%s", program_output());
    assert_says(program_output(), "the dump is of MariaDB, the server to be had here is MySQL");
    assert_says(program_output(), "this server does not have what the dump needs: ERROR 1273");
    assert_says(program_output(), "extension \"postgis\" is not available");
}

Test(verify_backup_real, metadata_that_cannot_be_read_fail_their_dump) {
    copy_sample("mongodump-100.18-orders.bson", "backup/orders.bson");
    program_write("backup/orders.metadata.json", "{\"options\": {");
    cr_expect_eq(VERIFY("backup"), 1, "%s", program_output());
    assert_says(program_output(), "the metadata of restored.orders are no JSON");
}

static bool has_a_container(void *context, struct error *err) {
    char *there = program_leftovers(*(const pid_t *)context);
    const bool found = strstr(there, "container") != NULL;
    free(there);
    return found || error_set(err, ERROR_TIMEOUT, 0, "no container yet");
}

Test(verify_backup_real, an_interrupt_leaves_nothing) {
    copy_sample("pg17.custom", "backup/app");
    struct child *child = assay_start("backup", "verify", "backup", "--format", "terminal");
    pid_t pid = child_pid(child);
    cr_assert(eventually(deadline_in_ms(60000), has_a_container, &pid, &problem), "%s",
              problem.message);
    cr_assert_eq(kill(pid, SIGINT), 0);
    cr_expect_eq(program_end(child, 60000), 130, "%s", program_errors());
    program_assert_nothing_left(pid, 20000);
}
