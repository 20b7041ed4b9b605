#include "client/mysqldb_internal.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/secret_reveal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PACKET_BYTES (256UL * 1024 * 1024) // bounds what a server can make us hold

// The driver's own start is not safe from two threads at once.
static pthread_once_t driver_started = PTHREAD_ONCE_INIT;
static void start_driver(void) {
    check(mysql_library_init(0, NULL, NULL) == 0);
}

static void set_options(struct mysqldb *self) {
    const unsigned no = 0;
    const unsigned protocol =
        endpoint_is_local(&self->endpoint) ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    const unsigned long packet = MOST_PACKET_BYTES;
    mysql_options(self->driver, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(self->driver, MYSQL_OPT_LOCAL_INFILE, &no);
    mysql_options(self->driver, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(self->driver, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysqldb_driver_prepare_options(self);
}

bool mysqldb_open(const struct endpoint *endpoint, struct mysqldb **ret_mysqldb,
                  struct error *err) {
    pthread_once(&driver_started, start_driver);
    autofree(mysqldb) struct mysqldb *self = memory_new(1, sizeof *self);
    endpoint_copy(&self->endpoint, endpoint);
    self->driver = mysql_init(NULL);
    set_options(self);
    self->deadline = deadline_in_ms(self->endpoint.connect_timeout_ms);
    const char *password = secret_reveal(self->endpoint.password);
    bool connected = false;
    if (!mysqldb_driver_connect(self, password != NULL ? password : "", &connected, err))
        return false;
    if (!connected && self->nonsense)
        return endpoint_fail(endpoint, err, ERROR_PROTOCOL, 0, NULL,
                             "what answers there does not speak MySQL's protocol");
    if (!connected)
        return mysqldb_refused(self, mysql_errno(self->driver), mysql_error(self->driver), err);
    self->connected = true;
    *ret_mysqldb = TAKE(self);
    return true;
}

void mysqldb_close(struct mysqldb *self) {
    if (self == NULL)
        return;
    mysqldb_rows_free(self->value);
    mysql_close(self->driver);
    endpoint_done(&self->endpoint);
    free(self);
}

bool mysqldb_begin(struct mysqldb *self, struct error *err) {
    mysqldb_rows_free(self->value);
    self->value = NULL;
    self->deadline = deadline_in_ms(self->endpoint.request_timeout_ms);
    return !self->spent ||
           endpoint_fail(&self->endpoint, err, ERROR_UNAVAILABLE, 0, NULL,
                         "this connection is spent by an earlier failure; open a new one");
}

static bool refused(struct mysqldb *self, struct error *err) {
    return mysqldb_refused(self, mysql_errno(self->driver), mysql_error(self->driver), err);
}

// What to do with the rows of a text result.
struct sink {
    struct mysqldb_rows *rows; // keep them here, or
    bool (*each)(void *context, const struct mysqldb_row *row, struct error *err); // show them
    void *context;
};

static bool show_row(const struct sink *sink, MYSQL_ROW row, const unsigned long *lengths,
                     size_t columns, struct error *err) {
    size_t *sizes = memory_new(columns + 1, sizeof *sizes);
    for (size_t i = 0; i < columns; i++)
        sizes[i] = lengths[i];
    const struct mysqldb_row shown = {
        .values = (const char *const *)row, .lengths = sizes, .columns = columns};
    const bool go_on = sink->each(sink->context, &shown, err);
    free(sizes);
    return go_on;
}

static void keep_row(struct mysqldb_rows *rows, MYSQL_ROW row, const unsigned long *lengths) {
    mysqldb_rows_add(rows);
    for (size_t i = 0; i < rows->columns; i++)
        if (row[i] != NULL)
            mysqldb_rows_set(rows, i, row[i], lengths[i]);
}

static bool read_rows(struct mysqldb *self, MYSQL_RES *result, struct sink *sink,
                      struct error *err) {
    const size_t columns = mysql_num_fields(result);
    if (sink->rows != NULL && sink->rows->columns == 0) { // only the first result is kept
        mysqldb_rows_free(sink->rows);
        sink->rows = mysqldb_rows_new(mysql_fetch_fields(result), columns);
    }
    for (;;) {
        MYSQL_ROW row = NULL;
        if (!mysqldb_driver_fetch(self, result, &row, err))
            return false;
        if (row == NULL)
            return mysql_errno(self->driver) == 0 || refused(self, err);
        const unsigned long *lengths = mysql_fetch_lengths(result);
        if (sink->each != NULL) {
            self->deadline = deadline_in_ms(self->endpoint.request_timeout_ms);
            if (!show_row(sink, row, lengths, columns, err)) {
                mysqldb_spend(self); // the rest would have to be read for nothing
                return false;
            }
        } else if (sink->rows != NULL && sink->rows->columns == columns) {
            keep_row(sink->rows, row, lengths);
        }
    }
}

// All results of a statement that was sent: a procedure can have several.
static bool read_results(struct mysqldb *self, struct sink *sink, struct error *err) {
    for (int more = 0; more == 0;) {
        MYSQL_RES *result = mysql_use_result(self->driver);
        if (result != NULL) {
            const bool read = read_rows(self, result, sink, err);
            mysql_free_result(result);
            if (!read)
                return false;
        } else if (mysql_field_count(self->driver) > 0) {
            return refused(self, err);
        } else if (sink->rows != NULL) {
            sink->rows->affected = mysql_affected_rows(self->driver);
            sink->rows->insert_id = mysql_insert_id(self->driver);
        }
        if (!mysqldb_driver_next(self, &more, err))
            return false;
        if (more > 0)
            return refused(self, err);
    }
    return true;
}

static bool run(struct mysqldb *self, const char *sql, struct sink *sink, struct error *err) {
    int status = 0;
    if (!mysqldb_begin(self, err) || !mysqldb_driver_query(self, sql, &status, err))
        return false;
    return status == 0 ? read_results(self, sink, err) : refused(self, err);
}

bool mysqldb_run(struct mysqldb *self, const char *sql, struct error *err) {
    struct sink nowhere = {.rows = NULL};
    return run(self, sql, &nowhere, err);
}

bool mysqldb_stream(struct mysqldb *self, const char *sql,
                    bool (*each)(void *context, const struct mysqldb_row *row, struct error *err),
                    void *context, struct error *err) {
    struct sink shown = {.each = each, .context = context};
    return run(self, sql, &shown, err);
}

bool mysqldb_query(struct mysqldb *self, const char *sql, struct parameters parameters,
                   struct mysqldb_rows **ret_rows, struct error *err) {
    if (parameters.count > 0) {
        autofree(mysqldb_statement) struct mysqldb_statement *statement = NULL;
        return mysqldb_prepare(self, sql, &statement, err) &&
               mysqldb_statement_run(statement, parameters, ret_rows, err);
    }
    struct sink kept = {.rows = mysqldb_rows_new(NULL, 0)};
    const bool ran = run(self, sql, &kept, err);
    if (ran && ret_rows != NULL)
        *ret_rows = TAKE(kept.rows);
    mysqldb_rows_free(kept.rows);
    return ran;
}

bool mysqldb_simple_value(struct mysqldb *self, const char *sql, struct parameters parameters,
                          const char **ret_value, struct error *err) {
    struct mysqldb_rows *rows = NULL;
    if (!mysqldb_query(self, sql, parameters, &rows, err))
        return false;
    self->value = rows;
    if (rows->count != 1 || rows->columns != 1)
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND, NULL,
                             "expected one value, seen %zu rows of %zu columns: %s", rows->count,
                             rows->columns, sql);
    *ret_value = mysqldb_rows_value(rows, 0, 0);
    return true;
}

bool mysqldb_simple_integer(struct mysqldb *self, const char *sql, struct parameters parameters,
                            int64_t *ret_value, struct error *err) {
    const char *value = NULL;
    if (!mysqldb_simple_value(self, sql, parameters, &value, err))
        return false;
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(value != NULL ? value : "", &end, 10);
    if (value == NULL || errno != 0 || end == value || *end != '\0')
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND, NULL,
                             "expected an integer, seen %s: %s", value != NULL ? value : "NULL",
                             sql);
    *ret_value = number;
    return true;
}

bool mysqldb_start(struct mysqldb *self, const char *sql, struct error *err) {
    int status = 0;
    if (!mysqldb_begin(self, err) || !mysqldb_driver_send(self, sql, &status, err))
        return false;
    return status == 0 || refused(self, err);
}

bool mysqldb_finish(struct mysqldb *self, struct error *err) {
    struct sink nowhere = {.rows = NULL};
    int status = 0;
    if (!mysqldb_begin(self, err) || !mysqldb_driver_read(self, &status, err))
        return false;
    return status == 0 ? read_results(self, &nowhere, err) : refused(self, err);
}

uint64_t mysqldb_connection_id(const struct mysqldb *self) {
    return mysql_thread_id(self->driver);
}

bool mysqldb_cancel(const struct endpoint *endpoint, uint64_t connection_id, struct error *err) {
    autofree(mysqldb) struct mysqldb *beside = NULL;
    char statement[64];
    snprintf(statement, sizeof statement, "kill query %" PRIu64, connection_id);
    return mysqldb_open(endpoint, &beside, err) && mysqldb_run(beside, statement, err);
}

unsigned mysqldb_warnings(const struct mysqldb *self) {
    return mysql_warning_count(self->driver);
}

const char *mysqldb_server_version(const struct mysqldb *self) {
    return mysql_get_server_info(self->driver);
}
