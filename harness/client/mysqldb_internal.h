// What the parts of the MySQL client share; for mysqldb*.c only.
#pragma once

#include "base/clock.h"
#include "client/mysqldb.h"

#include <mysql.h>

#ifdef LIBMARIADB
typedef my_bool driver_bool;
#else
typedef bool driver_bool; // Oracle gave up my_bool with 8.0
#endif

struct mysqldb {
    struct endpoint endpoint;
    MYSQL *driver;
    struct deadline deadline;   // of the present request
    struct mysqldb_rows *value; // what mysqldb_simple_value's answer points into
    bool connected;             // logged in; before that, waits are for the login
    bool greeted, nonsense;     // its first bytes were seen; they are no greeting of MySQL's
    bool spent;                 // by a timeout, a broken protocol or a lost connection
};

struct mysqldb_statement {
    struct mysqldb *connection;
    MYSQL_STMT *driver;
};

struct mysqldb_rows {
    size_t count, columns, capacity; // capacity and count in rows
    char **names;
    char **values; // row after row
    size_t *lengths;
    uint64_t affected, insert_id;
};

struct mysqldb_rows *mysqldb_rows_new(const MYSQL_FIELD *fields, size_t columns);
// Adds a row of NULLs; its values are set, in any order, with mysqldb_rows_set.
void mysqldb_rows_add(struct mysqldb_rows *self);
void mysqldb_rows_set(struct mysqldb_rows *self, size_t column, const char *bytes, size_t length);

// Driver calls (mysqldb_driver.c): each ends by the deadline of the request. On a timeout they set
// err, spend the connection and return false. Otherwise what the driver returned is in *ret_….
bool mysqldb_driver_connect(struct mysqldb *self, const char *password, bool *ret_connected,
                            struct error *err) must_use;
bool mysqldb_driver_query(struct mysqldb *self, const char *sql, int *ret_status,
                          struct error *err) must_use;
bool mysqldb_driver_send(struct mysqldb *self, const char *sql, int *ret_status,
                         struct error *err) must_use;
bool mysqldb_driver_read(struct mysqldb *self, int *ret_status, struct error *err) must_use;
bool mysqldb_driver_fetch(struct mysqldb *self, MYSQL_RES *result, MYSQL_ROW *ret_row,
                          struct error *err) must_use;
bool mysqldb_driver_next(struct mysqldb *self, int *ret_status, struct error *err) must_use;
bool mysqldb_driver_prepare(struct mysqldb *self, MYSQL_STMT *statement, const char *sql,
                            int *ret_status, struct error *err) must_use;
bool mysqldb_driver_execute(struct mysqldb *self, MYSQL_STMT *statement, int *ret_status,
                            struct error *err) must_use;
bool mysqldb_driver_store(struct mysqldb *self, MYSQL_STMT *statement, int *ret_status,
                          struct error *err) must_use;
// Before connecting: what the deadlines above need.
void mysqldb_driver_prepare_options(struct mysqldb *self);

// Ends the connection's use: whatever the driver still tries fails at once.
void mysqldb_spend(struct mysqldb *self);
// Starts a request: sets the deadline, forgets the last simple value, refuses a spent connection.
bool mysqldb_begin(struct mysqldb *self, struct error *err) must_use;
// The driver's or the server's error as ours; false.
bool mysqldb_refused(struct mysqldb *self, unsigned number, const char *message, struct error *err);
