#include "verify/backup/mysql_fingerprint.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

static struct {
    char host[64];
    struct endpoint endpoint;
    struct mysqldb *mysql, *reader, *other; // the reader's session is the fingerprint's
    char names[2][64], quoted[2][64];       // the test's own databases; as in SQL
    struct fingerprint *before, *after;
    struct differences differences;
    struct text text;
    struct error err;
} held;

static void run(const char *sql) {
    cr_assert(mysqldb_run(held.mysql, sql, &held.err), "%s\n%s", held.err.message, sql);
}

// A connection that is spent cannot tidy up: a new one does.
static void release(void) {
    mysqldb_close(held.other);
    mysqldb_close(held.reader);
    mysqldb_close(held.mysql);
    struct mysqldb *tidy = NULL;
    if (held.endpoint.host != NULL && mysqldb_open(&held.endpoint, &tidy, NULL)) {
        for (size_t i = 0; i < 2; i++) {
            autofree_string char *sql = memory_format("drop database if exists %s", held.quoted[i]);
            (void)!mysqldb_run(tidy, sql, NULL);
        }
        autofree_string char *sql = memory_format("drop user if exists %s", held.quoted[0]);
        (void)!mysqldb_run(tidy, sql, NULL);
    }
    mysqldb_close(tidy);
    fingerprint_free(held.before);
    fingerprint_free(held.after);
    differences_done(&held.differences);
    text_done(&held.text);
}

TestSuite(mysql_fingerprint, .fini = release, .timeout = 120);

// One test at a time: another's databases would come and go while the whole server is looked at.
static void open_server(void) {
    const char *address = getenv("ASSAY_TEST_MYSQL");
    unsigned port = 0;
    if (address == NULL || sscanf(address, "%63[^:]:%u", held.host, &port) != 2)
        cr_skip_test("ASSAY_TEST_MYSQL names no server (127.0.0.1:3306, root without a password)");
    held.endpoint = (struct endpoint){.service = "mysql",
                                      .host = held.host,
                                      .port = (uint16_t)port,
                                      .user = "root",
                                      .request_timeout_ms = 100000};
    cr_assert(mysqldb_open(&held.endpoint, &held.mysql, &held.err), "%s", held.err.message);
    cr_assert(mysqldb_open(&held.endpoint, &held.reader, &held.err), "%s", held.err.message);
    const char *locked = NULL;
    cr_assert(mysqldb_simple_value(held.mysql, "select get_lock('mysql_fingerprint_test', 90)",
                                   NO_PARAMETERS, &locked, &held.err));
    cr_assert_str_eq(locked, "1");
}

static void use(size_t which) {
    autofree_string char *sql = memory_format("use %s", held.quoted[which]);
    run(sql);
}

// The names differ, and the second needs care in SQL.
static void make_database(size_t which) {
    snprintf(held.names[which], sizeof held.names[which], which == 0 ? "assay %ld" : "`assay` %ld",
             (long)getpid());
    snprintf(held.quoted[which], sizeof held.quoted[which],
             which == 0 ? "`assay %ld`" : "```assay`` %ld`", (long)getpid());
    autofree_string char *sql = memory_format("create database %s", held.quoted[which]);
    run(sql);
    use(which);
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
    " total decimal(10,2) comment 'net', note varchar(20), facts json,"
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

static void run_all(const char *const statements[]) {
    for (size_t i = 0; statements[i] != NULL; i++)
        run(statements[i]);
}

static void fill(size_t which) {
    make_database(which);
    run_all(SCHEMA);
    run_all(ROWS);
}

// The rows of the first, from the last to the first; AUTO_INCREMENT ends elsewhere.
static void fill_second_backwards(void) {
    static const char *const orders[][2] = {
        {"customers",
         "id, name, plain, old, born, mood, moods, score, small, rounded, total, flags,"
         " raw, fixed, data, place, at, local, took, in_year, tiny, changed, hidden"},
        {"orders", "id, customer, total, note, facts"},
        {"log", "id, what"},
        {"bare", "a, b"},
        {"counted", "id, n"},
    };
    make_database(1);
    run_all(SCHEMA);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        autofree_string char *sql =
            memory_format("insert into %s (%s) select %s from %s.%s order by 1 desc", orders[i][0],
                          orders[i][1], orders[i][1], held.quoted[0], orders[i][0]);
        run(sql);
    }
    run("insert into counted values (200, 0)");
    run("delete from counted where id = 200");
}

static void look(size_t which, struct fingerprint **ret_fingerprint) {
    fingerprint_free(*ret_fingerprint);
    *ret_fingerprint = NULL;
    cr_assert(mysql_fingerprint(held.reader, held.names[which], KEY, ret_fingerprint, &held.err),
              "%s", held.err.message);
}

static void expect_equal(void) {
    const bool equal = fingerprint_equal(held.before, held.after, &held.differences);
    differences_format(&held.differences, &held.text);
    cr_expect(equal, "%s", text_string(&held.text));
}

static void fill_and_look(void) {
    open_server();
    fill(0);
    look(0, &held.before);
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
    fill_second_backwards();
    look(1, &held.after);
    expect_equal();
}

// A change, and how that which is said of it must begin: one difference, unless there are more.
struct change {
    const char *sql;
    const char *said;
    size_t count; // 0: 1
};

static void expect_said(const struct change *change) {
    run(change->sql);
    look(0, &held.after);
    differences_done(&held.differences);
    text_clear(&held.text);
    cr_expect_not(fingerprint_equal(held.before, held.after, &held.differences), "%s", change->sql);
    differences_format(&held.differences, &held.text);
    cr_expect_eq(strncmp(text_string(&held.text), change->said, strlen(change->said)), 0,
                 "%s\nsaid: %swanted: %s", change->sql, text_string(&held.text), change->said);
    cr_expect_eq(held.differences.count, change->count > 0 ? change->count : 1, "%s\nsaid: %s",
                 change->sql, text_string(&held.text));
    struct fingerprint *old = held.before;
    held.before = held.after;
    held.after = old;
}

static void expect_each_said(const struct change *changes, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect_said(&changes[i]);
}

Test(mysql_fingerprint, names_each_change_of_a_column) {
    static const struct change changes[] = {
        {"alter table customers modify took time(4)", "customers.took: time(3) → time(4)\n",
         .count = 2},
        {"alter table customers modify total decimal(11,2)",
         "customers.total: decimal(10,2) → decimal(11,2)\n"},
        {"alter table customers modify in_year year not null",
         "customers.in_year nullable: yes → no\n"},
        {"alter table customers alter name set default 'x'",
         "customers.name default: nobody → x\n"},
        {"alter table customers alter name drop default", "customers.name default: x is missing\n"},
        {"alter table customers alter name set default ''", "customers.name default:  is extra\n"},
        {"alter table customers alter born set default (current_date + interval 2 day)",
         "customers.born default: (curdate() + interval 1 day) → (curdate() + interval 2 day)\n"},
        {"alter table customers modify changed timestamp null default current_timestamp",
         "customers.changed extra: DEFAULT_GENERATED on update CURRENT_TIMESTAMP → "
         "DEFAULT_GENERATED\n"},
        {"alter table customers modify hidden int", "customers.hidden extra: INVISIBLE is missing"},
        {"alter table customers modify plain varchar(40) collate utf8mb4_0900_as_cs",
         "customers.plain collation: utf8mb4_bin → utf8mb4_0900_as_cs\n"},
        {"alter table customers modify old varchar(20) character set latin2",
         "customers.old collation: latin1_swedish_ci → latin2_general_ci\n"},
        {"alter table customers modify mood enum('sad', 'ok', 'glad', 'mad')",
         "customers.mood: enum('sad','ok','glad') → enum('sad','ok','glad','mad')\n"},
        {"alter table customers modify flags bit(11)", "customers.flags: bit(10) → bit(11)\n"},
        {"alter table orders modify total decimal(10,2) comment 'gross'",
         "orders.total comment: net → gross\n", .count = 2},
        {"alter table customers modify twice decimal(12,2) as (total + total) stored",
         "customers.twice generated: (`total` * 2) → (`total` + `total`)\n"},
        {"alter table customers modify thrice decimal(12,2) as (total * 3.0) virtual",
         "customers.thrice generated: (`total` * 3) → (`total` * 3.0)\n"},
        {"alter table customers modify small float not null",
         "customers.small nullable: yes → no\n"},
        {"alter table customers modify place point", "customers.place srid: 4326 is missing\n"},
        {"alter table bare add c int", "bare columns: a, b → a, b, c\n", .count = 4},
        {"alter table bare modify c int first", "bare columns: a, b, c → c, a, b\n", .count = 2},
        {"alter table `Odd.name ``x` modify `c` int comment ''",
         "`Odd.name ``x`.c comment: of c is missing\n"},
    };
    fill_and_look();
    expect_each_said(changes, sizeof changes / sizeof changes[0]);
}

Test(mysql_fingerprint, names_each_change_of_a_table) {
    static const struct change changes[] = {
        {"alter table customers comment 'klein'", "customers comment: größe → klein\n"},
        {"alter table customers comment ''", "customers comment: klein is missing\n"},
        {"alter table bare default collate utf8mb4_bin",
         "bare collation: utf8mb4_0900_ai_ci → utf8mb4_bin\n"},
        {"alter table bare row_format = compressed",
         "bare options: row_format=COMPRESSED is extra\n", .count = 2},
        {"alter table heap engine = innodb", "heap engine: MyISAM → InnoDB\n", .count = 2},
        {"alter table log reorganize partition p1 into (partition p1 values less than (2000))",
         "log partitions: RANGE (`id`) p0 100, p1 1000 → RANGE (`id`) p0 100, p1 2000\n"},
        {"alter table log remove partitioning", "log options: partitioned is missing\n",
         .count = 2},
        {"alter table customers drop index by_name", "index customers by_name: is missing\n"},
        {"alter table customers add index by_name (name(10), total)",
         "index customers by_name: is extra\n"},
        {"alter table customers drop index by_name, add index by_name (name(11), total)",
         "by_name on customers: btree (name(10), total) → btree (name(11), total)\n"},
        {"alter table customers drop index by_name, add index by_name (name(11), total desc)",
         "by_name on customers: btree (name(11), total) → btree (name(11), total desc)\n"},
        {"alter table customers drop index by_plain, add index by_plain (plain)",
         "by_plain on customers: unique btree (plain) → btree (plain)\n"},
        {"alter table customers alter index by_name invisible",
         "by_name on customers visible: yes → no\n"},
        {"alter table customers drop index lowered, add index lowered ((upper(plain)))",
         "lowered on customers: btree ((lower(`plain`))) → btree ((upper(`plain`)))\n"},
        {"alter table customers drop index words, add index words (name)",
         "words on customers: fulltext (name) → btree (name)\n"},
        {"alter table customers drop index words, add index words (name) comment 'ok'",
         "words on customers comment: ok is extra\n"},
        {"alter table orders drop index open_total, add index open_total (note, total)",
         "open_total on orders: btree (total, note) → btree (note, total)\n"},
        {"alter table orders drop foreign key of_customer",
         "constraint orders of_customer: is missing\n"},
        {"alter table orders drop check positive, add constraint positive check (total > 0)",
         "positive on orders: check (`total` >= 0) → check (`total` > 0)\n"},
        {"alter table orders alter check positive not enforced",
         "positive on orders enforced: yes → no\n"},
        {"alter table orders drop check positive", "constraint orders positive: is missing\n"},
        {"drop table bare", "table bare: is missing\n", .count = 2},
        {"update counted set id = 255 where id = 9",
         "counted.id is covered by auto_increment: yes → no\n", .count = 2},
    };
    fill_and_look();
    expect_each_said(changes, sizeof changes / sizeof changes[0]);
}

Test(mysql_fingerprint, names_each_change_of_what_has_a_body) {
    static const struct change changes[] = {
        {"create or replace view totals as select o.customer, sum(o.total) as total from orders o"
         " join customers c on c.id = o.customer where c.name <> 'y' group by o.customer",
         "totals definition: "},
        {"alter sql security invoker view some_orders as select id, total from orders where total >"
         " 1 with check option",
         "some_orders security: definer → invoker\n"},
        {"alter sql security invoker view some_orders as select id, total from orders where total >"
         " 1 with local check option",
         "some_orders check option: cascaded → local\n"},
        {"drop view some_orders", "view some_orders: is missing\n"},
        {"alter function half sql security invoker",
         "half characteristics: sql, deterministic, no sql, sql security definer → sql, "
         "deterministic, no sql, sql security invoker\n"},
        {"alter function half comment 'of x'", "half comment: of x is extra\n"},
        {"alter procedure nothing reads sql data",
         "nothing characteristics: sql, not deterministic, contains sql, sql security definer → "},
        {"drop procedure nothing", "procedure nothing: is missing\n"},
        {"create procedure nothing(in a int, out b varchar(10)) comment 'idle' select 1",
         "procedure nothing: is extra\n"},
        {"drop trigger logged", "trigger logged: is missing\n"},
        {"alter event nightly on schedule every 2 day starts '2030-01-01 00:00:00'",
         "nightly schedule: every 1 day from 2030-01-01 00:00:00 +00:00 → every 2 day from"},
        {"alter event nightly enable", "nightly status: disabled → enabled\n"},
        {"alter event nightly on completion preserve",
         "nightly on completion: not preserve → preserve\n"},
        {"alter event nightly comment 'x'", "nightly comment: tidy → x\n"},
        {"alter event nightly do delete from bare",
         "nightly body: delete from log → delete from bare\n"},
        {"drop event nightly", "event nightly: is missing\n"},
    };
    fill_and_look();
    expect_each_said(changes, sizeof changes / sizeof changes[0]);
}

// What MySQL has no ALTER for is dropped and made anew.
Test(mysql_fingerprint, names_what_was_made_anew_otherwise) {
    static const struct {
        const char *drop;
        struct change change;
    } changes[] = {
        {"drop function half",
         {"create function half(x int) returns int deterministic no sql return x / 3",
          "half body: return x / 2 → return x / 3\n"}},
        {"drop function half",
         {"create function half(x bigint) returns int deterministic no sql return x / 3",
          "half parameters: IN x int → IN x bigint\n"}},
        {"drop function half",
         {"create function half(x bigint) returns bigint deterministic no sql return x / 3",
          "half returns: int → bigint\n"}},
        {"drop procedure nothing",
         {"create procedure nothing(in a int, inout b varchar(10)) comment 'idle' select 1",
          "nothing parameters: IN a int, OUT b varchar(10) utf8mb4_0900_ai_ci → IN a int, INOUT"}},
        {"drop trigger touched",
         {"create trigger touched before insert on orders for each row set new.note ="
          " upper(new.note)",
          "touched: before update on orders, number 1 → before insert on orders, number 1\n"}},
        {"drop trigger touched",
         {"create trigger touched before insert on orders for each row set new.note ="
          " lower(new.note)",
          "touched body: set new.note = upper(new.note) → set new.note = lower(new.note)\n"}},
        {"set sql_mode = 'ANSI_QUOTES'",
         {"alter event nightly do delete from log",
          "nightly sql mode: ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES"}},
        {"alter table orders drop foreign key of_customer",
         {"alter table orders add constraint of_customer foreign key (customer) references"
          " customers (id) on delete set null",
          "of_customer on orders: foreign key (customer) references customers (id) on update "
          "no action on delete cascade → foreign key (customer) references customers (id) on "
          "update no action on delete set null\n"}},
        {"alter table orders drop foreign key of_customer",
         {"alter table orders add constraint of_customer foreign key (customer) references"
          " customers (id) on delete set null on update cascade",
          "of_customer on orders: foreign key (customer) references customers (id) on update "
          "no action on delete set null → foreign key (customer) references customers (id) on "
          "update cascade on delete set null\n"}},
    };
    fill_and_look();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        run(changes[i].drop);
        expect_said(&changes[i].change);
    }
}

Test(mysql_fingerprint, names_each_change_of_the_database) {
    static const struct change changes[] = {
        {"alter database collate utf8mb4_bin",
         "database collation: utf8mb4_0900_ai_ci → utf8mb4_bin\n"},
        {"alter database character set latin1", "database character set: utf8mb4 → latin1\n",
         .count = 2},
    };
    fill_and_look();
    expect_each_said(changes, sizeof changes / sizeof changes[0]);
}

Test(mysql_fingerprint, sees_each_change_of_a_row) {
    static const char altered[] =
        "table customers: rows altered in 1 of 256 buckets (300 of 300)\n";
    static const struct change changes[] = {
        {"update customers set name = 'name  7' where id = 7", altered},
        {"update customers set name = 'name  7 ' where id = 7", altered},
        {"update customers set name = 'Name  7 ' where id = 7", altered},
        {"update customers set name = '' where id = 7", altered},
        {"update customers set name = '\u00e9' where id = 7", altered},
        {"update customers set name = 'e\u0301' where id = 7", altered},
        {"update customers set name = '\U0001f600' where id = 7", altered},
        {"update customers set name = '\U0001f601' where id = 7", altered},
        {"update customers set old = 'Koln' where id = 7", altered},
        {"update customers set born = null where id = 7", altered},
        {"update customers set mood = 'glad' where id = 7", altered},
        {"update customers set moods = 'a,b,c' where id = 7", altered},
        {"update customers set moods = '' where id = 7", altered},
        {"update customers set moods = null where id = 7", altered},
        {"update customers set score = 0.14285714285714288 where id = 7", altered},
        {"update customers set score = 0e0 where id = 7", altered},
        {"update customers set score = -0e0 where id = 7", altered},
        {"update customers set small = 0.14285716 where id = 7", altered},
        {"update customers set total = total + 0.01 where id = 7", altered},
        {"update customers set flags = b'1000000111' where id = 7", altered},
        {"update customers set raw = concat(raw, x'00') where id = 7", altered},
        {"update customers set raw = insert(raw, 5, 1, x'01') where id = 7", altered},
        {"update customers set raw = '' where id = 7", altered},
        {"update customers set raw = null where id = 7", altered},
        {"update customers set fixed = x'61006201' where id = 7", altered},
        {"update customers set data = json_set(data, '$.i', '7') where id = 7", altered},
        {"update customers set data = json_object('x', 1.0) where id = 7", altered},
        {"update customers set data = json_object('x', null) where id = 7", altered},
        {"update customers set data = 'null' where id = 7", altered},
        {"update customers set data = null where id = 7", altered},
        {"update customers set place = st_srid(point(0.7, 0.7000000000000001), 4326) where id = 7",
         altered},
        {"update customers set at = at + interval 1 microsecond where id = 7", altered},
        {"update customers set at = at + interval 1 hour where id = 7", altered},
        {"update customers set local = local + interval 1 microsecond where id = 7", altered},
        {"update customers set took = -took where id = 7", altered},
        {"update customers set in_year = 1999 where id = 7", altered},
        {"update customers set tiny = 2 where id = 7", altered},
        {"update customers set hidden = 8 where id = 7", altered},
        {"update orders set note = 'x' where id = 8",
         "table orders: rows altered in 1 of 256 buckets (200 of 200)\n"},
        // With an ON UPDATE column, the server takes 1 for no change of 1.0.
        {"update orders set facts = json_object('x', 1) where id = 8",
         "table orders: rows altered in 1 of 256 buckets (200 of 200)\n"},
        {"update orders set note = null where id = 8",
         "table orders: rows altered in 1 of 256 buckets (200 of 200)\n"},
        {"delete from orders where id in (3, 4, 5)", "table orders: 3 rows missing (197 of 200)\n"},
        {"insert into log values (99, 'x')", "table log: 1 row extra (51 of 50)\n"},
        {"insert into bare values (1, 2), (1, 2)", "table bare: 2 rows extra (5 of 3)\n"},
        {"delete from bare limit 1", "table bare: 1 row missing (4 of 5)\n"},
        {"delete from heap", "table heap: 1 row missing (0 of 1)\n"},
    };
    fill_and_look();
    run("set time_zone = '+00:00', sql_mode = ''");
    expect_each_said(changes, sizeof changes / sizeof changes[0]);
}

Test(mysql_fingerprint, does_not_depend_on_the_settings_of_who_asks) {
    fill_and_look();
    run("set time_zone = '+05:00', sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH',"
        " character_set_results = latin1, collation_connection = utf8mb4_bin,"
        " group_concat_max_len = 4, sql_select_limit = 2");
    cr_assert(mysql_fingerprint(held.mysql, held.names[0], KEY, &held.after, &held.err), "%s",
              held.err.message);
    expect_equal();
}

Test(mysql_fingerprint, of_all_databases_has_their_names) {
    static const char name[] = "`assay %ld`%s";
    fill_and_look();
    cr_assert(mysql_fingerprint(held.mysql, NULL, KEY, &held.after, &held.err), "%s",
              held.err.message);
    autofree_string char *database = memory_format(name, (long)getpid(), "");
    autofree_string char *table = memory_format(name, (long)getpid(), ".customers");
    autofree_string char *view = memory_format(name, (long)getpid(), ".totals");
    cr_expect_not_null(fingerprint_find(held.after, "database", database));
    cr_expect_null(fingerprint_find(held.after, "database", "mysql"));
    const struct fingerprint_object *found = fingerprint_find(held.after, "table", table);
    cr_assert_not_null(found);
    cr_expect_eq(found->content.total.rows, 300);
    cr_expect_not_null(fingerprint_find(held.after, "view", view));
}

Test(mysql_fingerprint, is_of_the_moment_when_the_callers_transaction_began) {
    fill_and_look();
    cr_assert(mysqldb_open(&held.endpoint, &held.other, &held.err), "%s", held.err.message);
    run("start transaction with consistent snapshot");
    autofree_string char *sql = memory_format("delete from %s.orders", held.quoted[0]);
    cr_assert(mysqldb_run(held.other, sql, &held.err), "%s", held.err.message);
    cr_assert(mysql_fingerprint(held.mysql, held.names[0], KEY, &held.after, &held.err,
                                .in_transaction = true),
              "%s", held.err.message);
    expect_equal();
    const char *left = NULL; // the transaction is still that of before
    cr_assert(mysqldb_simple_value(held.mysql, "select count(*) from orders", NO_PARAMETERS, &left,
                                   &held.err));
    cr_expect_str_eq(left, "200");
}

Test(mysql_fingerprint, ends_its_own_transaction) {
    fill_and_look();
    autofree_string char *sql = memory_format("delete from %s.orders", held.quoted[0]);
    cr_expect(mysqldb_run(held.reader, sql, &held.err), "%s", held.err.message); // it was READ ONLY
}

Test(mysql_fingerprint, refuses_to_end_the_transaction_of_its_caller) {
    fill_and_look();
    run("start transaction");
    run("delete from orders");
    cr_expect_not(mysql_fingerprint(held.mysql, held.names[0], KEY, &held.after, &held.err));
    cr_expect_not_null(strstr(held.err.message, "transaction is in progress"), "%s",
                       held.err.message);
    run("rollback");
    look(0, &held.after);
    expect_equal();
}

Test(mysql_fingerprint, of_a_table_altered_since_the_snapshot_is_an_error) {
    fill_and_look();
    cr_assert(mysqldb_open(&held.endpoint, &held.other, &held.err), "%s", held.err.message);
    run("start transaction with consistent snapshot");
    autofree_string char *sql =
        memory_format("alter table %s.bare add c int, algorithm = copy", held.quoted[0]);
    cr_assert(mysqldb_run(held.other, sql, &held.err), "%s", held.err.message);
    cr_expect_not(mysql_fingerprint(held.mysql, held.names[0], KEY, &held.after, &held.err,
                                    .in_transaction = true));
    cr_expect_not_null(strstr(held.err.message, "Table definition has changed"), "%s",
                       held.err.message);
}

Test(mysql_fingerprint, of_no_such_database_is_an_error) {
    open_server();
    cr_expect_not(mysql_fingerprint(held.mysql, "no such `database'", KEY, &held.after, &held.err));
    cr_expect_eq(held.err.domain, ERROR_SERVICE);
    cr_expect_eq(held.err.code, SERVICE_ERROR_NOT_FOUND);
    cr_expect_null(held.after);
}

static void look_as_guest(const char *rights) {
    fill_and_look();
    autofree_string char *make = memory_format("create user %s", held.quoted[0]);
    autofree_string char *grant =
        memory_format("grant %s on %s.* to %s", rights, held.quoted[0], held.quoted[0]);
    run(make);
    run(grant);
    struct endpoint guest = held.endpoint;
    guest.user = held.names[0];
    cr_assert(mysqldb_open(&guest, &held.other, &held.err), "%s", held.err.message);
    cr_expect_not(mysql_fingerprint(held.other, held.names[0], KEY, &held.after, &held.err));
    cr_expect_eq(held.err.domain, ERROR_SERVICE);
    cr_expect_eq(held.err.code, SERVICE_ERROR_DENIED, "%s", held.err.message);
}

Test(mysql_fingerprint, of_a_view_that_one_may_not_see_is_refused) {
    look_as_guest("select");
    cr_expect_not_null(strstr(held.err.message, ": the server does not show its"), "%s",
                       held.err.message);
}

Test(mysql_fingerprint, of_a_routine_that_one_may_not_see_is_refused) {
    look_as_guest("select, show view, execute");
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
    cr_expect_not(mysql_fingerprint(held.mysql, held.names[0], KEY, &held.after, &held.err,
                                    .cancel = &cancel, .progress = cancel_after_a_table,
                                    .context = &cancel));
    cancel_done(&cancel);
    cr_expect_eq(held.err.domain, ERROR_CANCELLED, "%s", held.err.message);
}
