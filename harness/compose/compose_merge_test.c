#include "compose/plan_test_tools.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

TestSuite(compose_merge, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

static const struct plan *merged(const char *base, const char *over) {
    plan_test_write("a.yaml", base);
    plan_test_write("b.yaml", over);
    return plan_test_load_files((const char *const[]){"a.yaml", "b.yaml", NULL}, NULL);
}

static void expect_field(const char *base, const char *over, const char *field,
                         const char *expected) {
    const struct plan_service *service = &merged(base, over)->services[0];
    const json_t *value = json_object_get(service->config, field);
    if (value == NULL)
        value = json_object_get(service->host_config, field);
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    cr_assert_str_eq(text != NULL ? text : "absent", expected, "%s over %s: got %s", over, base,
                     text);
    free(text);
}

#define S(lines) SERVICE(lines)
#define OVER(lines) "services:\n  s:\n    " lines "\n"

Test(compose_merge, replaces_commands_and_single_values) {
    expect_field(S("command: [a, b]"), OVER("command: [c]"), "Cmd", "[\"c\"]");
    expect_field(S("command: [a, b]"), OVER("command: c"), "Cmd", "[\"c\"]");
    expect_field(S("entrypoint: a"), OVER("entrypoint: [b]"), "Entrypoint", "[\"b\"]");
    expect_field(S("user: a"), OVER("user: b"), "User", "\"b\"");
    expect_field(S("healthcheck: {test: a, retries: 2}"), OVER("healthcheck: {test: [CMD, b]}"),
                 "Healthcheck", "{\"Retries\":2,\"Test\":[\"CMD\",\"b\"]}");
}

Test(compose_merge, merges_by_key_whatever_the_syntax) {
    expect_field(S("environment: [A=1, B=1]"), OVER("environment: {B: 2, C: 2}"), "Env",
                 "[\"A=1\",\"B=2\",\"C=2\"]");
    expect_field(S("labels: {a: 1, b: 1}"), OVER("labels: [b=2]"), "Labels",
                 "{\"a\":\"1\",\"b\":\"2\"}");
    expect_field(S("ulimits: {nofile: {soft: 1, hard: 2}}"), OVER("ulimits: {nofile: 3}"),
                 "Ulimits", "[{\"Hard\":3,\"Name\":\"nofile\",\"Soft\":3}]");
}

Test(compose_merge, appends_lists_without_repeating) {
    expect_field(S("cap_add: [A, B]"), OVER("cap_add: [B, C]"), "CapAdd", "[\"A\",\"B\",\"C\"]");
    expect_field(S("dns: 10.0.0.1"), OVER("dns: [10.0.0.2]"), "Dns", "[\"10.0.0.1\",\"10.0.0.2\"]");
    expect_field(S("tmpfs: /a"), OVER("tmpfs: [/b]"), "Tmpfs", "{\"/a\":\"\",\"/b\":\"\"}");
}

Test(compose_merge, replaces_a_volume_with_the_same_target) {
    const struct plan_service *service =
        &merged(S("volumes: ['x:/d', 'x:/e']") "volumes: {x: , y: }\n",
                OVER("volumes: [{type: volume, source: y, target: /d}]"))
             ->services[0];
    cr_assert_eq(service->mount_count, 2);
    cr_expect_str_eq(service->mounts[0].source, "y");
    cr_expect_str_eq(service->mounts[1].source, "x");
}

Test(compose_merge, merges_dependencies_and_networks_whatever_the_syntax) {
    const struct plan *plan =
        merged(S("depends_on: [d]\n    networks: [n]") "  d: {image: i}\nnetworks: {n: , m: }\n",
               OVER("depends_on: {d: {condition: service_healthy}}\n    networks: {m: }"));
    const struct plan_service *service = plan_find(plan, "s");
    cr_assert_eq(service->dependency_count, 1);
    cr_expect_eq(service->dependencies[0].condition, DEPENDS_HEALTHY);
    cr_expect_eq(service->attachment_count, 2);
}

Test(compose_merge, resets_what_is_tagged) {
    expect_field(S("cap_add: [A]"), OVER("cap_add: !reset []"), "CapAdd", "absent");
    expect_field(S("environment: {A: 1, B: 1}"), OVER("environment: {A: !reset null}"), "Env",
                 "[\"B=1\"]");
    expect_field(S("user: !reset a"), OVER("tty: true"), "User", "absent");
}

Test(compose_merge, replaces_what_is_tagged) {
    expect_field(S("cap_add: [A]"), OVER("cap_add: !override [B]"), "CapAdd", "[\"B\"]");
    expect_field(S("environment: {A: 1}"), OVER("environment: !override [B=2]"), "Env",
                 "[\"B=2\"]");
}

Test(compose_merge, leaves_what_the_second_file_says_nothing_about) {
    expect_field(S("user: a"), OVER("user:"), "User", "\"a\"");
    expect_field(S("user: a"), "services:\n  s:\n", "User", "\"a\"");
    cr_expect_eq(merged(S("user: a"), "services: {t: {image: i}}\n")->service_count, 2);
}

Test(compose_merge, names_both_places_of_shapes_that_do_not_fit) {
    plan_test_write("a.yaml", S("x-a: {b: 1}"));
    plan_test_write("b.yaml", OVER("x-a: [b]"));
    const struct plan_options options = {.files = (const char *const[]){"a.yaml", "b.yaml", NULL}};
    struct plan *plan = NULL;
    struct error err = {0};
    cr_assert_not(plan_load(&options, &plan, &err));
    cr_assert_str_eq(err.message, "b.yaml:3:10: services.s.x-a: a list cannot be merged with a "
                                  "mapping of a.yaml:4; write !override to replace it");
}

static void expect_unmergeable(const char *base, const char *over, const char *message) {
    struct error err = {0};
    struct plan *plan = NULL;
    plan_test_write("a.yaml", base);
    plan_test_write("b.yaml", over);
    const struct plan_options options = {.files = (const char *const[]){"a.yaml", "b.yaml", NULL}};
    cr_assert_not(plan_load(&options, &plan, &err));
    cr_assert_str_eq(err.message, message, "got %s", err.message);
}

Test(compose_merge, refuses_a_text_in_place_of_a_mapping) {
    expect_unmergeable(S("deploy: {resources: {limits: {pids: 1}}}"),
                       OVER("deploy: {resources: 1}"),
                       "b.yaml:3:25: services.s.deploy.resources: a single value cannot be merged "
                       "with a mapping of a.yaml:4; write !override to replace it");
}

static char *variables_from(int first, int last, const char *before) {
    struct text lines = {0};
    text_append(&lines, before);
    for (int i = first; i < last; i++)
        text_appendf(&lines, "      V%d: 1\n", i);
    return text_take(&lines);
}

Test(compose_merge, bounds_the_keys_of_two_files_together) {
    char *base = variables_from(0, 1500, "services:\n  s:\n    image: i\n    environment:\n");
    char *over = variables_from(1500, 3000, "services:\n  s:\n    environment:\n");
    expect_unmergeable(base, over, "b.yaml:552:7: services.s.environment: more than 2048 keys");
    free(base);
    free(over);
}

Test(compose_merge, bounds_the_keys_of_a_list) {
    struct text list = {0};
    text_append(&list, "services:\n  s:\n    image: i\n    environment:\n");
    for (int i = 0; i < 2049; i++)
        text_appendf(&list, "      - V%d=1\n", i);
    expect_error(text_string(&list),
                 "compose.yaml:2053:9: services.s.environment: more than 2048 of them");
    text_done(&list);
}
