#define _GNU_SOURCE
#include "compose/compose.h"

#include "base/text.h"
#include "compose/environment_file.h"
#include "compose/plan_test_tools.h"
#include "compose/variables.h"
#include "compose/yaml.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(compose, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

static const char *image(const char *service) {
    const struct plan_service *found = plan_find(plan_test_load_files(NULL, NULL), service);
    return found != NULL ? found->image : "(none)";
}

Test(compose, finds_the_file_by_its_usual_names) {
    plan_test_write("docker-compose.yml", "services: {s: {image: old}}\n");
    cr_expect_str_eq(image("s"), "old");
    plan_test_write("compose.yaml", "services: {s: {image: new}}\n");
    cr_expect_str_eq(image("s"), "new");
    plan_test_write("compose.override.yaml", "services: {s: {image: over}}\n");
    cr_expect_str_eq(image("s"), "over");
}

Test(compose, says_so_when_there_is_none) {
    struct error err = {0};
    struct plan *plan = NULL;
    cr_assert_not(plan_load(&(const struct plan_options){0}, &plan, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_str_eq(err.message,
                     ".: no compose.yaml, compose.yml or docker-compose.yaml here; name "
                     "one with --compose FILE");
}

Test(compose, fills_in_variables_of_the_process_over_those_of_the_dotenv_file) {
    plan_test_write(".env", "ASSAY_TEST_A=file\nASSAY_TEST_B=${ASSAY_TEST_A}\n");
    plan_test_write("compose.yaml", "services: {s: {image: '$ASSAY_TEST_A-$ASSAY_TEST_B'}}\n");
    cr_expect_str_eq(image("s"), "file-file");
    setenv("ASSAY_TEST_A", "process", 1);
    cr_expect_str_eq(image("s"), "process-file");
}

Test(compose, fills_in_values_but_not_keys) {
    setenv("ASSAY_TEST_A", "x", 1);
    expect_config(SERVICE("labels: {$ASSAY_TEST_A: $ASSAY_TEST_A}"),
                  "{\"Labels\": {\"$ASSAY_TEST_A\": \"x\"}}");
}

Test(compose, gives_the_place_of_a_variable) {
    expect_warning(SERVICE("user: $ASSAY_TEST_NONE"),
                   "compose.yaml:4:11: the variable ASSAY_TEST_NONE is not set; an empty string "
                   "stands in its place");
    expect_error(
        SERVICE("user: '${ASSAY_TEST_NONE:?tell me}'"),
        "compose.yaml:4:11: the variable ASSAY_TEST_NONE is required and has no value: tell "
        "me");
    expect_error(SERVICE("user: ${A"),
                 "compose.yaml:4:11: \"${A\" has no closing brace; write $$ for a dollar");
}

Test(compose, names_the_project) {
    plan_test_write("My Shop.2/compose.yaml",
                    "services: {s: {image: '${COMPOSE_PROJECT_NAME}'}}\n");
    const char *const files[] = {"My Shop.2/compose.yaml", NULL};
    cr_expect_str_eq(plan_test_load_files(files, NULL)->name, "myshop2");
    cr_expect_str_eq(plan_test_load_files(files, NULL)->services[0].image, "myshop2");
    setenv("COMPOSE_PROJECT_NAME", "given", 1);
    cr_expect_str_eq(plan_test_load_files(files, NULL)->name, "given");
    expect_error(
        "name: Shop\nservices: {s: {image: i}}\n",
        "compose.yaml:1:7: name: \"Shop\" may hold lower-case letters, digits, '-' and '_', "
        "and begins with a letter or digit");
}

Test(compose, resolves_paths_from_the_first_files_folder) {
    plan_test_write("a/conf", "x");
    plan_test_write("a/compose.yaml", "services: {s: {image: i}}\n");
    plan_test_write("b/over.yaml", "services: {s: {volumes: ['./conf:/c']}}\n");
    const char *const files[] = {"a/compose.yaml", "b/over.yaml", NULL};
    const struct plan *plan = plan_test_load_files(files, NULL);
    cr_expect_not_null(strstr(plan->services[0].mounts[0].source, "/a/conf"));
    cr_expect_str_eq(plan->services[0].mounts[0].mark.file, "b/over.yaml");
}

Test(compose, includes_other_files_with_their_own_folder_and_variables) {
    plan_test_write("sub/.env", "ASSAY_TEST_IMAGE=from-sub\n");
    plan_test_write("sub/conf", "x");
    plan_test_write("sub/compose.yaml",
                    "services:\n  db: {image: $ASSAY_TEST_IMAGE, volumes: ['./conf:/c']}\n");
    plan_test_write("compose.yaml", "include: [sub/compose.yaml]\n"
                                    "services: {web: {image: i, depends_on: [db]}}\n");
    const struct plan *plan = plan_test_load_files(NULL, NULL);
    cr_expect_str_eq(plan->services[0].image, "from-sub");
    cr_expect_not_null(strstr(plan->services[0].mounts[0].source, "/sub/conf"));
    cr_expect_str_eq(plan->services[0].mark.file, "sub/compose.yaml");
}

Test(compose, includes_with_a_folder_and_variables_of_choice) {
    plan_test_write("x.env", "ASSAY_TEST_IMAGE=from-x\n");
    plan_test_write("conf", "x");
    plan_test_write("sub/a.yaml",
                    "services:\n  db: {image: $ASSAY_TEST_IMAGE, volumes: ['./conf:/c']}\n");
    plan_test_write("sub/b.yaml", "services: {db: {user: u}}\n");
    plan_test_write("compose.yaml", "include:\n  - path: [sub/a.yaml, sub/b.yaml]\n"
                                    "    project_directory: .\n    env_file: x.env\n"
                                    "services: {db: {hostname: h}}\n");
    const struct plan *plan = plan_test_load_files(NULL, NULL);
    cr_expect_str_eq(plan->services[0].image, "from-x");
    cr_expect_str_eq(json_string_value(json_object_get(plan->services[0].config, "User")), "u");
    cr_expect_str_eq(json_string_value(json_object_get(plan->services[0].config, "Hostname")), "h");
}

Test(compose, refuses_what_it_cannot_include) {
    plan_test_write("a.yaml", "include: [b.yaml]\n");
    plan_test_write("b.yaml", "include: [a.yaml]\n");
    static const struct text_case cases[] = {
        {"include: [a.yaml]\n", "b.yaml:1:11: a.yaml includes itself"},
        {"include: [none.yaml]\n", "none.yaml: cannot read it: No such file or directory (included "
                                   "by compose.yaml:1:11)"},
        {"include: a.yaml\n", "compose.yaml:1:10: include: expected a list, found a single value"},
        {"include: [{path: a.yaml, env_file: none.env}]\n",
         "none.env: cannot read it: No such file or directory"},
        {"include: [{path: {a: b}}]\n",
         "compose.yaml:1:18: include.path: expected a single value, found a mapping"},
        {"include: [{file: a.yaml}]\n", "compose.yaml:1:12: include: unknown key \"file\""},
        {"include: [{env_file: a}]\n", "compose.yaml:1:11: include: path is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(compose, warns_of_keys_that_nobody_knows) {
    expect_warning(
        "servics: {}\n" SERVICE(""),
        "compose.yaml:1:1: unknown key \"servics\", left out; did you mean \"services\"?");
    expect_warning(
        SERVICE("enviroment: {}"),
        "compose.yaml:4:5: services.s: unknown key \"enviroment\", left out; did you mean "
        "\"environment\"?");
    expect_warning(SERVICE("quux: {}"),
                   "compose.yaml:4:5: services.s: unknown key \"quux\", left out");
    expect_no_warning("version: '3.8'\nx-mine: {a: b}\n" SERVICE("x-own: 1"));
}

Test(compose, refuses_what_is_no_compose_file) {
    static const struct text_case cases[] = {
        {"", "compose.yaml: the file is empty"},
        {"- a\n", "compose.yaml:1:1: expected a mapping with services: in it, found a list"},
        {"services: [a]\n", "compose.yaml:1:11: services: expected a mapping, found a list"},
        {"services: {s: x}\n",
         "compose.yaml:1:15: services.s: expected a mapping, found a single value"},
        {"services: {'a/b': {}}\n",
         "compose.yaml:1:12: services.a/b: a name is letters, digits, '.', '_' and '-'"},
        {"services:\n  a: {image: i}\n  a: {image: j}\n",
         "compose.yaml:3:3: the key \"a\" was given before, in line 2"},
        {"services:\n  a: {image: i\n",
         "compose.yaml:3:1: not YAML: missing comma in flow mapping"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(compose, bounds_what_files_can_blow_up_to) {
    struct text bomb = {0};
    text_append(&bomb, "services:\n  s0: {image: i, labels: {a: 1, b: 2, c: 3, d: 4}}\n");
    for (int i = 1; i <= 31; i++)
        text_appendf(&bomb, "  s%d: {extends: s%d, labels: {x%d: 1, y%d: 1}}\n", i, i - 1, i, i);
    plan_test_load(text_string(&bomb));
    text_append(&bomb, "  z: {image: i}\n");
    for (int i = 0; i < 1500; i++)
        text_appendf(&bomb, "  t%d: {extends: s31}\n", i);
    struct error err = {0};
    struct plan *plan = NULL;
    plan_test_write("compose.yaml", text_string(&bomb));
    cr_assert_not(plan_load(&(const struct plan_options){0}, &plan, &err));
    cr_expect_not_null(strstr(err.message, "more than 100000 values"), "%s", err.message);
    text_done(&bomb);
}

Test(compose, names_a_project_even_where_its_folder_has_no_letter) {
    plan_test_write("+/compose.yaml", SERVICE("init: true"));
    const struct plan *plan =
        plan_test_load_files((const char *const[]){"+/compose.yaml", NULL}, NULL);
    cr_assert_str_eq(plan->name, "project");
}

Test(compose, leaves_out_a_section_that_is_like_no_other) {
    expect_warning(SERVICE("init: true") "entirely_else: 1\n",
                   "compose.yaml:5:1: unknown key \"entirely_else\", left out");
}

Test(compose, a_volume_that_is_reset_is_none) {
    expect_no_warning(SERVICE("init: true") "volumes: {v: !reset null, x-v: {}}\n");
}

// Convention 4: what failed half way is freed like the rest.
Test(compose, destructors_take_null) {
    compose_done(NULL);
    environment_writer_free(NULL);
    variables_done(NULL);
    yaml_arena_done(NULL);
}
