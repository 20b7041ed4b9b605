// `assay backup create` as people run it, on a stack of real servers, and `verify` of what it made.
#define _GNU_SOURCE
#include "command/backup_fixture.h"

#include "base/file.h"
#include "base/memory.h"
#include "client/mongodb.h"
#include "verify/backup/manifest.h"

#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct error problem;

#define must(call) cr_assert((call), "%s", problem.message)

static const char COMPOSE[] = COMPOSE_BEGINS COMPOSE_POSTGRES COMPOSE_MYSQL
    "  docs:\n"
    "    image: mongo:7.0\n"
    "    x-assay: {kind: mongodb, substitute: ferretdb, port: 27017}\n"
    "  keys:\n"
    "    image: assay/redis\n"
    "    x-assay: {kind: redis_cluster, password: four, port: 6379}\n"
    "    environment: {REDIS_PASSWORD_FILE: /run/secrets/four}\n"
    "    secrets: [four]\n"
    "    command: [redis-server, --save, \"\"]\n" COMPOSE_SECRETS
    "  four: {x-assay: {generate: true}}\n";

static void init(void) {
    program_init_real();
    backup_fixture_up(COMPOSE);
}

TestSuite(create_backup_real, .init = init, .fini = backup_fixture_done, .timeout = 900);

// ---- the servers

static void redis(const char *command) {
    backup_fixture_run(
        "keys",
        "export REDISCLI_AUTH=$(cat /run/secrets/four); printf '%s\\n' \"$1\" | redis-cli -e",
        command);
}

static struct mongodb *open_mongodb(void) {
    const struct endpoint endpoint = {
        .service = "docs",
        .host = environment_of(backup_fixture_environment(), "docs", "HOST"),
        .port = 27017,
        .database = "shop"};
    struct mongodb *mongodb = NULL;
    must(mongodb_open(&endpoint, &mongodb, &problem));
    return mongodb;
}

static void fill_mongodb(void) {
    struct mongodb *mongodb = open_mongodb();
    for (int i = 0; i < 300; i++) {
        char *document = memory_format("{\"_id\": %d, \"total\": %d.5, \"who\": \"n%d\"}", i, i, i);
        must(mongodb_insert(mongodb, "orders", document, &problem));
        free(document);
    }
    must(mongodb_insert(mongodb, "a/b %20", "{\"_id\": 1}", &problem)); // no name of a file
    must(mongodb_create_index(mongodb, "orders", "{\"who\": 1}", "{\"unique\": true}", &problem));
    must(mongodb_run(mongodb, NULL, "{\"create\": \"empty\"}", NULL, &problem));
    must(mongodb_run(mongodb, "nothing", "{\"create\": \"empty\"}", NULL, &problem));
    mongodb_close(mongodb);
}

static void alter_mongodb(void) {
    struct mongodb *mongodb = open_mongodb();
    must(mongodb_update(mongodb, "orders", "{\"_id\": 7}", "{\"$set\": {\"total\": 7}}", NULL, NULL,
                        &problem));
    must(mongodb_delete(mongodb, "orders", "{\"_id\": 9}", NULL, &problem));
    must(mongodb_drop(mongodb, "empty", &problem));
    mongodb_close(mongodb);
}

static void fill(void) {
    fill_mongodb();
    redis("SET greeting hello");
    redis("HSET user:1 name Ann age 30");
    redis("ZADD board 1.5 ann 2.5 bob");
    backup_fixture_postgres(
        "CREATE TABLE orders (id int PRIMARY KEY, total numeric(10,2), note text, seen "
        "timestamptz); INSERT INTO orders SELECT i, i * 1.5, CASE WHEN i % 7 > 0 THEN "
        "md5(i::text) END, 'epoch'::timestamptz + i * interval '1 microsecond' FROM "
        "generate_series(1, 5000) i; CREATE INDEX dear ON orders (total) WHERE total > 10; "
        "CREATE VIEW totals AS SELECT sum(total) FROM orders");
    backup_fixture_postgres("CREATE DATABASE \"second one\"");
    backup_fixture_mysql(
        "CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, price decimal(10,2), note "
        "varchar(80), bytes blob); INSERT INTO items (price, note, bytes) SELECT n, hex(n), "
        "unhex(sha2(n, 256)) FROM (SELECT a.a + 10 * b.a + 100 * c.a AS n FROM (VALUES ROW(0), "
        "ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9)) AS a(a), "
        "(VALUES ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9)) "
        "AS b(a), (VALUES ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), "
        "ROW(8), ROW(9)) AS c(a)) AS numbers; CREATE VIEW dear AS SELECT * FROM items WHERE "
        "price > 500");
}

// ---- backups

// Its folder within the test's: "backups/20261123-031500"; the caller's.
static char *create(void) {
    cr_assert_eq(assay("backup", "create", "--stack", "default"), 0, "%s", program_errors());
    char *path = memory_copy_bytes(program_output(), strcspn(program_output(), "\n"));
    return path;
}

#define VERIFY(path, ...) \
    assay("backup", "verify", path, "--format", "terminal", "--against", "manifest", ##__VA_ARGS__)

static json_t *load(const char *folder) {
    char *path = path_join(folder, MANIFEST_NAME);
    json_error_t wrong;
    json_t *manifest = json_load_file(path, 0, &wrong);
    cr_assert_not_null(manifest, "%s", wrong.text);
    free(path);
    return manifest;
}

// The dump of one moment under the sums of another.
static void take_sums_of(const char *from, const char *to) {
    json_t *old = load(from), *new = load(to);
    json_object_set(new, "hash_key", json_object_get(old, "hash_key"));
    for (size_t i = 0; i < json_array_size(json_object_get(new, "artifacts")); i++) {
        json_t *sums =
            json_object_get(json_array_get(json_object_get(old, "artifacts"), i), "fingerprint");
        if (sums != NULL)
            json_object_set(json_array_get(json_object_get(new, "artifacts"), i), "fingerprint",
                            sums);
    }
    char *path = path_join(to, MANIFEST_NAME);
    cr_assert_eq(json_dump_file(new, path, 0), 0);
    free(path);
    json_decref(old);
    json_decref(new);
}

Test(create_backup_real, what_was_made_is_verified_and_what_was_altered_since_is_named) {
    fill();
    char *before = create();
    cr_expect_eq(VERIFY(before), 0, "%s", program_output());
    assert_says(program_output(), " 0 failed, ");
    cr_expect_eq(assay("backup", "list"), 0);
    assert_says(program_output(), "6 artifacts");
    assert_says(program_output(), "verified");

    backup_fixture_postgres(
        "DELETE FROM orders WHERE id = 77; UPDATE orders SET note = '' WHERE id = 7; "
        "ALTER TABLE orders ALTER note TYPE varchar(40)");
    backup_fixture_mysql(
        "UPDATE items SET bytes = x'00' WHERE id = 5; ALTER TABLE items MODIFY note "
        "varchar(81); INSERT INTO items VALUES (5000, 1, '', NULL)");
    alter_mongodb();
    redis("DEL greeting");
    redis("ZADD board 1.6 ann");
    char *after = create();
    take_sums_of(before, after);
    cr_expect_eq(VERIFY(after), 1, "%s", program_output());
    assert_says(program_output(), "note: text \u2192 character varying(40)");
    assert_says(program_output(), "table public.orders: 1 row missing");
    assert_says(program_output(), "of the keys from id=1 to 5000 it has not: id=77");
    assert_says(program_output(), "varchar(80) \u2192 varchar(81)");
    assert_says(program_output(), "items: 1 row extra");
    assert_says(program_output(), "extra: id=5000");
    assert_says(program_output(), "collection shop.orders: 1 row missing");
    assert_says(program_output(), "of the keys from _id=0 to 299 it has not: _id=9");
    assert_says(program_output(), "collection shop.empty: is missing");
    assert_says(program_output(), "database 0: 1 row missing");
    free(before);
    free(after);
}

#define VERIFY_LIVE(path, stack) \
    assay("backup", "verify", path, "--format", "terminal", "--against", "live", "--stack", stack)

Test(create_backup_real, a_backup_of_anybodys_is_compared_with_the_running_servers) {
    fill();
    char *path = create();
    char *manifest = path_join(path, MANIFEST_NAME);
    must(file_remove_tree(manifest, &problem));
    cr_expect_eq(VERIFY_LIVE(path, "default"), 0, "%s%s", program_output(), program_errors());
    assert_says(program_output(), " 0 failed, ");
    backup_fixture_postgres(
        "DELETE FROM orders WHERE id = 77; ALTER TABLE orders ALTER note TYPE varchar(40)");
    backup_fixture_mysql("INSERT INTO items VALUES (5000, 1, '', NULL)");
    alter_mongodb();
    redis("DEL greeting");
    cr_expect_eq(VERIFY_LIVE(path, "default"), 1, "%s", program_output());
    assert_says(program_output(), "schema_is_as_in_the_running_server");
    assert_says(program_output(), "note: character varying(40) \u2192 text");
    assert_says(program_output(), "rows_are_as_in_the_running_server");
    assert_says(program_output(), "table public.orders: 1 row extra");
    assert_says(program_output(), "extra: id=77\n");
    assert_says(program_output(), "items: 1 row missing");
    assert_says(program_output(), "missing: id=5000\n");
    assert_says(program_output(), "collection shop.orders: 1 row extra");
    assert_says(program_output(), "extra: _id=9\n");
    assert_says(program_output(), "changed: _id=7 (total)\n");
    assert_says(program_output(), "database 0: 1 row extra");
    assert_says(program_output(), "extra: greeting\n");
    cr_expect_eq(VERIFY_LIVE(path, "another"), 2);
    assert_says(program_errors(), "--against live: there is no stack \"another\"");
    free(manifest);
    free(path);
}

// A plain dump names no database; of one that makes its own nobody can tell the sums yet.
Test(create_backup_real, what_cannot_be_compared_with_the_running_servers_is_said) {
    backup_fixture_postgres(
        "CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)");
    char *plain = backup_fixture_ask("db", "pg_dump -U app -d app", "");
    char *making = backup_fixture_ask("db", "pg_dump -U app -d app --create", "");
    program_write("plain/app.sql", plain);
    program_write("making/app.sql", making);
    cr_expect_eq(VERIFY_LIVE("plain", "default"), 4, "%s", program_output());
    assert_says(program_output(), "the file does not say of which one database it is");
    cr_expect_eq(VERIFY_LIVE("making", "default"), 4, "%s", program_output());
    assert_says(program_output(), "makes its own databases");
    free(making);
    free(plain);
}

// The archive's database is not there at all.
Test(create_backup_real, an_archive_is_of_the_database_that_it_names) {
    char *from = path_join(DUMP_SAMPLES, "mongodump-100.18.archive");
    char *bytes = NULL;
    size_t length = 0;
    must(file_read(from, 1 << 24, &bytes, &length, &problem));
    must(folder_make("archive", 0755, &problem));
    must(file_write_atomic("archive/docs.archive", bytes, length, 0644, &problem));
    cr_expect_eq(VERIFY_LIVE("archive", "default"), 1, "%s", program_output());
    assert_says(program_output(), "as_in_the_running_server");
    free(bytes);
    free(from);
}

Test(create_backup_real, is_exact_while_the_servers_are_written_to) {
    fill();
    backup_fixture_run(
        "db",
        "(while :; do psql -X -q -U app -d app -c 'INSERT INTO orders SELECT max(id) + n, 0 FROM "
        "orders, generate_series(1, 3) n GROUP BY n; DELETE FROM orders WHERE id % 97 = 5' || "
        "break; done) >/dev/null 2>&1 & exit 0",
        "");
    backup_fixture_run("shop",
                       "(while :; do " IN_MYSQL
                       "'INSERT INTO items (price) VALUES (1), (2); DELETE FROM items "
                       "WHERE id % 97 = 5' || break; done) >/dev/null 2>&1 & exit 0",
                       "");
    for (int i = 0; i < 2; i++) {
        char *path = create();
        cr_expect_eq(VERIFY(path), 0, "%s", program_output());
        free(path);
    }
}

static void expect_finding(const char *path, const char *name, const char *what) {
    cr_expect_eq(VERIFY(path), 1, "%s", program_output());
    assert_says(program_output(), name);
    assert_says(program_output(), what);
}

Test(create_backup_real, a_file_that_is_not_as_it_was_is_found_by_its_manifest) {
    backup_fixture_mysql(
        "CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items VALUES (1234567)");
    cr_assert_eq(assay("backup", "key", "mine"), 0, "%s", program_errors());
    cr_assert_eq(
        assay("backup", "create", "--stack", "default", "--service", "shop", "--key", "mine"), 0,
        "%s", program_errors());
    char *path = memory_copy_bytes(program_output(), strcspn(program_output(), "\n"));
    char *dump = memory_format("%s/shop-app.sql", path);
    cr_expect_eq(VERIFY(path, "--key", "mine.pub"), 0, "%s", program_output());

    char *bytes = NULL;
    size_t length = 0;
    must(file_read(dump, 1 << 20, &bytes, &length, &problem));
    char *digit = strstr(bytes, "1234567");
    cr_assert_not_null(digit);
    *digit = '2';
    must(file_write_atomic(dump, bytes, length, 0600, &problem));
    expect_finding(path, "files_are_those_of_the_manifest", "shop-app.sql");
    assert_says(program_output(), "rows_are_as_they_were"); // the content says so, too

    *digit = '1';
    must(file_write_atomic(dump, bytes, length, 0600, &problem));
    char *extra = memory_format("%s/shop-copy.sql", path);
    must(file_write_atomic(extra, bytes, length, 0600, &problem));
    expect_finding(path, "files_are_those_of_the_manifest", "shop-copy.sql");
    must(file_remove_tree(extra, &problem));

    must(file_remove_tree(dump, &problem));
    expect_finding(path, "files_are_those_of_the_manifest", "shop-app.sql");
    must(file_write_atomic(dump, bytes, length, 0600, &problem));

    cr_assert_eq(assay("backup", "key", "other"), 0, "%s", program_errors());
    cr_expect_eq(VERIFY(path, "--key", "other.pub"), 1, "%s", program_output());
    assert_says(program_output(), "manifest_is_sound");
    free(bytes);
    free(extra);
    free(dump);
    free(path);
}

Test(create_backup_real, a_backup_that_cannot_be_finished_is_none) {
    fill();
    cr_expect_eq(assay("backup", "create", "--stack", "default", "--service", "nothing"), 2);
    assert_says(program_errors(), "there is no running service nothing");
    backup_fixture_mysql(
        "ALTER USER 'root'@'%' IDENTIFIED BY 'another'; ALTER USER 'root'@'localhost' "
        "IDENTIFIED BY 'another'");
    cr_expect_eq(assay("backup", "create", "--stack", "default"), 1, "%s", program_errors());
    assert_says(program_errors(), "Access denied");
    glob_t found = {0};
    cr_expect_eq(glob("backups/*", GLOB_PERIOD, NULL, &found), 0);
    cr_expect_eq(found.gl_pathc, 2, "%zu", found.gl_pathc); // "." and ".."
    globfree(&found);
}

Test(create_backup_real, a_tool_that_fails_half_way_is_heard_and_its_backup_is_none) {
    backup_fixture_run("db",
                       "cd /usr/lib/postgresql/*/bin && mv pg_dump whole && printf '#!/bin/sh\\n"
                       "case $* in *--version*) exec %s/whole --version;; esac\\n"
                       "echo half; echo \"no more of it\" >&2; exit 3\\n' \"$PWD\" >pg_dump && "
                       "chmod 755 pg_dump",
                       "");
    cr_expect_eq(assay("backup", "create", "--stack", "default"), 1, "%s", program_errors());
    assert_says(program_errors(), "db/");
    assert_says(program_errors(), "no more of it");
    cr_expect_eq(program_count_paths("backups/*"), 0);
}

Test(create_backup_real, a_dump_of_the_servers_own_tables_as_well_is_restored) {
    backup_fixture_mysql("CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items VALUES (1)");
    char *dump = backup_fixture_ask(
        "shop",
        "printf '[client]\\npassword=\"%s\"\\n' \"$(cat /run/secrets/three)\" | "
        "mysqldump --defaults-extra-file=/dev/stdin -uroot --databases mysql app --ignore-table="
        "mysql.help_topic --ignore-table=mysql.help_keyword --ignore-table=mysql.help_relation",
        "");
    program_write("all/all.sql", dump);
    free(dump);
    cr_expect_eq(assay("backup", "verify", "all", "--format", "terminal"), 0, "%s",
                 program_output());
    assert_says(program_output(), "the dump holds the server's own tables as well");
}

// ---- where there is nothing to back up

TestSuite(create_nothing_real, .init = program_init_real, .fini = backup_fixture_done,
          .timeout = 300);

Test(create_nothing_real, a_project_of_which_nothing_runs_is_named) {
    cr_expect_eq(assay("backup", "create", "--project", "nobody-s"), 2);
    assert_says(program_errors(), "no container has the label");
    assert_says(program_errors(), "nobody-s");
}

Test(create_nothing_real, a_server_without_a_database_is_said_to_have_none) {
    backup_fixture_up(COMPOSE_BEGINS "  docs:\n"
                                     "    image: mongo:7.0\n"
                                     "    x-assay: {kind: mongodb, substitute: ferretdb, port: "
                                     "27017}\n");
    cr_expect_eq(assay("backup", "create", "--stack", "default"), 2);
    assert_says(program_errors(), "the servers hold no database: no backup is made");
    cr_expect_eq(program_count_paths("backups/*"), 0);
}

Test(create_nothing_real, a_service_that_is_no_server_is_named) {
    backup_fixture_up(COMPOSE_BEGINS "  web:\n"
                                     "    image: %IMAGE%\n"
                                     "    command: [%SERVE%, web]\n"
                                     "    x-assay: {kind: http, port: 8080, path: /}\n");
    cr_expect_eq(assay("backup", "create", "--stack", "default"), 2);
    assert_says(program_errors(), "none is a server that can be backed up");
    cr_expect_eq(assay("backup", "create", "--stack", "default", "--service", "web"), 2);
    assert_says(program_errors(), "web is no server that can be backed up");
}
