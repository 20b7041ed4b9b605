// What the parts of the PostgreSQL client share; for postgres*.c only.
#pragma once

#include "base/clock.h"
#include "base/text.h"
#include "client/postgres.h"

#include <libpq-fe.h>

struct postgres {
    struct endpoint endpoint;
    PGconn *connection;
    PGresult *value; // what postgres_simple_value's answer points into
    struct text notices;
    bool spent; // by a timeout, a broken protocol or a lost connection
};

struct postgres_rows {
    PGresult *result;
};

// Takes the result.
struct postgres_rows *postgres_rows_new(PGresult *result);

// The deadline of one request, from now.
struct deadline postgres_deadline(const struct postgres *self);
// Forgets the last simple value; refuses a connection that is spent.
bool postgres_begin(struct postgres *self, struct error *err) must_use;
// Ends the connection's use and says why, from libpq's message.
bool postgres_lost(struct postgres *self, struct error *err);
// Everything queued is sent, or the deadline passes.
bool postgres_flush(struct postgres *self, struct deadline deadline, struct error *err) must_use;
// Waits until the socket can be read, and reads.
bool postgres_wait_input(struct postgres *self, struct deadline deadline,
                         struct error *err) must_use;
// The next result, NULL after the last.
bool postgres_next_result(struct postgres *self, struct deadline deadline, PGresult **ret_result,
                          struct error *err) must_use;
// All results up to the end of the query: the last one, or the first error. ret_result may be NULL.
bool postgres_collect(struct postgres *self, struct deadline deadline, PGresult **ret_result,
                      struct error *err) must_use;
bool postgres_send(struct postgres *self, const char *sql, struct parameters parameters,
                   bool binary, struct deadline deadline, struct error *err) must_use;

// An error result as our own error; false.
bool postgres_refused(struct postgres *self, const PGresult *result, struct error *err);
