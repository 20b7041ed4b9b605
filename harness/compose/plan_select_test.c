#define _GNU_SOURCE
#include "compose/plan_test_tools.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(plan_select, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

static const char stack[] = "services:\n"
                            "  always: {image: i}\n"
                            "  db: {image: i, profiles: [data, full]}\n"
                            "  web: {image: i, profiles: [web], depends_on: [db]}\n"
                            "  tool: {image: i, profiles: [tools], depends_on: [always]}\n";

static void expect_selected(const char *const *profiles, const char *const *services,
                            const char *expected) {
    const struct plan_options options = {.profiles = profiles, .services = services};
    struct plan *plan = NULL;
    struct error err = {0};
    struct text names = {0};
    plan_test_write("compose.yaml", stack);
    if (!plan_load(&options, &plan, &err))
        text_append(&names, err.message);
    for (size_t i = 0; plan != NULL && i < plan->service_count; i++)
        text_appendf(&names, "%s%s", i > 0 ? " " : "", plan->services[i].name);
    cr_assert_str_eq(text_string(&names), expected, "got %s", text_string(&names));
    text_done(&names);
    plan_free(plan);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(plan_select, enables_what_has_no_profile_or_one_of_those) {
    expect_selected(NULL, NULL, "always");
    expect_selected(NAMES("full"), NULL, "always db");
    expect_selected(NAMES("web", "data"), NULL, "always db web");
    expect_selected(NAMES("web,data"), NULL, "always db web");
    expect_selected(NAMES("*"), NULL, "always db web tool");
}

Test(plan_select, reads_profiles_from_the_environment) {
    setenv("COMPOSE_PROFILES", "full,tools", 1);
    expect_selected(NULL, NULL, "always db tool");
    expect_selected(NAMES("data"), NULL, "always db");
}

Test(plan_select, takes_a_named_service_with_what_it_needs) {
    expect_selected(NULL, NAMES("tool"), "always tool");
    expect_selected(NAMES("data"), NAMES("web"), "db web");
}

Test(plan_select, follows_links_of_a_named_service) {
    plan_test_write("compose.yaml", "services:\n  a: {image: i, links: ['b:x']}\n  b: {image: i}\n"
                                    "  c: {image: i}\n");
    const struct plan_options options = {.services = NAMES("a")};
    struct plan *plan = NULL;
    struct error err = {0};
    cr_assert(plan_load(&options, &plan, &err), "%s", err.message);
    cr_expect_eq(plan->service_count, 2);
    plan_free(plan);
}

Test(plan_select, refuses_a_dependency_that_is_not_enabled) {
    expect_selected(
        NULL, NAMES("web"),
        "compose.yaml:4:49: services.web.depends_on: the service \"db\" is not enabled; "
        "it has the profile \"data\"");
}

Test(plan_select, knows_no_service_of_another_name) {
    expect_selected(NULL, NAMES("alway"),
                    "compose.yaml: there is no service \"alway\"; did you mean \"always\"?");
}

Test(plan_select, says_which_profiles_there_are_when_none_is_enabled) {
    expect_error("services: {a: {image: i, profiles: [x, y]}}\n",
                 "compose.yaml:1:11: no service is enabled: choose a profile of x, y");
    expect_error("services: {}\n", "compose.yaml:1:11: there are no services in it");
    expect_error("name: a\n", "compose.yaml:1:1: there are no services in it");
}

Test(plan_select, warns_of_a_profile_that_no_service_has) {
    plan_test_write("compose.yaml", stack);
    const struct plan *plan = plan_test_load_files(NULL, NAMES("fulll"));
    cr_assert_eq(plan->warnings.count, 1);
    cr_expect_str_eq(plan->warnings.items[0],
                     "compose.yaml: no service has the profile \"fulll\"; did you mean \"full\"?");
    const struct plan *other = plan_test_load_files(NULL, NAMES("nope"));
    cr_assert_eq(other->warnings.count, 1);
    cr_expect_str_eq(
        other->warnings.items[0],
        "compose.yaml: no service has the profile \"nope\"; there are: data, full, web, tools");
}

Test(plan_select, a_service_whose_name_begins_with_x_is_none) {
    const struct plan *plan = plan_test_load("services:\n  x-base: {image: i}\n  s: {image: i}\n");
    cr_assert_eq(plan->service_count, 1);
    cr_assert_str_eq(plan->services[0].name, "s");
}

Test(plan_select, profiles_are_a_list_of_texts) {
    expect_error(
        SERVICE("profiles: [[a]]"),
        "compose.yaml:4:16: services.s.profiles[0]: expected a single value, found a list");
}
