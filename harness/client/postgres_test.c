#define _GNU_SOURCE
#include "client/postgres.h"

#include "base/clock.h"
#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

// Opening a connection to a broken server fails in just this way, and within its 400 ms.
static void expect_open_fails(enum tcp_fake_fault fault, const char *said,
                              enum error_domain domain) {
    struct tcp_fake *fake = tcp_fake_new(fault, said);
    struct postgres *db = NULL;
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_expect_not(postgres_open(tcp_fake_endpoint(fake), &db, &err));
    cr_expect_eq(err.domain, domain, "%s: %s", error_domain_name(err.domain), err.message);
    cr_expect_eq(strncmp(err.message, "fake (127.0.0.1:", 16), 0, "%s", err.message);
    cr_expect_lt(clock_monotonic_us() - started_us, 900000);
    cr_expect_null(db);
    tcp_fake_free(fake);
}

Test(postgres, gives_up_on_a_server_that_trickles) {
    expect_open_fails(TCP_FAKE_TRICKLE, "E", ERROR_TIMEOUT);
}

Test(postgres, gives_up_on_an_endless_error) {
    expect_open_fails(TCP_FAKE_ENDLESS, "E\1\1\1", ERROR_TIMEOUT);
}

Test(postgres, knows_garbage_from_a_greeting) {
    expect_open_fails(TCP_FAKE_GARBAGE, "HTTP/1.1 400 Bad Request\r\n\r\n", ERROR_PROTOCOL);
    expect_open_fails(TCP_FAKE_ENDLESS, "R   ", ERROR_PROTOCOL);
}

Test(postgres, takes_nothing_from_the_environment) {
    static const char *const names[] = {"PGHOST",     "PGHOSTADDR", "PGPORT",
                                        "PGUSER",     "PGDATABASE", "PGAPPNAME",
                                        "PGPASSWORD", "PGPASSFILE", "PGCLIENTENCODING"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        setenv(names[i], "192.0.2.1", 1);
    setenv("PGSSLMODE", "require", 1);
    setenv("PGREQUIREAUTH", "none", 1);
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_SILENT, NULL);
    struct postgres *db = NULL;
    char heard[1024];
    cr_expect_not(postgres_open(tcp_fake_endpoint(fake), &db, NULL));
    const size_t length = tcp_fake_heard(fake, heard, sizeof heard);
    static const char startup[] = "user\0somebody\0database\0something\0";
    cr_expect_not_null(memmem(heard, length, startup, sizeof startup - 1));
    cr_expect_not_null(memmem(heard, length, "application_name\0assay", 22));
    cr_expect_null(memmem(heard, length, "192.0.2.1", 9));
    tcp_fake_free(fake);
}

Test(postgres, sends_no_password_before_it_is_asked_for_one) {
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_SILENT, NULL);
    struct postgres *db = NULL;
    char heard[1024];
    cr_expect_not(postgres_open(tcp_fake_endpoint(fake), &db, NULL));
    const size_t length = tcp_fake_heard(fake, heard, sizeof heard);
    cr_expect_gt(length, 0);
    cr_expect_not(secret_occurs_in(tcp_fake_endpoint(fake)->password, heard, length));
    tcp_fake_free(fake);
}

Test(postgres, translates_sqlstates_by_code_then_class) {
    cr_expect_eq(postgres_error_of("23505"), SERVICE_ERROR_UNIQUE);
    cr_expect_eq(postgres_error_of("23503"), SERVICE_ERROR_FOREIGN_KEY);
    cr_expect_eq(postgres_error_of("40P01"), SERVICE_ERROR_DEADLOCK);
    cr_expect_eq(postgres_error_of("40001"), SERVICE_ERROR_SERIALIZATION);
    cr_expect_eq(postgres_error_of("28P01"), SERVICE_ERROR_LOGIN);
    cr_expect_eq(postgres_error_of("57P03"), SERVICE_ERROR_NOT_READY);
    cr_expect_eq(postgres_error_of("57014"), SERVICE_ERROR_OTHER, "a cancelled query is no outage");
    cr_expect_eq(postgres_error_of("53100"), SERVICE_ERROR_LIMIT);
    cr_expect_eq(postgres_error_of("0A000"), SERVICE_ERROR_UNSUPPORTED);
    cr_expect_eq(postgres_error_of("XX000"), SERVICE_ERROR_OTHER);
    cr_expect_eq(postgres_error_of(""), SERVICE_ERROR_OTHER);
}
