#include "client/postgres_internal.h"

#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTEA_OID 17

bool postgres_begin(struct postgres *self, struct error *err) {
    PQclear(self->value);
    self->value = NULL;
    if (self->spent || PQstatus(self->connection) != CONNECTION_OK) {
        self->spent = true;
        return endpoint_fail(&self->endpoint, err, ERROR_UNAVAILABLE, 0, NULL,
                             "this connection is spent by an earlier failure; open a new one");
    }
    return true;
}

bool postgres_next_result(struct postgres *self, struct deadline deadline, PGresult **ret_result,
                          struct error *err) {
    while (PQisBusy(self->connection)) {
        if (deadline_passed(deadline)) {
            self->spent = true;
            return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL,
                                 "request: not finished within %d ms",
                                 self->endpoint.request_timeout_ms);
        }
        if (!postgres_wait_input(self, deadline, err))
            return false;
    }
    *ret_result = PQgetResult(self->connection);
    return true;
}

static bool is_copy(ExecStatusType status) {
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

bool postgres_collect(struct postgres *self, struct deadline deadline, PGresult **ret_result,
                      struct error *err) {
    PGresult *last = NULL;
    bool worked = true;
    for (;;) {
        PGresult *next = NULL;
        if (!postgres_next_result(self, deadline, &next, worked ? err : NULL)) {
            PQclear(last);
            return false;
        }
        if (next == NULL)
            break;
        if (PQresultStatus(next) == PGRES_FATAL_ERROR && worked)
            worked = postgres_refused(self, next, err);
        if (is_copy(PQresultStatus(next))) {
            self->spent = true;
            PQclear(next);
            PQclear(last);
            return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_OTHER, NULL,
                                 "COPY to or from the client needs postgres_copy_*");
        }
        PQclear(last);
        last = next;
    }
    if (worked && ret_result != NULL)
        *ret_result = last;
    else
        PQclear(last);
    return worked;
}

// libpq's view of our parameters: values and lengths side by side, numbers as text, so that the
// server infers their type as it would for a literal.
struct bound {
    const char **values;
    int *lengths, *formats;
    Oid *types;
    char (*numbers)[32];
};

static void bind_number(struct bound *self, size_t i, const struct parameter *parameter) {
    if (parameter->type == PARAMETER_INTEGER)
        snprintf(self->numbers[i], sizeof self->numbers[i], "%" PRId64, parameter->integer);
    else
        snprintf(self->numbers[i], sizeof self->numbers[i], "%.17g", parameter->real);
    self->values[i] = self->numbers[i];
}

static void bind_all(struct bound *self, struct parameters parameters) {
    const size_t count = parameters.count + 1; // never zero
    self->values = memory_new(count, sizeof *self->values);
    self->lengths = memory_new(count, sizeof *self->lengths);
    self->formats = memory_new(count, sizeof *self->formats);
    self->types = memory_new(count, sizeof *self->types);
    self->numbers = memory_new(count, sizeof *self->numbers);
    for (size_t i = 0; i < parameters.count; i++) {
        const struct parameter *each = &parameters.items[i];
        switch (each->type) {
        case PARAMETER_NULL:
            break;
        case PARAMETER_TEXT:
            self->values[i] = each->bytes;
            break;
        case PARAMETER_BYTES:
            self->values[i] = each->length > 0 ? each->bytes : "";
            self->lengths[i] = (int)each->length;
            self->formats[i] = 1;
            self->types[i] = BYTEA_OID;
            break;
        case PARAMETER_INTEGER:
        case PARAMETER_REAL:
            bind_number(self, i, each);
            break;
        }
    }
}

static void unbind(struct bound *self) {
    free(self->values);
    free(self->lengths);
    free(self->formats);
    free(self->types);
    free(self->numbers);
}

bool postgres_send(struct postgres *self, const char *sql, struct parameters parameters,
                   bool binary, struct deadline deadline, struct error *err) {
    if (parameters.count == 0 && !binary) { // one message; PgBouncer's console knows no other
        const int simple = PQsendQuery(self->connection, sql);
        return simple == 1 ? postgres_flush(self, deadline, err) : postgres_lost(self, err);
    }
    struct bound bound;
    bind_all(&bound, parameters);
    const int sent = PQsendQueryParams(self->connection, sql, (int)parameters.count, bound.types,
                                       bound.values, bound.lengths, bound.formats, binary);
    unbind(&bound);
    return sent == 1 ? postgres_flush(self, deadline, err) : postgres_lost(self, err);
}

static bool keep(struct postgres_rows **ret_rows, PGresult *result) {
    if (ret_rows != NULL)
        *ret_rows = postgres_rows_new(result);
    else
        PQclear(result);
    return true;
}

bool postgres_run(struct postgres *self, const char *sql, struct error *err) {
    const struct deadline deadline = postgres_deadline(self);
    return postgres_begin(self, err) &&
           postgres_send(self, sql, NO_PARAMETERS, false, deadline, err) &&
           postgres_collect(self, deadline, NULL, err);
}

static bool query(struct postgres *self, const char *sql, struct parameters parameters, bool binary,
                  struct postgres_rows **ret_rows, struct error *err) {
    const struct deadline deadline = postgres_deadline(self);
    PGresult *result = NULL;
    return postgres_begin(self, err) &&
           postgres_send(self, sql, parameters, binary, deadline, err) &&
           postgres_collect(self, deadline, &result, err) && keep(ret_rows, result);
}

bool postgres_query(struct postgres *self, const char *sql, struct parameters parameters,
                    struct postgres_rows **ret_rows, struct error *err) {
    return query(self, sql, parameters, false, ret_rows, err);
}

bool postgres_query_binary(struct postgres *self, const char *sql, struct parameters parameters,
                           struct postgres_rows **ret_rows, struct error *err) {
    return query(self, sql, parameters, true, ret_rows, err);
}

bool postgres_simple_value(struct postgres *self, const char *sql, struct parameters parameters,
                           const char **ret_value, struct error *err) {
    const struct deadline deadline = postgres_deadline(self);
    PGresult *result = NULL;
    if (!postgres_begin(self, err) || !postgres_send(self, sql, parameters, false, deadline, err) ||
        !postgres_collect(self, deadline, &result, err))
        return false;
    self->value = result;
    if (PQntuples(result) != 1 || PQnfields(result) != 1)
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND, NULL,
                             "expected one value, seen %d rows of %d columns: %s",
                             PQntuples(result), PQnfields(result), sql);
    *ret_value = PQgetisnull(result, 0, 0) ? NULL : PQgetvalue(result, 0, 0);
    return true;
}

bool postgres_simple_integer(struct postgres *self, const char *sql, struct parameters parameters,
                             int64_t *ret_value, struct error *err) {
    const char *value = NULL;
    if (!postgres_simple_value(self, sql, parameters, &value, err))
        return false;
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(value != NULL ? value : "", &end, 10);
    if (errno != 0 || end == value || value == NULL || *end != '\0')
        return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND, NULL,
                             "expected an integer, seen %s: %s", value != NULL ? value : "NULL",
                             sql);
    *ret_value = number;
    return true;
}

bool postgres_prepare(struct postgres *self, const char *name, const char *sql, struct error *err) {
    const struct deadline deadline = postgres_deadline(self);
    if (!postgres_begin(self, err))
        return false;
    if (PQsendPrepare(self->connection, name, sql, 0, NULL) != 1)
        return postgres_lost(self, err);
    return postgres_flush(self, deadline, err) && postgres_collect(self, deadline, NULL, err);
}

bool postgres_query_prepared(struct postgres *self, const char *name, struct parameters parameters,
                             struct postgres_rows **ret_rows, struct error *err) {
    const struct deadline deadline = postgres_deadline(self);
    if (!postgres_begin(self, err))
        return false;
    struct bound bound;
    bind_all(&bound, parameters);
    const int sent = PQsendQueryPrepared(self->connection, name, (int)parameters.count,
                                         bound.values, bound.lengths, bound.formats, 0);
    unbind(&bound);
    if (sent != 1)
        return postgres_lost(self, err);
    PGresult *result = NULL;
    return postgres_flush(self, deadline, err) && postgres_collect(self, deadline, &result, err) &&
           keep(ret_rows, result);
}

bool postgres_start(struct postgres *self, const char *sql, struct parameters parameters,
                    struct error *err) {
    return postgres_begin(self, err) &&
           postgres_send(self, sql, parameters, false, postgres_deadline(self), err);
}

bool postgres_finish(struct postgres *self, struct postgres_rows **ret_rows, struct error *err) {
    PGresult *result = NULL;
    return postgres_begin(self, err) &&
           postgres_collect(self, postgres_deadline(self), &result, err) && keep(ret_rows, result);
}

bool postgres_stream(struct postgres *self, const char *sql, struct parameters parameters,
                     bool (*each)(void *context, const struct postgres_rows *row,
                                  struct error *err),
                     void *context, struct error *err) {
    if (!postgres_begin(self, err) ||
        !postgres_send(self, sql, parameters, false, postgres_deadline(self), err))
        return false;
    check(PQsetSingleRowMode(self->connection) == 1);
    bool worked = true;
    for (;;) {
        PGresult *result = NULL;
        if (!postgres_next_result(self, postgres_deadline(self), &result, worked ? err : NULL))
            return false;
        if (result == NULL)
            return worked;
        const struct postgres_rows row = {.result = result};
        bool go_on = true;
        if (PQresultStatus(result) == PGRES_SINGLE_TUPLE)
            go_on = each(context, &row, err);
        else if (PQresultStatus(result) == PGRES_FATAL_ERROR)
            worked = postgres_refused(self, result, err);
        self->spent = self->spent || !go_on || is_copy(PQresultStatus(result));
        PQclear(result);
        if (!go_on)
            return false;
        if (self->spent && worked)
            return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_OTHER, NULL,
                                 "COPY to or from the client needs postgres_copy_*");
    }
}

int postgres_backend_pid(const struct postgres *self) {
    return PQbackendPID(self->connection);
}

bool postgres_cancel(const struct endpoint *endpoint, int backend_pid, struct error *err) {
    autofree(postgres) struct postgres *beside = NULL;
    const char *done = NULL;
    if (!postgres_open(endpoint, &beside, err) ||
        !postgres_simple_value(beside, "select pg_catalog.pg_cancel_backend($1)",
                               PARAMETERS(parameter_integer(backend_pid)), &done, err))
        return false;
    return strcmp(done, "t") == 0 ||
           endpoint_fail(endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND, NULL,
                         "no backend %d to cancel", backend_pid);
}

const char *postgres_notices(const struct postgres *self) {
    return text_string(&self->notices);
}

void postgres_clear_notices(struct postgres *self) {
    text_clear(&self->notices);
}

int postgres_server_version(const struct postgres *self) {
    return PQserverVersion(self->connection);
}
