#define _GNU_SOURCE
#include "image/recipe.h"

#include "image/base_image.h"
#include "image/image_test_ground.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(recipe, .init = ground_set_up, .fini = ground_tear_down);

static char *tag_of(const char *recipes, const char *recipe) {
    char *tag = NULL;
    struct error err = {0};
    cr_assert(recipe_tag(recipes, recipe, &tag, &err), "%s", err.message);
    return tag;
}

Test(recipe, has_a_tag_of_twelve_hex_digits) {
    const char *tag = tag_of(ground_recipes(""), "pebble");
    const char *start = "assay/pebble:";
    cr_assert(strncmp(tag, start, strlen(start)) == 0, "%s", tag);
    cr_expect_eq(strspn(tag + strlen(start), "0123456789abcdef"), 12);
    cr_expect_eq(strlen(tag), strlen(start) + 12);
}

Test(recipe, keeps_its_tag_until_it_or_the_base_is_edited) {
    const char *recipes = ground_recipes("");
    const char *before = tag_of(recipes, "pebble");
    cr_assert(chmod(ground_path("recipes/pebble/Dockerfile"), 0600) == 0);
    cr_expect_str_eq(tag_of(recipes, "pebble"), before);
    free(ground_file("recipes/base/packages", "ca-certificates curl\n", 0644));
    const char *other_base = tag_of(recipes, "pebble");
    cr_expect_str_neq(other_base, before);
    free(ground_file("recipes/pebble/hello", "#!/bin/sh\necho hi\n", 0755));
    cr_expect_str_neq(tag_of(recipes, "pebble"), other_base);
}

Test(recipe, does_not_depend_on_other_recipes) {
    const char *recipes = ground_recipes("");
    const char *before = tag_of(recipes, "pebble");
    free(ground_file("recipes/stone/Dockerfile", "ARG BASE\nFROM ${BASE}\n", 0644));
    cr_expect_str_eq(tag_of(recipes, "pebble"), before);
}

Test(recipe, that_does_not_exist_is_the_users_mistake) {
    const char *recipes = ground_recipes("");
    const char *const wrong[] = {"peble", "../recipes/pebble", ".", "", "pebble/.."};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *tag = NULL;
        struct error err = {0};
        cr_expect_not(recipe_tag(recipes, wrong[i], &tag, &err), "%s", wrong[i]);
        cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    }
}

Test(recipe, list_is_sorted_and_leaves_out_the_base) {
    const char *recipes = ground_recipes("");
    free(ground_file("recipes/anvil/Dockerfile", "FROM x\n", 0644));
    free(ground_file("recipes/not_a_recipe/README", "", 0644));
    struct string_list names = {0};
    cr_assert(recipe_list(recipes, &names, NULL));
    cr_assert_eq(names.count, 2);
    cr_expect_str_eq(names.items[0], "anvil");
    cr_expect_str_eq(names.items[1], "pebble");
}

Test(recipe, is_known_for_the_images_of_its_makers_only) {
    cr_expect_str_eq(recipe_for_image("postgres:17-bookworm"), "postgres");
    cr_expect_str_eq(recipe_for_image("docker.io/library/mongo:7.0"), "ferretdb");
    cr_expect_str_eq(recipe_for_image("quay.io/prometheus/prometheus:v3.1.0"), "prometheus");
    cr_expect_null(recipe_for_image("bitnami/postgresql:17"), "another interface");
    cr_expect_null(recipe_for_image("registry.example/postgres:17"), "nobody knows what it is");
    cr_expect_null(recipe_for_image("hashicorp/vault"), "other software");
}

Test(recipe, step_is_one_short_line) {
    char step[RECIPE_STEP_SIZE];
    cr_assert(recipe_step("Step 4/9 : RUN apt-get  update\n\t&& true", step));
    cr_expect_str_eq(step, "Step 4/9 : RUN apt-get update && true");
    cr_assert(recipe_step("Step 4/9 : RUN true \n", step));
    cr_expect_str_eq(step, "Step 4/9 : RUN true");
    cr_expect_not(recipe_step(" ---> Running in 0123456789ab", step));
}

Test(recipe, step_is_cut_between_characters) {
    char line[400] = "Step 1/1 : RUN ";
    for (size_t i = 0; i < 100; i++)
        strncat(line, "é", sizeof line - strlen(line) - 1);
    char step[RECIPE_STEP_SIZE];
    cr_assert(recipe_step(line, step));
    cr_expect_lt(strlen(step), (size_t)RECIPE_STEP_SIZE);
    cr_expect_str_eq(step + strlen(step) - strlen("é…"), "é…");
}

Test(recipe, base_refuses_what_is_no_name_of_a_package) {
    char *recipes = ground_recipes("");
    free(ground_file("recipes/base/packages", "curl; rm -rf /\n", 0644));
    const struct image_options options = {.recipes = recipes};
    struct error err = {0};
    char *reference = NULL;
    cr_expect_not(base_image_ensure(NULL, &options, NULL, &reference, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(err.message, "\";\" is not allowed"), "%s", err.message);
}

static void expect_no_base(const char *file, const char *content, const char *message) {
    const struct image_options options = {.recipes = ground_recipes("")};
    free(ground_file(file, content, 0644));
    char *reference = NULL;
    struct error err = {0};
    cr_assert(!base_image_ensure(NULL, &options, NULL, &reference, &err)); // no engine is asked yet
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(err.message, message), "%s", err.message);
}

Test(recipe, base_names_its_suite_and_packages_and_nothing_else) {
    expect_no_base("recipes/base/suite", "trixie;reboot", "\";\" is not allowed here");
    expect_no_base("recipes/base/packages", "a\n\"b\"", "is not allowed here");
    expect_no_base("recipes/base/packages", " \n", "packages is empty");
}

Test(recipe, has_no_tag_without_a_base) {
    char *tag = NULL;
    struct error err = {0};
    free(ground_file("recipes/pebble/Dockerfile", "FROM x\n", 0644));
    cr_assert(!recipe_tag(ground_path("recipes"), "pebble", &tag, &err));
    cr_expect_not_null(strstr(err.message, "the base of all recipes"), "%s", err.message);
}

Test(recipe, is_for_no_image_that_has_no_name) {
    cr_expect_null(recipe_for_image("Not A Name"));
}
