// What needs no server; the rest is in suites/rabbitmq_suite.c.
#include "client/rabbitmq.h"

#include "base/clock.h"
#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static struct error error_of_test;
static struct error *const err = &error_of_test;

struct fault { // handed to another process: no pointers
    enum tcp_fake_fault fault;
    char said[16];
    enum error_domain domain;
};

ParameterizedTestParameters(rabbitmq, tells_faults_of_a_connection_apart) {
    static struct fault faults[] = {
        {TCP_FAKE_GARBAGE, "HTTP/1.1 400 \r\n", ERROR_PROTOCOL},
        {TCP_FAKE_GARBAGE, "AMQP\1\1\10\12", ERROR_PROTOCOL}, // another version (0-10)
        {TCP_FAKE_TRICKLE, "\1", ERROR_PROTOCOL},
    };
    return cr_make_param_array(struct fault, faults, sizeof faults / sizeof faults[0]);
}

ParameterizedTest(struct fault *fault, rabbitmq, tells_faults_of_a_connection_apart,
                  .timeout = 120) {
    struct tcp_fake *fake = tcp_fake_new(fault->fault, fault->said);
    const struct deadline on_time = deadline_in_ms(20000);
    struct rabbitmq *rabbitmq = NULL;
    cr_assert(!rabbitmq_open(tcp_fake_endpoint(fake), &rabbitmq, err));
    cr_assert_null(rabbitmq);
    cr_assert_eq(err->domain, fault->domain, "%s: %s", error_domain_name(err->domain),
                 err->message);
    cr_assert(!deadline_passed(on_time), "late");
    cr_assert_eq(strncmp(err->message, "fake (127.0.0.1:", 16), 0, "%s", err->message);
    tcp_fake_free(fake);
}

Test(rabbitmq, reports_a_host_name_that_nobody_knows) {
    const struct endpoint endpoint = {
        .service = "queue", .host = "no-such-host.invalid", .port = 5672};
    struct rabbitmq *rabbitmq;
    cr_assert(!rabbitmq_open(&endpoint, &rabbitmq, err));
    cr_assert_eq(err->domain, ERROR_UNAVAILABLE, "%s", err->message);
}
