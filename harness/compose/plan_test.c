#include "compose/plan.h"

#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(plan, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

static const struct plan *devstack(const char *profile) {
    return plan_test_load_files(
        (const char *const[]){ASSAY_SOURCE_FOLDER "/fixtures/devstack/compose.yaml", NULL},
        (const char *const[]){profile, NULL});
}

Test(plan, reads_the_bundled_stack_in_each_profile) {
    static const char *const profiles[] = {"minimal", "standard", "full"};
    size_t before = 0;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        const struct plan *plan = devstack(profiles[i]);
        cr_expect_eq(plan->warnings.count, 0, "%s: %s", profiles[i],
                     plan->warnings.count > 0 ? plan->warnings.items[0] : "");
        cr_expect_gt(plan->service_count, before, "each profile holds the one before");
        before = plan->service_count;
        for (size_t j = 0; j < plan->service_count; j++)
            cr_expect_not_null(plan->services[j].kind, "%s", plan->services[j].name);
        for (size_t j = 0; j < plan->secret_count; j++)
            cr_expect(plan->secrets[j].generate, "%s", plan->secrets[j].key);
    }
}

Test(plan, puts_no_password_of_the_bundled_stack_in_an_environment) {
    const struct plan *plan = devstack("full");
    for (size_t i = 0; i < plan->service_count; i++) {
        size_t index = 0;
        json_t *line = NULL;
        json_array_foreach (json_object_get(plan->services[i].config, "Env"), index, line) {
            const char *text = json_string_value(line);
            const bool names_password =
                strstr(text, "PASS") != NULL || strstr(text, "SECRET") != NULL;
            cr_expect(!names_password || strstr(text, "=/run/secrets/") != NULL, "%s", text);
        }
    }
}

Test(plan, borrows_its_marks_from_its_files) {
    const struct plan *plan = plan_test_load(SERVICE("") "networks: {default: }\n");
    cr_expect_eq(plan->services[0].mark.line, 2);
    cr_expect_eq(plan->services[0].mark.column, 3);
    cr_expect_eq(plan->services[0].mark.file, plan->files.items[0]);
    cr_expect_str_eq(plan->networks[0].mark.file, "compose.yaml");
}

Test(plan, finds_a_service_by_name) {
    const struct plan *plan = plan_test_load("services: {a: {image: i}, b: {image: i}}\n");
    cr_expect_str_eq(plan_find(plan, "b")->name, "b");
    cr_expect_null(plan_find(plan, "c"));
}

Test(plan, copies_a_service_by_alias_and_merge_key) {
    const struct plan *plan =
        plan_test_load("x-common: &common {image: i, environment: {A: 1}}\n"
                       "services:\n  a: {<<: *common, user: u}\n  b: *common\n");
    cr_expect_str_eq(plan_find(plan, "a")->image, "i");
    cr_expect_null(json_object_get(plan_find(plan, "b")->config, "User"));
}

Test(plan, is_freed_half_built) {
    plan_free(NULL);
    expect_error("services:\n  a: {image: i, secrets: [x]}\nsecrets: {x: {}}\n",
                 "compose.yaml:3:11: secrets.x: expected exactly one of file, environment (or "
                 "x-assay: {generate: true})");
}
