#include "image/image_finder.h"
#include "image/image_name.h"
#include "image/image_source.h"
#include "image/prepared.h"
#include "image/registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void assert_full(const char *reference, const char *expected) {
    struct image_name name = {0};
    struct error err = {0};
    cr_assert(image_name_parse(reference, &name, &err), "%s: %s", reference, err.message);
    char *full = image_name_full(&name);
    cr_expect_str_eq(full, expected);
    free(full);
    image_name_done(&name);
}

Test(image_name, spells_out_what_the_docker_command_leaves_out) {
    assert_full("postgres", "docker.io/library/postgres:latest");
    assert_full("postgres:17", "docker.io/library/postgres:17");
    assert_full("prom/prometheus:v3", "docker.io/prom/prometheus:v3");
    assert_full("docker.io/postgres:17", "docker.io/library/postgres:17");
    assert_full("index.docker.io/library/postgres:17", "docker.io/library/postgres:17");
}

Test(image_name, tells_a_registry_from_a_user_name) {
    assert_full("quay.io/prometheus/prometheus", "quay.io/prometheus/prometheus:latest");
    assert_full("localhost:5000/app", "localhost:5000/app:latest");
    assert_full("localhost/app", "localhost/app:latest");
    assert_full("team/app", "docker.io/team/app:latest");
}

Test(image_name, lets_a_digest_win_over_a_tag) {
    assert_full("postgres:17@sha256:abcd", "docker.io/library/postgres@sha256:abcd");
}

Test(image_name, refuses_what_is_no_reference) {
    const char *const wrong[] = {"",     "Postgres", "a b",   "/app",      "app/",
                                 "a//b", "app:",     "app:ä", "app@sha256"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct image_name name = {0};
        struct error err = {0};
        cr_expect_not(image_name_parse(wrong[i], &name, &err), "\"%s\" was taken", wrong[i]);
        cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    }
}

Test(image_name, knows_two_spellings_of_one_image) {
    cr_expect(image_name_same("mongo:7.0", "docker.io/library/mongo:7.0"));
    cr_expect_not(image_name_same("mongo:7.0", "mongo:7"));
    cr_expect_not(image_name_same("mongo:7.0", "quay.io/library/mongo:7.0"));
}

static void assert_recipe(const char *reference, const char *expected) {
    struct image_name name = {0};
    cr_assert(image_name_parse(reference, &name, NULL));
    char *recipe = image_name_own_recipe(&name);
    if (expected == NULL)
        cr_expect_null(recipe);
    else
        cr_expect_str_eq(recipe, expected);
    free(recipe);
    image_name_done(&name);
}

Test(image_name, takes_only_docker_hub_names_under_assay_for_recipes) {
    assert_recipe("assay/postgres", "postgres");
    assert_recipe("assay/postgres:3f0c9a12abcd", "postgres");
    assert_recipe("postgres", NULL);
    assert_recipe("quay.io/assay/postgres", NULL);
}

// Convention 4: what failed half way is freed like the rest.
Test(image, destructors_take_null) {
    image_choices_done(NULL);
    image_finder_done(NULL);
    image_name_done(NULL);
    prepared_image_done(NULL);
    registries_free(NULL);
}
