#define _GNU_SOURCE
#include "image/prepared_key.h"

#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(prepared_key, .init = ground_set_up, .fini = ground_tear_down);

static json_t *image(const char *id) {
    return json_pack("{s:s, s:{s:{s:s}}}", "Id", id, "Config", "Labels", "io.assay.recipe", "x");
}

static struct plan_service service(void) {
    return (struct plan_service){
        .name = (char *)(uintptr_t) "postgres",
        .prepare = true,
        .port = 5432,
        .config = json_pack("{s:[s], s:[s]}", "Env", "A=1", "Cmd", "run"),
        .host_config = json_pack("{s:i}", "Memory", 1000),
    };
}

static char *key_of(const struct plan *plan, const struct plan_service *service,
                    const json_t *image) {
    char *key = calloc(1, DIGEST_HEX_SIZE);
    struct error err = {0};
    cr_assert(prepared_key(plan, service, image, key, &err), "%s", err.message);
    return key;
}

Test(prepared_key, does_not_depend_on_the_order_of_settings) {
    const struct plan plan = {0};
    struct plan_service one = service();
    struct plan_service other = service();
    other.config = json_pack("{s:[s], s:[s]}", "Cmd", "run", "Env", "A=1");
    cr_expect_str_eq(key_of(&plan, &one, image("i")), key_of(&plan, &other, image("i")));
}

Test(prepared_key, is_another_for_every_setting_that_changes) {
    const struct plan plan = {0};
    struct plan_service changed[7];
    for (size_t i = 0; i < 7; i++)
        changed[i] = service();
    changed[1].config = json_pack("{s:[s], s:[s]}", "Env", "A=2", "Cmd", "run");
    changed[2].host_config = json_pack("{s:i}", "Memory", 2000);
    changed[3].user = changed[3].name;
    changed[4].database = changed[4].name;
    changed[5].port = 5433;
    changed[6].password = changed[6].name;
    char *keys[8];
    for (size_t i = 0; i < 7; i++)
        keys[i] = key_of(&plan, &changed[i], image("i"));
    keys[7] = key_of(&plan, &changed[0], image("another image"));
    for (size_t i = 0; i < 8; i++)
        for (size_t j = i + 1; j < 8; j++)
            cr_expect_str_neq(keys[i], keys[j], "%zu and %zu", i, j);
}

static struct plan_mount bind(const char *source) {
    return (struct plan_mount){.type = MOUNT_BIND,
                               .source = (char *)(uintptr_t)source,
                               .target = (char *)(uintptr_t) "/etc/app"};
}

Test(prepared_key, sees_the_content_of_a_bind_mount_and_not_its_path) {
    free(ground_file("one/init.sql", "SELECT 1", 0644));
    free(ground_file("two/init.sql", "SELECT 1", 0600));
    struct plan_mount mounts[2] = {bind(ground_path("one")), bind(ground_path("two"))};
    const struct plan plan = {0};
    struct plan_service one = service();
    struct plan_service two = service();
    one.mounts = &mounts[0];
    two.mounts = &mounts[1];
    one.mount_count = two.mount_count = 1;
    char *before = key_of(&plan, &one, image("i"));
    cr_expect_str_eq(before, key_of(&plan, &two, image("i")));
    free(ground_file("two/init.sql", "SELECT 2", 0600));
    cr_expect_str_neq(before, key_of(&plan, &two, image("i")));
}

// A configuration that was changed must not be overlooked by an image that was prepared before.
Test(prepared_key, sees_the_content_of_a_config_wherever_it_comes_from) {
    struct plan_content config = {.key = (char *)(uintptr_t) "c"};
    struct plan_mount mount = {
        .type = MOUNT_CONFIG, .source = config.key, .target = (char *)(uintptr_t) "/etc/app.conf"};
    const struct plan plan = {.configs = &config, .config_count = 1};
    struct plan_service each = service();
    char *keys[6];
    each.mounts = &mount;
    each.mount_count = 1;
    config.content = (char *)(uintptr_t) "one";
    keys[0] = key_of(&plan, &each, image("i"));
    config.content = (char *)(uintptr_t) "two";
    keys[1] = key_of(&plan, &each, image("i"));
    config.content = NULL;
    config.environment = (char *)(uintptr_t) "ASSAY_TEST_CONFIG";
    setenv("ASSAY_TEST_CONFIG", "three", 1);
    keys[2] = key_of(&plan, &each, image("i"));
    setenv("ASSAY_TEST_CONFIG", "four", 1);
    keys[3] = key_of(&plan, &each, image("i"));
    config.environment = NULL;
    config.file = ground_file("app.conf", "five", 0644);
    keys[4] = key_of(&plan, &each, image("i"));
    free(ground_file("app.conf", "six", 0644));
    keys[5] = key_of(&plan, &each, image("i"));
    for (size_t i = 0; i < 6; i++)
        for (size_t j = i + 1; j < 6; j++)
            cr_expect_str_neq(keys[i], keys[j], "%zu and %zu", i, j);
}

static void assert_obstacle(const struct plan *plan, const struct plan_service *service,
                            const json_t *image, const char *part) {
    char *obstacle = prepared_obstacle(plan, service, image);
    cr_assert_not_null(obstacle, "nothing stood against it: %s", part);
    cr_expect_not_null(strstr(obstacle, part), "%s", obstacle);
    free(obstacle);
}

Test(prepared_key, names_what_stands_against_preparing_a_service) {
    const struct plan plan = {.folder = (char *)(uintptr_t) "/project"};
    const json_t *recipe = image("i");
    struct plan_service each = service();
    cr_expect_null(prepared_obstacle(&plan, &each, recipe));
    assert_obstacle(&plan, &each, json_pack("{s:s}", "Id", "i"), "not one of assay's recipes");
    assert_obstacle(&plan, &each,
                    json_pack("{s:s, s:{s:{s:s, s:s}}}", "Id", "i", "Config", "Labels",
                              "io.assay.recipe", "x", "io.assay.prepared", "y"),
                    "a prepared one already");
    each.prepare = false;
    assert_obstacle(&plan, &each, recipe, "does not ask");
    each = service();
    each.initialise = true;
    assert_obstacle(&plan, &each, recipe, "keys");
    each = service();
    each.form = true;
    assert_obstacle(&plan, &each, recipe, "identity");
    each = service();
    struct plan_dependency dependency = {.required = true};
    each.dependencies = &dependency;
    each.dependency_count = 1;
    assert_obstacle(&plan, &each, recipe, "other services");
}

Test(prepared_key, finds_data_that_an_image_would_not_hold) {
    const struct plan plan = {.folder = (char *)(uintptr_t) "/project"};
    struct plan_service each = service();
    struct plan_mount volume = {.type = MOUNT_VOLUME, .target = (char *)(uintptr_t) "/data"};
    each.mounts = &volume;
    each.mount_count = 1;
    assert_obstacle(&plan, &each, image("i"), "volume (/data)");
    struct plan_mount outside = bind("/project-else");
    each.mounts = &outside;
    assert_obstacle(&plan, &each, image("i"), "outside the project");
    each = service();
    json_t *declared = json_pack("{s:s, s:{s:{s:s}, s:{s:{}}}}", "Id", "i", "Config", "Labels",
                                 "io.assay.recipe", "x", "Volumes", "/data");
    assert_obstacle(&plan, &each, declared, "VOLUME");
}
