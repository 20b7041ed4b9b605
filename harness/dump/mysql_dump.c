#include "dump/formats.h"

#include "base/memory.h"
#include "dump/script.h"
#include "dump/sql_name.h"
#include "dump/table_names.h"

#include <stdlib.h>
#include <string.h>

// With --skip-comments there is neither header nor completion line; the first and the last
// statements are still these.
#define FIRST "/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;"
#define LAST "/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;"
#define COMPLETE "-- Dump completed"
// MariaDB puts it in front of everything; it is no statement.
#define SANDBOX "/*M!999999\\- enable the sandbox mode */"

struct mysql_dump {
    struct script script;
    struct dump_facts *facts;
    struct table_names tables;
    char *database; // the present one
    bool has_header;
    bool complete;
    bool ends_well; // the last line has an end; without comments it is an empty one
};

// ---- the header

// "MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)": its name and "9.7.4".
static char *tool_of(const char *name, const char *after) {
    const char *version = strstr(after, "Distrib ");
    if (version == NULL)
        return NULL;
    version += strlen("Distrib ");
    autofree_string char *number = memory_copy_bytes(version, strcspn(version, ", "));
    return memory_format("%s %s", name, number);
}

static const struct head {
    const char *line;
    const char *tool;
} HEADS[] = {
    {"-- MySQL dump ", "mysqldump"},
    {"-- MariaDB dump ", "mariadb-dump"},
};

static void note_header(struct mysql_dump *self) {
    for (size_t i = 0; i < sizeof HEADS / sizeof HEADS[0]; i++) {
        autofree_string char *after = script_after(&self->script, HEADS[i].line);
        if (after == NULL || self->has_header)
            continue;
        self->has_header = true;
        self->facts->tool = tool_of(HEADS[i].tool, after);
    }
}

// "-- Host: localhost    Database: shop"
static void note_database(struct mysql_dump *self) {
    autofree_string char *after = script_after(&self->script, "-- Host: ");
    const char *name = after != NULL ? strstr(after, "Database: ") : NULL;
    if (name == NULL || self->database != NULL)
        return;
    name += strlen("Database: ");
    if (*name != '\0')
        self->database = memory_copy_string(name);
}

static bool two_digits(const char **text, char before) {
    const char *at = *text;
    if (at[0] != before || at[1] < '0' || at[1] > '9' || at[2] < '0' || at[2] > '9')
        return false;
    *text = at + 3;
    return true;
}

// " on 2024-02-29  3:04:05", or nothing (--skip-dump-date).
static bool is_date(const char *text) {
    if (strncmp(text, " on ", 4) != 0)
        return *text == '\0';
    text += 4;
    if (strspn(text, "0123456789") != 4)
        return false;
    text += 4;
    if (!two_digits(&text, '-') || !two_digits(&text, '-'))
        return false;
    // An hour of one digit has a space in its place.
    if (text[0] == ' ' && text[1] == ' ' && text[2] >= '0' && text[2] <= '9')
        text += 3;
    else if (!two_digits(&text, ' '))
        return false;
    return two_digits(&text, ':') && two_digits(&text, ':') && *text == '\0';
}

static void comment(struct mysql_dump *self) {
    autofree_string char *after = script_after(&self->script, COMPLETE);
    note_header(self);
    note_database(self);
    if (after != NULL)
        self->complete = is_date(after);
    if (self->facts->server_version == NULL)
        self->facts->server_version = script_after(&self->script, "-- Server version\t");
}

// ---- statements

static bool is_use(const char *sql) {
    return strncmp(sql, "USE ", 4) == 0;
}

static void use(struct mysql_dump *self, const char *sql) {
    autodone(text) struct text name = {0};
    struct string_list *databases = &self->facts->databases;
    if (sql_name_read(sql + 4, &name) == NULL)
        return;
    free(self->database);
    self->database = memory_copy_string(text_string(&name));
    self->facts->restores_itself = true;
    if (databases->count < OBJECT_LIMIT && !string_list_contains(databases, self->database))
        string_list_add(databases, self->database);
}

static void create_table(struct mysql_dump *self, const char *sql) {
    autodone(text) struct text name = {0};
    const char *table = sql + strlen("CREATE TABLE ");
    if (strncmp(table, "IF NOT EXISTS ", 14) == 0)
        table += 14;
    if (self->database != NULL)
        text_appendf(&name, "%s.", self->database);
    sql_name_read(table, &name);
    table_names_add(&self->tables, text_string(&name));
}

static void statement(struct mysql_dump *self) {
    const char *sql = text_string(&self->script.statement);
    if (is_use(sql))
        use(self, sql);
    else
        create_table(self, sql);
}

static bool set_delimiter(struct mysql_dump *self, const char *delimiter, struct error *err) {
    return sql_lexer_set_delimiter(&self->script.lexer, delimiter, strlen(delimiter)) ||
           script_error(&self->script, err, "a DELIMITER that is empty or longer than %d bytes",
                        SQL_DELIMITER_SIZE - 1);
}

// A routine is created under the sql_mode that it was written under.
static void note_mode(struct mysql_dump *self) {
    autofree_string char *mode = script_after(&self->script, "/*!50003 SET sql_mode ");
    if (mode != NULL)
        self->script.lexer.backslash_escapes = strstr(mode, "NO_BACKSLASH_ESCAPES") == NULL;
}

// ---- the whole

static bool begin_line(struct mysql_dump *self, bool *ret_command, struct error *err) {
    struct script *script = &self->script;
    autofree_string char *delimiter = script_after(script, "DELIMITER ");
    *ret_command = delimiter != NULL || line_begins_with(&script->line, SANDBOX);
    if (delimiter != NULL)
        return script->line.closed ? set_delimiter(self, delimiter, err)
                                   : script_error(script, err, "the dump ends within a command");
    if (line_begins_with(&script->line, "--"))
        comment(self);
    else if (script_line_is(script, LAST))
        self->complete = !self->has_header;
    else if (script->line.length > 0)
        self->complete = false; // something follows
    if (line_begins_with(&script->line, "CREATE TABLE ") || line_begins_with(&script->line, "USE "))
        script_keep(script);
    note_mode(self);
    return true;
}

static bool read_line(struct mysql_dump *self, struct error *err) {
    bool command = false;
    self->ends_well =
        self->has_header ? self->script.line.closed : script_line_is(&self->script, "");
    if (self->script.line_free && !begin_line(self, &command, err))
        return false;
    if (!command && script_lex(&self->script))
        statement(self);
    return true;
}

static bool check_end(const struct mysql_dump *self, struct error *err) {
    const struct script *script = &self->script;
    const char *open = sql_lexer_open(&script->lexer);
    if (open != NULL)
        return script_error(script, err, "the dump ends within %s", open);
    if (!self->complete)
        return script_error(script, err, "the dump does not end with its %s",
                            self->has_header ? "completion line (\"" COMPLETE "\")"
                                             : "last statement (\"" LAST "\")");
    return self->ends_well || script_error(script, err, "the last line is cut off");
}

static bool read_all(struct mysql_dump *self, struct error *err) {
    for (;;) {
        if (!script_next(&self->script, err))
            return false;
        if (self->script.ended)
            return check_end(self, err);
        if (!read_line(self, err))
            return false;
    }
}

static void give_facts(struct mysql_dump *self) {
    struct dump_facts *facts = self->facts;
    struct table_names none = {0};
    facts->record_count = self->script.lexer.rows;
    if (facts->databases.count == 1)
        facts->database = memory_copy_string(facts->databases.items[0]);
    else if (facts->databases.count == 0)
        facts->database = TAKE(self->database);
    table_names_give(&self->tables, &none, facts);
}

static bool read_mysql(struct source *source, struct dump_facts *facts, struct error *err) {
    struct mysql_dump dump = {.facts = facts};
    script_init(&dump.script, source, SQL_MYSQL);
    const bool done = read_all(&dump, err);
    if (done)
        give_facts(&dump);
    table_names_done(&dump.tables);
    free(dump.database);
    script_done(&dump.script);
    return done;
}

static bool begins(const uint8_t *head, size_t length, const char *text) {
    return length >= strlen(text) && memcmp(head, text, strlen(text)) == 0;
}

static bool recognises_mysql(const uint8_t *head, size_t length) {
    if (begins(head, length, SANDBOX)) {
        const uint8_t *end = memchr(head, '\n', length);
        const size_t skipped = end != NULL ? (size_t)(end - head) + 1 : length;
        head += skipped;
        length -= skipped;
    }
    for (size_t i = 0; i < sizeof HEADS / sizeof HEADS[0]; i++)
        if (begins(head, length, HEADS[i].line))
            return true;
    while (length > 0 && (*head == '\r' || *head == '\n')) {
        head++;
        length--;
    }
    return begins(head, length, FIRST);
}

const struct dump_format FORMAT_MYSQL_DUMP = {
    .name = "mysqldump",
    .title = "mysqldump",
    .engine = DUMP_MYSQL,
    .recognises = recognises_mysql,
    .read = read_mysql,
};
