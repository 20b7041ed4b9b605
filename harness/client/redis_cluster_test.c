#define _GNU_SOURCE
#include "client/redis_cluster.h"

#include "base/clock.h"
#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <string.h>

static bool open_one(const struct endpoint *endpoint, struct redis_cluster **ret_cluster,
                     struct error *err) {
    const struct kind_members members = {.endpoints = endpoint, .count = 1};
    return redis_cluster_open(&members, ret_cluster, err);
}

// Opening a connection to a broken server fails in just this way, and within its 400 ms.
static void expect_open_fails(enum tcp_fake_fault fault, const char *said,
                              enum error_domain domain) {
    struct tcp_fake *fake = tcp_fake_new(fault, said);
    struct redis_cluster *cluster = NULL;
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_expect_not(open_one(tcp_fake_endpoint(fake), &cluster, &err));
    cr_expect_eq(err.domain, domain, "%s: %s", error_domain_name(err.domain), err.message);
    cr_expect_eq(strncmp(err.message, "fake (127.0.0.1:", 16), 0, "%s", err.message);
    cr_expect_lt(clock_monotonic_us() - started_us, 900000);
    cr_expect_null(cluster);
    tcp_fake_free(fake);
}

Test(redis_cluster, gives_up_on_a_server_that_trickles) {
    expect_open_fails(TCP_FAKE_TRICKLE, "+", ERROR_TIMEOUT);
}

Test(redis_cluster, gives_up_on_an_endless_value) {
    expect_open_fails(TCP_FAKE_ENDLESS, "$500000000\r\n", ERROR_TIMEOUT);
}

Test(redis_cluster, refuses_a_line_without_end) {
    expect_open_fails(TCP_FAKE_ENDLESS, "+aaaa", ERROR_PROTOCOL);
}

Test(redis_cluster, refuses_an_array_that_is_announced_too_large) {
    expect_open_fails(TCP_FAKE_GARBAGE, "*100000000\r\n", ERROR_PROTOCOL);
}

Test(redis_cluster, refuses_arrays_nested_without_end) {
    expect_open_fails(TCP_FAKE_ENDLESS, "*1\r\n", ERROR_PROTOCOL);
}

Test(redis_cluster, refuses_an_answer_of_the_wrong_type) {
    expect_open_fails(TCP_FAKE_ENDLESS, "+OK\r\n", ERROR_PROTOCOL);
}

Test(redis_cluster, knows_garbage_from_an_answer) {
    expect_open_fails(TCP_FAKE_GARBAGE, "HTTP/1.1 400 Bad Request\r\n\r\n", ERROR_PROTOCOL);
}

Test(redis_cluster, translates_a_refused_login) {
    expect_open_fails(TCP_FAKE_GARBAGE, "-WRONGPASS no\r\n", ERROR_SERVICE);
}

// The third answer of this server is to a command; all it ever says is this map and redirection.
#define MAP_OF_NOBODY "*0\r\n"

Test(redis_cluster, ends_a_chase_in_circles) {
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_ENDLESS, "-MOVED 15495 :1\r\n");
    struct redis_cluster *cluster = NULL;
    struct error err = {0};
    cr_expect_not(open_one(tcp_fake_endpoint(fake), &cluster, &err));
    cr_expect_eq(err.domain, ERROR_SERVICE);
    cr_expect_str_eq(err.reference, "MOVED");
    tcp_fake_free(fake);
}

Test(redis_cluster, asks_any_member_that_answers) {
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_SILENT, NULL);
    struct tcp_fake *talks = tcp_fake_new(TCP_FAKE_ENDLESS, MAP_OF_NOBODY);
    const struct endpoint both[] = {*tcp_fake_dead_endpoint(fake), *tcp_fake_endpoint(talks)};
    struct redis_cluster *cluster = NULL;
    struct error err = {0};
    const struct kind_members members = {.endpoints = both, .count = 2};
    cr_expect(redis_cluster_open(&members, &cluster, &err), "%s", err.message);
    cr_expect_eq(redis_cluster_node_count(cluster), 2);
    cr_expect(redis_cluster_node_is(cluster, 1, &both[1]));
    size_t node = 0;
    cr_expect_not(redis_cluster_owner(cluster, 0, &node));
    redis_cluster_close(cluster);
    tcp_fake_free(fake);
    tcp_fake_free(talks);
}

Test(redis_cluster, translates_errors_by_their_first_word) {
    cr_expect_eq(redis_error_of("WRONGPASS invalid"), SERVICE_ERROR_LOGIN);
    cr_expect_eq(redis_error_of("NOAUTH Authentication required."), SERVICE_ERROR_LOGIN);
    cr_expect_eq(redis_error_of("NOPERM this user"), SERVICE_ERROR_DENIED);
    cr_expect_eq(redis_error_of("CLUSTERDOWN Hash slot not served"), SERVICE_ERROR_NOT_READY);
    cr_expect_eq(redis_error_of("READONLY You can't write"), SERVICE_ERROR_READ_ONLY);
    cr_expect_eq(redis_error_of("ERR unknown command 'X'"), SERVICE_ERROR_UNSUPPORTED);
    cr_expect_eq(redis_error_of("WRONGTYPE Operation"), SERVICE_ERROR_OTHER);
    cr_expect_eq(redis_error_of(""), SERVICE_ERROR_OTHER);
}
