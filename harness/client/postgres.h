// A connection to PostgreSQL (or to PgBouncer, which speaks the same protocol), over libpq.
//
// Nothing comes from the environment, ~/.pgpass, a service file or the system's defaults: what the
// endpoint says is all. (Six PG* variables that libpq obeys whatever it is told are removed from
// the environment when a program that links this starts: PGSERVICE, PGSERVICEFILE, PGOPTIONS, PGTZ,
// PGDATESTYLE, PGGEQO.) Every call ends within the endpoint's request timeout; the streaming ones
// (postgres_stream, postgres_copy_*) bound each piece, so the timeout is the longest silence. No
// call blocks in the driver: a paused server is ERROR_TIMEOUT, on time. Host names are resolved by
// the system and are the one wait that is not bounded: give an address where that matters.
//
// After ERROR_TIMEOUT, ERROR_UNAVAILABLE or ERROR_PROTOCOL the connection is spent: every further
// call says so (ERROR_UNAVAILABLE); close it and open another. After ERROR_SERVICE it goes on, and
// err->reference is the SQLSTATE (PostgreSQL manual, appendix A).
//
// One thread at a time.
#pragma once

#include "base/cleanup.h"
#include "client/endpoint.h"
#include "client/kind.h"
#include "client/parameter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postgres;
struct postgres_rows;

bool postgres_open(const struct endpoint *endpoint, struct postgres **ret_postgres,
                   struct error *err) must_use;
void postgres_close(struct postgres *self);

// Runs one or several statements without parameters ("begin", "create table …; insert …") and
// drops their rows; stops at the first that fails. Several in one text are one transaction.
bool postgres_run(struct postgres *self, const char *sql, struct error *err) must_use;

// One statement with parameters ($1, $2, …). Values come as text, as psql shows them. ret_rows may
// be NULL.
bool postgres_query(struct postgres *self, const char *sql, struct parameters parameters,
                    struct postgres_rows **ret_rows, struct error *err) must_use;
// The same with values in PostgreSQL's binary formats: a bytea as its bytes, integers big-endian.
bool postgres_query_binary(struct postgres *self, const char *sql, struct parameters parameters,
                           struct postgres_rows **ret_rows, struct error *err) must_use;

// Exactly one row of one column, or ERROR_SERVICE / SERVICE_ERROR_NOT_FOUND. *ret_value is borrowed
// until the next call on this connection; NULL is SQL's NULL.
bool postgres_simple_value(struct postgres *self, const char *sql, struct parameters parameters,
                           const char **ret_value, struct error *err) must_use;
bool postgres_simple_integer(struct postgres *self, const char *sql, struct parameters parameters,
                             int64_t *ret_value, struct error *err) must_use;

// A statement parsed once by the server, under a name; it lives as long as the connection or until
// "deallocate <name>".
bool postgres_prepare(struct postgres *self, const char *name, const char *sql,
                      struct error *err) must_use;
bool postgres_query_prepared(struct postgres *self, const char *name, struct parameters parameters,
                             struct postgres_rows **ret_rows, struct error *err) must_use;

// The two halves of postgres_query, for statements that wait for each other: start sends, finish
// waits for the outcome. Nothing else may be called in between.
bool postgres_start(struct postgres *self, const char *sql, struct parameters parameters,
                    struct error *err) must_use;
bool postgres_finish(struct postgres *self, struct postgres_rows **ret_rows,
                     struct error *err) must_use;

// Row by row, in bounded memory: each() sees one-row results; false from it ends the call, with
// its error, and spends the connection.
bool postgres_stream(struct postgres *self, const char *sql, struct parameters parameters,
                     bool (*each)(void *context, const struct postgres_rows *row,
                                  struct error *err),
                     void *context, struct error *err) must_use;

// COPY … TO STDOUT: each() sees the bytes as they come (a row a piece). As postgres_stream.
bool postgres_copy_out(struct postgres *self, const char *sql,
                       bool (*each)(void *context, const void *bytes, size_t length,
                                    struct error *err),
                       void *context, uint64_t *ret_rows, struct error *err) must_use;
// COPY … FROM STDIN: start, any number of sends (cut anywhere), then end, or abort, which makes
// the server forget all of it. ret_rows may be NULL.
bool postgres_copy_in_start(struct postgres *self, const char *sql, struct error *err) must_use;
bool postgres_copy_in_send(struct postgres *self, const void *bytes, size_t length,
                           struct error *err) must_use;
bool postgres_copy_in_end(struct postgres *self, uint64_t *ret_rows, struct error *err) must_use;
bool postgres_copy_in_abort(struct postgres *self, const char *reason, struct error *err) must_use;

// Cancels what another connection is running: pg_cancel_backend over a connection of its own,
// because libpq's PQcancel cannot be given a deadline before version 17. One that the server has
// not begun yet goes on.
int postgres_backend_pid(const struct postgres *self);
bool postgres_cancel(const struct endpoint *endpoint, int backend_pid, struct error *err) must_use;

// Notices and warnings of the server since the last clear, one a line, at most 64 KiB of the last.
const char *postgres_notices(const struct postgres *self);
void postgres_clear_notices(struct postgres *self);

// Of the running server, as PostgreSQL's server_version_num: 170006.
int postgres_server_version(const struct postgres *self);

// A result. Rows and columns count from 0; reading outside is a programmer's error (check).
void postgres_rows_free(struct postgres_rows *self);
size_t postgres_rows_count(const struct postgres_rows *self);
size_t postgres_rows_columns(const struct postgres_rows *self);
const char *postgres_rows_name(const struct postgres_rows *self, size_t column);
unsigned postgres_rows_type(const struct postgres_rows *self, size_t column); // pg_type.oid
bool postgres_rows_is_null(const struct postgres_rows *self, size_t row, size_t column);
// Borrowed, NUL-terminated, may hold NUL bytes when binary; NULL for SQL's NULL.
const char *postgres_rows_value(const struct postgres_rows *self, size_t row, size_t column);
size_t postgres_rows_length(const struct postgres_rows *self, size_t row, size_t column);
// Rows that an INSERT, UPDATE, DELETE, MERGE, COPY touched.
uint64_t postgres_rows_affected(const struct postgres_rows *self);

// SQLSTATE -> enum service_error, by the longest known prefix; pure.
enum service_error postgres_error_of(const char *sqlstate);

// For kind.c.
bool postgres_ready(const struct kind_members *members, const struct kind_options *options,
                    struct error *err) must_use;
bool postgres_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                       struct error *err) must_use;

DEFINE_AUTOFREE(postgres, postgres_close);
DEFINE_AUTOFREE(postgres_rows, postgres_rows_free);
