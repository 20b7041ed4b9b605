// MySQL, over its own protocol: values, transactions, constraints, bulk data, and what happens when
// things break.
#include "base/memory.h"
#include "engine/container.h"
#include "scenario/clients.h"

#include <stdlib.h>
#include <string.h>

static struct scenario *scenario;
static struct mysqldb *db, *other; // two sessions

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(mysql, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static void given_a_session(void) {
    db = scenario_mysql(scenario, "mysql");
}

static void run(struct mysqldb *in, const char *sql) {
    must(mysqldb_run(in, sql, err));
}

// "insert into %s …" with the name of the test's own table.
static const char *on(const char *table, const char *sql) {
    return scenario_statement(scenario, table, sql);
}

static void given_a_table(const char *columns) {
    given_a_session();
    run(db, on(columns, "create temporary table t (%s) engine=InnoDB"));
}

// Two sessions and a table of accounts, 1 and 2, with 100 each.
static const char *given_two_accounts(void) {
    given_a_session();
    other = scenario_mysql(scenario, "mysql");
    const char *table = scenario_unique(scenario, "account");
    run(db, on(table, "create table %s (id int primary key, balance int not null) engine=InnoDB"));
    run(db, on(table, "insert into %s values (1, 100), (2, 100)"));
    return table;
}

static int64_t number(struct mysqldb *in, const char *sql) {
    int64_t value = 0;
    must(mysqldb_simple_integer(in, sql, NO_PARAMETERS, &value, err));
    return value;
}

static const char *text(const char *sql, struct parameters parameters) {
    const char *value = NULL;
    must(mysqldb_simple_value(db, sql, parameters, &value, err));
    return value;
}

static void free_rows(void *rows) {
    mysqldb_rows_free(rows);
}

static void free_statement(void *statement) {
    mysqldb_statement_free(statement);
}

static void refused(const char *sql, enum service_error expected, const char *number_text) {
    must_fail(mysqldb_run(db, sql, err), ERROR_SERVICE, expected);
    cr_assert_str_eq(err->reference, number_text);
}

static void round_trips(size_t length) {
    char *bytes = memory_new(length, 1);
    scenario_own(scenario, bytes, free);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    given_a_table("b longblob");
    must(mysqldb_query(db, "insert into t values (?)", PARAMETERS(parameter_bytes(bytes, length)),
                       NULL, err));
    struct mysqldb_rows *rows = NULL;
    must(mysqldb_query(db, "select b from t where length(b) = ?",
                       PARAMETERS(parameter_integer((int64_t)length)), &rows, err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_eq(mysqldb_rows_count(rows), 1);
    cr_assert_eq(mysqldb_rows_length(rows, 0, 0), length);
    cr_assert_eq(memcmp(mysqldb_rows_value(rows, 0, 0), bytes, length), 0);
}

// ---- values -------------------------------------------------------------------------------------

Test(mysql, is_the_product_that_the_report_names) {
    char product[128];
    must(mysql_identify(scenario_endpoint(scenario, "mysql"), product, sizeof product, err));
    cr_assert_str_eq(product, scenario_product(scenario, "mysql"));
}

Test(mysql, keeps_every_byte_of_a_binary_value) {
    round_trips(256 * 251);
}

Test(mysql, carries_sixteen_megabytes_in_one_value) {
    round_trips((size_t)16 * 1024 * 1024);
}

Test(mysql, keeps_unicode_in_every_plane) {
    static const char unicode[] =
        "Größe ÅÄÖ 日本語 नमस्ते 🚀👩‍👩‍👧 e\u0301";
    given_a_table("word varchar(100) character set utf8mb4");
    must(mysqldb_query(db, "insert into t values (?)", PARAMETERS(parameter_text(unicode)), NULL,
                       err));
    cr_assert_str_eq(text("select word from t", NO_PARAMETERS), unicode);
    cr_assert_str_eq(text("select word from t where word = ?", PARAMETERS(parameter_text(unicode))),
                     unicode);
}

Test(mysql, tells_null_from_empty) {
    given_a_table("a varchar(9), b varchar(9), c blob");
    must(mysqldb_query(db, "insert into t values (?, ?, ?)",
                       PARAMETERS(parameter_null(), parameter_text(""), parameter_bytes("", 0)),
                       NULL, err));
    cr_assert_eq(number(db, "select a is null from t"), 1);
    cr_assert_eq(number(db, "select b is null or c is null from t"), 0);
    cr_assert_null(text("select a from t", NO_PARAMETERS));
    cr_assert_str_empty(text("select b from t", NO_PARAMETERS));
}

Test(mysql, keeps_the_ends_of_the_number_line) {
    given_a_table("low bigint, high bigint unsigned, real_one double");
    must(mysqldb_query(db, "insert into t values (?, 18446744073709551615, ?)",
                       PARAMETERS(parameter_integer(INT64_MIN), parameter_real(0.1)), NULL, err));
    struct mysqldb_rows *rows = NULL;
    must(mysqldb_query(db, "select * from t where low < ?", PARAMETERS(parameter_integer(0)), &rows,
                       err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_str_eq(mysqldb_rows_value(rows, 0, 0), "-9223372036854775808");
    cr_assert_str_eq(mysqldb_rows_value(rows, 0, 1), "18446744073709551615");
    cr_assert_str_eq(mysqldb_rows_value(rows, 0, 2), "0.1");
}

Test(mysql, keeps_microseconds_of_a_time) {
    given_a_table("at datetime(6)");
    must(mysqldb_query(db, "insert into t values (?)",
                       PARAMETERS(parameter_text("2024-02-29 23:59:59.999999")), NULL, err));
    cr_assert_str_eq(text("select at from t", NO_PARAMETERS), "2024-02-29 23:59:59.999999");
}

Test(mysql, describes_the_columns_of_a_result) {
    given_a_session();
    struct mysqldb_rows *rows = NULL;
    must(mysqldb_query(db, "select 1 as one, null as nothing", NO_PARAMETERS, &rows, err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_eq(mysqldb_rows_columns(rows), 2);
    cr_assert_str_eq(mysqldb_rows_name(rows, 0), "one");
    cr_assert_str_eq(mysqldb_rows_name(rows, 1), "nothing");
    cr_assert_not(mysqldb_rows_is_null(rows, 0, 0));
    cr_assert(mysqldb_rows_is_null(rows, 0, 1));
}

Test(mysql, counts_what_a_statement_changed_and_numbers_what_it_made) {
    given_a_table("id int auto_increment primary key, n int");
    struct mysqldb_rows *made = NULL, *changed = NULL;
    run(db, "insert into t (n) values (1), (1)");
    must(mysqldb_query(db, "insert into t (n) values (2)", NO_PARAMETERS, &made, err));
    scenario_own(scenario, made, free_rows);
    cr_assert_eq(mysqldb_rows_insert_id(made), 3);
    must(mysqldb_query(db, "update t set n = 9 where n = 1", NO_PARAMETERS, &changed, err));
    scenario_own(scenario, changed, free_rows);
    cr_assert_eq(mysqldb_rows_affected(changed), 2);
}

Test(mysql, gives_one_value_only_where_there_is_one) {
    given_a_table("n varchar(9)");
    const char *value;
    int64_t integer;
    must_fail(mysqldb_simple_value(db, "select n from t", NO_PARAMETERS, &value, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    run(db, "insert into t values ('seven')");
    must_fail(mysqldb_simple_integer(db, "select n from t", NO_PARAMETERS, &integer, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    must_fail(mysqldb_simple_integer(db, "select m from t", NO_PARAMETERS, &integer, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    cr_assert_str_eq(err->reference, "1054");
}

Test(mysql, takes_a_parameter_for_a_value_never_for_sql) {
    static const char attack[] = "' or 1=1; drop table t; -- \\";
    given_a_session();
    cr_assert_str_eq(text("select ?", PARAMETERS(parameter_text(attack))), attack);
}

Test(mysql, refuses_two_statements_in_one_text) {
    given_a_table("id int");
    refused("select 1; drop table t", SERVICE_ERROR_SYNTAX, "1064");
    cr_assert_eq(number(db, "select count(*) from t"), 0);
}

Test(mysql, runs_a_prepared_statement_many_times) {
    given_a_session();
    struct mysqldb_statement *twice = NULL;
    must(mysqldb_prepare(db, "select ? * 2", &twice, err));
    scenario_own(scenario, twice, free_statement);
    for (int i = 0; i < 200; i++) {
        struct mysqldb_rows *rows = NULL;
        must(mysqldb_statement_run(twice, PARAMETERS(parameter_integer(i)), &rows, err));
        scenario_own(scenario, rows, free_rows);
        cr_assert_eq(strtol(mysqldb_rows_value(rows, 0, 0), NULL, 10), i * 2);
    }
    must_fail(mysqldb_statement_run(twice, NO_PARAMETERS, NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
}

// ---- constraints and errors ---------------------------------------------------------------------

Test(mysql, names_each_broken_constraint_for_what_it_is) {
    const char *parent = given_two_accounts();
    const char *child = scenario_unique(scenario, "child");
    char *made = memory_format("create table %s (id int primary key, name varchar(3) not null, age "
                               "int check (age >= 0), owner int, foreign key (owner) references %s "
                               "(id)) engine=InnoDB",
                               child, parent);
    scenario_own(scenario, made, free);
    run(db, made);
    run(db, on(child, "insert into %s values (1, 'a', 1, 1)"));
    refused(on(child, "insert into %s values (1, 'b', 1, 1)"), SERVICE_ERROR_UNIQUE, "1062");
    refused(on(child, "insert into %s values (2, null, 1, 1)"), SERVICE_ERROR_NOT_NULL, "1048");
    refused(on(child, "insert into %s values (2, 'b', -1, 1)"), SERVICE_ERROR_CHECK, "3819");
    refused(on(child, "insert into %s values (2, 'b', 1, 77)"), SERVICE_ERROR_FOREIGN_KEY, "1452");
    refused(on(parent, "delete from %s where id = 1"), SERVICE_ERROR_FOREIGN_KEY, "1451");
    refused(on(child, "insert into %s values (2, 'four', 1, 1)"), SERVICE_ERROR_TOO_LARGE, "1406");
}

Test(mysql, tells_a_typing_error_from_a_missing_thing) {
    given_a_table("id int");
    refused("selec 1", SERVICE_ERROR_SYNTAX, "1064");
    refused("select * from nothing_of_this_name", SERVICE_ERROR_NOT_FOUND, "1146");
    refused("select no_such_column from t", SERVICE_ERROR_NOT_FOUND, "1054");
    refused("create temporary table t (id int)", SERVICE_ERROR_CONFLICT, "1050");
}

Test(mysql, counts_what_it_warns_of) {
    given_a_session();
    run(db, "select cast('twelve' as unsigned)");
    cr_assert_eq(mysqldb_warnings(db), 1);
    run(db, "select 1");
    cr_assert_eq(mysqldb_warnings(db), 0);
}

Test(mysql, denies_what_the_application_may_not_do) {
    given_a_session();
    must_fail(mysqldb_run(db, "create user 'somebody'@'%'", err), ERROR_SERVICE,
              SERVICE_ERROR_DENIED);
}

// ---- transactions -------------------------------------------------------------------------------

Test(mysql, shows_nobody_what_is_not_committed) {
    const char *table = given_two_accounts();
    run(db, "start transaction");
    run(db, on(table, "insert into %s values (3, 1)"));
    cr_assert_eq(number(other, on(table, "select count(*) from %s")), 2);
    run(db, "commit");
    cr_assert_eq(number(other, on(table, "select count(*) from %s")), 3);
}

Test(mysql, rolls_back_to_a_savepoint) {
    const char *table = given_two_accounts();
    run(db, "start transaction");
    run(db, on(table, "insert into %s values (3, 1)"));
    run(db, "savepoint here");
    run(db, on(table, "delete from %s"));
    run(db, "rollback to here");
    run(db, "commit");
    cr_assert_eq(number(other, on(table, "select count(*) from %s")), 3);
}

Test(mysql, repeatable_read_keeps_its_snapshot) {
    const char *table = given_two_accounts();
    run(db, "set session transaction isolation level repeatable read");
    run(db, "start transaction with consistent snapshot");
    run(other, on(table, "update %s set balance = 0"));
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 200);
    run(db, "commit");
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 0);
}

Test(mysql, ends_a_deadlock_by_refusing_one_side) {
    const char *table = given_two_accounts();
    run(db, "start transaction");
    run(other, "start transaction");
    run(db, on(table, "insert into %s values (11, 0), (12, 0), (13, 0), (14, 0)"));
    run(db, on(table, "update %s set balance = 1 where id = 1"));
    run(other, on(table, "update %s set balance = 2 where id = 2"));
    // InnoDB gives up the side that changed fewer rows, and that is `other`.
    must(mysqldb_start(db, on(table, "update %s set balance = 1 where id = 2"), err));
    must_fail(mysqldb_run(other, on(table, "update %s set balance = 2 where id = 1"), err),
              ERROR_SERVICE, SERVICE_ERROR_DEADLOCK);
    must(mysqldb_finish(db, err));
    run(db, "commit");
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 2);
}

Test(mysql, a_locked_row_is_refused_at_once_when_asked_so) {
    const char *table = given_two_accounts();
    run(db, "start transaction");
    run(db, on(table, "select * from %s where id = 1 for update"));
    run(other, "start transaction");
    must_fail(mysqldb_run(other, on(table, "select * from %s where id = 1 for update nowait"), err),
              ERROR_SERVICE, SERVICE_ERROR_CONFLICT);
    cr_assert_eq(number(other, on(table, "select id from %s order by id limit 1 for update "
                                         "skip locked")),
                 2);
}

Test(mysql, refuses_a_write_in_a_read_only_transaction) {
    const char *table = given_two_accounts();
    run(db, "start transaction read only");
    refused(on(table, "delete from %s"), SERVICE_ERROR_READ_ONLY, "1792");
}

Test(mysql, loses_no_update_of_eight_sessions_at_once) {
    const char *table = given_two_accounts();
    const char *update = on(table, "update %s set balance = balance + 1 where id = 1");
    struct mysqldb *sessions[8];
    for (size_t i = 0; i < 8; i++)
        sessions[i] = scenario_mysql(scenario, "mysql");
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 8; i++)
            must(mysqldb_start(sessions[i], update, err));
        for (size_t i = 0; i < 8; i++)
            must(mysqldb_finish(sessions[i], err));
    }
    cr_assert_eq(number(db, on(table, "select balance from %s where id = 1")), 100 + 8 * 20);
}

// ---- bulk ---------------------------------------------------------------------------------------

static bool add_up(void *context, const struct mysqldb_row *row, struct error *error) {
    (void)error;
    *(int64_t *)context += strtoll(row->values[0], NULL, 10);
    return true;
}

Test(mysql, streams_a_hundred_thousand_rows_one_by_one) {
    given_a_table("n int");
    run(db, "set session cte_max_recursion_depth = 200000");
    run(db, "insert into t with recursive s (n) as (select 1 union all select n + 1 from s where n "
            "< 100000) select n from s");
    int64_t sum = 0;
    must(mysqldb_stream(db, "select n from t", add_up, &sum, err));
    cr_assert_eq(sum, (int64_t)100000 * 100001 / 2);
}

static bool refuse(void *context, const struct mysqldb_row *row, struct error *error) {
    (void)context;
    (void)row;
    return error_set(error, ERROR_CANCELLED, 0, "enough");
}

Test(mysql, ends_a_stream_when_the_reader_has_enough) {
    given_a_table("n int");
    run(db, "insert into t values (1), (2), (3)");
    must_fail(mysqldb_stream(db, "select n from t", refuse, NULL, err), ERROR_CANCELLED, 0);
    cr_assert_str_eq(err->message, "enough");
    must_fail(mysqldb_run(db, "select 1", err), ERROR_UNAVAILABLE, 0);
}

// ---- faults -------------------------------------------------------------------------------------

// What the server has not begun yet, KILL QUERY does not end.
static bool sleeps(void *context, struct error *error) {
    (void)context;
    int64_t running = 0;
    return mysqldb_simple_integer(other,
                                  "select count(*) from information_schema.processlist where id = "
                                  "? and state = 'User sleep'",
                                  PARAMETERS(parameter_integer((int64_t)mysqldb_connection_id(db))),
                                  &running, error) &&
           (running == 1 || error_set(error, ERROR_SERVICE, 0, "the statement has not begun"));
}

Test(mysql, cancels_a_running_statement_and_goes_on) {
    given_a_table("n int");
    other = scenario_mysql(scenario, "mysql");
    run(db, "insert into t values (1), (2)");
    must(mysqldb_start(db, "select sleep(25) + benchmark(1, 1) from t", err));
    must(eventually(deadline_in_ms(10000), sleeps, NULL, err));
    const struct endpoint *endpoint = scenario_endpoint(scenario, "mysql");
    must(mysqldb_cancel(endpoint, mysqldb_connection_id(db), err));
    (void)!mysqldb_finish(db,
                          err); // sleep() answers 1 when it is cut short, or the statement fails
    cr_assert_eq(number(db, "select 7"), 7);
}

Test(mysql, refuses_a_wrong_password) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "mysql");
    cr_assert_null(scenario_mysql_at(scenario, scenario_wrong_password(scenario, endpoint)));
    cr_assert_eq(err->domain, ERROR_SERVICE, "%s", err->message);
    cr_assert_eq(err->code, SERVICE_ERROR_LOGIN, "%s", err->message);
}

Test(mysql, a_listener_that_says_nothing_is_noticed_in_time) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "mysql");
    cr_assert_null(scenario_mysql_at(
        scenario, scenario_impatient(scenario, scenario_silent_server(scenario, endpoint))));
    cr_assert_eq(err->domain, ERROR_TIMEOUT, "%s", err->message);
}

Test(mysql, a_port_where_nobody_listens_is_noticed_at_once) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "mysql");
    cr_assert_null(scenario_mysql_at(scenario, scenario_dead_server(scenario, endpoint)));
    cr_assert_eq(err->domain, ERROR_UNAVAILABLE, "%s", err->message);
}

Test(mysql, a_statement_that_takes_too_long_is_given_up_in_time) {
    db = scenario_mysql_at(scenario,
                           scenario_impatient(scenario, scenario_endpoint(scenario, "mysql")));
    must_fail(mysqldb_run(db, "select sleep(25)", err), ERROR_TIMEOUT, 0);
    must_fail(mysqldb_run(db, "select 1", err), ERROR_UNAVAILABLE, 0); // it is spent
}

Test(mysql, a_paused_server_is_noticed_in_time, .timeout = 90) {
    struct spare *spare = scenario_spare(scenario, "mysql");
    db = scenario_mysql_at(scenario, scenario_impatient(scenario, spare_endpoint(spare, 0)));
    cr_assert_not_null(db, "%s", err->message);
    run(db, "select 1");
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    must_fail(mysqldb_run(db, "select 1", err), ERROR_TIMEOUT, 0);
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
    cr_assert_not_null(scenario_mysql_at(scenario, spare_endpoint(spare, 0)));
}

Test(mysql, a_server_that_dies_under_a_statement_is_noticed_at_once, .timeout = 90) {
    struct spare *spare = scenario_spare(scenario, "mysql");
    db = scenario_mysql_at(scenario, spare_endpoint(spare, 0));
    cr_assert_not_null(db, "%s", err->message);
    must(mysqldb_start(db, "select sleep(25)", err));
    must(container_kill(scenario_engine(scenario), spare_container(spare, 0), "KILL", err));
    must_fail(mysqldb_finish(db, err), ERROR_UNAVAILABLE, 0);
}
