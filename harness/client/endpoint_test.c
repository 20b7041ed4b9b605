#include "client/endpoint.h"

#include "base/secret_reveal.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct endpoint somewhere = {.service = "shop-db", .host = "10.0.0.2", .port = 5432};

Test(endpoint, names_service_and_address_in_every_message) {
    struct error err = {0};
    cr_assert(!endpoint_fail(&somewhere, &err, ERROR_SERVICE, SERVICE_ERROR_UNIQUE, "23505",
                             "duplicate key %d", 7));
    cr_assert_str_eq(err.message, "shop-db (10.0.0.2:5432): duplicate key 7");
    cr_assert_str_eq(err.reference, "23505");
    cr_assert_eq(err.code, SERVICE_ERROR_UNIQUE);
}

Test(endpoint, puts_a_drivers_lines_on_one) {
    struct error err = {0};
    endpoint_fail(&somewhere, &err, ERROR_UNAVAILABLE, 0, NULL, "a\n\tb\n\n  c\n d.\n");
    cr_assert_str_eq(err.message, "shop-db (10.0.0.2:5432): a; b; c; d");
}

Test(endpoint, bounds_a_message_of_nothing_but_line_breaks) {
    char lines[ERROR_MESSAGE_SIZE * 2];
    for (size_t i = 0; i + 2 < sizeof lines; i += 2)
        memcpy(lines + i, "x\n", 2);
    lines[sizeof lines - 2] = '\0';
    struct error err = {0};
    endpoint_fail(&somewhere, &err, ERROR_PROTOCOL, 0, NULL, "%s", lines);
    cr_assert_lt(strlen(err.message), sizeof err.message);
    cr_assert_null(strchr(err.message, '\n'));
}

Test(endpoint, withholds_a_message_that_holds_the_password) {
    struct secret *password = secret_generate();
    struct endpoint endpoint = somewhere;
    endpoint.password = password;
    struct error err = {0};
    endpoint_fail(&endpoint, &err, ERROR_SERVICE, 0, NULL, "syntax error near '%s'",
                  secret_reveal(password));
    cr_expect_not(secret_occurs_in(password, err.message, strlen(err.message)));
    cr_expect_not_null(strstr(err.message, "withheld"));
    secret_free(password);
}

Test(endpoint, works_without_anybody_to_tell) {
    cr_assert(!endpoint_fail(&somewhere, NULL, ERROR_SERVICE, 0, NULL, "nobody listens"));
}

Test(endpoint, copies_outlive_their_source_and_have_timeouts) {
    struct secret *password = secret_generate();
    struct endpoint source = somewhere, copy;
    source.password = password;
    source.request_timeout_ms = 70;
    endpoint_copy(&copy, &source);
    cr_expect(secret_equal(copy.password, password));
    secret_free(password);
    cr_expect_str_eq(copy.host, "10.0.0.2");
    cr_expect_null(copy.user);
    cr_expect_eq(copy.connect_timeout_ms, 5000);
    cr_expect_eq(copy.request_timeout_ms, 70);
    endpoint_done(&copy);
}
