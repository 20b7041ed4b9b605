// PostgreSQL, over its own protocol: values, transactions, constraints, bulk data, and what happens
// when things break.
#include "base/memory.h"
#include "engine/container.h"
#include "scenario/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BULK_ROWS 20000

static struct scenario *scenario;
static struct postgres *db, *other; // two sessions

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(postgres, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static void given_a_session(void) {
    db = scenario_postgres(scenario, "postgres");
}

static void run(struct postgres *in, const char *sql) {
    must(postgres_run(in, sql, err));
}

// "insert into %s …" with the name of the test's own table.
static const char *on(const char *table, const char *sql) {
    return scenario_statement(scenario, table, sql);
}

// Two sessions and a table of accounts, 1 and 2, with 100 each.
static const char *given_two_accounts(void) {
    given_a_session();
    other = scenario_postgres(scenario, "postgres");
    const char *table = scenario_unique(scenario, "account");
    run(db, on(table, "create table %s (id int primary key, balance int not null)"));
    run(db, on(table, "insert into %s values (1, 100), (2, 100)"));
    return table;
}

static int64_t number(struct postgres *in, const char *sql) {
    int64_t value = 0;
    must(postgres_simple_integer(in, sql, NO_PARAMETERS, &value, err));
    return value;
}

static void free_rows(void *rows) {
    postgres_rows_free(rows);
}

// The one row of a query with values in binary.
static const struct postgres_rows *binary_row(const char *sql, struct parameters parameters) {
    struct postgres_rows *rows = NULL;
    must(postgres_query_binary(db, sql, parameters, &rows, err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_eq(postgres_rows_count(rows), 1);
    return rows;
}

static unsigned char *pattern(size_t length) {
    unsigned char *bytes = memory_new(length, 1);
    scenario_own(scenario, bytes, free);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 251);
    return bytes;
}

static void round_trips(size_t length) {
    const unsigned char *bytes = pattern(length);
    const struct postgres_rows *row =
        binary_row("select $1::bytea", PARAMETERS(parameter_bytes(bytes, length)));
    cr_assert_eq(postgres_rows_length(row, 0, 0), length);
    cr_assert_eq(memcmp(postgres_rows_value(row, 0, 0), bytes, length), 0);
}

static void given_a_table(const char *columns) {
    given_a_session();
    run(db, on(columns, "create temporary table t (%s)"));
}

static void refused(const char *sql, enum service_error expected, const char *sqlstate) {
    must_fail(postgres_run(db, sql, err), ERROR_SERVICE, expected);
    cr_assert_str_eq(err->reference, sqlstate);
}

// ---- values -------------------------------------------------------------------------------------

Test(postgres, is_the_product_that_the_report_names) {
    char product[128];
    must(postgres_identify(scenario_endpoint(scenario, "postgres"), product, sizeof product, err));
    cr_assert_str_eq(product, scenario_product(scenario, "postgres"));
}

Test(postgres, keeps_every_byte_of_a_binary_value) {
    given_a_session();
    round_trips(256 * 251);
}

Test(postgres, carries_sixteen_megabytes_in_one_value) {
    given_a_session();
    round_trips((size_t)16 * 1024 * 1024);
}

Test(postgres, keeps_unicode_in_every_plane) {
    static const char text[] =
        "Größe ÅÄÖ ‮rtl‬ 日本語 नमस्ते 🚀👩‍👩‍👧 e\u0301";
    given_a_session();
    const char *value = NULL;
    must(postgres_simple_value(db, "select $1::text", PARAMETERS(parameter_text(text)), &value,
                               err));
    cr_assert_str_eq(value, text);
}

Test(postgres, refuses_text_that_is_not_unicode) {
    given_a_session();
    const char *value = NULL;
    must_fail(postgres_simple_value(db, "select $1::text", PARAMETERS(parameter_text("\xff\xfe")),
                                    &value, err),
              ERROR_SERVICE, SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "22021");
}

Test(postgres, tells_null_from_empty) {
    given_a_session();
    const struct postgres_rows *row =
        binary_row("select $1::text, $2::text, $3::bytea",
                   PARAMETERS(parameter_null(), parameter_text(""), parameter_bytes("", 0)));
    cr_assert(postgres_rows_is_null(row, 0, 0));
    cr_assert(!postgres_rows_is_null(row, 0, 1) && postgres_rows_length(row, 0, 1) == 0);
    cr_assert(!postgres_rows_is_null(row, 0, 2) && postgres_rows_length(row, 0, 2) == 0);
}

Test(postgres, keeps_the_ends_of_the_number_line) {
    given_a_session();
    const char *value = NULL;
    must(postgres_simple_value(
        db, "select format('%s %s %s', $1::int8, $2::int8, $3::float8)",
        PARAMETERS(parameter_integer(INT64_MIN), parameter_integer(INT64_MAX), parameter_real(0.1)),
        &value, err));
    cr_assert_str_eq(value, "-9223372036854775808 9223372036854775807 0.1");
}

Test(postgres, describes_the_columns_of_a_result) {
    given_a_session();
    const struct postgres_rows *row =
        binary_row("select 1::int8 as one, 'x'::text as word", NO_PARAMETERS);
    cr_assert_str_eq(postgres_rows_name(row, 0), "one");
    cr_assert_eq(postgres_rows_type(row, 0), 20); // pg_type.oid of int8
    cr_assert_str_eq(postgres_rows_name(row, 1), "word");
    cr_assert_eq(postgres_rows_type(row, 1), 25);
}

Test(postgres, counts_what_a_statement_changed) {
    given_a_table("n int");
    struct postgres_rows *rows = NULL;
    run(db, "insert into t values (1), (1), (2)");
    must(postgres_query(db, "update t set n = 9 where n = 1", NO_PARAMETERS, &rows, err));
    scenario_own(scenario, rows, free_rows);
    cr_assert_eq(postgres_rows_affected(rows), 2);
}

Test(postgres, gives_one_value_only_where_there_is_one) {
    given_a_table("word text");
    const char *value;
    int64_t integer;
    must_fail(postgres_simple_value(db, "select word from t", NO_PARAMETERS, &value, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    run(db, "insert into t values ('seven')");
    must_fail(postgres_simple_integer(db, "select word from t", NO_PARAMETERS, &integer, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    must_fail(postgres_simple_integer(db, "select n from t", NO_PARAMETERS, &integer, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
    cr_assert_str_eq(err->reference, "42703");
}

Test(postgres, takes_a_parameter_for_a_value_never_for_sql) {
    given_a_session();
    static const char attack[] = "'; drop table pg_class; --";
    const char *value = NULL;
    must(postgres_simple_value(db, "select $1::text", PARAMETERS(parameter_text(attack)), &value,
                               err));
    cr_assert_str_eq(value, attack);
}

Test(postgres, runs_a_prepared_statement_many_times) {
    given_a_session();
    must(postgres_prepare(db, "twice", "select $1::int * 2", err));
    for (int i = 0; i < 200; i++) {
        struct postgres_rows *rows = NULL;
        must(postgres_query_prepared(db, "twice", PARAMETERS(parameter_integer(i)), &rows, err));
        scenario_own(scenario, rows, free_rows);
        cr_assert_eq(strtol(postgres_rows_value(rows, 0, 0), NULL, 10), i * 2);
    }
    must_fail(postgres_prepare(db, "twice", "select 1", err), ERROR_SERVICE,
              SERVICE_ERROR_CONFLICT);
}

// ---- transactions -------------------------------------------------------------------------------

Test(postgres, shows_nobody_what_is_not_committed) {
    const char *table = given_two_accounts();
    run(db, "begin");
    run(db, on(table, "insert into %s values (3, 1)"));
    cr_assert_eq(number(other, on(table, "select count(*) from %s")), 2);
    run(db, "commit");
    cr_assert_eq(number(other, on(table, "select count(*) from %s")), 3);
}

Test(postgres, rolls_back_to_a_savepoint) {
    const char *table = given_two_accounts();
    run(db, "begin");
    run(db, on(table, "insert into %s values (3, 1)"));
    run(db, "savepoint here");
    must_fail(postgres_run(db, on(table, "insert into %s values (3, 1)"), err), ERROR_SERVICE,
              SERVICE_ERROR_UNIQUE);
    run(db, "rollback to savepoint here");
    run(db, "commit");
    cr_assert_eq(number(other, on(table, "select count(*) from %s")), 3);
}

Test(postgres, keeps_nothing_of_a_transaction_that_failed) {
    const char *table = given_two_accounts();
    run(db, "begin");
    run(db, on(table, "update %s set balance = 0"));
    must_fail(postgres_run(db, "select 1/0", err), ERROR_SERVICE, SERVICE_ERROR_OTHER);
    must_fail(postgres_run(db, "select 1", err), ERROR_SERVICE, SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "25P02", "in a failed transaction");
    run(db, "commit"); // which is a rollback now
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 200);
}

Test(postgres, repeatable_read_keeps_its_snapshot) {
    const char *table = given_two_accounts();
    run(db, "begin isolation level repeatable read");
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 200);
    run(other, on(table, "update %s set balance = 0"));
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 200);
    must_fail(postgres_run(db, on(table, "update %s set balance = 1"), err), ERROR_SERVICE,
              SERVICE_ERROR_SERIALIZATION);
}

Test(postgres, serializable_refuses_write_skew) {
    const char *table = given_two_accounts();
    run(db, "begin isolation level serializable");
    run(other, "begin isolation level serializable");
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 200);
    cr_assert_eq(number(other, on(table, "select sum(balance) from %s")), 200);
    run(db, on(table, "update %s set balance = -50 where id = 1"));
    run(other, on(table, "update %s set balance = -50 where id = 2"));
    run(db, "commit");
    must_fail(postgres_run(other, "commit", err), ERROR_SERVICE, SERVICE_ERROR_SERIALIZATION);
}

// A query that says 1 once the statement that this session has begun waits for a lock.
static const char *waits_for_a_lock(struct postgres *session) {
    char pid[24];
    snprintf(pid, sizeof pid, "%lld", (long long)number(session, "select pg_backend_pid()"));
    return on(pid, "select count(*) from pg_locks where pid = %s and not granted");
}

Test(postgres, ends_a_deadlock_by_refusing_one_side) {
    const char *table = given_two_accounts();
    const char *other_waits = waits_for_a_lock(other);
    run(db, "begin; set local deadlock_timeout = '50ms'");
    run(other, "begin; set local deadlock_timeout = '10s'"); // so it is db that looks first
    run(db, on(table, "update %s set balance = 1 where id = 1"));
    run(other, on(table, "update %s set balance = 1 where id = 2"));
    must(postgres_start(other, on(table, "update %s set balance = 2 where id = 1"), NO_PARAMETERS,
                        err));
    must_become(number(db, other_waits) == 1, 20000);
    must_fail(postgres_run(db, on(table, "update %s set balance = 2 where id = 2"), err),
              ERROR_SERVICE, SERVICE_ERROR_DEADLOCK);
    run(db, "rollback");
    must(postgres_finish(other, NULL, err));
    run(other, "commit");
    cr_assert_eq(number(db, on(table, "select sum(balance) from %s")), 3);
}

Test(postgres, a_locked_row_is_refused_at_once_when_asked_so) {
    const char *table = given_two_accounts();
    run(db, "begin");
    run(db, on(table, "select * from %s where id = 1 for update"));
    must_fail(
        postgres_run(other, on(table, "select * from %s where id = 1 for update nowait"), err),
        ERROR_SERVICE, SERVICE_ERROR_CONFLICT);
    cr_assert_eq(number(other, on(table, "select id from %s order by id limit 1 for update "
                                         "skip locked")),
                 2);
}

Test(postgres, refuses_a_write_in_a_read_only_transaction) {
    const char *table = given_two_accounts();
    run(db, "begin read only");
    must_fail(postgres_run(db, on(table, "delete from %s"), err), ERROR_SERVICE,
              SERVICE_ERROR_READ_ONLY);
}

Test(postgres, loses_no_update_of_eight_sessions_at_once) {
    const char *table = given_two_accounts();
    struct postgres *sessions[8];
    for (size_t i = 0; i < 8; i++)
        sessions[i] = scenario_postgres(scenario, "postgres");
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 8; i++)
            must(postgres_start(sessions[i],
                                on(table, "update %s set balance = balance + 1 where id = 1"),
                                NO_PARAMETERS, err));
        for (size_t i = 0; i < 8; i++)
            must(postgres_finish(sessions[i], NULL, err));
    }
    cr_assert_eq(number(db, on(table, "select balance from %s where id = 1")), 100 + 8 * 20);
}

// ---- constraints and errors ---------------------------------------------------------------------

Test(postgres, names_each_broken_constraint_for_what_it_is) {
    given_a_table("id int primary key, name text not null, age int check (age >= 0), "
                  "boss int references t (id)");
    run(db, "insert into t values (1, 'a', 1, null)");
    refused("insert into t values (1, 'b', 1, null)", SERVICE_ERROR_UNIQUE, "23505");
    refused("insert into t values (2, null, 1, null)", SERVICE_ERROR_NOT_NULL, "23502");
    refused("insert into t values (2, 'b', -1, null)", SERVICE_ERROR_CHECK, "23514");
    refused("insert into t values (2, 'b', 1, 77)", SERVICE_ERROR_FOREIGN_KEY, "23503");
    cr_assert_eq(number(db, "select count(*) from t"), 1);
}

Test(postgres, tells_a_typing_error_from_a_missing_thing) {
    given_a_table("id int");
    refused("selec 1", SERVICE_ERROR_SYNTAX, "42601");
    refused("select * from nothing_of_this_name", SERVICE_ERROR_NOT_FOUND, "42P01");
    refused("select no_such_column from t", SERVICE_ERROR_NOT_FOUND, "42703");
    refused("select no_such_function()", SERVICE_ERROR_NOT_FOUND, "42883");
    refused("create temporary table t (id int)", SERVICE_ERROR_CONFLICT, "42P07");
}

Test(postgres, refuses_a_value_that_does_not_fit) {
    given_a_table("word varchar(3), small smallint");
    refused("insert into t values ('four', 1)", SERVICE_ERROR_TOO_LARGE, "22001");
    refused("insert into t values ('abc', 40000)", SERVICE_ERROR_TOO_LARGE, "22003");
}

Test(postgres, passes_on_what_the_server_remarks) {
    given_a_session();
    run(db, "do $$ begin raise warning 'mind the gap'; end $$");
    cr_assert_str_eq(postgres_notices(db), "WARNING: mind the gap\n");
    run(db, "drop table if exists nothing_of_this_name");
    cr_assert_not_null(strstr(postgres_notices(db), "does not exist, skipping"));
}

Test(postgres, forgets_what_the_server_remarked_when_told_to) {
    given_a_session();
    run(db, "drop table if exists nothing_of_this_name");
    postgres_clear_notices(db);
    cr_assert_str_empty(postgres_notices(db));
}

Test(postgres, says_its_version_as_a_number) {
    given_a_session();
    cr_assert_eq(postgres_server_version(db), number(db, "show server_version_num"));
}

// ---- bulk ---------------------------------------------------------------------------------------

struct copied {
    char *bytes;
    size_t length;
};

static bool gather(void *context, const void *bytes, size_t length, struct error *error) {
    struct copied *copied = context;
    (void)error;
    copied->bytes = memory_resize(copied->bytes, copied->length + length, 1);
    memcpy(copied->bytes + copied->length, bytes, length);
    copied->length += length;
    return true;
}

Test(postgres, copies_rows_out_and_in_unaltered) {
    given_a_table("id int, at timestamptz, payload bytea");
    run(db, "insert into t select i, now() + i * interval '1 s', decode(md5(i::text), 'hex') "
            "from generate_series(1, 20000) i");
    struct copied copied = {0};
    uint64_t rows = 0;
    must(postgres_copy_out(db, "copy t to stdout (format binary)", gather, &copied, &rows, err));
    scenario_own(scenario, copied.bytes, free);
    cr_assert_eq(rows, BULK_ROWS);
    run(db, "create temporary table again (like t)");
    must(postgres_copy_in_start(db, "copy again from stdin (format binary)", err));
    must(postgres_copy_in_send(db, copied.bytes, copied.length, err));
    must(postgres_copy_in_end(db, &rows, err));
    cr_assert_eq(rows, BULK_ROWS);
    cr_assert_eq(number(db, "select count(*) from (table t except all table again) x"), 0);
}

Test(postgres, keeps_nothing_of_a_copy_that_was_aborted) {
    given_a_table("id int");
    must(postgres_copy_in_start(db, "copy t from stdin", err));
    must(postgres_copy_in_send(db, "1\n2\n3\n", 6, err));
    must(postgres_copy_in_abort(db, "the source is damaged", err));
    cr_assert_eq(number(db, "select count(*) from t"), 0);
}

Test(postgres, refuses_a_copy_with_one_bad_row) {
    given_a_table("id int primary key");
    must(postgres_copy_in_start(db, "copy t from stdin", err));
    must(postgres_copy_in_send(db, "1\n2\n2\n", 6, err));
    must_fail(postgres_copy_in_end(db, NULL, err), ERROR_SERVICE, SERVICE_ERROR_UNIQUE);
    cr_assert_eq(number(db, "select count(*) from t"), 0);
}

Test(postgres, takes_no_other_statement_for_a_copy) {
    given_a_table("id int");
    must_fail(postgres_copy_in_start(db, "select 1", err), ERROR_SERVICE, SERVICE_ERROR_OTHER);
    must_fail(postgres_copy_in_start(db, "copy nothing from stdin", err), ERROR_SERVICE,
              SERVICE_ERROR_NOT_FOUND);
    cr_assert_eq(number(db, "select 7"), 7, "the session is as good as before");
    must_fail(postgres_copy_in_start(db, "copy t to stdout", err), ERROR_SERVICE,
              SERVICE_ERROR_OTHER);
    must_fail(postgres_run(db, "select 7", err), ERROR_UNAVAILABLE, 0);
}

static bool enough(void *context, const void *bytes, size_t length, struct error *error) {
    (void)context;
    (void)bytes;
    return error_set(error, ERROR_CANCELLED, 0, "enough after %zu bytes", length);
}

Test(postgres, ends_a_copy_when_the_reader_has_enough) {
    given_a_session();
    must_fail(postgres_copy_out(db, "copy (select generate_series(1, 9)) to stdout", enough, NULL,
                                NULL, err),
              ERROR_CANCELLED, 0);
    must_fail(postgres_run(db, "select 7", err), ERROR_UNAVAILABLE, 0);
}

static bool refuse(void *context, const struct postgres_rows *row, struct error *error) {
    (void)context;
    (void)row;
    return error_set(error, ERROR_CANCELLED, 0, "enough");
}

Test(postgres, ends_a_stream_when_the_reader_has_enough) {
    given_a_session();
    must_fail(postgres_stream(db, "select generate_series(1, 9)", NO_PARAMETERS, refuse, NULL, err),
              ERROR_CANCELLED, 0);
    must_fail(postgres_run(db, "select 7", err), ERROR_UNAVAILABLE, 0);
}

static bool add_up(void *context, const struct postgres_rows *row, struct error *error) {
    (void)error;
    *(int64_t *)context += strtoll(postgres_rows_value(row, 0, 0), NULL, 10);
    return true;
}

Test(postgres, streams_rows_one_by_one) {
    given_a_session();
    int64_t sum = 0;
    must(postgres_stream(db, "select generate_series(1, 20000)", NO_PARAMETERS, add_up, &sum, err));
    cr_assert_eq(sum, (int64_t)BULK_ROWS * (BULK_ROWS + 1) / 2);
}

Test(postgres, streams_nothing_of_a_query_that_fails_midway) {
    given_a_session();
    int64_t sum = 0;
    must_fail(postgres_stream(db, "select 1 / (3 - n) from generate_series(1, 9) n", NO_PARAMETERS,
                              add_up, &sum, err),
              ERROR_SERVICE, SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "22012");
    cr_assert_eq(number(db, "select 7"), 7);
}

// ---- faults -------------------------------------------------------------------------------------

// What the server has not begun yet cannot be cancelled.
static bool sleeps(void *context, struct error *error) {
    (void)context;
    int64_t running = 0;
    return postgres_simple_integer(
               other,
               "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'",
               PARAMETERS(parameter_integer(postgres_backend_pid(db))), &running, error) &&
           (running == 1 || error_set(error, ERROR_SERVICE, 0, "the statement has not begun"));
}

Test(postgres, cancels_a_running_statement_and_goes_on) {
    given_a_session();
    other = scenario_postgres(scenario, "postgres");
    must(postgres_start(db, "select pg_sleep(25)", NO_PARAMETERS, err));
    must(eventually(deadline_in_ms(10000), sleeps, NULL, err));
    must(postgres_cancel(scenario_endpoint(scenario, "postgres"), postgres_backend_pid(db), err));
    must_fail(postgres_finish(db, NULL, err), ERROR_SERVICE, SERVICE_ERROR_OTHER);
    cr_assert_str_eq(err->reference, "57014");
    cr_assert_eq(number(db, "select 7"), 7);
}

Test(postgres, refuses_a_wrong_password) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "postgres");
    cr_assert_null(scenario_postgres_at(scenario, scenario_wrong_password(scenario, endpoint)));
    cr_assert_eq(err->domain, ERROR_SERVICE, "%s", err->message);
    cr_assert_eq(err->code, SERVICE_ERROR_LOGIN);
}

Test(postgres, has_no_database_of_another_name) {
    struct endpoint endpoint = *scenario_endpoint(scenario, "postgres");
    endpoint.database = "no_such_database";
    cr_assert_null(scenario_postgres_at(scenario, &endpoint));
    cr_assert_eq(err->code, SERVICE_ERROR_NOT_FOUND, "%s", err->message);
}

Test(postgres, a_listener_that_says_nothing_is_noticed_in_time) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "postgres");
    cr_assert_null(scenario_postgres_at(
        scenario, scenario_impatient(scenario, scenario_silent_server(scenario, endpoint))));
    cr_assert_eq(err->domain, ERROR_TIMEOUT, "%s", err->message);
}

Test(postgres, a_port_where_nobody_listens_is_noticed_at_once) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "postgres");
    cr_assert_null(scenario_postgres_at(scenario, scenario_dead_server(scenario, endpoint)));
    cr_assert_eq(err->domain, ERROR_UNAVAILABLE, "%s", err->message);
}

Test(postgres, a_statement_that_takes_too_long_is_given_up_in_time) {
    db = scenario_postgres_at(
        scenario, scenario_impatient(scenario, scenario_endpoint(scenario, "postgres")));
    must_fail(postgres_run(db, "select pg_sleep(25)", err), ERROR_TIMEOUT, 0);
    must_fail(postgres_run(db, "select 1", err), ERROR_UNAVAILABLE, 0); // it is spent
}

Test(postgres, a_paused_server_is_noticed_in_time, .timeout = 90) {
    struct spare *spare = scenario_spare(scenario, "postgres");
    db = scenario_postgres_at(scenario, scenario_impatient(scenario, spare_endpoint(spare, 0)));
    run(db, "select 1");
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    must_fail(postgres_run(db, "select 1", err), ERROR_TIMEOUT, 0);
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
    cr_assert_not_null(scenario_postgres_at(scenario, spare_endpoint(spare, 0)));
}

Test(postgres, a_server_that_dies_under_a_statement_is_noticed_at_once, .timeout = 90) {
    struct spare *spare = scenario_spare(scenario, "postgres");
    db = scenario_postgres_at(scenario, spare_endpoint(spare, 0));
    must(postgres_start(db, "select pg_sleep(25)", NO_PARAMETERS, err));
    must(container_kill(scenario_engine(scenario), spare_container(spare, 0), "KILL", err));
    must_fail(postgres_finish(db, NULL, err), ERROR_UNAVAILABLE, 0);
}
