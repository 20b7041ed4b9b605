#include "client/postgres_internal.h"

#include <limits.h>
#include <stdlib.h>

// Sends the statement and expects the server to enter the COPY state that is asked for.
static bool enter(struct postgres *self, const char *sql, ExecStatusType expected,
                  struct error *err) {
    const struct deadline deadline = postgres_deadline(self);
    PGresult *result = NULL;
    if (!postgres_begin(self, err) ||
        !postgres_send(self, sql, NO_PARAMETERS, false, deadline, err) ||
        !postgres_next_result(self, deadline, &result, err))
        return false;
    const ExecStatusType status = PQresultStatus(result);
    if (status == expected) {
        PQclear(result);
        return true;
    }
    bool drained;
    if (status == PGRES_FATAL_ERROR) {
        postgres_refused(self, result, err);
        drained = postgres_collect(self, deadline, NULL, NULL);
    } else {
        // Another COPY direction would have to be played to its end: not worth keeping.
        drained = status != PGRES_COPY_IN && status != PGRES_COPY_OUT &&
                  status != PGRES_COPY_BOTH && postgres_collect(self, deadline, NULL, NULL);
        endpoint_fail(&self->endpoint, err, ERROR_SERVICE, SERVICE_ERROR_OTHER, NULL,
                      "\"%s\" is not a COPY %s statement", sql,
                      expected == PGRES_COPY_IN ? "FROM STDIN" : "TO STDOUT");
    }
    self->spent = self->spent || !drained;
    PQclear(result);
    return false;
}

static bool finish(struct postgres *self, uint64_t *ret_rows, struct error *err) {
    PGresult *result = NULL;
    if (!postgres_collect(self, postgres_deadline(self), &result, err))
        return false;
    if (ret_rows != NULL)
        *ret_rows = strtoull(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return true;
}

bool postgres_copy_out(struct postgres *self, const char *sql,
                       bool (*each)(void *context, const void *bytes, size_t length,
                                    struct error *err),
                       void *context, uint64_t *ret_rows, struct error *err) {
    if (!enter(self, sql, PGRES_COPY_OUT, err))
        return false;
    for (;;) {
        char *bytes = NULL;
        const int length = PQgetCopyData(self->connection, &bytes, 1);
        if (length > 0) {
            const bool go_on = each(context, bytes, (size_t)length, err);
            PQfreemem(bytes);
            if (!go_on) {
                self->spent = true; // what follows would have to be read for nothing
                return false;
            }
        } else if (length == 0) {
            if (!postgres_wait_input(self, postgres_deadline(self), err))
                return false;
        } else {
            return finish(self, ret_rows, err); // the end, or an error that a result tells of
        }
    }
}

bool postgres_copy_in_start(struct postgres *self, const char *sql, struct error *err) {
    return enter(self, sql, PGRES_COPY_IN, err);
}

bool postgres_copy_in_send(struct postgres *self, const void *bytes, size_t length,
                           struct error *err) {
    if (!postgres_begin(self, err))
        return false;
    const char *from = bytes;
    while (length > 0) {
        const int piece = length > 1 << 20 ? 1 << 20 : (int)length; // bounds libpq's own buffer
        const int queued = PQputCopyData(self->connection, from, piece);
        if (queued < 0)
            return postgres_lost(self, err);
        if (!postgres_flush(self, postgres_deadline(self), err))
            return false;
        if (queued > 0) {
            from += piece;
            length -= (size_t)piece;
        }
    }
    return true;
}

// NULL ends well; a reason makes the server forget what came.
static bool put_end(struct postgres *self, const char *reason, struct error *err) {
    if (!postgres_begin(self, err))
        return false;
    int queued;
    while ((queued = PQputCopyEnd(self->connection, reason)) == 0)
        if (!postgres_flush(self, postgres_deadline(self), err))
            return false;
    return queued > 0 ? postgres_flush(self, postgres_deadline(self), err)
                      : postgres_lost(self, err);
}

bool postgres_copy_in_end(struct postgres *self, uint64_t *ret_rows, struct error *err) {
    return put_end(self, NULL, err) && finish(self, ret_rows, err);
}

bool postgres_copy_in_abort(struct postgres *self, const char *reason, struct error *err) {
    struct error refusal = {0};
    if (!put_end(self, reason, err))
        return false;
    if (finish(self, NULL, &refusal)) // it must not have worked
        return endpoint_fail(&self->endpoint, err, ERROR_PROTOCOL, 0, NULL,
                             "the server kept a COPY that was aborted");
    if (refusal.domain == ERROR_SERVICE)
        return true;
    if (err != NULL)
        *err = refusal;
    return false;
}
