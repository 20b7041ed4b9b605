#include "client/mysqldb_internal.h"

#include "base/memory.h"

#include <stdlib.h>

#define INLINE_SIZE 256

static bool refused(struct mysqldb_statement *self, struct error *err) {
    return mysqldb_refused(self->connection, mysql_stmt_errno(self->driver),
                           mysql_stmt_error(self->driver), err);
}

bool mysqldb_prepare(struct mysqldb *self, const char *sql,
                     struct mysqldb_statement **ret_statement, struct error *err) {
    if (!mysqldb_begin(self, err))
        return false;
    autofree(mysqldb_statement) struct mysqldb_statement *statement =
        memory_new(1, sizeof *statement);
    statement->connection = self;
    statement->driver = mysql_stmt_init(self->driver);
    int status = 0;
    if (!mysqldb_driver_prepare(self, statement->driver, sql, &status, err))
        return false;
    if (status != 0)
        return refused(statement, err);
    *ret_statement = TAKE(statement);
    return true;
}

void mysqldb_statement_free(struct mysqldb_statement *self) {
    if (self == NULL)
        return;
    mysql_stmt_close(self->driver);
    free(self);
}

static void bind_one(MYSQL_BIND *bind, const struct parameter *parameter) {
    const void *value = NULL;
    switch (parameter->type) {
    case PARAMETER_NULL:
        bind->buffer_type = MYSQL_TYPE_NULL;
        break;
    case PARAMETER_TEXT:
    case PARAMETER_BYTES:
        bind->buffer_type = parameter->type == PARAMETER_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
        bind->buffer_length = parameter->length;
        value = parameter->length > 0 ? parameter->bytes : "";
        break;
    case PARAMETER_INTEGER:
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        value = &parameter->integer;
        break;
    case PARAMETER_REAL:
        bind->buffer_type = MYSQL_TYPE_DOUBLE;
        value = &parameter->real;
        break;
    }
    bind->buffer = (void *)(uintptr_t)value; // the driver only reads parameters
}

static bool execute(struct mysqldb_statement *self, struct parameters parameters,
                    struct error *err) {
    if (mysql_stmt_param_count(self->driver) != parameters.count)
        return endpoint_fail(&self->connection->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_SYNTAX,
                             NULL, "the statement has %lu placeholders, %zu parameters were given",
                             mysql_stmt_param_count(self->driver), parameters.count);
    MYSQL_BIND *binds = memory_new(parameters.count + 1, sizeof *binds);
    for (size_t i = 0; i < parameters.count; i++)
        bind_one(&binds[i], &parameters.items[i]);
    int status = mysql_stmt_bind_param(self->driver, binds);
    const bool in_time =
        status != 0 || mysqldb_driver_execute(self->connection, self->driver, &status, err);
    free(binds);
    return in_time && (status == 0 || refused(self, err));
}

// One value on its way out: short ones land in the buffer at once, long ones are fetched again.
struct cell {
    char bytes[INLINE_SIZE];
    unsigned long length;
    driver_bool is_null;
};

static void bind_cell(MYSQL_BIND *bind, struct cell *cell) {
    *bind = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                         .buffer = cell->bytes,
                         .buffer_length = sizeof cell->bytes,
                         .length = &cell->length,
                         .is_null = &cell->is_null};
}

static void take_long_cell(struct mysqldb_statement *self, struct mysqldb_rows *rows, size_t column,
                           const struct cell *cell) {
    char *bytes = memory_new(cell->length + 1, 1);
    MYSQL_BIND bind = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = bytes, .buffer_length = cell->length};
    mysql_stmt_fetch_column(self->driver, &bind, (unsigned)column, 0);
    mysqldb_rows_set(rows, column, bytes, cell->length);
    free(bytes);
}

// All rows are here already (stored): nothing waits.
static bool fetch_all(struct mysqldb_statement *self, struct mysqldb_rows *rows,
                      struct error *err) {
    struct cell *cells = memory_new(rows->columns + 1, sizeof *cells);
    MYSQL_BIND *binds = memory_new(rows->columns + 1, sizeof *binds);
    for (size_t i = 0; i < rows->columns; i++)
        bind_cell(&binds[i], &cells[i]);
    int status = mysql_stmt_bind_result(self->driver, binds);
    while (status == 0 || status == MYSQL_DATA_TRUNCATED) {
        status = mysql_stmt_fetch(self->driver);
        if (status != 0 && status != MYSQL_DATA_TRUNCATED)
            break;
        mysqldb_rows_add(rows);
        for (size_t i = 0; i < rows->columns; i++) {
            if (cells[i].is_null)
                continue;
            if (cells[i].length <= INLINE_SIZE)
                mysqldb_rows_set(rows, i, cells[i].bytes, cells[i].length);
            else
                take_long_cell(self, rows, i, &cells[i]);
        }
    }
    free(cells);
    free(binds);
    return status == MYSQL_NO_DATA || refused(self, err);
}

static bool collect(struct mysqldb_statement *self, struct mysqldb_rows **ret_rows,
                    struct error *err) {
    MYSQL_RES *shape = mysql_stmt_result_metadata(self->driver);
    autofree(mysqldb_rows) struct mysqldb_rows *rows =
        shape != NULL ? mysqldb_rows_new(mysql_fetch_fields(shape), mysql_num_fields(shape))
                      : mysqldb_rows_new(NULL, 0);
    if (shape != NULL)
        mysql_free_result(shape);
    int status = 0;
    if (!mysqldb_driver_store(self->connection, self->driver, &status, err))
        return false;
    if (status != 0)
        return refused(self, err);
    if (rows->columns > 0 && !fetch_all(self, rows, err))
        return false;
    rows->affected = rows->columns > 0 ? 0 : mysql_stmt_affected_rows(self->driver);
    rows->insert_id = mysql_stmt_insert_id(self->driver);
    mysql_stmt_free_result(self->driver);
    if (ret_rows != NULL)
        *ret_rows = TAKE(rows);
    return true;
}

bool mysqldb_statement_run(struct mysqldb_statement *self, struct parameters parameters,
                           struct mysqldb_rows **ret_rows, struct error *err) {
    return mysqldb_begin(self->connection, err) && execute(self, parameters, err) &&
           collect(self, ret_rows, err);
}
