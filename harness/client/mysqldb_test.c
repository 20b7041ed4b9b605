#include "client/mysqldb.h"

#include "base/clock.h"
#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <string.h>

// Opening a connection to a broken server fails in just this way, and within its 400 ms.
static void expect_open_fails(enum tcp_fake_fault fault, const char *said,
                              enum error_domain domain) {
    struct tcp_fake *fake = tcp_fake_new(fault, said);
    struct mysqldb *db = NULL;
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_expect_not(mysqldb_open(tcp_fake_endpoint(fake), &db, &err));
    cr_expect_eq(err.domain, domain, "%s: %s", error_domain_name(err.domain), err.message);
    cr_expect_eq(strncmp(err.message, "fake (127.0.0.1:", 16), 0, "%s", err.message);
    cr_expect_lt(clock_monotonic_us() - started_us, 900000);
    cr_expect_null(db);
    tcp_fake_free(fake);
}

Test(mysqldb, gives_up_on_a_server_that_trickles) {
    // The head of a packet of 328 KB and its beginning, byte by byte.
    expect_open_fails(TCP_FAKE_TRICKLE, "\x05", ERROR_TIMEOUT);
}

Test(mysqldb, knows_garbage_from_a_greeting) {
    expect_open_fails(TCP_FAKE_GARBAGE, "HTTP/1.1 400 Bad Request\r\n\r\n", ERROR_PROTOCOL);
    expect_open_fails(TCP_FAKE_ENDLESS, "\xff\xff\xff\x01", ERROR_PROTOCOL);
}

Test(mysqldb, sends_no_password_before_it_is_greeted) {
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_SILENT, NULL);
    struct mysqldb *db = NULL;
    char heard[1024];
    cr_expect_not(mysqldb_open(tcp_fake_endpoint(fake), &db, NULL));
    cr_expect_eq(tcp_fake_heard(fake, heard, sizeof heard), 0);
    tcp_fake_free(fake);
}

Test(mysqldb, translates_error_numbers) {
    cr_expect_eq(mysqldb_error_of(1062), SERVICE_ERROR_UNIQUE);
    cr_expect_eq(mysqldb_error_of(1452), SERVICE_ERROR_FOREIGN_KEY);
    cr_expect_eq(mysqldb_error_of(1213), SERVICE_ERROR_DEADLOCK);
    cr_expect_eq(mysqldb_error_of(1205), SERVICE_ERROR_CONFLICT);
    cr_expect_eq(mysqldb_error_of(3819), SERVICE_ERROR_CHECK);
    cr_expect_eq(mysqldb_error_of(1045), SERVICE_ERROR_LOGIN);
    cr_expect_eq(mysqldb_error_of(1040), SERVICE_ERROR_LIMIT);
    cr_expect_eq(mysqldb_error_of(0), SERVICE_ERROR_OTHER);
    cr_expect_eq(mysqldb_error_of(1317), SERVICE_ERROR_OTHER, "an interrupted query is no outage");
}
