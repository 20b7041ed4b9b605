#include "compose/plan_test_tools.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(compose_extends, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

Test(compose_extends, merges_a_service_of_the_same_file) {
    const char *compose = "services:\n"
                          "  s: {extends: base, environment: {B: 2}}\n"
                          "  base: {image: i, user: u, environment: [A=1, B=1]}\n";
    expect_config(compose, "{\"User\": \"u\", \"Env\": [\"A=1\", \"B=2\"]}");
    cr_expect_eq(plan_test_load(compose)->services[0].mark.line, 2);
}

Test(compose_extends, follows_a_chain_through_files) {
    plan_test_write("common/base.yaml", "services:\n  middle: {extends: root, user: m}\n"
                                        "  root: {image: deep, user: r, hostname: h}\n");
    const char *compose =
        "services:\n  s: {extends: {file: common/base.yaml, service: middle}, tty: true}\n";
    expect_config(compose, "{\"User\": \"m\", \"Hostname\": \"h\", \"Tty\": true}");
    cr_expect_str_eq(plan_test_load(compose)->services[0].image, "deep");
    cr_expect(string_list_contains(&plan_test_load(compose)->files, "common/base.yaml"));
}

Test(compose_extends, resolves_paths_beside_the_file_they_stand_in) {
    plan_test_write("common/conf", "x");
    plan_test_write("common/a.env", "A=1\n");
    plan_test_write("common/base.yaml",
                    "services: {base: {image: i, volumes: ['./conf:/c'], env_file: a.env}}\n");
    const char *compose = "services:\n  s: {extends: {file: ./common/base.yaml, service: base}}\n";
    expect_mounts(compose, "bind /common/conf -> /c\n");
    expect_config(compose, "{\"Env\": [\"A=1\"]}");
}

Test(compose_extends, reads_a_file_once_however_many_extend_from_it) {
    plan_test_write("base.yaml", "services: {base: {image: i, user: $ASSAY_TEST_NONE}}\n");
    const struct plan *plan =
        plan_test_load("services:\n  a: {extends: {file: base.yaml, service: base}}\n"
                       "  b: {extends: {file: ./base.yaml, service: base}}\n");
    cr_expect_eq(plan->service_count, 2);
    cr_expect_eq(plan->files.count, 2);
    cr_expect_eq(plan->warnings.count, 1);
}

Test(compose_extends, bounds_the_chain) {
    struct text chain = {0};
    text_append(&chain, "services:\n  s40: {image: i}\n");
    for (int i = 0; i < 40; i++)
        text_appendf(&chain, "  s%d: {extends: s%d}\n", i, i + 1);
    expect_error(text_string(&chain),
                 "compose.yaml:34:18: services extend each other more than 32 times");
    text_done(&chain);
}

Test(compose_extends, lets_two_services_extend_one) {
    const struct plan *plan = plan_test_load("services:\n  a: {extends: base, user: a}\n"
                                             "  b: {extends: base}\n  base: {image: i, user: x}\n");
    cr_expect_str_eq(json_string_value(json_object_get(plan->services[0].config, "User")), "a");
    cr_expect_str_eq(json_string_value(json_object_get(plan->services[1].config, "User")), "x");
}

Test(compose_extends, says_what_is_wrong_and_where) {
    plan_test_write("other.yaml",
                    "services: {loop: {extends: {file: compose.yaml, service: s}}}\n");
    static const struct text_case cases[] = {
        {"services:\n  s: {extends: bas}\n  base: {image: i}\n",
         "compose.yaml:2:16: extends: there is no service \"bas\" in compose.yaml; did you mean "
         "\"base\"?"},
        {"services:\n  s: {extends: a}\n  a: {extends: b}\n  b: {extends: a}\n",
         "compose.yaml:4:16: services extend each other in a circle: a (compose.yaml) -> b "
         "(compose.yaml) -> a (compose.yaml)"},
        {"services:\n  s: {extends: {file: other.yaml, service: loop}}\n",
         "other.yaml:1:28: services extend each other in a circle: s (compose.yaml) -> loop "
         "(other.yaml) -> s (compose.yaml)"},
        {"services:\n  s: {extends: {file: other.yaml}}\n",
         "compose.yaml:2:16: services.s.extends: service is missing"},
        {"services:\n  s: {extends: {file: other.yaml, service: x}}\n",
         "compose.yaml:2:16: extends: there is no service \"x\" in other.yaml"},
        {"services:\n  s: {extends: {file: none.yaml, service: x}}\n",
         "none.yaml: cannot read it: No such file or directory (named by extends in "
         "compose.yaml:2:16)"},
        {"services:\n  s: {extends: {file: compose.yaml, service: x}}\n",
         "compose.yaml:2:16: extends: leave out file: to extend a service of this file"},
        {"services:\n  s: {extends: [a]}\n", "compose.yaml:2:16: services.s.extends: expected a "
                                             "single value or a mapping, found a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}
