#include "verify/fingerprint/postgres_fingerprint.h"

#include "base/memory.h"
#include "verify/fingerprint/postgres_binary.h"
#include "verify/fingerprint/postgres_catalog.h"
#include "verify/fingerprint/row_reader.h"

#include <stdlib.h>
#include <string.h>

struct job {
    struct postgres *postgres;
    const struct postgres_fingerprint_options *options;
    const uint8_t *key;
    struct fingerprint *fingerprint;
    uint64_t rows;
};

// What the server writes must not depend on who asks: names in full, values to their last digit.
static const char SETTINGS[] =
    "SET LOCAL search_path TO pg_catalog; SET LOCAL client_encoding TO 'UTF8';"
    "SET LOCAL TimeZone TO 'UTC'; SET LOCAL DateStyle TO 'ISO, MDY';"
    "SET LOCAL IntervalStyle TO 'postgres'; SET LOCAL extra_float_digits TO 3;"
    "SET LOCAL bytea_output TO 'hex'; SET LOCAL xmloption TO 'content';"
    "SET LOCAL jit TO off;" // longer in the making than all of the catalogs take to be read
    "SET LOCAL quote_all_identifiers TO off; SET LOCAL row_security TO off;"
    "SET LOCAL statement_timeout TO 0; SET LOCAL idle_in_transaction_session_timeout TO 0";

static bool begin(struct job *self, struct error *err) {
    const char *snapshot = self->options->snapshot;
    if (snapshot != NULL && snapshot[strspn(snapshot, "0123456789ABCDEFabcdef-")] != '\0')
        return error_set(err, ERROR_CONFIGURATION, 0, "\"%s\" is not the name of a snapshot",
                         snapshot);
    if (!postgres_run(self->postgres, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err))
        return false;
    if (snapshot != NULL) {
        autofree_string char *sql = memory_format("SET TRANSACTION SNAPSHOT '%s'", snapshot);
        if (!postgres_run(self->postgres, sql, err))
            return false;
    }
    return postgres_run(self->postgres, SETTINGS, err);
}

// Rows of one object follow each other.
static bool add_attribute(void *context, const struct postgres_rows *row, struct error *err) {
    struct job *self = context;
    struct fingerprint *fingerprint = self->fingerprint;
    const char *kind = postgres_rows_value(row, 0, 0), *name = postgres_rows_value(row, 0, 1);
    struct fingerprint_object *last =
        fingerprint->object_count > 0 ? &fingerprint->objects[fingerprint->object_count - 1] : NULL;
    if (last == NULL || strcmp(last->kind, kind) != 0 || strcmp(last->name, name) != 0)
        last = fingerprint_add(fingerprint, kind, name);
    if (!postgres_rows_is_null(row, 0, 2))
        fingerprint_attribute_add(last, postgres_rows_value(row, 0, 2),
                                  postgres_rows_value(row, 0, 3));
    return cancel_check(self->options->cancel, err);
}

static bool read_catalog(struct job *self, struct error *err) {
    autodone(text) struct text sql = {0};
    for (size_t i = 0; POSTGRES_CATALOG[i] != NULL; i++)
        text_appendf(&sql, "%s%s", i > 0 ? " UNION ALL " : "", POSTGRES_CATALOG[i]);
    text_append(&sql, " ORDER BY 1, 2, 3");
    return postgres_stream(self->postgres, text_string(&sql), NO_PARAMETERS, add_attribute, self,
                           err) &&
           fingerprint_sort(self->fingerprint, err);
}

static struct fingerprint_object *find(struct job *self, const char *kind, const char *name) {
    const struct fingerprint_object *found = fingerprint_find(self->fingerprint, kind, name);
    return found != NULL ? &self->fingerprint->objects[found - self->fingerprint->objects] : NULL;
}

// A sequence's position is no part of the snapshot, but it only moves on: what it covered in the
// snapshot it still covers.
static bool read_sequences(struct job *self, struct error *err) {
    autofree(postgres_rows) struct postgres_rows *rows = NULL;
    if (!postgres_query(self->postgres, POSTGRES_SEQUENCES, NO_PARAMETERS, &rows, err))
        return false;
    for (size_t i = 0; i < postgres_rows_count(rows); i++) {
        struct fingerprint_object *sequence =
            find(self, "sequence", postgres_rows_value(rows, i, 0));
        const char *covers = NULL;
        if (!postgres_simple_value(self->postgres, postgres_rows_value(rows, i, 2), NO_PARAMETERS,
                                   &covers, err))
            return error_prefix(err, "%s", postgres_rows_value(rows, i, 0));
        if (sequence != NULL)
            fingerprint_attribute_add(sequence, postgres_rows_value(rows, i, 1), covers);
    }
    return true;
}

struct table_reader {
    struct postgres_binary binary;
    const struct cancel *cancel;
};

static bool read_piece(void *context, const void *bytes, size_t length, struct error *err) {
    struct table_reader *reader = context;
    return cancel_check(reader->cancel, err) &&
           postgres_binary_read(&reader->binary, bytes, length, err);
}

// A table, as POSTGRES_TABLES has it.
struct table {
    const char *name, *columns;
    size_t column_count, key_columns;
    const char *names, *key_words;
    bool is_numbered;
};

static bool read_number(const uint8_t *bytes, size_t length, int64_t *ret_number,
                        size_t *ret_width) {
    if (length == 0 || length > sizeof *ret_number)
        return false;
    uint64_t number = bytes[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < length; i++)
        number = number << 8 | bytes[i];
    *ret_number = (int64_t)number;
    *ret_width = length;
    return true;
}

static size_t write_number(int64_t number, size_t width, uint8_t bytes[ROW_NUMBER_SIZE]) {
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * (width - 1 - i)));
    return width;
}

static const struct row_number_form BIG_ENDIAN_NUMBER = {read_number, write_number};

static bool copy_out(struct job *self, const struct table *table, struct row_hash *hash,
                     struct row_reader *reader, struct error *err) {
    const bool notes = reader->notes != NULL;
    autofree_string char *sql =
        memory_format("COPY (SELECT %s%s FROM ONLY %s) TO STDOUT (FORMAT binary)", table->columns,
                      notes ? table->key_words : "", table->name);
    struct table_reader bytes = {.binary = {.hash = hash,
                                            .columns = table->column_count,
                                            .words = notes ? table->key_columns : 0,
                                            .reader = reader},
                                 .cancel = self->options->cancel};
    uint64_t rows = 0;
    if (notes && table->is_numbered)
        row_notes_numbered(reader->notes, &BIG_ENDIAN_NUMBER, reader->names.items[0]);
    const bool read =
        postgres_copy_out(self->postgres, sql, read_piece, &bytes, &rows, err) &&
        postgres_binary_end(&bytes.binary, err) &&
        (rows == row_hash_total(hash)->rows ||
         error_set(err, ERROR_PROTOCOL, 0, "the server counted other rows than it sent"));
    postgres_binary_done(&bytes.binary);
    return read;
}

static bool sum_table(struct job *self, const struct table *table, struct error *err) {
    struct fingerprint_object *object = find(self, "table", table->name);
    struct row_notes *notes = NULL;
    autodone(row_reader) struct row_reader reader = {0};
    if (object == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "the catalogs have rows, but no table");
    if (!row_hunt_reads(self->options->hunt, "table", object->name, &notes))
        return true;
    autofree(row_hash) struct row_hash *hash =
        row_hash_new(self->key, .buckets = self->options->buckets,
                     .key_columns = table->key_columns, .notes = notes);
    if (!row_reader_init(&reader, notes, table->names, err) ||
        !copy_out(self, table, hash, &reader, err))
        return false;
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(object, &content);
    self->rows += row_hash_total(hash)->rows;
    if (self->options->progress != NULL)
        self->options->progress(self->options->context, table->name, self->rows);
    return true;
}

// A transaction keeps the lock on each table that it has read, and a server has room for a few
// thousand in all: those of a savepoint that is rolled back are given back (SAVEPOINT).
#define TABLES_LOCKED 256

static bool give_locks_back(struct job *self, size_t table, struct error *err) {
    return table % TABLES_LOCKED != 0 ||
           postgres_run(self->postgres, "ROLLBACK TO SAVEPOINT tables", err);
}

static bool sum_tables(struct job *self, struct error *err) {
    autofree(postgres_rows) struct postgres_rows *rows = NULL;
    if (!postgres_query(self->postgres, POSTGRES_TABLES, NO_PARAMETERS, &rows, err) ||
        !postgres_run(self->postgres, "SAVEPOINT tables", err))
        return false;
    for (size_t i = 0; i < postgres_rows_count(rows); i++) {
        const struct table table = {
            .name = postgres_rows_value(rows, i, 0),
            .columns = postgres_rows_value(rows, i, 1),
            .column_count = strtoul(postgres_rows_value(rows, i, 2), NULL, 10),
            .key_columns = strtoul(postgres_rows_value(rows, i, 3), NULL, 10),
            .names = postgres_rows_value(rows, i, 4),
            .key_words = postgres_rows_value(rows, i, 5),
            .is_numbered = postgres_rows_value(rows, i, 6)[0] == 't'};
        if (!give_locks_back(self, i, err) || !sum_table(self, &table, err))
            return error_prefix(err, "%s", table.name);
    }
    return true;
}

bool postgres_fingerprint_with(struct postgres *postgres, const uint8_t key[ROW_HASH_KEY_SIZE],
                               const struct postgres_fingerprint_options *options,
                               struct fingerprint **ret_fingerprint, struct error *err) {
    autofree(fingerprint) struct fingerprint *fingerprint = fingerprint_new("postgres");
    struct job job = {postgres, options, key, fingerprint, 0};
    const bool read = begin(&job, err) && read_catalog(&job, err) && read_sequences(&job, err) &&
                      sum_tables(&job, err) && fingerprint_sort(fingerprint, err);
    // Nothing was written; a connection that is spent has no transaction any more.
    const bool ended = postgres_run(postgres, "ROLLBACK", read ? err : NULL);
    if (!read || !ended)
        return false;
    *ret_fingerprint = TAKE(fingerprint);
    return true;
}
