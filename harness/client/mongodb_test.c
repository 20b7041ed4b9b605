#include "client/mongodb.h"

#include "base/clock.h"
#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Opening a connection to a broken server fails in just this way, and within its 400 ms.
static void expect_open_fails(enum tcp_fake_fault fault, const char *said,
                              enum error_domain domain) {
    struct tcp_fake *fake = tcp_fake_new(fault, said);
    struct mongodb *db = NULL;
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_expect_not(mongodb_open(tcp_fake_endpoint(fake), &db, &err));
    cr_expect_eq(err.domain, domain, "%s: %s", error_domain_name(err.domain), err.message);
    cr_expect_eq(strncmp(err.message, "fake (127.0.0.1:", 16), 0, "%s", err.message);
    cr_expect_lt(clock_monotonic_us() - started_us, 900000);
    cr_expect_null(db);
    tcp_fake_free(fake);
}

Test(mongodb, gives_up_on_an_endless_message) {
    expect_open_fails(TCP_FAKE_ENDLESS, "\x40\x01\x01\x01\x0a", ERROR_TIMEOUT);
}

Test(mongodb, knows_garbage_from_an_answer) {
    expect_open_fails(TCP_FAKE_GARBAGE, "HTTP/1.1 400 Bad Request\r\n\r\n", ERROR_PROTOCOL);
}

Test(mongodb, sends_no_password_in_its_hello) {
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_SILENT, NULL);
    struct mongodb *db = NULL;
    char heard[4096];
    cr_expect_not(mongodb_open(tcp_fake_endpoint(fake), &db, NULL));
    const size_t length = tcp_fake_heard(fake, heard, sizeof heard);
    cr_expect_gt(length, 0);
    cr_expect_not(secret_occurs_in(tcp_fake_endpoint(fake)->password, heard, length));
    tcp_fake_free(fake);
}

Test(mongodb, leaves_no_file_for_the_drivers_counters) {
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/mongoc-%u", (unsigned)getppid()); // loaded by the parent
    cr_expect_neq(access(path, F_OK), 0);
    snprintf(path, sizeof path, "/dev/shm/mongoc-%u", (unsigned)getpid());
    cr_expect_neq(access(path, F_OK), 0);
}

Test(mongodb, translates_error_codes) {
    cr_expect_eq(mongodb_error_of(11000), SERVICE_ERROR_UNIQUE);
    cr_expect_eq(mongodb_error_of(13), SERVICE_ERROR_DENIED);
    cr_expect_eq(mongodb_error_of(18), SERVICE_ERROR_LOGIN);
    cr_expect_eq(mongodb_error_of(112), SERVICE_ERROR_CONFLICT);
    cr_expect_eq(mongodb_error_of(121), SERVICE_ERROR_CHECK);
    cr_expect_eq(mongodb_error_of(238), SERVICE_ERROR_UNSUPPORTED);
    cr_expect_eq(mongodb_error_of(59), SERVICE_ERROR_UNSUPPORTED);
    cr_expect_eq(mongodb_error_of(0), SERVICE_ERROR_OTHER);
}
