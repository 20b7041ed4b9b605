#include "dump/sql_name.h"

#include <string.h>

static const char *read_quoted(const char *sql, struct text *name) {
    const char quote = *sql++;
    for (;; sql++) {
        if (*sql == '\0')
            return NULL;
        if (*sql == quote) {
            if (sql[1] != quote)
                return sql + 1;
            sql++;
        }
        if (name != NULL)
            text_append_char(name, *sql);
    }
}

static const char *read_part(const char *sql, struct text *name) {
    if (*sql == '"' || *sql == '`')
        return read_quoted(sql, name);
    const size_t length = strcspn(sql, " \t\r\n.,;()\"'`");
    if (length == 0)
        return NULL;
    if (name != NULL)
        text_append_bytes(name, sql, length);
    return sql + length;
}

const char *sql_name_read(const char *sql, struct text *name) {
    sql = read_part(sql, name);
    while (sql != NULL && *sql == '.') {
        if (name != NULL)
            text_append_char(name, '.');
        sql = read_part(sql + 1, name);
    }
    return sql;
}

unsigned sql_name_count(const char *sql) {
    unsigned count = 0;
    if (*sql++ != '(')
        return 0;
    for (;;) {
        sql += strspn(sql, " \t\r\n");
        sql = sql_name_read(sql, NULL);
        if (sql == NULL)
            return 0;
        count++;
        sql += strspn(sql, " \t\r\n");
        if (*sql == ')')
            return count;
        if (*sql++ != ',')
            return 0;
    }
}
