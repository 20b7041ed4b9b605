#include "verify/fingerprint/mysql_fingerprint.h"

#include "base/memory.h"
#include "verify/fingerprint/mysql_catalog.h"
#include "verify/fingerprint/row_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct mysqldb *db;
    const char *database;
    const struct mysql_fingerprint_options *options;
    const uint8_t *key;
    struct fingerprint *fingerprint;
    uint64_t rows;
};

// What the server writes must not depend on who asks: bytes as they are stored, nothing cut short,
// and where AUTO_INCREMENT stands now, not a day ago.
static const char SETTINGS[] =
    "SET SESSION time_zone = '+00:00', sql_mode = '', character_set_client = utf8mb4,"
    " collation_connection = utf8mb4_0900_bin, character_set_results = binary,"
    " group_concat_max_len = 4294967295, sql_select_limit = 18446744073709551615,"
    " max_execution_time = 0, information_schema_stats_expiry = 0"
    " /*!80030 , show_gipk_in_create_table_and_information_schema = ON */";

static bool begin(struct job *self, struct error *err) {
    return mysqldb_run(self->db, SETTINGS, err) &&
           (self->options->in_transaction ||
            (mysqldb_run(self->db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", err) &&
             mysqldb_run(self->db, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", err)));
}

static struct fingerprint_object *find(struct job *self, const char *kind, const char *name) {
    const struct fingerprint_object *found = fingerprint_find(self->fingerprint, kind, name);
    return found != NULL ? &self->fingerprint->objects[found - self->fingerprint->objects] : NULL;
}

static void add_attributes(struct fingerprint_object *object, const struct mysqldb_row *row) {
    for (size_t i = 2; i + 1 < row->columns; i += 2)
        if (row->values[i + 1] != NULL)
            fingerprint_attribute_add(object, row->values[i], row->values[i + 1]);
}

static bool add_object(void *context, const struct mysqldb_row *row, struct error *err) {
    struct job *self = context;
    if (row->values[0] == NULL)
        return error_set(err, ERROR_SERVICE, SERVICE_ERROR_DENIED,
                         "%s: the server does not show its definition to this user",
                         row->values[1]);
    add_attributes(fingerprint_add(self->fingerprint, row->values[0], row->values[1]), row);
    return cancel_check(self->options->cancel, err);
}

static bool add_column(void *context, const struct mysqldb_row *row, struct error *err) {
    struct job *self = context;
    struct fingerprint_object *object = find(self, row->values[0], row->values[1]);
    if (object == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "%s was made while it was looked at",
                         row->values[1]);
    add_attributes(object, row);
    return cancel_check(self->options->cancel, err);
}

static bool ask(struct job *self, const char *question,
                bool (*each)(void *context, const struct mysqldb_row *row, struct error *err),
                struct error *err) {
    autodone(text) struct text sql = {0};
    mysql_catalog_ask(&sql, self->database, question);
    return mysqldb_stream(self->db, text_string(&sql), each, self, err);
}

static bool ask_for_rows(struct job *self, const char *question, struct mysqldb_rows **ret_rows,
                         struct error *err) {
    autodone(text) struct text sql = {0};
    mysql_catalog_ask(&sql, self->database, question);
    return mysqldb_query(self->db, text_string(&sql), NO_PARAMETERS, ret_rows, err);
}

static bool read_catalog(struct job *self, struct error *err) {
    for (size_t i = 0; MYSQL_OBJECTS[i] != NULL; i++)
        if (!ask(self, MYSQL_OBJECTS[i], add_object, err))
            return false;
    if (self->database != NULL && self->fingerprint->object_count == 0)
        return error_set(err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND,
                         "the server has no database \"%s\"", self->database);
    return fingerprint_sort(self->fingerprint, err) && ask(self, MYSQL_COLUMNS, add_column, err);
}

// AUTO_INCREMENT is no part of the snapshot, but it only moves on: what it covered in the snapshot
// it still covers.
static bool read_counters(struct job *self, struct error *err) {
    autofree(mysqldb_rows) struct mysqldb_rows *rows = NULL;
    if (!ask_for_rows(self, MYSQL_COUNTERS, &rows, err))
        return false;
    for (size_t i = 0; i < mysqldb_rows_count(rows); i++) {
        struct fingerprint_object *table = find(self, "table", mysqldb_rows_value(rows, i, 0));
        const char *covers = NULL;
        if (!mysqldb_simple_value(self->db, mysqldb_rows_value(rows, i, 2), NO_PARAMETERS, &covers,
                                  err))
            return error_prefix(err, "%s", mysqldb_rows_value(rows, i, 0));
        if (table != NULL)
            fingerprint_attribute_add(table, mysqldb_rows_value(rows, i, 1), covers);
    }
    return true;
}

// A whole number stands in its decimal digits, whatever its type.
static bool read_number(const uint8_t *bytes, size_t length, int64_t *ret_number,
                        size_t *ret_width) {
    char text[ROW_NUMBER_SIZE + 1] = "";
    char *end = NULL;
    memcpy(text, bytes, length < ROW_NUMBER_SIZE ? length : ROW_NUMBER_SIZE);
    errno = 0;
    *ret_number = strtoll(text, &end, 10);
    *ret_width = 0;
    return length > 0 && *end == '\0' && errno == 0;
}

static size_t write_number(int64_t number, size_t width, uint8_t bytes[ROW_NUMBER_SIZE]) {
    (void)width;
    return (size_t)snprintf((char *)bytes, ROW_NUMBER_SIZE, "%" PRId64, number);
}

static const struct row_number_form DECIMAL_NUMBER = {read_number, write_number};

struct table_reader {
    struct row_hash *hash;
    struct row_reader rows;
    size_t key_columns;
    const struct cancel *cancel;
};

static void note_row(const struct table_reader *self, const struct mysqldb_row *row) {
    for (size_t i = 0; i < row->columns; i++) {
        if (i < self->key_columns && row->values[i] != NULL)
            row_reader_key(&self->rows, i, row->values[i], row->lengths[i]);
        row_reader_value(&self->rows, i, row->values[i], row->lengths[i]);
    }
}

static bool add_row(void *context, const struct mysqldb_row *row, struct error *err) {
    struct table_reader *reader = context;
    row_hash_begin(reader->hash);
    for (size_t i = 0; i < row->columns; i++)
        if (row->values[i] != NULL)
            row_hash_value(reader->hash, row->values[i], row->lengths[i]);
        else
            row_hash_null(reader->hash);
    row_hash_end(reader->hash, NULL);
    if (row_notes_wants(reader->rows.notes))
        note_row(reader, row);
    return cancel_check(reader->cancel, err);
}

static bool read_rows(struct job *self, const char *select, const char *names,
                      struct table_reader *reader, struct error *err) {
    struct row_notes *notes = reader->rows.notes;
    if (!row_reader_init(&reader->rows, notes, names, err))
        return false;
    if (notes != NULL && reader->key_columns == 1)
        row_notes_numbered(notes, &DECIMAL_NUMBER, reader->rows.names.items[0]);
    return mysqldb_stream(self->db, select, add_row, reader, err);
}

static bool sum_table(struct job *self, const char *name, const char *select, size_t key_columns,
                      const char *names, struct error *err) {
    struct fingerprint_object *table = find(self, "table", name);
    struct row_notes *notes = NULL;
    if (table == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "it was made while it was looked at");
    if (!row_hunt_reads(self->options->hunt, "table", table->name, &notes))
        return true;
    autofree(row_hash) struct row_hash *hash = row_hash_new(
        self->key, .buckets = self->options->buckets, .key_columns = key_columns, .notes = notes);
    struct table_reader reader = {.hash = hash,
                                  .rows = {.notes = notes},
                                  .key_columns = key_columns,
                                  .cancel = self->options->cancel};
    const bool read = read_rows(self, select, names, &reader, err);
    row_reader_done(&reader.rows);
    if (!read)
        return false;
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(table, &content);
    self->rows += row_hash_total(hash)->rows;
    if (self->options->progress != NULL)
        self->options->progress(self->options->context, name, self->rows);
    return true;
}

static bool sum_tables(struct job *self, struct error *err) {
    autofree(mysqldb_rows) struct mysqldb_rows *rows = NULL;
    if (!ask_for_rows(self, MYSQL_TABLES, &rows, err))
        return false;
    for (size_t i = 0; i < mysqldb_rows_count(rows); i++)
        if (!sum_table(self, mysqldb_rows_value(rows, i, 0), mysqldb_rows_value(rows, i, 1),
                       strtoul(mysqldb_rows_value(rows, i, 2), NULL, 10),
                       mysqldb_rows_value(rows, i, 3), err))
            return error_prefix(err, "%s", mysqldb_rows_value(rows, i, 0));
    return true;
}

bool mysql_fingerprint_with(struct mysqldb *db, const char *database,
                            const uint8_t key[ROW_HASH_KEY_SIZE],
                            const struct mysql_fingerprint_options *options,
                            struct fingerprint **ret_fingerprint, struct error *err) {
    autofree(fingerprint) struct fingerprint *fingerprint = fingerprint_new("mysql");
    struct job job = {db, database, options, key, fingerprint, 0};
    const bool begun = begin(&job, err);
    const bool read = begun && read_catalog(&job, err) && read_counters(&job, err) &&
                      sum_tables(&job, err) && fingerprint_sort(fingerprint, err);
    // Nothing was written; a connection that is spent has no transaction any more. A transaction
    // that was not begun here is its owner's.
    const bool ended =
        !begun || options->in_transaction || mysqldb_run(db, "ROLLBACK", read ? err : NULL);
    if (!read || !ended)
        return false;
    *ret_fingerprint = TAKE(fingerprint);
    return true;
}
