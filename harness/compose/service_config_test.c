#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>

TestSuite(service_config, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

Test(service_config, passes_on_who_and_where) {
    expect_config(SERVICE("user: 1000:1000\n    working_dir: /srv\n    hostname: h\n"
                          "    domainname: d.test\n    stop_signal: SIGINT\n    tty: true\n"
                          "    stdin_open: 'yes'\n    stop_grace_period: 1m1500ms"),
                  "{\"User\": \"1000:1000\", \"WorkingDir\": \"/srv\", \"Hostname\": \"h\","
                  " \"Domainname\": \"d.test\", \"StopSignal\": \"SIGINT\", \"Tty\": true,"
                  " \"OpenStdin\": true, \"StopTimeout\": 62}");
}

Test(service_config, splits_a_command_that_is_one_text) {
    expect_config(SERVICE("command: server --name 'a b'"),
                  "{\"Cmd\": [\"server\", \"--name\", \"a b\"], \"Entrypoint\": null}");
    expect_config(SERVICE("command: [server, 'a b', 1]"),
                  "{\"Cmd\": [\"server\", \"a b\", \"1\"]}");
    expect_config(SERVICE("entrypoint: /run.sh -x"), "{\"Entrypoint\": [\"/run.sh\", \"-x\"]}");
}

Test(service_config, tells_an_empty_command_from_none) {
    expect_config(SERVICE("command: []\n    entrypoint: ''"), "{\"Cmd\": [], \"Entrypoint\": []}");
    expect_config(SERVICE("command:\n    entrypoint: null"),
                  "{\"Cmd\": null, \"Entrypoint\": null}");
}

Test(service_config, warns_where_a_shell_would_be_needed) {
    expect_warning(SERVICE("command: a && b"),
                   "compose.yaml:4:14: services.s.command: no shell reads this, so that what "
                   "follows ; & | < > or ( is left out, as docker compose does; write [sh, -c, "
                   "\"…\"] for a shell");
    expect_error(SERVICE("command: a 'b"),
                 "compose.yaml:4:14: services.s.command: a quote is never closed in: a 'b");
}

Test(service_config, takes_labels_as_list_or_mapping_but_not_a_tools_own) {
    expect_config(SERVICE("labels: [a=1, b]"), "{\"Labels\": {\"a\": \"1\", \"b\": \"\"}}");
    expect_config(SERVICE("labels: {a: 1, b: }"), "{\"Labels\": {\"a\": \"1\", \"b\": \"\"}}");
    const char *taken = SERVICE("labels: {com.docker.compose.project: x, a: 1}");
    expect_config(taken, "{\"Labels\": {\"a\": \"1\"}}");
    expect_warning(taken, "compose.yaml:4:42: services.s.labels: the label "
                          "com.docker.compose.project is left out: it is a tool's own");
}

Test(service_config, needs_an_image) {
    expect_error("services:\n  s: {}\n", "compose.yaml:2:3: services.s: an image is missing");
    expect_error("services:\n  s:\n    build: .\n",
                 "compose.yaml:3:12: services.s.build: build is not supported yet: give an image");
    expect_error("services:\n  s:\n    image: ''\n",
                 "compose.yaml:3:12: services.s.image: the image's name is empty");
    expect_warning(SERVICE("build: {context: .}"),
                   "compose.yaml:4:12: services.s.build: not supported yet: the image of that name "
                   "is used");
}

Test(service_config, keeps_the_platform) {
    const struct plan *plan = plan_test_load(SERVICE("platform: linux/arm64"));
    cr_expect_str_eq(plan->services[0].platform, "linux/arm64");
    cr_expect_str_eq(plan->services[0].image, "i");
}

Test(service_config, says_what_has_the_wrong_shape) {
    expect_error(
        SERVICE("command: {a: b}"),
        "compose.yaml:4:14: services.s.command: expected a single value or a list, found a "
        "mapping");
    expect_error(SERVICE("command: [a, [b]]"),
                 "compose.yaml:4:18: services.s.command: expected a single value, found a list");
    expect_error(SERVICE("user: [a]"),
                 "compose.yaml:4:11: services.s.user: expected a single value, found a list");
    expect_error(SERVICE("tty: perhaps"),
                 "compose.yaml:4:10: services.s.tty: expected true or false, found \"perhaps\"");
    expect_error(SERVICE("stop_grace_period: 10"),
                 "compose.yaml:4:24: services.s.stop_grace_period: expected a duration such as 10s "
                 "or 1m30s, found \"10\"");
    expect_error(SERVICE("labels: {a: [b]}"),
                 "compose.yaml:4:17: services.s.labels: expected a single value, found a list");
    expect_error(SERVICE("labels: [=b]"),
                 "compose.yaml:4:14: services.s.labels[0]: \"=b\" has no name before the =");
}
