// A connection to MySQL (or MariaDB), over MariaDB Connector/C or Oracle's libmysqlclient.
// Named mysqldb because both libraries own the names mysql.h, mysql_close and mysql_query.
//
// No option file and no environment variable is read; the session is utf8mb4; several statements
// in one text and LOAD DATA LOCAL are off. Plain TCP: with caching_sha2_password the driver
// encrypts the password with the server's RSA key.
//
// Every call ends within the endpoint's request timeout; mysqldb_stream bounds each row, so the
// timeout is the longest silence. With Connector/C this is exact (its non-blocking calls).
// Oracle's library counts in whole seconds and for each read: there a call may end up to a second
// late, later still when a server trickles bytes.
//
// After ERROR_TIMEOUT, ERROR_UNAVAILABLE or ERROR_PROTOCOL the connection is spent: every further
// call says so (ERROR_UNAVAILABLE). After ERROR_SERVICE it goes on; err->reference is the server's
// error number (MySQL 9.x Error Message Reference). Which statements roll back, the server decides:
// a deadlock ends the transaction, a duplicate key does not.
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

struct mysqldb;
struct mysqldb_rows;
struct mysqldb_statement;

bool mysqldb_open(const struct endpoint *endpoint, struct mysqldb **ret_mysqldb,
                  struct error *err) must_use;
void mysqldb_close(struct mysqldb *self);

// One statement without parameters, by the text protocol ("start transaction", DDL); drops rows.
bool mysqldb_run(struct mysqldb *self, const char *sql, struct error *err) must_use;

// One statement with parameters (?, ?), by the binary protocol. ret_rows may be NULL.
bool mysqldb_query(struct mysqldb *self, const char *sql, struct parameters parameters,
                   struct mysqldb_rows **ret_rows, struct error *err) must_use;

// Exactly one row of one column, or ERROR_SERVICE / SERVICE_ERROR_NOT_FOUND. *ret_value is borrowed
// until the next call on this connection; NULL is SQL's NULL.
bool mysqldb_simple_value(struct mysqldb *self, const char *sql, struct parameters parameters,
                          const char **ret_value, struct error *err) must_use;
bool mysqldb_simple_integer(struct mysqldb *self, const char *sql, struct parameters parameters,
                            int64_t *ret_value, struct error *err) must_use;

// A statement parsed once by the server and run many times. Free it before its connection.
bool mysqldb_prepare(struct mysqldb *self, const char *sql,
                     struct mysqldb_statement **ret_statement, struct error *err) must_use;
bool mysqldb_statement_run(struct mysqldb_statement *self, struct parameters parameters,
                           struct mysqldb_rows **ret_rows, struct error *err) must_use;
void mysqldb_statement_free(struct mysqldb_statement *self);

// The two halves of mysqldb_run, for statements that wait for each other: start sends, finish
// waits for the outcome. Nothing else may be called in between.
bool mysqldb_start(struct mysqldb *self, const char *sql, struct error *err) must_use;
bool mysqldb_finish(struct mysqldb *self, struct error *err) must_use;

// Row by row, by the text protocol, in bounded memory: each() sees the values as bytes (NULL:
// SQL's NULL); false from it ends the call, with its error, and spends the connection.
struct mysqldb_row {
    const char *const *values;
    const size_t *lengths;
    size_t columns;
};
bool mysqldb_stream(struct mysqldb *self, const char *sql,
                    bool (*each)(void *context, const struct mysqldb_row *row, struct error *err),
                    void *context, struct error *err) must_use;

// Ends another connection's statement: KILL QUERY over a connection of its own. One that the server
// has not begun yet goes on.
uint64_t mysqldb_connection_id(const struct mysqldb *self);
bool mysqldb_cancel(const struct endpoint *endpoint, uint64_t connection_id,
                    struct error *err) must_use;

unsigned mysqldb_warnings(const struct mysqldb *self); // of the last statement
const char *mysqldb_server_version(const struct mysqldb *self);

// A result. Rows and columns count from 0; reading outside is a programmer's error (check).
void mysqldb_rows_free(struct mysqldb_rows *self);
size_t mysqldb_rows_count(const struct mysqldb_rows *self);
size_t mysqldb_rows_columns(const struct mysqldb_rows *self);
const char *mysqldb_rows_name(const struct mysqldb_rows *self, size_t column);
bool mysqldb_rows_is_null(const struct mysqldb_rows *self, size_t row, size_t column);
// Numbers and times as text, strings and BLOBs as their bytes. Borrowed, NUL-terminated; NULL for
// SQL's NULL.
const char *mysqldb_rows_value(const struct mysqldb_rows *self, size_t row, size_t column);
size_t mysqldb_rows_length(const struct mysqldb_rows *self, size_t row, size_t column);
uint64_t mysqldb_rows_affected(const struct mysqldb_rows *self);  // INSERT, UPDATE, DELETE
uint64_t mysqldb_rows_insert_id(const struct mysqldb_rows *self); // AUTO_INCREMENT; 0: none

// The server's error number -> enum service_error; pure.
enum service_error mysqldb_error_of(unsigned number);

// For kind.c.
bool mysql_ready(const struct kind_members *members, const struct kind_options *options,
                 struct error *err) must_use;
bool mysql_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                    struct error *err) must_use;

DEFINE_AUTOFREE(mysqldb, mysqldb_close);
DEFINE_AUTOFREE(mysqldb_rows, mysqldb_rows_free);
DEFINE_AUTOFREE(mysqldb_statement, mysqldb_statement_free);
