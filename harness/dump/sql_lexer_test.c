#include "dump/sql_lexer.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct script {
    enum sql_dialect dialect;
    const char *sql;
    const char *open; // NULL: nothing
    uint64_t rows;
} SCRIPTS[] = {
    // clang-format off
    {SQL_POSTGRES, "", NULL, 0},
    {SQL_POSTGRES, "SELECT 1;\n", NULL, 0},
    {SQL_POSTGRES, "SELECT 1\n", "a statement", 0},
    {SQL_POSTGRES, "-- it's a comment\n\n", NULL, 0},
    {SQL_POSTGRES, "SELECT ';", "a quoted text", 0},
    {SQL_POSTGRES, "SELECT 'it''s; \\';\n", NULL, 0},
    {SQL_POSTGRES, "SELECT E'it\\'s; ';\n", NULL, 0},
    {SQL_POSTGRES, "SELECT E'a''b\\'c;';\n", NULL, 0},
    {SQL_POSTGRES, "SELECT e'\\\\';\n", NULL, 0},
    {SQL_POSTGRES, "SELECT someE'\\';\n", NULL, 0},
    {SQL_POSTGRES, "SELECT \"a;\"\"b\";\n", NULL, 0},
    {SQL_POSTGRES, "SELECT $$;'$$;\n", NULL, 0},
    {SQL_POSTGRES, "SELECT $a$; $b$ $$ $a$;\n", NULL, 0},
    {SQL_POSTGRES, "SELECT $a$; $aa$ $a;\n", "a dollar-quoted text", 0},
    {SQL_POSTGRES, "SELECT $a$ $a$a$ ;\n", NULL, 0}, // what follows is a name, a$
    {SQL_POSTGRES, "SELECT a$b$ FROM t;\n", NULL, 0},
    {SQL_POSTGRES, "SELECT $1, $2;\n", NULL, 0},
    {SQL_POSTGRES, "/* a /* b; */ ' */;\n", NULL, 0},
    {SQL_POSTGRES, "/* a /* b; */\n", "a comment", 0},
    {SQL_POSTGRES, "CREATE RULE r DO (SELECT 1; SELECT 2);\n", NULL, 0},
    {SQL_POSTGRES, "CREATE RULE r DO (SELECT 1;\n", "a statement", 0},
    {SQL_POSTGRES, "INSERT INTO t VALUES (1, '(');\nINSERT INTO t (a) VALUES\n\t((2)),\n\t(3);\n", NULL, 3},
    {SQL_POSTGRES, "INSERT INTO t DEFAULT VALUES;\n", NULL, 1},
    {SQL_POSTGRES, "BEGIN; \n INSERT INTO t VALUES (1);\n", NULL, 0}, // of a function's body
    {SQL_MYSQL, "SELECT 'it\\'s;', \"\\\";\", `a``;\\`;\n", NULL, 0},
    {SQL_MYSQL, "SELECT 1 --2;\n", NULL, 0},
    {SQL_MYSQL, "SELECT 1 -- 2;\n", "a statement", 0},
    {SQL_MYSQL, "SELECT 1 # 2;\n", "a statement", 0},
    {SQL_MYSQL, "# it's\n--\n", NULL, 0},
    {SQL_MYSQL, "/* /* ' */;\n", NULL, 0},
    {SQL_MYSQL, "/*!40101 SET a='*/;' */;\n", NULL, 0},
    {SQL_MYSQL, "/*!40101 SET a=1; \n", "a version comment", 0},
    {SQL_MYSQL, "/*!50003 CREATE*/ /*!50017 a*/ /*!50003 b; /* c; */ d */;\n", NULL, 0},
    {SQL_MYSQL, "SET a=/*!80000 '+'*/ 'x';\n", NULL, 0},
    {SQL_MYSQL, "/*M!100 SET a=1 */;\n/*Mx ' */\n", NULL, 0},
    {SQL_MYSQL, "INSERT INTO `t` VALUES (1,'),('),(2,NULL);\nREPLACE INTO t VALUES (3);\n", NULL, 3},
    {SQL_MYSQL, "CREATE TRIGGER t BEGIN INSERT INTO l VALUES (1)", "a statement", 0},
    // clang-format on
};

static void feed(struct sql_lexer *lexer, const struct script *script, size_t piece) {
    const size_t length = strlen(script->sql);
    sql_lexer_init(lexer, script->dialect);
    for (size_t at = 0; at < length; at += piece)
        sql_lexer_feed(lexer, script->sql + at, length - at < piece ? length - at : piece);
}

Test(sql_lexer, knows_what_is_open_however_the_script_is_cut) {
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof SCRIPTS[0]; i++)
        for (size_t piece = 1; piece < 8; piece++) {
            struct sql_lexer lexer;
            feed(&lexer, &SCRIPTS[i], piece);
            const char *open = sql_lexer_open(&lexer);
            const char *wanted = SCRIPTS[i].open;
            cr_expect(wanted == NULL ? open == NULL : open != NULL && strcmp(open, wanted) == 0,
                      "%s: %s", SCRIPTS[i].sql, open);
            cr_expect_eq(lexer.rows, SCRIPTS[i].rows, "%s: %d rows", SCRIPTS[i].sql,
                         (int)lexer.rows);
        }
}

Test(sql_lexer, ends_statements_where_the_delimiter_says) {
    struct sql_lexer lexer;
    sql_lexer_init(&lexer, SQL_MYSQL);
    cr_expect(sql_lexer_set_delimiter(&lexer, ";;", 2));
    sql_lexer_feed(&lexer, "BEGIN a; b; END ;", 17);
    cr_expect_not_null(sql_lexer_open(&lexer));
    sql_lexer_feed(&lexer, ";\n", 2);
    cr_expect_null(sql_lexer_open(&lexer));
    cr_expect_not(sql_lexer_set_delimiter(&lexer, "", 0));
    cr_expect_not(sql_lexer_set_delimiter(&lexer, "0123456789abcdef", 16));
}

Test(sql_lexer, knows_strings_without_backslashes) {
    struct sql_lexer lexer;
    sql_lexer_init(&lexer, SQL_MYSQL);
    lexer.backslash_escapes = false;
    sql_lexer_feed(&lexer, "SELECT '\\';\n", 12);
    cr_expect_null(sql_lexer_open(&lexer));
}
