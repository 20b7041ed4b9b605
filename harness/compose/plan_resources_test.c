#define _GNU_SOURCE
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void prepare(void) {
    plan_test_folder();
    plan_test_write("pw", "secret");
    setenv("ASSAY_TEST_SET", "here", 1);
}

TestSuite(plan_resources, .init = prepare, .fini = plan_test_leave, .timeout = 120);

#define NETWORK(value) SERVICE("networks: [n]") "networks:\n  n: " value "\n"
#define VOLUME(value) SERVICE("volumes: ['v:/v']") "volumes:\n  v: " value "\n"
#define SECRET(value) SERVICE("secrets: [x]") "secrets:\n  x: " value "\n"
#define CONFIG(value) SERVICE("configs: [x]") "configs:\n  x: " value "\n"

Test(plan_resources, reads_a_network) {
    const struct plan *plan =
        plan_test_load(NETWORK("{internal: true, driver: bridge, attachable: true, labels: [a=b],"
                               " ipam: {driver: default, config: [{subnet: 10.5.3.7/16}]}}"));
    cr_assert_eq(plan->network_count, 1);
    cr_expect(plan->networks[0].internal && plan->networks[0].has_subnet);
    cr_expect_eq(plan->networks[0].subnet_address, 0x0a050000u);
    cr_expect_eq(plan->networks[0].prefix_length, 16);
    cr_expect_eq(plan->networks[0].mark.line, 6);
    cr_expect_eq(plan->warnings.count, 0);
}

Test(plan_resources, lists_only_what_services_use) {
    const struct plan *plan =
        plan_test_load(SERVICE("networks: [n]") "networks: {n: , unused: }\nvolumes: {unused: }\n"
                                                "secrets: {unused: {file: none}}\n");
    cr_expect_eq(plan->network_count, 1);
    cr_expect_eq(plan->volume_count + plan->secret_count + plan->config_count, 0);
}

Test(plan_resources, replaces_what_lies_outside) {
    expect_warning(NETWORK("{external: true}"), "compose.yaml:6:3: networks.n: external: a network "
                                                "of the run's own stands in its place");
    expect_warning(
        VOLUME("{external: true, name: prod}"),
        "compose.yaml:6:3: volumes.v: external: a fresh, empty volume stands in its place");
    expect_warning(SECRET("{external: true}"),
                   "compose.yaml:6:3: secrets.x: external: a generated value stands in its place");
    cr_expect(plan_test_load(SECRET("{external: true}"))->secrets[0].generate);
    expect_warning(NETWORK("{external: {name: prod}}"), "compose.yaml:6:3: networks.n: external: a "
                                                        "network of the run's own stands in its "
                                                        "place");
    expect_error(CONFIG("{external: true}"),
                 "compose.yaml:6:3: configs.x: external: its content is "
                 "not known here; give a file or content");
}

Test(plan_resources, takes_secrets_from_files_variables_or_chance) {
    const struct plan_content *secret = plan_test_load(SECRET("{file: ./pw}"))->secrets;
    cr_expect_str_eq(strrchr(secret->file, '/'), "/pw");
    cr_expect(secret->file[0] == '/' && !secret->generate);
    secret = plan_test_load(SECRET("{environment: ASSAY_TEST_SET}"))->secrets;
    cr_expect_str_eq(secret->environment, "ASSAY_TEST_SET");
    cr_expect_null(secret->content, "a secret's value is in no plan");
    secret = plan_test_load(SECRET("{file: ./none, x-assay: {generate: true}}"))->secrets;
    cr_expect(secret->generate && secret->file == NULL);
}

Test(plan_resources, takes_configs_from_files_variables_or_the_file_itself) {
    const struct plan_content *config =
        plan_test_load(CONFIG("{content: 'a ${ASSAY_TEST_SET}'}"))->configs;
    cr_expect_str_eq(config->content, "a here");
    config = plan_test_load(CONFIG("{environment: ASSAY_TEST_SET}"))->configs;
    cr_expect_str_eq(config->content, "here");
    config = plan_test_load(CONFIG("{file: pw}"))->configs;
    cr_expect_str_eq(strrchr(config->file, '/'), "/pw");
}

Test(plan_resources, says_what_is_wrong_and_where) {
    static const struct text_case cases[] = {
        {NETWORK("{driver: host}"),
         "compose.yaml:6:15: networks.n: the driver \"host\" is not supported"},
        {NETWORK("{ipam: {config: [{subnet: 10.5.0.0}]}}"),
         "compose.yaml:6:32: networks.n.ipam.config: expected a subnet such as 10.5.0.0/24 (/8 to "
         "/29), found \"10.5.0.0\""},
        {NETWORK("{ipam: {config: {subnet: x}}}"),
         "compose.yaml:6:22: networks.n.ipam.config: expected a list, found a mapping"},
        {NETWORK("[]"), "compose.yaml:6:6: networks.n: expected a mapping, found a list"},
        {VOLUME("{driver_opts: {type: none, o: bind, device: /srv}}"),
         "compose.yaml:6:20: volumes.v: driver_opts are not supported: what they mount would be "
         "missing"},
        {SECRET("{}"), "compose.yaml:6:3: secrets.x: expected exactly one of file, environment (or "
                       "x-assay: {generate: true})"},
        {SECRET("{file: pw, environment: A}"),
         "compose.yaml:6:3: secrets.x: expected exactly one of file, environment (or x-assay: "
         "{generate: true})"},
        {SECRET("{file: /nowhere/pw}"),
         "compose.yaml:6:13: secrets.x: there is no readable file /nowhere/pw"},
        {SECRET("{environment: ASSAY_TEST_NONE}"),
         "compose.yaml:6:20: secrets.x: the variable ASSAY_TEST_NONE is not set"},
        {SECRET("{content: x}"),
         "compose.yaml:6:16: secrets.x: a secret has no content:; use file or environment"},
        {SECRET("{x-assay: {generated: true}}"),
         "compose.yaml:6:17: secrets.x.x-assay: unknown key \"generated\"; known is generate"},
        {CONFIG("{x-assay: {generate: true}}"),
         "compose.yaml:6:3: configs.x: only secrets are generated"},
        {CONFIG("{}"),
         "compose.yaml:6:3: configs.x: expected exactly one of file, environment, content"},
        {"services: {s: {image: i}}\nnetworks: {'a b': }\n",
         "compose.yaml:2:12: networks.a b: a name is letters, digits, '.', '_' and '-'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(plan_resources, takes_no_secret_from_a_dotenv_file_without_saying_so) {
    plan_test_write(".env", "ASSAY_TEST_ONLY_HERE=x\n");
    expect_error(SECRET("{environment: ASSAY_TEST_ONLY_HERE}"),
                 "compose.yaml:6:20: secrets.x: the variable ASSAY_TEST_ONLY_HERE stands in .env "
                 "only; a secret is taken from the environment of assay itself");
}

Test(plan_resources, warns_of_what_it_leaves_out) {
    expect_warning(NETWORK("{driver: overlay}"), "compose.yaml:6:15: networks.n: the driver "
                                                 "\"overlay\" is not honoured: bridge is used");
    expect_warning(NETWORK("{intrenal: true}"),
                   "compose.yaml:6:7: networks.n: unknown key "
                   "\"intrenal\", left out; did you mean \"internal\"?");
    expect_warning(NETWORK("{ipam: {config: [{subnet: 'fd00::/64'}]}}"),
                   "compose.yaml:6:32: networks.n.ipam.config: IPv6 is not honoured");
    expect_warning(NETWORK("{ipam: {config: [{subnet: 10.5.0.0/24}, {subnet: 10.6.0.0/24}]}}"),
                   "compose.yaml:6:55: networks.n.ipam.config: only the first subnet is honoured");
    expect_warning(NETWORK("{driver_opts: {mtu: 1400}}"),
                   "compose.yaml:6:3: networks.n: driver_opts are not honoured");
    expect_warning(VOLUME("{driver: nfs}"),
                   "compose.yaml:6:15: volumes.v: the driver \"nfs\" is not "
                   "honoured: local is used");
    expect_warning(VOLUME("{quux: 1}"),
                   "compose.yaml:6:7: volumes.v: unknown key \"quux\", left out");
    expect_warning(NETWORK("{enable_ipv6: true}"),
                   "compose.yaml:6:3: networks.n: IPv6 is not honoured");
    expect_warning(
        VOLUME("{driver_opts: {type: tmpfs, device: tmpfs}}"),
        "compose.yaml:6:20: volumes.v: driver_opts are not honoured: an ordinary volume is "
        "used");
}

Test(plan_resources, what_is_left_empty_is_not_there) {
    expect_no_warning(SERVICE(
        "networks: [n, m]\n    healthcheck: {test: a, x-why: 1}") "networks: {n: {ipam: {config: "
                                                                  "}}, m: {ipam: {config: "
                                                                  "[{subnet: }]}}}\n");
}

Test(plan_resources, a_subnet_is_an_address_and_a_length) {
    static const char *const wrong[] = {"nowhere/16", "10.5.0.0/", "10.5.0.0/x", "10.5.0.0/30"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err = {0};
        struct plan *plan = NULL;
        char compose[200];
        snprintf(compose, sizeof compose,
                 SERVICE("networks: [n]") "networks: {n: {ipam: {config: [{subnet: %s}]}}}\n",
                 wrong[i]);
        plan_test_write("compose.yaml", compose);
        cr_assert_not(plan_load(&(const struct plan_options){0}, &plan, &err), "%s", wrong[i]);
        cr_expect_not_null(strstr(err.message, wrong[i]), "%s", err.message);
    }
}
