#define _GNU_SOURCE
#include "client/mysqldb_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#ifdef LIBMARIADB
#define DRIVER_SOCKET(self) mysql_get_socket((self)->driver)
#else
#define DRIVER_SOCKET(self) ((self)->driver->net.fd)
#endif

void mysqldb_spend(struct mysqldb *self) {
    const int socket = DRIVER_SOCKET(self);
    self->spent = true;
    if (socket >= 0)
        shutdown(socket, SHUT_RDWR);
}

static unused_parameter bool timed_out(struct mysqldb *self, struct error *err) {
    mysqldb_spend(self);
    return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL, "%s: no answer in time",
                         self->connected ? "request" : "login");
}

#ifdef LIBMARIADB

#define GREETING_HEAD 5

// Bytes to come before the socket counts as readable: a peer may send a greeting byte by byte.
static void read_from(struct mysqldb *self, int least) {
    setsockopt(DRIVER_SOCKET(self), SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

// A greeting is packet 0, of protocol version 10 or an error. To the driver anything else looks
// like a lost connection.
static void look_at_greeting(struct mysqldb *self) {
    unsigned char head[GREETING_HEAD];
    const ssize_t seen = recv(DRIVER_SOCKET(self), head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    self->greeted = true; // the driver reads on: the next look would not be at the start
    self->nonsense =
        (seen >= 4 && head[3] != 0) || (seen == sizeof head && head[4] != 10 && head[4] != 0xff);
}

static bool wait_for_socket(struct mysqldb *self, short events, short *ret_events,
                            struct error *err) {
    struct pollfd socket = {.fd = DRIVER_SOCKET(self), .events = events};
    for (;;) {
        // A peer that trickles bytes never lets poll() time out.
        if (deadline_passed(self->deadline))
            return timed_out(self, err);
        const int ready = poll(&socket, 1, (int)deadline_left_ms(self->deadline));
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, "%s: poll", self->endpoint.service);
        if (ready > 0)
            break;
    }
    *ret_events = socket.revents;
    return true;
}

// Waits for what the driver waits for (MYSQL_WAIT_…); *ret_happened is what it may go on with.
static bool wait_for(struct mysqldb *self, int wanted, int *ret_happened, struct error *err) {
    const short events = (short)(((wanted & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
                                 ((wanted & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0) |
                                 ((wanted & MYSQL_WAIT_EXCEPT) != 0 ? POLLPRI : 0));
    short seen = 0, greeting = 0;
    if (!wait_for_socket(self, events, &seen, err))
        return false;
    // The server speaks first: once connected there is nothing to do before it has.
    if (!self->greeted) {
        read_from(self, GREETING_HEAD);
        if (!wait_for_socket(self, POLLIN, &greeting, err))
            return false;
        read_from(self, 1);
        look_at_greeting(self);
    }
    *ret_happened = ((seen & (POLLIN | POLLHUP | POLLERR)) != 0 ? MYSQL_WAIT_READ : 0) |
                    ((seen & (POLLOUT | POLLERR)) != 0 ? MYSQL_WAIT_WRITE : 0) |
                    ((seen & POLLPRI) != 0 ? MYSQL_WAIT_EXCEPT : 0);
    *ret_happened &= wanted;
    return true;
}

// Connector/C's calls come in two halves
// (https://mariadb.com/kb/en/using-the-non-blocking-library/): start, and as long as that asks for
// something to wait for, continue with what happened.
#define AWAIT(start, go_on)                                                          \
    for (int waits_for = (start), happened = 0; waits_for != 0; waits_for = (go_on)) \
        if (!wait_for(self, waits_for, &happened, err))                              \
            return false;

void mysqldb_driver_prepare_options(struct mysqldb *self) {
    const my_bool no = 0;
    mysql_options(self->driver, MYSQL_OPT_NONBLOCK, NULL);
    // From 3.4 on the driver would verify a certificate that a throwaway cannot have.
    mysql_options(self->driver, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
}

bool mysqldb_driver_connect(struct mysqldb *self, const char *password, bool *ret_connected,
                            struct error *err) {
    MYSQL *connected = NULL;
    const struct endpoint *to = &self->endpoint;
    const char *path = endpoint_is_local(to) ? to->host : NULL;
    AWAIT(mysql_real_connect_start(&connected, self->driver, path != NULL ? NULL : to->host,
                                   to->user, password, to->database, to->port, path, 0),
          mysql_real_connect_cont(&connected, self->driver, happened));
    *ret_connected = connected != NULL;
    return true;
}

bool mysqldb_driver_query(struct mysqldb *self, const char *sql, int *ret_status,
                          struct error *err) {
    AWAIT(mysql_real_query_start(ret_status, self->driver, sql, strlen(sql)),
          mysql_real_query_cont(ret_status, self->driver, happened));
    return true;
}

bool mysqldb_driver_send(struct mysqldb *self, const char *sql, int *ret_status,
                         struct error *err) {
    AWAIT(mysql_send_query_start(ret_status, self->driver, sql, strlen(sql)),
          mysql_send_query_cont(ret_status, self->driver, happened));
    return true;
}

bool mysqldb_driver_read(struct mysqldb *self, int *ret_status, struct error *err) {
    my_bool failed = 0;
    AWAIT(mysql_read_query_result_start(&failed, self->driver),
          mysql_read_query_result_cont(&failed, self->driver, happened));
    *ret_status = failed;
    return true;
}

bool mysqldb_driver_fetch(struct mysqldb *self, MYSQL_RES *result, MYSQL_ROW *ret_row,
                          struct error *err) {
    AWAIT(mysql_fetch_row_start(ret_row, result), mysql_fetch_row_cont(ret_row, result, happened));
    return true;
}

bool mysqldb_driver_next(struct mysqldb *self, int *ret_status, struct error *err) {
    AWAIT(mysql_next_result_start(ret_status, self->driver),
          mysql_next_result_cont(ret_status, self->driver, happened));
    return true;
}

bool mysqldb_driver_prepare(struct mysqldb *self, MYSQL_STMT *statement, const char *sql,
                            int *ret_status, struct error *err) {
    AWAIT(mysql_stmt_prepare_start(ret_status, statement, sql, strlen(sql)),
          mysql_stmt_prepare_cont(ret_status, statement, happened));
    return true;
}

bool mysqldb_driver_execute(struct mysqldb *self, MYSQL_STMT *statement, int *ret_status,
                            struct error *err) {
    AWAIT(mysql_stmt_execute_start(ret_status, statement),
          mysql_stmt_execute_cont(ret_status, statement, happened));
    return true;
}

bool mysqldb_driver_store(struct mysqldb *self, MYSQL_STMT *statement, int *ret_status,
                          struct error *err) {
    AWAIT(mysql_stmt_store_result_start(ret_status, statement),
          mysql_stmt_store_result_cont(ret_status, statement, happened));
    return true;
}

#else // Oracle's library: it blocks, with timeouts of whole seconds for each read and write.

static unsigned whole_seconds(int ms) {
    return (unsigned)((ms + 999) / 1000);
}

void mysqldb_driver_prepare_options(struct mysqldb *self) {
    const unsigned connect = whole_seconds(self->endpoint.connect_timeout_ms);
    const unsigned request = whole_seconds(self->endpoint.request_timeout_ms);
    const unsigned no_tls = SSL_MODE_DISABLED;
    const bool yes = true;
    mysql_options(self->driver, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    mysql_options(self->driver, MYSQL_OPT_READ_TIMEOUT, &request);
    mysql_options(self->driver, MYSQL_OPT_WRITE_TIMEOUT, &request);
    mysql_options(self->driver, MYSQL_OPT_SSL_MODE, &no_tls);
    // caching_sha2_password without TLS: the password goes encrypted with this key.
    mysql_options(self->driver, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
}

// A read that timed out looks like a lost connection to the driver.
static bool in_time(struct mysqldb *self, struct error *err) {
    return !deadline_passed(self->deadline) || timed_out(self, err);
}

bool mysqldb_driver_connect(struct mysqldb *self, const char *password, bool *ret_connected,
                            struct error *err) {
    const struct endpoint *to = &self->endpoint;
    const char *path = endpoint_is_local(to) ? to->host : NULL;
    *ret_connected = mysql_real_connect(self->driver, path != NULL ? NULL : to->host, to->user,
                                        password, to->database, to->port, path, 0) != NULL;
    return *ret_connected || in_time(self, err);
}

bool mysqldb_driver_query(struct mysqldb *self, const char *sql, int *ret_status,
                          struct error *err) {
    *ret_status = mysql_real_query(self->driver, sql, strlen(sql));
    return *ret_status == 0 || in_time(self, err);
}

bool mysqldb_driver_send(struct mysqldb *self, const char *sql, int *ret_status,
                         struct error *err) {
    *ret_status = mysql_send_query(self->driver, sql, strlen(sql));
    return *ret_status == 0 || in_time(self, err);
}

bool mysqldb_driver_read(struct mysqldb *self, int *ret_status, struct error *err) {
    *ret_status = mysql_read_query_result(self->driver);
    return *ret_status == 0 || in_time(self, err);
}

bool mysqldb_driver_fetch(struct mysqldb *self, MYSQL_RES *result, MYSQL_ROW *ret_row,
                          struct error *err) {
    *ret_row = mysql_fetch_row(result);
    return *ret_row != NULL || mysql_errno(self->driver) == 0 || in_time(self, err);
}

bool mysqldb_driver_next(struct mysqldb *self, int *ret_status, struct error *err) {
    *ret_status = mysql_next_result(self->driver);
    return *ret_status <= 0 || in_time(self, err);
}

bool mysqldb_driver_prepare(struct mysqldb *self, MYSQL_STMT *statement, const char *sql,
                            int *ret_status, struct error *err) {
    *ret_status = mysql_stmt_prepare(statement, sql, strlen(sql));
    return *ret_status == 0 || in_time(self, err);
}

bool mysqldb_driver_execute(struct mysqldb *self, MYSQL_STMT *statement, int *ret_status,
                            struct error *err) {
    *ret_status = mysql_stmt_execute(statement);
    return *ret_status == 0 || in_time(self, err);
}

bool mysqldb_driver_store(struct mysqldb *self, MYSQL_STMT *statement, int *ret_status,
                          struct error *err) {
    *ret_status = mysql_stmt_store_result(statement);
    return *ret_status == 0 || in_time(self, err);
}

#endif
