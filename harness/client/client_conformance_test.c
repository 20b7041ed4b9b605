// What every client must do when its server is broken, asked of every row of the table of kinds: a
// new kind is in here by being in the table. What only one protocol can get wrong stands in that
// client's own test; wrong passwords need a real server and are in suites/.
#include "base/clock.h"
#include "client/alertmanager.h"
#include "client/http.h"
#include "client/kind.h"
#include "client/mongodb.h"
#include "client/mysqldb.h"
#include "client/openbao.h"
#include "client/postgres.h"
#include "client/prometheus.h"
#include "client/rabbitmq.h"
#include "client/redis_cluster.h"
#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

// The fake's endpoint allows 400 ms to connect and 400 ms for a request.
#define IN_TIME_MS 1200
#define AT_ONCE_MS 300

struct fault {
    const char *name;
    bool dead; // nobody listens
    enum tcp_fake_fault fault;
    const char *said;
    enum error_domain domain;
    enum error_domain or_else; // where a protocol cannot tell nonsense from a long message
    int within_ms;
};

static const struct fault faults[] = {
    {"a dead port", true, TCP_FAKE_SILENT, NULL, ERROR_UNAVAILABLE, ERROR_NONE, AT_ONCE_MS},
    {"a silent server", false, TCP_FAKE_SILENT, NULL, ERROR_TIMEOUT, ERROR_NONE, IN_TIME_MS},
    {"one that hangs up", false, TCP_FAKE_CLOSES, NULL, ERROR_UNAVAILABLE, ERROR_NONE, AT_ONCE_MS},
    {"garbage", false, TCP_FAKE_GARBAGE, NULL, ERROR_PROTOCOL, ERROR_NONE, AT_ONCE_MS},
    {"another protocol", false, TCP_FAKE_GARBAGE, "SSH-2.0-OpenSSH_9.2\r\n", ERROR_PROTOCOL,
     ERROR_TIMEOUT, IN_TIME_MS},
    {"endless garbage", false, TCP_FAKE_ENDLESS, NULL, ERROR_PROTOCOL, ERROR_TIMEOUT, IN_TIME_MS},
    {"a trickle of garbage", false, TCP_FAKE_TRICKLE, NULL, ERROR_PROTOCOL, ERROR_TIMEOUT,
     IN_TIME_MS},
};

struct attempt {
    const char *name;
    bool (*make)(const struct kind *kind, const struct kind_members *members, struct error *err);
};

static bool ready(const struct kind *kind, const struct kind_members *members, struct error *err) {
    return kind->ready(members, &(struct kind_options){0}, err);
}

static bool identify(const struct kind *kind, const struct kind_members *members,
                     struct error *err) {
    char product[64];
    return kind->identify(members->endpoints, product, sizeof product, err);
}

static bool form(const struct kind *kind, const struct kind_members *members, struct error *err) {
    struct kind_formed formed = {0};
    if (kind->form == NULL)
        return ready(kind, members, err);
    const bool done = kind->form(members, &formed, err);
    kind_formed_done(&formed);
    return done;
}

static const struct attempt attempts[] = {{"ready", ready}, {"identify", identify}, {"form", form}};

static void expect_failure(const struct kind *kind, const struct attempt *attempt,
                           const struct fault *fault) {
    struct tcp_fake *fake = tcp_fake_new(fault->fault, fault->said);
    const struct endpoint *at =
        fault->dead ? tcp_fake_dead_endpoint(fake) : tcp_fake_endpoint(fake);
    char place[64];
    snprintf(place, sizeof place, "fake (127.0.0.1:%u): ", (unsigned)at->port);
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    const bool worked = attempt->make(kind, &(struct kind_members){at, 1}, &err);
    const int64_t took_ms = (clock_monotonic_us() - started_us) / 1000;
    cr_expect_not(worked, "%s: %s of %s works", kind->name, attempt->name, fault->name);
    cr_expect(err.domain == fault->domain || err.domain == fault->or_else, "%s: %s of %s: %s: %s",
              kind->name, attempt->name, fault->name, error_domain_name(err.domain), err.message);
    cr_expect_eq(strncmp(err.message, place, strlen(place)), 0,
                 "%s: %s of %s does not say where: %s", kind->name, attempt->name, fault->name,
                 err.message);
    cr_expect_leq(took_ms, fault->within_ms, "%s: %s of %s took %d ms", kind->name, attempt->name,
                  fault->name, (int)took_ms);
    tcp_fake_free(fake);
}

ParameterizedTestParameters(client, fails_in_time_and_says_where) {
    static size_t rows[16];
    size_t count = 0;
    for (; kind_table()[count].name != NULL; count++)
        rows[count] = count;
    return cr_make_param_array(size_t, rows, count);
}

ParameterizedTest(size_t *row, client, fails_in_time_and_says_where, .timeout = 60) {
    const struct kind *kind = &kind_table()[*row];
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        for (size_t j = 0; j < sizeof attempts / sizeof attempts[0]; j++)
            expect_failure(kind, &attempts[j], &faults[i]);
}

// Convention 4: what failed half way is freed like the rest.
Test(client, destructors_take_null) {
    alertmanager_close(NULL);
    http_close(NULL);
    mongodb_close(NULL);
    mongodb_cursor_free(NULL);
    mysqldb_close(NULL);
    mysqldb_rows_free(NULL);
    mysqldb_statement_free(NULL);
    openbao_close(NULL);
    postgres_close(NULL);
    postgres_rows_free(NULL);
    prometheus_close(NULL);
    rabbitmq_close(NULL);
    rabbitmq_channel_close(NULL);
    redis_cluster_close(NULL);
}
