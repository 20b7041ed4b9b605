#include "compose/settings.h"

#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>

static struct settings *settings;

static void clear(void) {
    settings_free(settings);
    plan_test_leave();
}

TestSuite(settings, .init = plan_test_folder, .fini = clear, .timeout = 120);

static void load(const char *path) {
    struct error err = {0};
    cr_assert(settings_load(path, &settings, &err), "%s", err.message);
}

static void expect_refused(const char *content, const char *message) {
    struct error err = {0};
    plan_test_write("assay.yaml", content);
    cr_assert_not(settings_load("assay.yaml", &settings, &err));
    cr_assert_str_eq(err.message, message, "got %s", err.message);
}

Test(settings, reads_every_section) {
    plan_test_write("deploy/assay.yaml", "compose: [compose.yaml, /abs.yaml]\nprofiles: standard\n"
                                         "suites: [suites/orders]\nservices: {db: {kind: mysql}}\n"
                                         "backup: {smoke: []}\nx-mine: {a: b}\n");
    load("deploy/assay.yaml");
    cr_expect_str_eq(settings->compose.items[0], "deploy/compose.yaml");
    cr_expect_str_eq(settings->compose.items[1], "/abs.yaml");
    cr_expect_str_eq(settings->profiles.items[0], "standard");
    cr_expect_str_eq(settings->suites.items[0], "deploy/suites/orders");
    cr_expect_not_null(yaml_get(settings->services, "db"));
    cr_expect_not_null(yaml_get(settings->backup, "smoke"));
}

Test(settings, may_be_empty) {
    plan_test_write("assay.yaml", "# nothing yet\n");
    load("assay.yaml");
    cr_expect_null(settings->services);
}

Test(settings, says_what_is_wrong_and_where) {
    expect_refused("servces: {}\n",
                   "assay.yaml:1:1: unknown key \"servces\"; did you mean \"services\"?");
    expect_refused("a: 1\n", "assay.yaml:1:1: unknown key \"a\"; known are backup, compose, "
                             "profiles, services and suites");
    expect_refused("backup: [a]\n", "assay.yaml:1:9: backup: expected a mapping, found a list");
    expect_refused("services: [a]\n",
                   "assay.yaml:1:11: services: expected a mapping, found a list");
    expect_refused("services: {a: b}\n",
                   "assay.yaml:1:15: services.a: expected a mapping, found a single value");
    expect_refused("profiles: {a: b}\n",
                   "assay.yaml:1:11: profiles: expected a list, found a mapping");
    expect_refused("- a\n", "assay.yaml:1:1: expected a mapping, found a list");
    expect_refused("a: [\n", "assay.yaml:2:1: not YAML: flow sequence without a closing bracket");
}

Test(settings, chooses_the_compose_file_and_profiles) {
    plan_test_write("assay.yaml", "compose: deploy/stack.yaml\nprofiles: [full]\n");
    plan_test_write("deploy/stack.yaml",
                    "name: x\nservices: {a: {image: i}, b: {image: i, profiles: [full]}}\n");
    const struct plan *plan = plan_test_load_files(NULL, NULL);
    cr_expect_str_eq(plan->name, "x");
    cr_expect_eq(plan->service_count, 2);
    const struct plan *none = plan_test_load_files(NULL, (const char *const[]){NULL});
    cr_expect_eq(none->service_count, 1, "the command's profiles, although none, win");
}
