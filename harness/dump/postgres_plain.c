#include "dump/formats.h"

#include "base/memory.h"
#include "dump/copy_rows.h"
#include "dump/script.h"
#include "dump/sql_name.h"
#include "dump/table_names.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "-- PostgreSQL database dump"
#define TAIL "-- PostgreSQL database dump complete"
#define CLUSTER_HEAD "-- PostgreSQL database cluster dump"
#define CLUSTER_TAIL "-- PostgreSQL database cluster dump complete"

// One pair of header and completion line.
struct frame {
    bool open;
    uint64_t complete;
};

struct plain {
    struct script script;
    struct dump_facts *facts;
    struct frame database;
    struct frame cluster;
    struct table_names defined;
    struct table_names with_data;
    struct text name; // of the table whose rows are being read
    struct copy_rows rows;
    bool copying;
    char *restrict_key; // of \restrict, to its \unrestrict
    bool ends_blank;    // the last line is an empty one, closed
    uint64_t creates;   // databases
};

// ---- comments: header, versions, completion

static bool open_frame(struct plain *self, struct frame *frame, struct error *err) {
    if (frame->open)
        return script_error(&self->script, err,
                            "a dump begins before the one before it has come to its completion "
                            "line");
    frame->open = true;
    return true;
}

static bool close_frame(struct plain *self, struct frame *frame, struct error *err) {
    if (!frame->open)
        return script_error(&self->script, err, "a completion line without a beginning");
    frame->open = false;
    frame->complete++;
    return true;
}

// "-- Dumped by pg_dump version 17.2 (Debian …)": "17.2", the first that was said.
static void note_version(struct plain *self, const char *text, const char *prefix, char **version) {
    autofree_string char *after = *version == NULL ? script_after(&self->script, text) : NULL;
    if (after == NULL)
        return;
    after[strcspn(after, " ")] = '\0';
    *version = memory_format("%s%s", prefix, after);
}

static bool comment(struct plain *self, struct error *err) {
    const struct script *script = &self->script;
    if (script_line_is(script, HEAD))
        return open_frame(self, &self->database, err);
    if (script_line_is(script, TAIL))
        return close_frame(self, &self->database, err);
    if (script_line_is(script, CLUSTER_HEAD))
        return open_frame(self, &self->cluster, err);
    if (script_line_is(script, CLUSTER_TAIL))
        return close_frame(self, &self->cluster, err);
    note_version(self, "-- Dumped from database version ", "", &self->facts->server_version);
    note_version(self, "-- Dumped by pg_dump version ", "pg_dump ", &self->facts->tool);
    return true;
}

// ---- commands of psql's

// \connect name, or \connect -reuse-previous=on "dbname='my base'"
static void note_connection(struct plain *self, const char *to) {
    static const char reuse[] = "-reuse-previous=on \"dbname='";
    autodone(text) struct text name = {0};
    if (strncmp(to, reuse, strlen(reuse)) == 0) {
        for (to += strlen(reuse); *to != '\0' && *to != '\''; to++) {
            if (*to == '\\' && to[1] != '\0')
                to++;
            text_append_char(&name, *to);
        }
    } else
        sql_name_read(to, &name);
    if (!string_list_contains(&self->facts->databases, text_string(&name)) &&
        self->facts->databases.count < OBJECT_LIMIT)
        string_list_add(&self->facts->databases, text_string(&name));
}

static bool restrict_to(struct plain *self, char *key, struct error *err) {
    if (self->restrict_key != NULL) {
        free(key);
        return script_error(&self->script, err, "\\restrict within \\restrict");
    }
    self->restrict_key = key;
    return true;
}

static bool unrestrict(struct plain *self, const char *key, struct error *err) {
    if (self->restrict_key == NULL || strcmp(self->restrict_key, key) != 0)
        return script_error(&self->script, err, "\\unrestrict with another key than \\restrict");
    free(TAKE(self->restrict_key));
    return true;
}

static bool psql_command(struct plain *self, struct error *err) {
    autofree_string char *key = NULL;
    autofree_string char *to = script_after(&self->script, "\\connect ");
    if (!self->script.line.closed)
        return script_error(&self->script, err, "the dump ends within a command");
    if (to != NULL)
        note_connection(self, to);
    else if ((key = script_after(&self->script, "\\restrict ")) != NULL)
        return restrict_to(self, TAKE(key), err);
    else if ((key = script_after(&self->script, "\\unrestrict ")) != NULL)
        return unrestrict(self, key, err);
    else
        return script_error(&self->script, err, "a command of psql's that no dump holds");
    return true;
}

// ---- statements

static const char *const KEPT[] = {"COPY ", "CREATE TABLE ", "CREATE UNLOGGED TABLE ",
                                   "CREATE DATABASE "};

static void keep_statement(struct plain *self) {
    for (size_t i = 0; i < sizeof KEPT / sizeof KEPT[0]; i++)
        if (line_begins_with(&self->script.line, KEPT[i]))
            script_keep(&self->script);
}

static bool ends_with(const struct text *text, const char *end) {
    size_t length = text->length;
    while (length > 0 && strchr("\r\n", text->bytes[length - 1]) != NULL)
        length--;
    return length >= strlen(end) &&
           memcmp(text->bytes + length - strlen(end), end, strlen(end)) == 0;
}

static void statement(struct plain *self) {
    const struct text *sql = &self->script.statement;
    const char *string = text_string(sql);
    const char *table = strstr(string, "TABLE ");
    text_clear(&self->name);
    if (strncmp(string, "CREATE DATABASE ", 16) == 0)
        self->creates++;
    else if (strncmp(string, "CREATE ", 7) == 0 && table != NULL) {
        sql_name_read(table + 6, &self->name);
        table_names_add(&self->defined, text_string(&self->name));
    } else if (ends_with(sql, " FROM stdin;")) {
        sql_name_read(string + 5, &self->name);
        table_names_add(&self->with_data, text_string(&self->name));
        self->copying = true;
        self->rows = (struct copy_rows){.columns = copy_rows_columns(string)};
    }
}

static bool wrong_rows(struct plain *self, const char *wrong, struct error *err) {
    return script_error(&self->script, err, "the rows of %s: %s", text_string(&self->name), wrong);
}

static bool row(struct plain *self, struct error *err) {
    char wrong[COPY_WRONG_SIZE];
    const struct line *line = &self->script.line;
    if (!copy_rows_feed(&self->rows, line->bytes, line->length, wrong) ||
        (line->closed && !copy_rows_feed(&self->rows, "\n", 1, wrong)))
        return wrong_rows(self, wrong, err);
    if (!self->rows.ended)
        return true;
    self->facts->record_count += self->rows.rows;
    self->copying = false;
    return true;
}

// ---- the whole

static bool read_line(struct plain *self, struct error *err) {
    struct script *script = &self->script;
    self->ends_blank = script_line_is(script, "");
    if (self->copying)
        return row(self, err);
    if (script->line_free && line_begins_with(&script->line, "\\"))
        return psql_command(self, err);
    if (script->line_free && line_begins_with(&script->line, "--") && !comment(self, err))
        return false;
    if (script->line_free)
        keep_statement(self);
    if (script_lex(script))
        statement(self);
    return true;
}

static bool check_end(struct plain *self, bool cluster, struct error *err) {
    char wrong[COPY_WRONG_SIZE];
    const struct script *script = &self->script;
    const struct frame *frame = cluster ? &self->cluster : &self->database;
    if (self->copying && !copy_rows_end(&self->rows, wrong))
        return wrong_rows(self, wrong, err);
    const char *open = sql_lexer_open(&script->lexer);
    if (open != NULL)
        return script_error(script, err, "the dump ends within %s", open);
    if (frame->open || frame->complete == 0 || self->database.open)
        return script_error(script, err, "the dump does not end with its completion line");
    if (self->restrict_key != NULL)
        return script_error(script, err, "the dump ends before its \\unrestrict");
    return self->ends_blank ||
           script_error(script, err, "the dump ends before the empty line that is its last");
}

static bool read_plain(struct plain *self, bool cluster, struct error *err) {
    for (;;) {
        if (!script_next(&self->script, err))
            return false;
        if (self->script.ended)
            return check_end(self, cluster, err);
        if (!read_line(self, err))
            return false;
    }
}

static bool read_script(struct source *source, struct dump_facts *facts, bool cluster,
                        struct error *err) {
    struct plain plain = {.facts = facts};
    script_init(&plain.script, source, SQL_POSTGRES);
    const bool done = read_plain(&plain, cluster, err);
    if (done) {
        facts->record_count += plain.script.lexer.rows;
        facts->restores_itself = cluster || plain.creates > 0;
        if (!cluster && facts->databases.count == 1)
            facts->database = memory_copy_string(facts->databases.items[0]);
        if (cluster && facts->tool == NULL)
            facts->tool = memory_copy_string("pg_dumpall");
        table_names_give(&plain.defined, &plain.with_data, facts);
    }
    table_names_done(&plain.defined);
    table_names_done(&plain.with_data);
    text_done(&plain.name);
    free(plain.restrict_key);
    script_done(&plain.script);
    return done;
}

static bool read_database(struct source *source, struct dump_facts *facts, struct error *err) {
    return read_script(source, facts, false, err);
}

static bool read_cluster(struct source *source, struct dump_facts *facts, struct error *err) {
    return read_script(source, facts, true, err);
}

// The header is "--", then the line, each closed by an end of line of either kind.
static bool begins_with_comment(const uint8_t *head, size_t length, const char *line) {
    size_t at = 0;
    const char *const lines[] = {"--", line};
    for (size_t i = 0; i < 2; i++) {
        const size_t size = strlen(lines[i]);
        if (length - at < size || memcmp(head + at, lines[i], size) != 0)
            return false;
        at += size;
        at += at < length && head[at] == '\r' ? 1 : 0;
        if (at == length || head[at] != '\n')
            return false;
        at++;
    }
    return true;
}

static bool recognises_database(const uint8_t *head, size_t length) {
    return begins_with_comment(head, length, HEAD);
}

static bool recognises_cluster(const uint8_t *head, size_t length) {
    return begins_with_comment(head, length, CLUSTER_HEAD);
}

const struct dump_format FORMAT_POSTGRES_PLAIN = {
    .name = "postgres-plain",
    .title = "pg_dump, plain SQL",
    .engine = DUMP_POSTGRES,
    .recognises = recognises_database,
    .read = read_database,
};

const struct dump_format FORMAT_POSTGRES_CLUSTER = {
    .name = "postgres-cluster",
    .title = "pg_dumpall",
    .engine = DUMP_POSTGRES,
    .recognises = recognises_cluster,
    .read = read_cluster,
};
