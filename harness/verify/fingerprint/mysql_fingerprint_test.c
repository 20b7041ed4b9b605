#include "verify/fingerprint/mysql_fingerprint.h"

#include "base/memory.h"
#include "verify/fingerprint/mysql_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

static struct {
    struct mysql_fixture server;
    struct mysqldb *other;
    struct fingerprint *before, *after;
    struct row_hunt *now, *then;
    struct differences differences;
    struct text text;
    struct error err;
} held;

static void release(void) {
    mysqldb_close(held.other);
    mysql_fixture_close(&held.server);
    fingerprint_free(held.before);
    fingerprint_free(held.after);
    row_hunt_free(held.now);
    row_hunt_free(held.then);
    differences_done(&held.differences);
    text_done(&held.text);
}

TestSuite(mysql_fingerprint, .fini = release, .timeout = 240);

static void run(const char *sql) {
    cr_assert(mysqldb_run(held.server.mysql, sql, &held.err), "%s\n%s", held.err.message, sql);
}

static void open_server(void) {
    if (!mysql_fixture_open(&held.server, &held.err)) {
        cr_assert_null(getenv("ASSAY_TEST_MYSQL"), "%s", held.err.message);
        cr_skip_test("ASSAY_TEST_MYSQL names no server (127.0.0.1:3306, root without a password)");
    }
}

static void look(size_t which, struct fingerprint **ret_fingerprint) {
    fingerprint_free(*ret_fingerprint);
    *ret_fingerprint = NULL;
    cr_assert(mysql_fingerprint(held.server.reader, held.server.names[which], KEY, ret_fingerprint,
                                &held.err),
              "%s", held.err.message);
}

static void fill_and_look(void) {
    open_server();
    cr_assert(mysql_fixture_fill(&held.server, &held.err), "%s", held.err.message);
    look(0, &held.before);
}

static void expect_equal(void) {
    const bool equal = fingerprint_equal(held.before, held.after, &held.differences);
    differences_format(&held.differences, &held.text);
    cr_expect(equal, "%s", text_string(&held.text));
}

static const struct fingerprint_object *object(const char *kind, const char *name) {
    const struct fingerprint_object *found = fingerprint_find(held.before, kind, name);
    cr_assert_not_null(found, "there is no %s %s", kind, name);
    return found;
}

Test(mysql_fingerprint, of_the_same_database_is_the_same) {
    fill_and_look();
    look(0, &held.after);
    expect_equal();
    cr_expect_eq(object("table", "customers")->content.total.rows, 300);
    cr_expect_eq(object("table", "log")->content.total.rows, 50);
    cr_expect(object("table", "`Odd.name ``x`")->has_content);
    cr_expect_not(object("view", "totals")->has_content);
}

Test(mysql_fingerprint, does_not_depend_on_order_or_the_name_of_the_database) {
    fill_and_look();
    cr_assert(mysql_fixture_copy_backwards(&held.server, &held.err), "%s", held.err.message);
    look(1, &held.after);
    expect_equal();
}

Test(mysql_fingerprint, does_not_depend_on_the_settings_of_who_asks) {
    fill_and_look();
    run("set time_zone = '+05:00', sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH',"
        " character_set_results = latin1, collation_connection = utf8mb4_bin,"
        " group_concat_max_len = 4, sql_select_limit = 2");
    cr_assert(
        mysql_fingerprint(held.server.mysql, held.server.names[0], KEY, &held.after, &held.err),
        "%s", held.err.message);
    expect_equal();
}

// The server keeps what it once said of AUTO_INCREMENT for a day.
Test(mysql_fingerprint, knows_where_auto_increment_stands_now) {
    fill_and_look();
    run("select auto_increment from information_schema.tables where table_schema = database()");
    run("insert into counted (n) values (1)");
    look(0, &held.after);
    cr_expect_not(fingerprint_equal(held.before, held.after, &held.differences));
    differences_format(&held.differences, &held.text);
    cr_expect_str_eq(text_string(&held.text), "table counted: 1 row extra (10 of 9)\n");
}

// held.other is somebody who sees the first database only.
static void open_guest(const char *rights) {
    autofree_string char *make = memory_format("create user %s", held.server.quoted[0]);
    autofree_string char *grant = memory_format("grant %s on %s.* to %s", rights,
                                                held.server.quoted[0], held.server.quoted[0]);
    run(make);
    run(grant);
    struct endpoint guest = held.server.endpoint;
    guest.user = held.server.names[0];
    guest.password = NULL;
    cr_assert(mysqldb_open(&guest, &held.other, &held.err), "%s", held.err.message);
}

// Of those that a guest sees: others' databases come and go.
Test(mysql_fingerprint, of_all_databases_has_their_names) {
    fill_and_look();
    run("drop function half");
    run("drop procedure nothing");
    open_guest("all");
    cr_assert(mysql_fingerprint(held.other, NULL, KEY, &held.after, &held.err), "%s",
              held.err.message);
    autofree_string char *table = memory_format("%s.customers", held.server.quoted[0]);
    autofree_string char *view = memory_format("%s.totals", held.server.quoted[0]);
    cr_expect_not_null(fingerprint_find(held.after, "database", held.server.quoted[0]));
    cr_expect_null(fingerprint_find(held.after, "database", "information_schema"));
    cr_expect_null(fingerprint_find(held.after, "database", "performance_schema"));
    cr_expect_not_null(fingerprint_find(held.after, "view", view));
    const struct fingerprint_object *found = fingerprint_find(held.after, "table", table);
    cr_assert_not_null(found);
    cr_expect_eq(found->content.total.rows, 300);
}

Test(mysql_fingerprint, is_of_the_moment_when_the_callers_transaction_began) {
    fill_and_look();
    cr_assert(mysqldb_open(&held.server.endpoint, &held.other, &held.err), "%s", held.err.message);
    run("start transaction with consistent snapshot");
    autofree_string char *sql = memory_format("delete from %s.orders", held.server.quoted[0]);
    cr_assert(mysqldb_run(held.other, sql, &held.err), "%s", held.err.message);
    cr_assert(mysql_fingerprint(held.server.mysql, held.server.names[0], KEY, &held.after,
                                &held.err, .in_transaction = true),
              "%s", held.err.message);
    expect_equal();
    const char *left = NULL; // the transaction is still that of before
    cr_assert(mysqldb_simple_value(held.server.mysql, "select count(*) from orders", NO_PARAMETERS,
                                   &left, &held.err));
    cr_expect_str_eq(left, "200");
}

Test(mysql_fingerprint, ends_its_own_transaction) {
    fill_and_look();
    autofree_string char *sql = memory_format("delete from %s.orders", held.server.quoted[0]);
    cr_expect(mysqldb_run(held.server.reader, sql, &held.err), "%s",
              held.err.message); // it was READ ONLY
}

Test(mysql_fingerprint, refuses_to_end_the_transaction_of_its_caller) {
    fill_and_look();
    run("start transaction");
    run("delete from orders");
    cr_expect_not(
        mysql_fingerprint(held.server.mysql, held.server.names[0], KEY, &held.after, &held.err));
    cr_expect_not_null(strstr(held.err.message, "transaction is in progress"), "%s",
                       held.err.message);
    run("rollback");
    look(0, &held.after);
    expect_equal();
}

Test(mysql_fingerprint, of_a_table_altered_since_the_snapshot_is_an_error) {
    fill_and_look();
    cr_assert(mysqldb_open(&held.server.endpoint, &held.other, &held.err), "%s", held.err.message);
    run("start transaction with consistent snapshot");
    autofree_string char *sql =
        memory_format("alter table %s.bare add c int, algorithm = copy", held.server.quoted[0]);
    cr_assert(mysqldb_run(held.other, sql, &held.err), "%s", held.err.message);
    cr_expect_not(mysql_fingerprint(held.server.mysql, held.server.names[0], KEY, &held.after,
                                    &held.err, .in_transaction = true));
    cr_expect_not_null(strstr(held.err.message, "Table definition has changed"), "%s",
                       held.err.message);
}

Test(mysql_fingerprint, of_no_such_database_is_an_error) {
    open_server();
    cr_expect_not(
        mysql_fingerprint(held.server.mysql, "no such `database'", KEY, &held.after, &held.err));
    cr_expect_eq(held.err.domain, ERROR_SERVICE);
    cr_expect_eq(held.err.code, SERVICE_ERROR_NOT_FOUND);
    cr_expect_null(held.after);
}

static void expect_denied(const char *rights) {
    fill_and_look();
    open_guest(rights);
    cr_expect_not(mysql_fingerprint(held.other, held.server.names[0], KEY, &held.after, &held.err));
    cr_expect_eq(held.err.domain, ERROR_SERVICE);
    cr_expect_eq(held.err.code, SERVICE_ERROR_DENIED, "%s", held.err.message);
}

Test(mysql_fingerprint, of_a_view_that_one_may_not_see_is_refused) {
    expect_denied("select");
    cr_expect_not_null(strstr(held.err.message, ": the server does not show its"), "%s",
                       held.err.message);
}

Test(mysql_fingerprint, of_a_routine_that_one_may_not_see_is_refused) {
    expect_denied("select, show view, execute");
    cr_expect_not_null(strstr(held.err.message, "half: "), "%s", held.err.message);
}

static void cancel_after_a_table(void *context, const char *table, uint64_t rows) {
    cr_expect_str_eq(table, "`Odd.name ``x`");
    cr_expect_eq(rows, 0);
    cancel_request(context);
}

Test(mysql_fingerprint, can_be_cancelled_between_rows) {
    fill_and_look();
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, &held.err));
    cr_expect_not(mysql_fingerprint(held.server.mysql, held.server.names[0], KEY, &held.after,
                                    &held.err, .cancel = &cancel, .progress = cancel_after_a_table,
                                    .context = &cancel));
    cancel_done(&cancel);
    cr_expect_eq(held.err.domain, ERROR_CANCELLED, "%s", held.err.message);
}

// ---- which rows differ

static void hunt(size_t which, struct row_hunt **ret_hunt) {
    struct fingerprint *again = NULL;
    row_hunt_free(*ret_hunt);
    *ret_hunt = row_hunt_new(held.before, held.after, KEY);
    cr_assert_not_null(*ret_hunt);
    cr_assert(mysql_fingerprint(held.server.reader, held.server.names[which], KEY, &again,
                                &held.err, .hunt = *ret_hunt),
              "%s", held.err.message);
    fingerprint_free(again);
}

// Both databases are the same but for this change of the first.
static void expect_rows(const char *change, const char *back, const char *by_rows,
                        const char *by_sums) {
    autofree_string char *use = memory_format("use %s", held.server.quoted[0]);
    look(1, &held.before);
    run(use);
    run(change);
    look(0, &held.after);
    for (int live = 1; live >= 0; live--) {
        const char *wanted = live ? by_rows : by_sums;
        hunt(0, &held.now);
        hunt(1, &held.then);
        cr_assert_eq(held.now->count, 1);
        text_clear(&held.text);
        row_hunt_say(held.now, live ? held.then : NULL, 0, held.before, held.after, &held.text);
        cr_expect_eq(strncmp(text_string(&held.text), wanted, strlen(wanted)), 0, "%s: %s", change,
                     text_string(&held.text));
    }
    run(back);
}

Test(mysql_fingerprint, read_again_names_the_rows_that_differ) {
    fill_and_look();
    cr_assert(mysql_fixture_copy_backwards(&held.server, &held.err), "%s", held.err.message);
    expect_rows("insert into orders (id, customer, total) values (1017, 1, 1)",
                "delete from orders where id = 1017", "\n    extra: id=1017",
                "\n    extra: id=1017");
    expect_rows("delete from orders where id = 50",
                "insert into orders (id, customer, total, note, facts) values (50, 50, 50, '', "
                "json_object('x', 1.0))",
                "\n    missing: id=50", "\n    missing: 1 row of bucket ");
    cr_expect_not_null(strstr(text_string(&held.text), "of the keys from id=1 to 200 it has not: "
                                                       "id=50"));
    expect_rows("update customers set plain = 'x', raw = null, hidden = 0, changed = changed "
                "where id = 3",
                "update customers set plain = 'Plain 3', raw = repeat(unhex('00ff27'), 3), "
                "hidden = 3, changed = changed where id = 3",
                "\n    changed: id=3 (plain, raw, hidden)", "\n    changed: ");
    expect_rows("insert into log values (60, 'größe')", "delete from log where id = 60",
                "\n    extra: (id=60, what=größe)", "\n    extra: (id=60, what=größe)");
    expect_rows("delete from bare limit 1", "insert into bare values (1, 2)",
                "\n    missing: 1 row without a primary key", "\n    missing: 1 row of bucket ");
}
