#include "verify/fingerprint/mysql_fixture.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool run(struct mysqldb *mysql, struct error *err, const char *format, ...)
    printf_like(3, 4);
static bool run(struct mysqldb *mysql, struct error *err, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *sql = memory_format_list(format, arguments);
    va_end(arguments);
    return mysqldb_run(mysql, sql, err) || error_prefix(err, "%s", sql);
}

bool mysql_fixture_open(struct mysql_fixture *self, struct error *err) {
    const char *address = getenv("ASSAY_TEST_MYSQL");
    unsigned port = 0;
    if (address == NULL || sscanf(address, "%63[^:]:%u", self->host, &port) != 2)
        return error_set(err, ERROR_UNAVAILABLE, 0, "ASSAY_TEST_MYSQL names no server");
    const char *password = getenv("ASSAY_TEST_MYSQL_PASSWORD");
    if (password != NULL && !secret_read_file(password, &self->password, err))
        return false;
    self->endpoint = (struct endpoint){.service = "mysql",
                                       .host = self->host,
                                       .port = (uint16_t)port,
                                       .user = "root",
                                       .password = self->password,
                                       .request_timeout_ms = 100000};
    return mysqldb_open(&self->endpoint, &self->mysql, err) &&
           mysqldb_open(&self->endpoint, &self->reader, err);
}

// A connection that is spent cannot tidy up: a new one does.
void mysql_fixture_close(struct mysql_fixture *self) {
    mysqldb_close(self->reader);
    mysqldb_close(self->mysql);
    autofree(mysqldb) struct mysqldb *tidy = NULL;
    if (self->names[0][0] == '\0' || !mysqldb_open(&self->endpoint, &tidy, NULL))
        return;
    for (size_t i = 0; i < 2; i++)
        if (self->names[i][0] != '\0')
            (void)!run(tidy, NULL, "drop database if exists %s", self->quoted[i]);
    (void)!run(tidy, NULL, "drop user if exists %s", self->quoted[0]);
}

static const char *const SCHEMA[] = {
    "set time_zone = '+00:00'",
    "create table customers (id bigint unsigned not null auto_increment primary key,"
    " name varchar(40) not null default 'nobody', plain varchar(40) collate utf8mb4_bin,"
    " old varchar(20) character set latin1, born date default (current_date + interval 1 day),"
    " mood enum('sad', 'ok', 'glad'), moods set('a', 'b', 'c'), score double, small float,"
    " rounded float(7,3), total decimal(10,2), flags bit(10), raw blob, fixed binary(4), data json,"
    " place point srid 4326, at timestamp(6) null, local datetime(6), took time(3), in_year year,"
    " tiny tinyint(1), changed timestamp null default current_timestamp on update"
    " current_timestamp, twice decimal(12,2) generated always as (total * 2) stored,"
    " thrice decimal(12,2) generated always as (total * 3) virtual, hidden int invisible,"
    " key by_name (name(10), total desc), unique key by_plain (plain),"
    " key lowered ((lower(plain))), fulltext key words (name))"
    " comment 'größe'",
    "create table orders (id int not null auto_increment primary key, customer bigint unsigned,"
    " total decimal(10,2) comment 'net', note varchar(20), facts json, code char(5) default 'a',"
    " key open_total (total, note),"
    " key by_customer (customer),"
    " constraint of_customer foreign key (customer) references customers (id) on delete cascade,"
    " constraint positive check (total >= 0))",
    "create table log (id int not null, what varchar(20), primary key (id, what))"
    " partition by range (id) (partition p0 values less than (100), partition p1 values less than"
    " (1000))",
    "create table bare (a int, b int)",
    "create table counted (id tinyint unsigned not null auto_increment primary key, n int)",
    "create table heap (id int primary key) engine = myisam",
    "create table `Odd.name ``x` (`c d` int, `c` int comment 'of c')",
    "create view totals as select o.customer, sum(o.total) as total from orders o"
    " join customers c on c.id = o.customer where c.name <> 'x' group by o.customer",
    "create view some_orders as select id, total from orders where total > 1 with check option",
    "create function half(x int) returns int deterministic no sql return x / 2",
    "create procedure nothing(in a int, out b varchar(10)) comment 'idle' select 1",
    "create trigger touched before update on orders for each row set new.note = upper(new.note)",
    "create trigger logged after insert on bare for each row insert ignore into heap values "
    "(new.a)",
    "create event nightly on schedule every 1 day starts '2030-01-01 00:00:00' disable"
    " comment 'tidy' do delete from log",
    NULL};

#define NUMBERS \
    "with recursive n as (select 1 as i union all select i + 1 from n where i < 300) select "
static const char *const ROWS[] = {
    "insert into customers (name, plain, old, mood, moods, score, small, rounded, total, flags,"
    " raw, fixed, data, place, at, local, took, in_year, tiny, changed, hidden) " NUMBERS
    "concat('name ', i), concat('Plain ', i), 'K\u00f6ln', 'ok', 'a,c', 1 / i, 1 / i, i / 7,"
    " i / 7, i, repeat(unhex('00ff27'), i), unhex('61006200'),"
    " json_object('i', i, 'n', null, 'x', 1.0), st_srid(point(i / 10, i / 10), 4326),"
    " timestamp('2026-03-29 01:59:59.000001') + interval i microsecond,"
    " timestamp('2026-03-29 02:30:00.000001') + interval i microsecond,"
    " sec_to_time(-i) + interval 1000 microsecond, 2000 + i % 100, i % 2,"
    " '2026-01-01', i from n",
    "insert into orders (customer, total, note, facts) " NUMBERS
    "i, i, case when i % 2 = 0 then '' end, json_object('x', 1.0) from n limit 200",
    "insert into log " NUMBERS "i, 'x' from n limit 50",
    "insert into bare " NUMBERS "1, 2 from n limit 3",
    "insert into counted (n) " NUMBERS "i from n limit 9",
    NULL};

bool mysql_fixture_run_all(struct mysql_fixture *self, const char *const statements[],
                           struct error *err) {
    for (size_t i = 0; statements[i] != NULL; i++)
        if (!run(self->mysql, err, "%s", statements[i]))
            return false;
    return true;
}

static bool make_database(struct mysql_fixture *self, size_t which, struct error *err) {
    snprintf(self->names[which], sizeof self->names[which],
             which == 0 ? "assay %ld" : "`assay` %ld", (long)getpid());
    snprintf(self->quoted[which], sizeof self->quoted[which],
             which == 0 ? "`assay %ld`" : "```assay`` %ld`", (long)getpid());
    return run(self->mysql, err, "create database %s", self->quoted[which]) &&
           run(self->mysql, err, "use %s", self->quoted[which]) &&
           mysql_fixture_run_all(self, SCHEMA, err);
}

bool mysql_fixture_fill(struct mysql_fixture *self, struct error *err) {
    return make_database(self, 0, err) && mysql_fixture_run_all(self, ROWS, err);
}

bool mysql_fixture_copy_backwards(struct mysql_fixture *self, struct error *err) {
    static const char *const tables[][2] = {
        {"customers",
         "id, name, plain, old, born, mood, moods, score, small, rounded, total, flags,"
         " raw, fixed, data, place, at, local, took, in_year, tiny, changed, hidden"},
        {"orders", "id, customer, total, note, facts"},
        {"log", "id, what"},
        {"bare", "a, b"},
        {"counted", "id, n"},
    };
    if (!make_database(self, 1, err))
        return false;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (!run(self->mysql, err, "insert into %s (%s) select %s from %s.%s order by 1 desc",
                 tables[i][0], tables[i][1], tables[i][1], self->quoted[0], tables[i][0]))
            return false;
    return run(self->mysql, err, "insert into counted values (200, 0)") &&
           run(self->mysql, err, "delete from counted where id = 200");
}
