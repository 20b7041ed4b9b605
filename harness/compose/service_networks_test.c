#include "compose/plan_test_tools.h"

#include "base/text.h"

#include <criterion/criterion.h>

TestSuite(service_networks, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

#define SUBNET "networks: {n: {ipam: {config: [{subnet: 10.5.0.0/24}]}}, m: }\n"

// "n(+5): s a b" for each of the first service's networks.
static void expect_attachments(const char *compose, const char *expected) {
    const struct plan *plan = plan_test_load(compose);
    struct text text = {0};
    for (size_t i = 0; i < plan->services[0].attachment_count; i++) {
        const struct plan_attachment *attachment = &plan->services[0].attachments[i];
        text_append(&text, plan->networks[attachment->network].key);
        if (attachment->has_address)
            text_appendf(&text, "(+%u)", attachment->address_offset);
        text_append(&text, ":");
        for (char **alias = attachment->aliases; *alias != NULL; alias++)
            text_appendf(&text, " %s", *alias);
        text_append(&text, "\n");
    }
    cr_assert_str_eq(text_string(&text), expected, "got\n%s", text_string(&text));
    text_done(&text);
}

Test(service_networks, attaches_to_the_default_network) {
    expect_attachments(SERVICE(""), "default: s\n");
    expect_attachments(SERVICE("networks: []"), "default: s\n");
}

Test(service_networks, attaches_to_those_that_are_named) {
    expect_attachments(SERVICE("networks: [n, m]") SUBNET, "n: s\nm: s\n");
    expect_attachments(SERVICE("networks: {n: {aliases: [a, s]}, m: }") SUBNET, "n: s a\nm: s\n");
}

Test(service_networks, keeps_the_place_of_an_address) {
    expect_attachments(SERVICE("networks: {n: {ipv4_address: 10.5.0.5}}") SUBNET, "n(+5): s\n");
}

Test(service_networks, keeps_a_container_name_as_alias) {
    const char *named = SERVICE("container_name: shop-db\n    networks: [n, m]") SUBNET;
    expect_attachments(named, "n: s shop-db\nm: s shop-db\n");
    expect_warning(named, "compose.yaml:4:21: services.s.container_name: the container gets a name "
                          "of its own; \"shop-db\" stays as a network alias");
}

Test(service_networks, can_have_no_network) {
    expect_attachments(SERVICE("network_mode: none"), "");
}

Test(service_networks, keeps_to_the_stacks_own_networks) {
    static const char *const modes[] = {"host", "bridge", "service:db", "container:x"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct text compose = {0};
        struct text message = {0};
        text_appendf(&compose, SERVICE("network_mode: '%s'"), modes[i]);
        text_appendf(&message,
                     "compose.yaml:4:19: services.s.network_mode: \"%s\" is not supported: a "
                     "throwaway stack keeps to its own networks",
                     modes[i]);
        expect_error(text_string(&compose), text_string(&message));
        text_done(&compose);
        text_done(&message);
    }
}

Test(service_networks, says_what_is_wrong_and_where) {
    static const struct text_case cases[] = {
        {SERVICE("networks: [nn]") SUBNET, "compose.yaml:4:16: services.s.networks: \"nn\" is not "
                                           "declared under networks: at the top level"},
        {SERVICE("networks: n") SUBNET,
         "compose.yaml:4:15: services.s.networks: expected a list or "
         "a mapping, found a single value"},
        {SERVICE("networks: {m: {ipv4_address: 10.5.0.5}}") SUBNET,
         "compose.yaml:4:34: services.s.networks.m: ipv4_address needs a subnet: give networks.m "
         "an "
         "ipam.config with one"},
        {SERVICE("networks: {n: {ipv4_address: 10.6.0.5}}") SUBNET,
         "compose.yaml:4:34: services.s.networks.n: 10.6.0.5 is not within the subnet of "
         "networks.n"},
        {SERVICE("networks: {n: {ipv4_address: 10.5.0.255}}") SUBNET,
         "compose.yaml:4:34: services.s.networks.n: 10.5.0.255 is the network's own or its "
         "broadcast address"},
        {SERVICE("networks: {n: {ipv4_address: 10.5.0.1}}") SUBNET,
         "compose.yaml:4:34: services.s.networks.n: 10.5.0.1 is the gateway's: take a higher one"},
        {SERVICE("networks: {n: {ipv4_address: ten}}") SUBNET,
         "compose.yaml:4:34: services.s.networks.n: \"ten\" is not an IPv4 address"},
        {SERVICE("network_mode: none\n    networks: [n]") SUBNET,
         "compose.yaml:4:19: services.s.network_mode: network_mode and networks exclude each "
         "other"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(service_networks, warns_of_what_it_leaves_out) {
    expect_warning(SERVICE("networks: {n: {priority: 5}}") SUBNET,
                   "compose.yaml:4:20: services.s.networks.n.priority: not honoured");
}

Test(service_networks, leaves_out_what_begins_with_x) {
    expect_no_warning(SERVICE("networks: {n: {x-note: 1, aliases: [a]}}") "networks: {n: }\n");
}
