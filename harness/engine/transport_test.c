#include "engine/transport.h"

#include <criterion/criterion.h>

static void expect_base_url(const char *host, const char *certificates, const char *expected) {
    struct transport transport;
    struct error err = {0};
    const struct engine_options options = {.host = host, .certificates = certificates};
    cr_assert(transport_init(&transport, &options, &err), "%s", err.message);
    cr_expect_str_eq(transport.base_url, expected);
    transport_done(&transport);
}

Test(transport, makes_a_url_of_an_address) {
    expect_base_url("tcp://10.0.0.5:1234", NULL, "http://10.0.0.5:1234");
    expect_base_url("http://h:1/", NULL, "http://h:1");
    expect_base_url("https://h:1", NULL, "https://h:1");
    expect_base_url("tcp://h:1", "/certs", "https://h:1");
    expect_base_url("tcp://h:1/docker/", NULL, "http://h:1/docker");
}

Test(transport, adds_the_usual_port) {
    expect_base_url("tcp://h", NULL, "http://h:2375");
    expect_base_url("tcp://h", "/certs", "https://h:2376");
    expect_base_url("tcp://[::1]", NULL, "http://[::1]:2375");
    expect_base_url("tcp://[::1]:99", NULL, "http://[::1]:99");
}

Test(transport, speaks_plain_http_on_a_unix_socket_whatever_the_certificates) {
    expect_base_url("unix:///s", "/certs", "http://localhost");
}
