#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(service_ports, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

Test(service_ports, exposes_targets_and_publishes_nothing) {
    const char *ports = SERVICE("ports: [80, '8080:81', '127.0.0.1:8082:82/udp', '[::1]:8083:83',\n"
                                "      '127.0.0.1::84', {target: 85, published: '8085', protocol: "
                                "tcp}]\n    expose: ['86', 87/udp]");
    expect_config(ports, "{\"ExposedPorts\": {\"80/tcp\": {}, \"81/tcp\": {}, \"82/udp\": {},"
                         " \"83/tcp\": {}, \"84/tcp\": {}, \"85/tcp\": {}, \"86/tcp\": {},"
                         " \"87/udp\": {}}}");
    expect_host(ports, "{\"PortBindings\": null, \"PublishAllPorts\": null}");
    expect_no_warning(ports);
}

Test(service_ports, takes_ranges) {
    expect_config(SERVICE("ports: ['9000-9010:8000-8010', '7000-7001']"),
                  "{\"ExposedPorts\": null}");
    expect_error(SERVICE("ports: ['9000-9009:8000-8010']"),
                 "compose.yaml:4:13: services.s.ports: the two ranges of \"9000-9009:8000-8010\" "
                 "differ in length");
}

Test(service_ports, finds_typing_errors) {
    static const char *const wrong[] = {"http",    "80:http", "0",    "65536",
                                        "80:",     "80/icmp", "10-5", "300.1.1.1:80:80",
                                        "a:80:80", "1:2:3:4"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char compose[256];
        char message[256];
        snprintf(compose, sizeof compose, SERVICE("ports: ['%s']"), wrong[i]);
        snprintf(message, sizeof message,
                 "compose.yaml:4:13: services.s.ports: expected "
                 "[address:][published:]target[/protocol], found \"%s\"",
                 wrong[i]);
        expect_error(compose, message);
    }
}

Test(service_ports, says_what_is_wrong_and_where) {
    static const struct text_case cases[] = {
        {SERVICE("ports: {80: 80}"),
         "compose.yaml:4:12: services.s.ports: expected a list, found a mapping"},
        {SERVICE("ports: [[80]]"),
         "compose.yaml:4:13: services.s.ports: expected a mapping, found a list"},
        {SERVICE("ports: [{published: 80}]"),
         "compose.yaml:4:13: services.s.ports: target is missing"},
        {SERVICE("ports: [{target: 0}]"),
         "compose.yaml:4:22: services.s.ports: 0 is not between 1 and 65535"},
        {SERVICE("ports: [{target: 80, published: many}]"),
         "compose.yaml:4:37: services.s.ports: published is a port or a range of ports"},
        {SERVICE("ports: [{target: 80, protocol: x}]"),
         "compose.yaml:4:36: services.s.ports: unknown protocol \"x\""},
        {SERVICE("expose: [http]"),
         "compose.yaml:4:14: services.s.expose: expected a port, found \"http\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

static void expect_port(const char *compose, unsigned port) {
    cr_expect_eq(plan_test_load(compose)->services[0].port, port, "%u in\n%s",
                 (unsigned)plan_test_load(compose)->services[0].port, compose);
}

Test(service_ports, asks_at_the_only_port_of_what_may_be_anywhere) {
    expect_port(SERVICE("ports: ['80:8080', '53:53/udp']"), 8080);
    expect_port(SERVICE("expose: [3000]"), 3000);
    expect_port(SERVICE("ports: ['8080:3000']\n    x-assay: {kind: http}"), 3000);
    expect_port(SERVICE("ports: [3000, 3001]\n    x-assay: {kind: http}"), 80);
    expect_port(SERVICE("ports: [3000, 3001]"), 0);
    expect_port(SERVICE("ports: [3000]\n    x-assay: {kind: http, port: 4000}"), 4000);
    expect_port(SERVICE("ports: ['15672:15672']\n    x-assay: {kind: rabbitmq}"), 5672);
}
