// Against real servers: PostgreSQL of this machine's own, the others that ASSAY_TEST_MYSQL,
// ASSAY_TEST_MONGODB and ASSAY_TEST_REDIS name ("127.0.0.1:3306"; ASSAY_TEST_MYSQL_PASSWORD is the
// file of root's password). Skips, saying so, where there is none.
#include "verify/backup/smoke_ask.h"
#include "verify/backup/smoke_check.h"

#include "base/clock.h"
#include "base/memory.h"
#include "client/mongodb.h"
#include "client/mysqldb.h"
#include "client/redis_cluster.h"
#include "verify/fingerprint/postgres_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    struct postgres_server server;
    char host[64];
    char database[64];
    struct endpoint endpoint;
    struct postgres *postgres;
    struct mysqldb *mysql;
    struct mongodb *mongodb;
    struct redis_cluster *redis;
    struct string_list words;
    struct smoke_answer answer;
    struct error err;
} held;

#define KEY held.database // one of this test's own
#define OTHER_KEY "assay_smoke_other"
#define REDIS_DATABASE "13"

static void tidy_mysql(void) {
    autofree_string char *drop = memory_format("drop database if exists %s", held.database);
    (void)!mysqldb_run(held.mysql, drop, NULL);
    mysqldb_close(held.mysql);
}

static void release(void) {
    smoke_answer_done(&held.answer);
    string_list_done(&held.words);
    postgres_close(held.postgres);
    postgres_server_stop(&held.server);
    if (held.mysql != NULL)
        tidy_mysql();
    if (held.mongodb != NULL)
        (void)!mongodb_run(held.mongodb, NULL, "{\"dropDatabase\": 1}", NULL, NULL);
    mongodb_close(held.mongodb);
    if (held.redis != NULL)
        (void)!redis_cluster_command(held.redis, WORDS("DEL", KEY), NULL, NULL);
    redis_cluster_close(held.redis);
}

TestSuite(smoke_ask, .fini = release, .timeout = 120);

static void name_server(const char *variable, const char *service) {
    const char *where = getenv(variable);
    unsigned port = 0;
    if (where == NULL || sscanf(where, "%63[^:]:%u", held.host, &port) != 2)
        cr_skip_test("%s names no server", variable);
    snprintf(held.database, sizeof held.database, "assay_smoke_%d", (int)getpid());
    held.endpoint =
        (struct endpoint){.service = service, .host = held.host, .port = (uint16_t)port};
}

static bool ask(struct smoke_query query) {
    smoke_answer_done(&held.answer);
    error_clear(&held.err);
    if (query.timeout_ms == 0)
        query.timeout_ms = 20000;
    if (query.filter == NULL)
        query.filter = "{}";
    return smoke_ask(&query, &held.endpoint, &held.answer, &held.err);
}

static void expect_answer(struct smoke_query query, uint64_t rows, const char *value) {
    cr_assert(ask(query), "%s", held.err.message);
    cr_expect_eq(held.answer.rows, rows);
    cr_expect((held.answer.value == NULL) == (value == NULL));
    if (value != NULL && held.answer.value != NULL)
        cr_expect_str_eq(held.answer.value, value);
}

static void expect_refused(struct smoke_query query, int code, const char *says) {
    cr_assert_not(ask(query), "%s", query.sql);
    cr_expect_eq(held.err.domain, ERROR_SERVICE, "%s", held.err.message);
    cr_expect_eq(held.err.code, code, "%s", held.err.message);
    cr_expect(strstr(held.err.message, says), "%s", held.err.message);
}

// As those that the stand's restored server would judge.
static enum outcome judged(void) {
    struct report *report = report_new("test");
    struct suite_result *suite = report_add_suite(report);
    const struct smoke_query query = {.name = "a", .expectation = {SMOKE_VALUE, "t", 0}};
    smoke_judge_problem(&query, &held.err, suite);
    const enum outcome outcome = suite->tests[0].outcome;
    report_free(report);
    return outcome;
}

// ---- PostgreSQL

#define POSTGRES(...) ((struct smoke_query){.engine = DUMP_POSTGRES, .sql = __VA_ARGS__})

static void open_postgres(void) {
    if (!postgres_server_start(&held.server, &held.err)) {
        cr_assert_eq(held.err.domain, ERROR_UNAVAILABLE, "%s", held.err.message);
        cr_skip_test("%s", held.err.message);
    }
    held.endpoint = held.server.endpoint;
    cr_assert(postgres_open(&held.endpoint, &held.postgres, &held.err), "%s", held.err.message);
    cr_assert(postgres_run(held.postgres,
                           "create table orders (id int, note text); create sequence ids;"
                           "insert into orders values (1, 'a'), (2, null), (3, 'c');"
                           "create function sell() returns int language sql as "
                           "'insert into orders values (4) returning id'",
                           &held.err),
              "%s", held.err.message);
}

Test(smoke_ask, postgres_answers) {
    open_postgres();
    expect_answer(POSTGRES("select count(*) > 2, 'x' from orders"), 1, "t");
    expect_answer(POSTGRES("select note from orders where id = 2"), 1, NULL);
    expect_answer(POSTGRES("select id from orders where id > 5"), 0, NULL);
    expect_answer(POSTGRES("select id from orders order by id"), 3, "1");
    expect_answer(POSTGRES("table orders"), 3, "1");
    expect_answer(POSTGRES("select from orders"), 3, NULL);
    expect_answer(POSTGRES("show transaction_read_only"), 1, "on");
}

Test(smoke_ask, postgres_is_not_changed) {
    static const char *const writes[] = {
        "with gone as (delete from orders returning *) select count(*) from gone", "select sell()",
        "select nextval('ids')", "select * into copied from orders"};
    open_postgres();
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        expect_refused(POSTGRES(writes[i]), SERVICE_ERROR_READ_ONLY, "read-only transaction");
        cr_expect_eq(judged(), OUTCOME_NOT_VERIFIED);
    }
    expect_refused(POSTGRES("select 1; drop table orders"), SERVICE_ERROR_SYNTAX, "");
    expect_answer(POSTGRES("select count(*) from orders"), 1, "3");
    expect_refused(POSTGRES("select 1; commit; drop table orders"), SERVICE_ERROR_SYNTAX, "");
    expect_answer(POSTGRES("select count(*) from orders"), 1, "3");
    (void)!ask(POSTGRES("select lo_create(0)")); // PostgreSQL 15 lets it pass, and takes it back
    expect_answer(POSTGRES("select count(*) from pg_largeobject_metadata"), 1, "0");
}

Test(smoke_ask, postgres_does_not_hang) {
    open_postgres();
    const int64_t started_ms = clock_monotonic_us() / 1000;
    cr_assert_not(ask(POSTGRES("select pg_sleep(60)", .timeout_ms = 200)));
    cr_expect_lt(clock_monotonic_us() / 1000 - started_ms, 4000);
    cr_expect_str_eq(held.err.reference, "57014", "%s", held.err.message);
    cr_expect_eq(judged(), OUTCOME_NOT_VERIFIED);
}

Test(smoke_ask, postgres_says_what_is_not_there) {
    open_postgres();
    expect_refused(POSTGRES("select count(*) from customers"), SERVICE_ERROR_NOT_FOUND,
                   "relation \"customers\" does not exist");
    cr_expect_eq(judged(), OUTCOME_FAILED);
    expect_refused(POSTGRES("select count(* from orders"), SERVICE_ERROR_SYNTAX, "syntax error");
    cr_expect_eq(judged(), OUTCOME_NOT_VERIFIED);
}

// As after a restore, but without a container: a server that is reached at its endpoint.
Test(smoke_ask, postgres_is_asked_in_the_database_that_was_restored) {
    static char path[] = "app.dump";
    static size_t first = 0;
    struct dump_format format = {.name = "postgres-custom"};
    struct backup_file file = {.path = path, .facts = {.engine = DUMP_POSTGRES, .format = &format}};
    const struct artifact artifact = {.name = path, .files = &first, .file_count = 1};
    const struct backup backup = {.files = &file, .file_count = 1};
    const struct restorer restorer = {.engine = DUMP_POSTGRES, .service = "postgres"};
    const struct restore restore = {
        .endpoint = &held.endpoint, .backup = &backup, .artifact = &artifact};
    static const char sql[] = "select current_database()";
    struct smoke_query queries[] = {{.name = "right",
                                     .engine = DUMP_POSTGRES,
                                     .sql = sql,
                                     .expectation = {SMOKE_VALUE, "restored", 0},
                                     .timeout_ms = 20000},
                                    {.name = "wrong",
                                     .engine = DUMP_POSTGRES,
                                     .sql = sql,
                                     .expectation = {SMOKE_VALUE, "postgres", 0},
                                     .timeout_ms = 20000}};
    const struct smoke smoke = {queries, 2};
    open_postgres();
    cr_assert(postgres_run(held.postgres, "create database restored", &held.err));
    struct report *report = report_new("test");
    struct suite_result *suite = report_add_suite(report);
    smoke_check(&smoke, &restorer, &restore, suite);
    cr_assert_eq(suite->test_count, 2u);
    cr_expect_eq(suite->tests[0].outcome, OUTCOME_PASSED, "%s", suite->tests[0].message);
    cr_expect_gt(suite->tests[0].duration_us, 0);
    cr_expect_eq(suite->tests[1].outcome, OUTCOME_FAILED);
    cr_expect_str_eq(suite->tests[1].expected, "postgres");
    cr_expect_str_eq(suite->tests[1].seen, "restored");
    report_free(report);
}

// ---- MySQL

#define MYSQL(...) ((struct smoke_query){.engine = DUMP_MYSQL, .sql = __VA_ARGS__})

static void run_mysql(const char *sql) {
    cr_assert(mysqldb_run(held.mysql, sql, &held.err), "%s", held.err.message);
}

static void open_mysql(void) {
    name_server("ASSAY_TEST_MYSQL", "mysql");
    held.endpoint.user = "root";
    const char *password = getenv("ASSAY_TEST_MYSQL_PASSWORD"); // a file; unset: none
    struct secret *secret = NULL;
    if (password != NULL)
        cr_assert(secret_read_file(password, &secret, &held.err), "%s", held.err.message);
    held.endpoint.password = secret;
    cr_assert(mysqldb_open(&held.endpoint, &held.mysql, &held.err), "%s", held.err.message);
    autofree_string char *create = memory_format("create database %s", held.database);
    autofree_string char *use = memory_format("use %s", held.database);
    run_mysql(create);
    run_mysql(use);
    run_mysql("create table orders (id int, note text)");
    run_mysql("insert into orders values (1, 'a'), (2, null), (3, 'c')");
    run_mysql("create function sell() returns int not deterministic modifies sql data "
              "begin insert into orders values (4, 'd'); return 4; end");
    held.endpoint.database = held.database;
}

Test(smoke_ask, mysql_answers) {
    open_mysql();
    expect_answer(MYSQL("select count(*) > 2, 'x' from orders"), 1, "1");
    expect_answer(MYSQL("select note from orders where id = 2"), 1, NULL);
    expect_answer(MYSQL("select id from orders where id > 5"), 0, NULL);
    expect_answer(MYSQL("select id from orders order by id"), 3, "1");
    expect_answer(MYSQL("show tables"), 1, "orders");
}

Test(smoke_ask, mysql_is_not_changed) {
    open_mysql();
    expect_refused(MYSQL("select sell()"), SERVICE_ERROR_READ_ONLY, "READ ONLY transaction");
    cr_expect_eq(judged(), OUTCOME_NOT_VERIFIED);
    expect_refused(MYSQL("with gone as (select 1 as id) delete from orders where id in "
                         "(select id from gone)"),
                   SERVICE_ERROR_READ_ONLY, "READ ONLY transaction");
    expect_refused(MYSQL("select 1; drop table orders"), SERVICE_ERROR_SYNTAX, "");
    expect_answer(MYSQL("select count(*) from orders"), 1, "3");
}

Test(smoke_ask, mysql_does_not_hang) {
    static const char endless[] = "select count(sha2(concat(a.id, b.id, c.id, d.id), 512)) from "
                                  "information_schema.collations a, information_schema.collations "
                                  "b, information_schema.collations c, "
                                  "information_schema.collations d";
    open_mysql();
    const int64_t started_ms = clock_monotonic_us() / 1000;
    cr_assert_not(ask(MYSQL(endless, .timeout_ms = 200)));
    cr_expect_lt(clock_monotonic_us() / 1000 - started_ms, 4000);
    cr_expect_str_eq(held.err.reference, "3024", "%s", held.err.message);
    cr_expect_eq(judged(), OUTCOME_NOT_VERIFIED);
}

Test(smoke_ask, mysql_says_what_is_not_there) {
    open_mysql();
    expect_refused(MYSQL("select count(*) from customers"), SERVICE_ERROR_NOT_FOUND,
                   "customers' doesn't exist");
    cr_expect_eq(judged(), OUTCOME_FAILED);
}

// ---- MongoDB

#define MONGODB(...) ((struct smoke_query){.engine = DUMP_MONGODB, .collection = __VA_ARGS__})

static void open_mongodb(void) {
    name_server("ASSAY_TEST_MONGODB", "mongodb");
    held.endpoint.database = held.database;
    cr_assert(mongodb_open(&held.endpoint, &held.mongodb, &held.err), "%s", held.err.message);
    cr_assert(mongodb_insert_many(held.mongodb, "old.orders",
                                  "[{\"total\": 1}, {\"total\": 2}, {\"note\": \"x\"}]", NULL,
                                  &held.err),
              "%s", held.err.message);
}

Test(smoke_ask, mongodb_counts) {
    open_mongodb();
    expect_answer(MONGODB("shop.old.orders"), 1, "3");
    expect_answer(MONGODB("shop.old.orders", .filter = "{\"total\": {\"$exists\": false}}"), 1,
                  "1");
    expect_answer(MONGODB("shop.old.orders", .filter = "{\"total\": 5}"), 1, "0");
}

Test(smoke_ask, mongodb_does_not_take_a_missing_collection_for_an_empty_one) {
    open_mongodb();
    expect_refused(MONGODB("shop.orders"), SERVICE_ERROR_NOT_FOUND,
                   "there is no collection orders in the database assay_smoke_");
    cr_expect_eq(judged(), OUTCOME_FAILED);
}

// ---- Redis

// Borrows its words, until the next one.
static struct smoke_query redis_query(const char *const *words, size_t count) {
    struct smoke_query query = {.engine = DUMP_REDIS};
    string_list_done(&held.words);
    for (size_t i = 0; i < count; i++)
        string_list_add(&held.words, words[i]);
    query.command = held.words;
    return query;
}
#define REDIS(...)                                  \
    redis_query((const char *const[]){__VA_ARGS__}, \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void open_redis(void) {
    name_server("ASSAY_TEST_REDIS", "redis");
    const struct kind_members members = {&held.endpoint, 1};
    cr_assert(redis_cluster_open(&members, &held.redis, &held.err), "%s", held.err.message);
    cr_assert(redis_cluster_command(held.redis, WORDS("SELECT", REDIS_DATABASE), NULL, &held.err) &&
                  redis_cluster_command(held.redis, WORDS("DEL", KEY), NULL, &held.err) &&
                  redis_cluster_command(held.redis, WORDS("HSET", KEY, "a", "x", "b", "y"), NULL,
                                        &held.err),
              "%s", held.err.message);
    held.endpoint.database = REDIS_DATABASE;
}

Test(smoke_ask, redis_answers) {
    open_redis();
    expect_answer(REDIS("EXISTS", KEY), 1, "1");
    expect_answer(REDIS("hget", KEY, "b"), 1, "y");
    expect_answer(REDIS("HGET", KEY, "c"), 0, NULL);
    expect_answer(REDIS("HMGET", KEY, "a", "b", "c"), 3, "x");
    expect_answer(REDIS("HMGET", KEY, "c"), 1, NULL);
    expect_answer(REDIS("SMEMBERS", OTHER_KEY), 0, NULL);
    expect_answer(REDIS("TYPE", KEY), 1, "hash");
    expect_answer(REDIS("OBJECT", "REFCOUNT", KEY), 1, "1");
    held.endpoint.database = NULL;
    expect_answer(REDIS("EXISTS", KEY), 1, "0");
}

Test(smoke_ask, redis_is_not_changed) {
    static const char *const writes[] = {"DEL", "FLUSHALL", "CONFIG", "GETDEL", "EVAL", "NOSUCH"};
    open_redis();
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        cr_assert_not(ask(REDIS(writes[i], KEY)), "%s", writes[i]);
        cr_expect_eq(held.err.domain, ERROR_UNAVAILABLE, "%s", held.err.message);
        cr_expect(strstr(held.err.message, "that it only reads"), "%s", held.err.message);
        cr_expect_eq(judged(), OUTCOME_NOT_VERIFIED);
    }
    expect_answer(REDIS("EXISTS", KEY), 1, "1");
}

Test(smoke_ask, redis_does_not_hang_and_says_what_is_wrong) {
    open_redis();
    const int64_t started_ms = clock_monotonic_us() / 1000;
    struct smoke_query waits = REDIS("XREAD", "BLOCK", "0", "STREAMS", OTHER_KEY, "$");
    waits.timeout_ms = 300;
    cr_assert_not(ask(waits));
    cr_expect_lt(clock_monotonic_us() / 1000 - started_ms, 4000);
    cr_expect_eq(judged(), OUTCOME_NOT_VERIFIED);
    cr_assert_not(ask(REDIS("GET", KEY)));
    cr_expect_eq(held.err.domain, ERROR_SERVICE, "%s", held.err.message);
    cr_expect_eq(judged(), OUTCOME_FAILED);
}
