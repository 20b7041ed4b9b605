#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(service_assay, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

#define ASSAY(value) SERVICE("x-assay: " value)
#define WITH_SECRET "secrets: {pw: {x-assay: {generate: true}}}\n"

static const struct plan_service *first(const char *compose) {
    return &plan_test_load(compose)->services[0];
}

Test(service_assay, finds_the_kind_by_the_image) {
    const struct plan_service *service =
        first("services: {s: {image: 'docker.io/library/postgres:17'}}\n");
    cr_assert_not_null(service->kind);
    cr_expect_str_eq(service->kind->name, "postgres");
    cr_expect_eq(service->port, 5432);
    cr_expect_null(first(SERVICE(""))->kind);
}

Test(service_assay, takes_what_it_is_told) {
    const struct plan_service *service = first(
        ASSAY("{kind: postgres, port: 6432, user: app, database: shop, password: pw, group: g,"
              " prepare: true, substitute: postgres, ready_timeout: 1m30s}") WITH_SECRET);
    cr_expect_str_eq(service->kind->name, "postgres");
    cr_expect_eq(service->port, 6432);
    cr_expect_str_eq(service->user, "app");
    cr_expect_str_eq(service->database, "shop");
    cr_expect_str_eq(service->password, "pw");
    cr_expect_str_eq(service->group, "g");
    cr_expect_str_eq(service->substitute, "postgres");
    cr_expect(service->prepare && !service->form && !service->initialise);
    cr_expect_eq(service->ready_timeout_ms, 90000);
}

Test(service_assay, takes_the_vhost_for_the_database) {
    cr_expect_str_eq(first(ASSAY("{kind: rabbitmq, vhost: app}"))->database, "app");
}

Test(service_assay, can_switch_the_kind_off) {
    cr_expect_null(first("services: {s: {image: postgres, x-assay: {kind: none}}}\n")->kind);
}

Test(service_assay, lists_a_password_although_no_container_mounts_it) {
    const struct plan *plan = plan_test_load(ASSAY("{kind: mysql, root_password: pw}") WITH_SECRET);
    cr_assert_eq(plan->secret_count, 1);
    cr_expect_str_eq(plan->secrets[0].key, "pw");
    cr_expect_str_eq(plan->services[0].root_password, "pw");
}

Test(service_assay, gives_assay_yaml_the_last_word) {
    plan_test_write("assay.yaml", "services: {s: {kind: http, path: /live}}\n");
    const struct plan_service *service = first(ASSAY("{kind: postgres, port: 8080}"));
    cr_expect_str_eq(service->kind->name, "http");
    cr_expect_str_eq(service->path, "/live");
    cr_expect_eq(service->port, 8080);
}

Test(service_assay, names_the_place_in_assay_yaml) {
    plan_test_write("assay.yaml", "services:\n  s:\n    kynd: http\n");
    expect_error(
        SERVICE(""),
        "assay.yaml:3:5: services.s.x-assay: unknown key \"kynd\"; did you mean \"kind\"?");
    plan_test_write("assay.yaml", "services:\n  db: {kind: http}\n");
    expect_error("services: {dbs: {image: i}}\n", "assay.yaml:2:3: services.db: there is no such "
                                                  "service in compose.yaml; did you mean \"dbs\"?");
}

Test(service_assay, says_what_is_wrong_and_where) {
    static const struct text_case cases[] = {
        {ASSAY("{prot: 1}"), "compose.yaml:4:15: services.s.x-assay: unknown key \"prot\"; did you "
                             "mean \"port\"?"},
        {ASSAY("{port: 0}"), "compose.yaml:4:21: services.s.x-assay.port: 0 is not between 1 and "
                             "65535"},
        {ASSAY("{password: pw}"), "compose.yaml:4:25: services.s.x-assay.password: \"pw\" is not "
                                  "declared under secrets: at the top level"},
        {ASSAY("{kind: http, path: health}"), "compose.yaml:4:33: services.s.x-assay.path: a path "
                                              "begins with /, found \"health\""},
        {ASSAY("{ready_timeout: 25h}"), "compose.yaml:4:30: services.s.x-assay.ready_timeout: "
                                        "\"25h\" is not between 1ms and 24h"},
        {ASSAY("{kind: http, form: true}"), "compose.yaml:4:14: services.s.x-assay: form is for "
                                            "redis_cluster, and this is http"},
        {ASSAY("{initialise: true}"), "compose.yaml:4:14: services.s.x-assay: initialise is for "
                                      "openbao, and this is none"},
        {ASSAY("{kind: postgres, path: /x}"), "compose.yaml:4:14: services.s.x-assay: path is for "
                                              "http, and this is postgres"},
        {ASSAY("postgres"), "compose.yaml:4:14: services.s.x-assay: expected a mapping, found a "
                            "single value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(service_assay, lists_the_kinds_when_one_is_unknown) {
    struct error err = {0};
    struct plan *plan = NULL;
    plan_test_write("compose.yaml", ASSAY("{kind: oracle}"));
    cr_assert_not(plan_load(&(const struct plan_options){0}, &plan, &err));
    cr_expect_not_null(strstr(err.message,
                              "compose.yaml:4:21: services.s.x-assay.kind: unknown kind "
                              "\"oracle\"; known are "));
    cr_expect_not_null(strstr(err.message, "postgres"));
    cr_expect_not_null(strstr(err.message, " and none"));
}
