#include "compose/plan_test_tools.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(plan_connect, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

// "db web(db:healthy)": services in order, each with what it waits for.
static void expect_order(const char *compose, const char *expected) {
    static const char *const conditions[] = {"started", "healthy", "completed"};
    const struct plan *plan = plan_test_load(compose);
    struct text text = {0};
    for (size_t i = 0; i < plan->service_count; i++) {
        const struct plan_service *service = &plan->services[i];
        text_appendf(&text, "%s%s", i > 0 ? " " : "", service->name);
        for (size_t j = 0; j < service->dependency_count; j++) {
            const struct plan_dependency *dependency = &service->dependencies[j];
            text_appendf(&text, "(%s:%s%s)", plan->services[dependency->service].name,
                         conditions[dependency->condition], dependency->required ? "" : "?");
        }
    }
    cr_assert_str_eq(text_string(&text), expected, "got %s", text_string(&text));
    text_done(&text);
}

Test(plan_connect, puts_dependencies_first_and_else_keeps_the_order) {
    expect_order("services:\n  web: {image: i, depends_on: [api]}\n  z: {image: i}\n"
                 "  api: {image: i, depends_on: [db]}\n  db: {image: i}\n",
                 "db api(db:started) web(api:started) z");
}

Test(plan_connect, reads_conditions) {
    expect_order("services:\n  web:\n    image: i\n    depends_on:\n"
                 "      db: {condition: service_healthy, restart: true}\n"
                 "      job: {condition: service_completed_successfully, required: false}\n"
                 "      gone: {condition: service_started, required: false}\n"
                 "  db: {image: i}\n  job: {image: i}\n",
                 "db job web(db:healthy)(job:completed?)");
}

Test(plan_connect, takes_a_link_for_a_dependency_and_an_alias) {
    const char *linked = "services:\n  web: {image: i, links: ['db:database', cache]}\n"
                         "  db: {image: i}\n  cache: {image: i}\n";
    expect_order(linked, "db cache web(db:started)(cache:started)");
    const struct plan_service *db = plan_find(plan_test_load(linked), "db");
    cr_expect_str_eq(db->attachments[0].aliases[1], "database");
    cr_expect_null(db->attachments[0].aliases[2]);
}

Test(plan_connect, what_depends_on_says_of_a_linked_service_holds) {
    expect_order("services:\n  web:\n    image: i\n    links: [db]\n"
                 "    depends_on: {db: {condition: service_completed_successfully}}\n"
                 "  db: {image: i}\n",
                 "db web(db:completed)");
}

Test(plan_connect, two_links_of_one_name_give_it_once) {
    const char *linked = "services:\n  web: {image: i, links: ['db:database']}\n"
                         "  api: {image: i, links: ['db:database']}\n  db: {image: i}\n";
    const struct plan_service *db = plan_find(plan_test_load(linked), "db");
    cr_expect_str_eq(db->attachments[0].aliases[1], "database");
    cr_expect_null(db->attachments[0].aliases[2]);
}

Test(plan_connect, prints_a_circle) {
    expect_error("services:\n  x: {image: i, depends_on: [a]}\n"
                 "  a: {image: i, depends_on: [b]}\n  b: {image: i, depends_on: [c]}\n"
                 "  c: {image: i, depends_on: [a]}\n",
                 "compose.yaml:5:30: services depend on each other in a circle: a -> b -> c -> a");
    expect_error("services:\n  a: {image: i, depends_on: [a]}\n",
                 "compose.yaml:2:30: services depend on each other in a circle: a -> a");
}

Test(plan_connect, says_what_is_wrong_and_where) {
    static const struct text_case cases[] = {
        {SERVICE("depends_on: [d]") "  db: {image: i}\n",
         "compose.yaml:4:18: services.s.depends_on: there is no service \"d\"; did you mean "
         "\"db\"?"},
        {SERVICE("depends_on: [other]"),
         "compose.yaml:4:18: services.s.depends_on: there is no service \"other\""},
        {SERVICE("depends_on: {d: {condition: healthy}}") "  d: {image: i}\n",
         "compose.yaml:4:33: services.s.depends_on: unknown condition \"healthy\"; known are "
         "service_started, service_healthy and service_completed_successfully"},
        {SERVICE("depends_on: {d: {condition: service_healthy}}") "  d: {image: i, healthcheck: "
                                                                  "{disable: true}}\n",
         "compose.yaml:4:18: services.s.depends_on: \"d\" can never be healthy: its health check "
         "is "
         "switched off"},
        {SERVICE("links: [d]"), "compose.yaml:4:13: services.s.links: there is no service \"d\""},
        {"services:\n  redis-1: {image: i}\n  redis_1: {image: i}\n",
         "compose.yaml:3:3: services.redis_1: reads like \"redis-1\" in the environment file "
         "(ASSAY_REDIS_1_…); rename one"},
        {"services:\n  a: {image: i, x-assay: {kind: http, group: g}}\n"
         "  b: {image: i, x-assay: {kind: mysql, group: g}}\n",
         "compose.yaml:3:3: services.b: in the group \"g\" with \"a\", but of another kind"},
        {"services:\n  a: {image: i, networks: {n: {ipv4_address: 10.5.0.5}}}\n"
         "  b: {image: i, networks: {n: {ipv4_address: 10.5.0.5}}}\n"
         "networks: {n: {ipam: {config: [{subnet: 10.5.0.0/24}]}}}\n",
         "compose.yaml:3:3: services.b: has the same ipv4_address as \"a\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}
