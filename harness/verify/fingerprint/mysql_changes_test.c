#include "verify/fingerprint/mysql_fingerprint.h"

#include "verify/fingerprint/mysql_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

static struct {
    struct mysql_fixture server;
    struct fingerprint *before, *after;
    struct differences differences;
    struct text text;
    struct error err;
} held;

static void release(void) {
    mysql_fixture_close(&held.server);
    fingerprint_free(held.before);
    fingerprint_free(held.after);
    differences_done(&held.differences);
    text_done(&held.text);
}

TestSuite(mysql_changes, .fini = release, .timeout = 240);

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

Test(mysql_changes, names_each_change_of_a_column) {
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

Test(mysql_changes, names_each_change_of_a_table) {
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

Test(mysql_changes, names_each_change_of_what_has_a_body) {
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
Test(mysql_changes, names_what_was_made_anew_otherwise) {
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

Test(mysql_changes, names_each_change_of_the_database) {
    static const struct change changes[] = {
        {"alter database collate utf8mb4_bin",
         "database collation: utf8mb4_0900_ai_ci → utf8mb4_bin\n"},
        {"alter database character set latin1", "database character set: utf8mb4 → latin1\n",
         .count = 2},
    };
    fill_and_look();
    expect_each_said(changes, sizeof changes / sizeof changes[0]);
}

Test(mysql_changes, sees_each_change_of_a_row) {
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
        {"update customers set small = 0.14285714 where id = 7", altered},
        {"update customers set small = 0.14285716 where id = 7", altered},
        {"update customers set rounded = rounded + 0.001 where id = 7", altered},
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
