#include "verify/backup/smoke.h"

#include "base/memory.h"
#include "compose/yaml_document.h"

#include <criterion/criterion.h>
#include <string.h>

static struct yaml_arena arena;
static struct smoke *smoke;

static void release(void) {
    smoke_free(smoke);
    yaml_arena_done(&arena);
}

TestSuite(smoke, .fini = release);

static bool read_text(const char *text, struct error *err) {
    struct yaml *root = NULL;
    cr_assert(yaml_document_parse(&arena, "assay.yaml", text, strlen(text), &root, err), "%s",
              err->message);
    return smoke_read(yaml_get(root, "backup"), &smoke, err);
}

static void expect_read(const char *text) {
    struct error err = {0};
    cr_assert(read_text(text, &err), "%s", err.message);
}

static void expect_refused(const char *text, const char *message) {
    struct error err = {0};
    cr_expect_not(read_text(text, &err), "taken: %s", text);
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_str_eq(err.message, message, "got %s", err.message);
    smoke_free(TAKE(smoke));
}

// A query in line 3 of the file, and what is said of it.
static void expect_query_refused(const char *query, const char *message) {
    autofree_string char *text = memory_format("backup:\n  smoke:\n    - {%s}\n", query);
    autofree_string char *whole = memory_format("assay.yaml:3:%s", message);
    expect_refused(text, whole);
}

Test(smoke, may_be_left_out) {
    cr_assert(smoke_read(NULL, &smoke, NULL));
    cr_expect_eq(smoke->count, 0u);
    smoke_free(TAKE(smoke));
    expect_read("backup: {smoke: []}\n");
    cr_expect_eq(smoke->count, 0u);
    smoke_free(TAKE(smoke));
    expect_read("backup: {}\n");
    cr_expect_eq(smoke->count, 0u);
}

Test(smoke, reads_a_query_of_sql) {
    expect_read("backup:\n"
                "  smoke:\n"
                "    - name: yesterdays_orders_are_in\n"
                "      engine: postgres\n"
                "      artifact: db/app\n"
                "      database: app\n"
                "      timeout: 1m30s\n"
                "      sql: (Select count(*) > 0 from orders)\n"
                "      expect: \"t\"\n");
    cr_assert_eq(smoke->count, 1u);
    const struct smoke_query *query = &smoke->queries[0];
    cr_expect_str_eq(query->name, "yesterdays_orders_are_in");
    cr_expect_eq(query->mark.line, 3);
    cr_expect_eq(query->engine, DUMP_POSTGRES);
    cr_expect_str_eq(query->artifact, "db/app");
    cr_expect_str_eq(query->database, "app");
    cr_expect_str_eq(query->sql, "(Select count(*) > 0 from orders)");
    cr_expect_eq(query->timeout_ms, 90000);
    cr_expect_eq(query->expectation.kind, SMOKE_VALUE);
    cr_expect_str_eq(query->expectation.value, "t");
}

Test(smoke, reads_queries_of_the_other_engines) {
    expect_read("backup:\n"
                "  smoke:\n"
                "    - {name: a, engine: mysql, sql: show tables, expect_rows: 3}\n"
                "    - {name: b, engine: mongodb, collection: shop.old.orders, expect: 0,\n"
                "       filter: '{\"a\": 1}'}\n"
                "    - {name: c, engine: mongodb, collection: a.b, expect_at_least: -10}\n"
                "    - {name: d, engine: redis, database: 3, command: [GET, a b], expect: ''}\n");
    cr_assert_eq(smoke->count, 4u);
    const struct smoke_query *queries = smoke->queries;
    cr_expect_eq(queries[0].engine, DUMP_MYSQL);
    cr_expect_eq(queries[0].timeout_ms, SMOKE_TIMEOUT_MS);
    cr_expect_eq(queries[0].expectation.kind, SMOKE_ROWS);
    cr_expect_eq(queries[0].expectation.number, 3);
    cr_expect_str_eq(queries[1].collection, "shop.old.orders");
    cr_expect_str_eq(queries[1].filter, "{\"a\": 1}");
    cr_expect_str_eq(queries[2].filter, "{}");
    cr_expect_eq(queries[2].expectation.kind, SMOKE_AT_LEAST);
    cr_expect_eq(queries[2].expectation.number, -10);
    cr_expect_str_eq(queries[3].database, "3");
    cr_assert_eq(queries[3].command.count, 2u);
    cr_expect_str_eq(queries[3].command.items[1], "a b");
    cr_expect_str_eq(queries[3].expectation.value, "");
}

Test(smoke, says_what_is_wrong_with_the_section) {
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"backup: [a]\n", "assay.yaml:1:9: backup: expected a mapping, found a list"},
        {"backup: {smoek: []}\n",
         "assay.yaml:1:10: backup: unknown key \"smoek\"; did you mean \"smoke\"?"},
        {"backup: {keep: 7}\n", "assay.yaml:1:10: backup: unknown key \"keep\"; known is smoke"},
        {"backup: {smoke: {a: b}}\n",
         "assay.yaml:1:17: backup.smoke: expected a list, found a mapping"},
        {"backup: {smoke: [a]}\n",
         "assay.yaml:1:18: backup.smoke: expected a mapping, found a single value"},
        {"backup:\n  smoke:\n"
         "    - {name: a, engine: redis, command: [DBSIZE], expect: 1}\n"
         "    - {name: a, engine: redis, command: [DBSIZE], expect: 1}\n",
         "assay.yaml:4:14: backup.smoke.name: \"a\" is the name of another, in line 3"},
        {"backup:\n  smoke:\n"
         "    - {name: a, engine: redis, command: [DBSIZE], expect: 1}\n"
         "    - {name: b, engine: redis, command: [DBSIZE], expect: 1}\n"
         "    - {name: a, engine: redis, command: [DBSIZE], expect: 1}\n",
         "assay.yaml:5:14: backup.smoke.name: \"a\" is the name of another, in line 3"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_refused(wrong[i].text, wrong[i].message);
}

Test(smoke, says_what_is_wrong_with_name_and_engine) {
    static const struct {
        const char *query, *message;
    } wrong[] = {
        {"engine: redis", "7: backup.smoke: name is missing"},
        {"name: [a]", "14: backup.smoke.name: expected a single value, found a list"},
        {"name: a b", "14: backup.smoke.name: \"a b\" is not made of letters, digits, \"_\", "
                      "\"-\" and \".\" alone"},
        {"name: ''", "14: backup.smoke.name: \"\" is not made of letters, digits, \"_\", "
                     "\"-\" and \".\" alone"},
        {"name: a", "7: backup.smoke.a: engine is missing"},
        {"name: a, engine: postgers",
         "25: backup.smoke.a.engine: unknown engine \"postgers\"; did you mean \"postgres\"?"},
        {"name: a, engine: oracle", "25: backup.smoke.a.engine: unknown engine \"oracle\"; known "
                                    "are postgres, mysql, mongodb and redis"},
        {"name: a, engine: unknown", "25: backup.smoke.a.engine: unknown engine \"unknown\"; known "
                                     "are postgres, mysql, mongodb and redis"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_query_refused(wrong[i].query, wrong[i].message);
}

Test(smoke, says_what_is_wrong_with_its_keys) {
    static const struct {
        const char *query, *message;
    } wrong[] = {
        {"name: a, engine: mysql, sqll: x",
         "32: backup.smoke.a: unknown key \"sqll\"; did you mean \"sql\"?"},
        {"name: a, engine: mysql, zebra: x",
         "32: backup.smoke.a: unknown key \"zebra\"; known are name, engine, artifact, database, "
         "timeout, sql, collection, filter, command, expect, expect_at_least and expect_rows"},
        {"name: a, engine: redis, sql: select 1", "32: backup.smoke.a: sql is not for redis"},
        {"name: a, engine: mysql, command: [GET]", "32: backup.smoke.a: command is not for mysql"},
        {"name: a, engine: mongodb, database: x",
         "34: backup.smoke.a: database is not for mongodb"},
        {"name: a, engine: mysql, expect: 1", "7: backup.smoke.a: sql is missing"},
        {"name: a, engine: mongodb, expect: 1", "7: backup.smoke.a: collection is missing"},
        {"name: a, engine: redis, expect: 1", "7: backup.smoke.a: command is missing"},
        {"name: a, engine: mysql, sql: select 1",
         "7: backup.smoke.a: it expects nothing: expect, expect_at_least or expect_rows is "
         "missing"},
        {"name: a, engine: mongodb, collection: a.b",
         "7: backup.smoke.a: it expects nothing: expect or expect_at_least is missing"},
        {"name: a, engine: mysql, sql: select 1, expect: 1, expect_rows: 1",
         "58: backup.smoke.a: expect and expect_rows: only one of them can be expected"},
        {"name: a, engine: mongodb, collection: a.b, expect_rows: 1",
         "51: backup.smoke.a: expect_rows is not for mongodb"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_query_refused(wrong[i].query, wrong[i].message);
}

Test(smoke, says_what_is_wrong_with_its_values) {
    static const char no_query[] = "37: backup.smoke.a.sql: it does not begin as a query does: "
                                   "with select, with, values, table or show";
    static const struct {
        const char *query, *message;
    } wrong[] = {
        {"name: a, engine: mysql, sql: delete from a", no_query},
        {"name: a, engine: mysql, sql: selected", no_query},
        {"name: a, engine: mysql, sql: ''", no_query},
        {"name: a, engine: mysql, artifact: [a]",
         "42: backup.smoke.a.artifact: expected a single value, found a list"},
        {"name: a, engine: redis, database: app",
         "42: backup.smoke.a.database: expected a whole number, found \"app\""},
        {"name: a, engine: redis, database: -1",
         "42: backup.smoke.a.database: -1 is not between 0 and 2147483647"},
        {"name: a, engine: mysql, timeout: soon", "41: backup.smoke.a.timeout: expected a duration "
                                                  "such as 10s or 1m30s, found \"soon\""},
        {"name: a, engine: mysql, timeout: 0s",
         "41: backup.smoke.a.timeout: 0s is not between 1ms and 1h"},
        {"name: a, engine: mysql, timeout: 61m",
         "41: backup.smoke.a.timeout: 61m is not between 1ms and 1h"},
        {"name: a, engine: mongodb, collection: orders",
         "46: backup.smoke.a.collection: expected DATABASE.COLLECTION, found \"orders\""},
        {"name: a, engine: mongodb, collection: .orders",
         "46: backup.smoke.a.collection: expected DATABASE.COLLECTION, found \".orders\""},
        {"name: a, engine: mongodb, collection: shop.",
         "46: backup.smoke.a.collection: expected DATABASE.COLLECTION, found \"shop.\""},
        {"name: a, engine: mongodb, filter: '[1]'",
         "42: backup.smoke.a.filter: it is no JSON object"},
        {"name: a, engine: mongodb, filter: '{'", "42: backup.smoke.a.filter: it is no JSON "
                                                  "object: string or '}' expected near end of "
                                                  "file"},
        {"name: a, engine: mongodb, filter: {a: 1}",
         "42: backup.smoke.a.filter: expected a single value, found a mapping"},
        {"name: a, engine: redis, command: DBSIZE",
         "41: backup.smoke.a.command: expected a list, found a single value"},
        {"name: a, engine: redis, command: []", "41: backup.smoke.a.command: it names no command"},
        {"name: a, engine: redis, command: [GET, [a]]",
         "47: backup.smoke.a.command: expected a single value, found a list"},
        {"name: a, engine: mysql, expect: ",
         "32: backup.smoke.a.expect: expected a single value, found nothing"},
        {"name: a, engine: mongodb, expect: many",
         "42: backup.smoke.a.expect: expected a whole number, found \"many\""},
        {"name: a, engine: mysql, expect_at_least: 1.5",
         "49: backup.smoke.a.expect_at_least: expected a whole number, found \"1.5\""},
        {"name: a, engine: mysql, expect_rows: -1",
         "45: backup.smoke.a.expect_rows: -1 is not between 0 and 9223372036854775807"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_query_refused(wrong[i].query, wrong[i].message);
}
