// Scripts that no sample holds: what mysqldump and pg_dump write seldom, and what only looks like
// the end of a dump. (The samples are in samples_test.c.)
#include "dump/dump.h"

#include <criterion/criterion.h>
#include <string.h>

#define MYSQL_HEAD "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n"
#define MYSQL_TAIL "-- Dump completed on 2024-02-29  3:04:05\n"
#define PLAIN_HEAD "--\n-- PostgreSQL database dump\n--\n\n"
#define PLAIN_TAIL "--\n-- PostgreSQL database dump complete\n--\n\n"

static void expect(const char *script, const char *reason) {
    struct source *source = NULL;
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(source_open_bytes(script, strlen(script), &source, &err));
    const bool read = dump_read_source(source, &facts, &err) && facts.format != NULL;
    if (reason == NULL)
        cr_expect(read, "%s: %s", script, err.message);
    else
        cr_expect(!read && strstr(err.message, reason) != NULL, "%s: %s", script, err.message);
    dump_facts_done(&facts);
    source_close(source);
}

Test(script, mysql_dumps_end_with_their_completion_line_only) {
    expect(MYSQL_HEAD MYSQL_TAIL, NULL);
    expect(MYSQL_HEAD "-- Dump completed\n", NULL);
    expect(MYSQL_HEAD "-- Dump completed on 2024-02-29 13:04:05\r\n", NULL);
    expect(MYSQL_HEAD "-- Dump completed on 2024-02-29 13:04\n", "completion line");
    expect(MYSQL_HEAD "-- Dump completed on 2024\n", "completion line");
    expect(MYSQL_HEAD "-- Dump completed on", "completion line");
    expect(MYSQL_HEAD MYSQL_TAIL "INSERT INTO t VALUES (1);\n", "completion line");
    expect(MYSQL_HEAD "INSERT INTO t VALUES ('\n" MYSQL_TAIL, "within a quoted text");
    expect(MYSQL_HEAD "INSERT INTO t VALUES (1\n" MYSQL_TAIL, "within a statement");
    expect(MYSQL_HEAD "/*!50001 CREATE VIEW\n" MYSQL_TAIL, "within a version comment");
    expect(MYSQL_HEAD "DELIMITER ;;\nCREATE PROCEDURE p() BEGIN a;\n" MYSQL_TAIL, "statement");
}

// What it says of a table or a database that has no name is not believed, and does no harm.
Test(script, mysql_tables_may_be_made_where_they_are_not) {
    expect(MYSQL_HEAD "CREATE TABLE IF NOT EXISTS `t` (`n` int);\n" MYSQL_TAIL, NULL);
    expect(MYSQL_HEAD "USE ;\n" MYSQL_TAIL, NULL);
}

Test(script, mysql_routines_are_read_under_their_sql_mode) {
#define MODE(mode) "/*!50003 SET sql_mode              = " mode " */ ;\n"
#define BACKSLASH "CREATE PROCEDURE p() SELECT '\\';\n" // a string of one byte, or one left open
    expect(MYSQL_HEAD BACKSLASH MYSQL_TAIL, "within a quoted text");
    expect(MYSQL_HEAD MODE("'NO_BACKSLASH_ESCAPES'") BACKSLASH MYSQL_TAIL, NULL);
    expect(MYSQL_HEAD MODE("'NO_BACKSLASH_ESCAPES'") MODE("@saved_sql_mode") BACKSLASH MYSQL_TAIL,
           "within a quoted text");
    expect(MYSQL_HEAD "DELIMITER 0123456789abcdef\n" MYSQL_TAIL, "DELIMITER");
}

Test(script, plain_dumps_end_with_their_completion_line_only) {
    expect(PLAIN_HEAD PLAIN_TAIL, NULL);
    expect(PLAIN_HEAD "SELECT 1;\n", "completion line");
    expect(PLAIN_HEAD "CREATE FUNCTION f() AS $$\n" PLAIN_TAIL, "within a dollar-quoted text");
    expect(PLAIN_HEAD "SELECT 1\n" PLAIN_TAIL, "within a statement");
    expect(PLAIN_HEAD "COPY t (a) FROM stdin;\n1\n" PLAIN_TAIL, "the rows of t: ");
    expect(PLAIN_HEAD "COPY t (a, b) FROM stdin;\n1\n\\.\n" PLAIN_TAIL, "columns instead of 2");
    expect(PLAIN_HEAD PLAIN_HEAD PLAIN_TAIL, "before the one before it");
    expect(PLAIN_HEAD PLAIN_TAIL PLAIN_TAIL, "without a beginning");
    expect(PLAIN_HEAD PLAIN_TAIL PLAIN_HEAD PLAIN_TAIL, NULL);
}

Test(script, psql_runs_only_what_a_dump_may_hold) {
    expect(PLAIN_HEAD "\\restrict a\n" PLAIN_TAIL "\\unrestrict a\n\n", NULL);
    expect(PLAIN_HEAD "\\restrict a\n" PLAIN_TAIL "\\unrestrict b\n\n", "another key");
    expect(PLAIN_HEAD "\\restrict a\n" PLAIN_TAIL, "before its \\unrestrict");
    expect(PLAIN_HEAD "\\restrict a\n\\restrict b\n" PLAIN_TAIL, "within \\restrict");
    expect(PLAIN_HEAD "\\! rm -r folder\n" PLAIN_TAIL, "no dump holds");
}

Test(script, names_of_databases_may_hold_anything) {
    static const char script[] =
        PLAIN_HEAD "CREATE DATABASE \"it's one\";\n"
                   "\\connect -reuse-previous=on \"dbname='it\\'s one'\"\n" PLAIN_TAIL;
    struct source *source = NULL;
    struct dump_facts facts = {0};
    struct error err = {0};
    cr_assert(source_open_bytes(script, strlen(script), &source, &err));
    cr_assert(dump_read_source(source, &facts, &err), "%s", err.message);
    cr_expect_str_eq(facts.database, "it's one");
    cr_expect(facts.restores_itself);
    dump_facts_done(&facts);
    source_close(source);
}
