// PgBouncer in transaction pooling, and what that changes for its clients.
#include "base/memory.h"
#include "scenario/clients.h"

#include <stdlib.h>
#include <string.h>

static struct scenario *scenario;
static struct postgres *db, *other;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(pgbouncer, .init = open_scenario, .fini = close_scenario,
          .timeout = 120); // filling a pool means dozens of logins

static void given_two_clients(void) {
    db = scenario_postgres(scenario, "pgbouncer");
    other = scenario_postgres(scenario, "pgbouncer");
}

static int64_t number(struct postgres *in, const char *sql) {
    int64_t value = 0;
    must(postgres_simple_integer(in, sql, NO_PARAMETERS, &value, err));
    return value;
}

static void run(struct postgres *in, const char *sql) {
    must(postgres_run(in, sql, err));
}

static const char *on(const char *table, const char *sql) {
    return scenario_statement(scenario, table, sql);
}

// The pooler's own console: SHOW and nothing of SQL.
static struct postgres *console(void) {
    struct endpoint endpoint = *scenario_endpoint(scenario, "pgbouncer");
    endpoint.database = "pgbouncer";
    struct postgres *opened = scenario_postgres_at(scenario, &endpoint);
    cr_assert_not_null(opened, "%s", err->message);
    return opened;
}

static void free_rows(void *rows) {
    postgres_rows_free(rows);
}

// A setting of the pooler's as SHOW CONFIG has it.
static const char *setting(const char *key) {
    struct postgres_rows *rows = NULL;
    must(postgres_query(console(), "show config", NO_PARAMETERS, &rows, err));
    scenario_own(scenario, rows, free_rows);
    size_t row = 0;
    while (row < postgres_rows_count(rows) && strcmp(postgres_rows_value(rows, row, 0), key) != 0)
        row++;
    cr_assert_lt(row, postgres_rows_count(rows), "no setting %s", key);
    return postgres_rows_value(rows, row, 1);
}

static struct postgres *client_of(const struct endpoint *endpoint) {
    struct postgres *opened = scenario_postgres_at(scenario, endpoint);
    cr_assert_not_null(opened, "%s", err->message);
    return opened;
}

// A database of the test's own: the pooler keeps a pool for each.
static const struct endpoint *given_a_pool_of_its_own(void) {
    static struct endpoint endpoint;
    endpoint = *scenario_endpoint(scenario, "pgbouncer");
    endpoint.database = scenario_unique(scenario, "pool");
    run(scenario_postgres(scenario, "postgres"), on(endpoint.database, "create database %s"));
    return &endpoint;
}

Test(pgbouncer, is_the_product_that_the_report_names) {
    char product[128];
    must(postgres_identify(scenario_endpoint(scenario, "pgbouncer"), product, sizeof product, err));
    cr_assert_eq(strncmp(product, "PgBouncer ", 10), 0, "%s", product);
    cr_assert_str_eq(product, scenario_product(scenario, "pgbouncer"));
}

Test(pgbouncer, pools_by_transaction) {
    cr_assert_str_eq(setting("pool_mode"), "transaction");
}

Test(pgbouncer, reaches_the_same_database_as_a_direct_connection) {
    given_two_clients();
    struct postgres *direct = scenario_postgres(scenario, "postgres");
    const char *table = scenario_unique(scenario, "pooled");
    run(db, on(table, "create table %s as select 42 as answer"));
    cr_assert_eq(number(direct, on(table, "select answer from %s")), 42);
}

Test(pgbouncer, gives_one_client_one_server_for_a_whole_transaction) {
    given_two_clients();
    run(db, "begin");
    const int64_t server = number(db, "select pg_backend_pid()");
    for (int i = 0; i < 10; i++) {
        cr_assert_neq(number(other, "select pg_backend_pid()"), server);
        cr_assert_eq(number(db, "select pg_backend_pid()"), server);
    }
    run(db, "commit");
}

Test(pgbouncer, shares_few_servers_among_many_clients) {
    const char *name = scenario_unique(scenario, "shared");
    struct postgres *direct = scenario_postgres(scenario, "postgres");
    run(direct, on(name, "create table %s (server int)"));
    for (int i = 0; i < 60; i++)
        run(scenario_postgres(scenario, "pgbouncer"),
            on(name, "insert into %s values (pg_backend_pid())"));
    const int64_t servers = number(direct, on(name, "select count(distinct server) from %s"));
    cr_assert_leq(servers, strtol(setting("default_pool_size"), NULL, 10));
    cr_assert_eq(number(direct, on(name, "select count(*) from %s")), 60);
}

Test(pgbouncer, makes_a_client_wait_when_every_server_is_taken) {
    const struct endpoint *pool = given_a_pool_of_its_own();
    const long size = strtol(setting("default_pool_size"), NULL, 10);
    for (long i = 0; i < size; i++)
        run(client_of(pool), "begin; select 1");
    struct postgres *late = client_of(scenario_impatient(scenario, pool));
    must_fail(postgres_run(late, "select 1", err), ERROR_TIMEOUT, 0);
}

Test(pgbouncer, keeps_a_setting_for_its_own_transaction_only) {
    given_two_clients();
    run(db, "begin; set local statement_timeout = '7s'");
    const char *value = NULL;
    must(postgres_simple_value(db, "show statement_timeout", NO_PARAMETERS, &value, err));
    cr_assert_str_eq(value, "7s");
    run(db, "commit");
    must(postgres_simple_value(db, "show statement_timeout", NO_PARAMETERS, &value, err));
    cr_assert_str_eq(value, "0");
}

Test(pgbouncer, gives_a_transaction_its_own_advisory_lock) {
    given_two_clients();
    run(db, "begin; select pg_advisory_xact_lock(hashtext('assay'), pg_backend_pid())");
    run(db, "commit");
    cr_assert_eq(number(other, "select count(*) from pg_locks where locktype = 'advisory' and "
                               "classid = hashtext('assay')::oid"),
                 0);
}

Test(pgbouncer, prepared_statements_survive_a_change_of_server) {
    given_two_clients();
    must(postgres_prepare(db, "pid", "select pg_backend_pid(), $1::int + 1", err));
    const int64_t first = number(db, "select pg_backend_pid()");
    run(other, "begin"); // takes the server that db had
    cr_assert_neq(first, 0);
    for (int i = 0; i < 20; i++) {
        struct postgres_rows *rows = NULL;
        must(postgres_query_prepared(db, "pid", PARAMETERS(parameter_integer(i)), &rows, err));
        scenario_own(scenario, rows, free_rows);
        cr_assert_eq(strtol(postgres_rows_value(rows, 0, 1), NULL, 10), i + 1);
    }
    run(other, "commit");
}

Test(pgbouncer, two_clients_may_give_different_statements_the_same_name) {
    given_two_clients();
    must(postgres_prepare(db, "same", "select 1", err));
    must(postgres_prepare(other, "same", "select 2", err));
    struct postgres_rows *one = NULL, *two = NULL;
    must(postgres_query_prepared(db, "same", NO_PARAMETERS, &one, err));
    scenario_own(scenario, one, free_rows);
    must(postgres_query_prepared(other, "same", NO_PARAMETERS, &two, err));
    scenario_own(scenario, two, free_rows);
    cr_assert_str_eq(postgres_rows_value(one, 0, 0), "1");
    cr_assert_str_eq(postgres_rows_value(two, 0, 0), "2");
}

Test(pgbouncer, passes_a_large_value_on_unaltered) {
    given_two_clients();
    const size_t length = (size_t)4 * 1024 * 1024;
    char *bytes = memory_new(length, 1);
    scenario_own(scenario, bytes, free);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    struct postgres_rows *rows = NULL;
    must(postgres_query_binary(db, "select $1::bytea", PARAMETERS(parameter_bytes(bytes, length)),
                               &rows, err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_eq(postgres_rows_length(rows, 0, 0), length);
    cr_assert_eq(memcmp(postgres_rows_value(rows, 0, 0), bytes, length), 0);
}

Test(pgbouncer, passes_errors_on_as_they_are) {
    given_two_clients();
    const char *table = scenario_unique(scenario, "refusals");
    run(db, on(table, "create table %s (id int primary key)"));
    run(db, on(table, "insert into %s values (1)"));
    must_fail(postgres_run(other, on(table, "insert into %s values (1)"), err), ERROR_SERVICE,
              SERVICE_ERROR_UNIQUE);
    cr_assert_str_eq(err->reference, "23505");
}

Test(pgbouncer, rolls_back_what_a_vanished_client_left_open) {
    given_two_clients();
    const char *table = scenario_unique(scenario, "vanished");
    run(other, on(table, "create table %s (id int)"));
    run(db, on(table, "begin; insert into %s values (1)"));
    struct postgres *gone = NULL;
    must(postgres_open(scenario_endpoint(scenario, "pgbouncer"), &gone, err));
    run(gone, on(table, "begin; insert into %s values (2)"));
    postgres_close(gone);
    run(db, "commit");
    must_become(number(other, on(table, "select count(*) from %s")) == 1, 2000);
}

Test(pgbouncer, knows_its_clients) {
    given_two_clients();
    struct postgres_rows *rows = NULL;
    must(postgres_query(console(), "show clients", NO_PARAMETERS, &rows, err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_geq(postgres_rows_count(rows), 3);
}

Test(pgbouncer, refuses_a_wrong_password) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "pgbouncer");
    cr_assert_null(scenario_postgres_at(scenario, scenario_wrong_password(scenario, endpoint)));
    cr_assert_eq(err->domain, ERROR_SERVICE, "%s", err->message);
    cr_assert_eq(err->code, SERVICE_ERROR_LOGIN, "%s", err->message);
}

Test(pgbouncer, a_listener_that_says_nothing_is_noticed_in_time) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "pgbouncer");
    cr_assert_null(scenario_postgres_at(
        scenario, scenario_impatient(scenario, scenario_silent_server(scenario, endpoint))));
    cr_assert_eq(err->domain, ERROR_TIMEOUT, "%s", err->message);
}

Test(pgbouncer, a_paused_pool_is_noticed_in_time_and_goes_on_when_resumed) {
    const struct endpoint *pool = given_a_pool_of_its_own();
    db = client_of(scenario_impatient(scenario, pool));
    run(db, "select 1");
    run(console(), on(pool->database, "pause %s"));
    must_fail(postgres_run(db, "select 1", err), ERROR_TIMEOUT, 0);
    run(console(), on(pool->database, "resume %s"));
    cr_assert_eq(number(client_of(pool), "select 7"), 7);
}
