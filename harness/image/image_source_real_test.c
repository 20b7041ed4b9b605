#define _GNU_SOURCE
#include "image/image_source.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/image.h"
#include "image/image_archive.h"
#include "image/image_test_engine.h"
#include "image/image_test_ground.h"
#include "image/image_test_registry.h"
#include "image/old_images.h"
#include "image/recipe.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(image_source, .init = test_engine_set_up, .fini = test_engine_tear_down, .timeout = 300);

static struct image_options options_for(char *recipes, struct test_progress *seen) {
    return (struct image_options){.recipes = recipes,
                                  .archive = ground_path("archives"),
                                  .offline = true,
                                  .jobs = 2,
                                  .progress = seen != NULL ? test_progress : NULL,
                                  .context = seen};
}

static struct image_choice *choose(struct plan_service *services, size_t count,
                                   const struct image_options *options) {
    const struct plan plan = test_plan(services, count);
    struct image_choices choices = {0};
    struct error err = {0};
    struct engine *engine = test_engine();
    cr_assert(image_choices_make(engine, &plan, options, &choices, &err), "%s", err.message);
    cr_assert_eq(choices.count, count);
    engine_close(engine);
    for (size_t i = 0; i < count; i++)
        if (choices.items[i].reference != NULL &&
            strncmp(choices.items[i].reference, "assay/pebble:", strlen("assay/pebble:")) == 0)
            test_engine_forget(choices.items[i].reference);
    return choices.items;
}

static struct plan_service wants(const char *image) {
    return (struct plan_service){.image = memory_copy_string(image)};
}

static void assert_has(const char *text, const char *part) {
    cr_assert_not_null(text, "nothing instead of \"%s\"", part);
    cr_expect_not_null(strstr(text, part), "no \"%s\" in: %s", part, text);
}

static json_t *inspect(const char *reference) {
    struct engine *engine = test_engine();
    json_t *json = NULL;
    struct error err = {0};
    cr_assert(image_inspect(engine, reference, &json, &err), "%s", err.message);
    engine_close(engine);
    return json;
}

static const char *label(const json_t *image, const char *name) {
    const json_t *labels = json_object_get(json_object_get(image, "Config"), "Labels");
    const char *value = json_string_value(json_object_get(labels, name));
    return value != NULL ? value : "";
}

static void remove_image(const char *reference) {
    struct engine *engine = test_engine();
    struct error err = {0};
    cr_assert(image_remove(engine, reference, &err), "%s", err.message);
    engine_close(engine);
}

Test(image_source, takes_an_image_that_is_there_and_asks_once_for_three_services) {
    struct test_progress seen = {0};
    const struct image_options options = options_for(NULL, &seen);
    struct plan_service services[3] = {wants("assay/base:dev"), wants("assay/base:dev"),
                                       wants("assay/base:dev")};
    const struct image_choice *choices = choose(services, 3, &options);
    cr_expect_eq(choices[2].origin, IMAGE_PRESENT);
    cr_expect_str_eq(choices[2].reference, "assay/base:dev");
    cr_expect_str_eq(choices[2].service, "service-2");
    cr_expect_eq(seen.present, 1);
}

Test(image_source, builds_a_recipe_once_and_labels_it) {
    struct test_progress seen = {0};
    const struct image_options options = options_for(test_engine_recipes(), &seen);
    struct plan_service service = wants("assay/pebble");
    const struct image_choice *built = choose(&service, 1, &options);
    cr_assert_eq(built->origin, IMAGE_RECIPE, "%s", built->why);
    const json_t *image = inspect(built->reference);
    cr_expect_str_eq(label(image, "io.assay.recipe"), "pebble");
    cr_expect_str_eq(label(image, "io.assay.hash"), strchr(built->reference, ':') + 1);
    char *expected = memory_format("%s (Pebble)", built->reference);
    cr_expect_str_eq(built->ran, expected);
    const struct image_choice *again = choose(&service, 1, &options);
    cr_expect_eq(again->origin, IMAGE_PRESENT);
    cr_expect_str_eq(again->reference, built->reference);
    cr_expect_eq(seen.building, 1);
}

struct builder {
    struct engine *engine;
    struct image_options options;
    struct test_progress seen;
    char *reference;
    struct error err;
};

static void *build(void *context) {
    struct builder *builder = context;
    if (!recipe_build(builder->engine, "pebble", &builder->options, &builder->reference,
                      &builder->err))
        builder->reference = NULL;
    return NULL;
}

Test(image_source, builds_once_when_two_runs_want_the_same_recipe) {
    char *recipes = test_engine_recipes();
    struct builder builders[2] = {{0}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        builders[i].engine = test_engine();
        builders[i].options = options_for(recipes, &builders[i].seen);
    }
    for (size_t i = 0; i < 2; i++)
        cr_assert(pthread_create(&threads[i], NULL, build, &builders[i]) == 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 2; i++)
        cr_assert_not_null(builders[i].reference, "%s", builders[i].err.message);
    test_engine_forget(builders[0].reference);
    cr_expect_str_eq(builders[0].reference, builders[1].reference);
    cr_expect_eq(builders[0].seen.building + builders[1].seen.building, 1);
    cr_expect_eq(builders[0].seen.waiting + builders[1].seen.waiting, 1);
}

Test(image_source, builds_anew_what_was_edited) {
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    struct plan_service service = wants("assay/pebble");
    const struct image_choice *before = choose(&service, 1, &options);
    free(ground_file("recipes/pebble/hello", "#!/bin/sh\necho edited\n", 0755));
    const struct image_choice *after = choose(&service, 1, &options);
    cr_expect_eq(after->origin, IMAGE_RECIPE);
    cr_expect_str_neq(before->reference, after->reference);
}

Test(image_source, says_which_step_of_a_recipe_failed_and_its_last_output) {
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    free(ground_file("recipes/pebble/Dockerfile",
                     "ARG BASE\nFROM ${BASE}\nRUN echo the reason; exit 7\n", 0644));
    struct plan_service service = wants("assay/pebble");
    const struct plan plan = test_plan(&service, 1);
    struct image_choices choices = {0};
    struct error err = {0};
    cr_expect_not(image_choices_make(test_engine(), &plan, &options, &choices, &err));
    cr_expect_eq(err.domain, ERROR_ENGINE);
    assert_has(err.message, "building assay/pebble:");
    assert_has(err.message, "RUN echo the reason; exit 7");
    assert_has(err.message, "\nthe reason\n");
}

Test(image_source, takes_a_misspelled_recipe_for_the_users_mistake) {
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    struct plan_service service = wants("assay/peble");
    const struct plan plan = test_plan(&service, 1);
    struct image_choices choices = {0};
    struct error err = {0};
    cr_expect_not(image_choices_make(test_engine(), &plan, &options, &choices, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
}

Test(image_source, says_what_was_tried_and_what_would_mend_it) {
    cr_assert_not_null(ground_file("archives/readme", "", 0644));
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    struct plan_service service = wants("mongo:0.0-nowhere");
    const struct image_choice *choice = choose(&service, 1, &options);
    cr_assert_eq(choice->origin, IMAGE_NOWHERE);
    cr_expect_null(choice->reference);
    assert_has(choice->why, "it is not in the engine");
    assert_has(choice->why, "no archive in ");
    assert_has(choice->why, "--offline");
    assert_has(choice->why, "--substitute would run assay/ferretdb instead");
    assert_has(choice->why, "docker pull mongo:0.0-nowhere");
}

Test(image_source, names_a_substitute_for_what_it_is) {
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    struct plan_service service = wants("mongo:0.0-nowhere");
    service.substitute = memory_copy_string("pebble");
    const struct image_choice *choice = choose(&service, 1, &options);
    cr_assert_eq(choice->origin, IMAGE_RECIPE, "%s", choice->why);
    assert_has(choice->ran, "assay/pebble:");
    assert_has(choice->ran, " (Pebble, in place of mongo:0.0-nowhere)");
}

Test(image_source, does_not_build_a_tag_that_is_not_the_recipes_own) {
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    struct plan_service service = wants("assay/pebble:old");
    const struct image_choice *choice = choose(&service, 1, &options);
    cr_expect_eq(choice->origin, IMAGE_NOWHERE);
    assert_has(choice->why, "leave it out");
}

Test(image_source, loads_from_an_archive_what_was_saved_elsewhere) {
    struct test_progress seen = {0};
    const struct image_options options = options_for(test_engine_recipes(), &seen);
    struct plan_service service = wants("assay/pebble");
    const struct image_choice *built = choose(&service, 1, &options);
    const char *const references[] = {built->reference, NULL};
    struct error err = {0};
    cr_assert(image_archive_save(test_engine(), references, options.archive, NULL, NULL, &err),
              "%s", err.message);
    remove_image(built->reference);
    const struct image_choice *loaded = choose(&service, 1, &options);
    cr_expect_eq(loaded->origin, IMAGE_ARCHIVE, "%s", loaded->why);
    cr_expect_str_eq(loaded->reference, built->reference);
    cr_expect_eq(seen.building, 1);
}

Test(image_source, loads_all_archives_of_a_folder) {
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    struct plan_service service = wants("assay/pebble");
    const struct image_choice *built = choose(&service, 1, &options);
    const char *const references[] = {built->reference, NULL};
    struct engine *engine = test_engine();
    cr_assert(image_archive_save(engine, references, options.archive, NULL, NULL, NULL));
    remove_image(built->reference);
    struct string_list loaded = {0};
    struct error err = {0};
    cr_assert(image_archive_load_all(engine, options.archive, NULL, NULL, &loaded, &err), "%s",
              err.message);
    cr_expect(string_list_contains(&loaded, built->reference));
    bool present = false;
    cr_expect(image_exists(engine, built->reference, &present, NULL) && present);
}

Test(image_source, refuses_an_image_for_another_processor) {
    char *archive = test_foreign_archive("archives/foreign.tar", "img-test-foreign:1");
    cr_assert_not_null(archive);
    test_engine_forget("img-test-foreign:1");
    const struct image_options options = options_for(NULL, NULL);
    struct plan_service service = wants("img-test-foreign:1");
    const struct image_choice *choice = choose(&service, 1, &options);
    cr_expect_eq(choice->origin, IMAGE_NOWHERE);
    assert_has(choice->why, "img-test-foreign:1 in the engine is for s390x, and this engine is ");
    assert_has(choice->why, "docker pull --platform linux/");
}

Test(image_source, refuses_an_image_for_another_processor_than_the_service_asks_for) {
    const struct image_options options = options_for(NULL, NULL);
    struct plan_service service = wants("assay/base:dev");
    service.platform = (char[]){"linux/s390x"};
    const struct image_choice *choice = choose(&service, 1, &options);
    cr_expect_eq(choice->origin, IMAGE_NOWHERE);
    assert_has(choice->why, "and this service's platform is s390x");
}

Test(image_source, pulls_what_a_registry_has_and_says_what_it_has_not) {
    struct test_registry *registry = test_registry_start_with_an_image();
    struct image_options options = options_for(NULL, NULL);
    options.offline = false;
    options.jobs = 1; // the second finds a registry that is known to answer
    struct plan_service services[2] = {wants(test_registry_image(registry, "a")),
                                       wants(test_registry_image(registry, "b"))};
    test_engine_forget(services[0].image);
    const struct image_choice *choices = choose(services, 2, &options);
    cr_expect_eq(choices[0].origin, IMAGE_REGISTRY, "%s", choices[0].why);
    cr_expect_str_eq(choices[0].reference, services[0].image);
    assert_has(choices[0].ran, " (sha256:");
    cr_expect_eq(choices[1].origin, IMAGE_NOWHERE);
    assert_has(choices[1].why, "does not give ");
}

Test(image_source, says_that_an_archive_cannot_be_read) {
    const struct image_options options = options_for(NULL, NULL);
    free(ground_file("archives/broken.tar", "no tar at all", 0644));
    struct plan_service service = wants("img-test-none:1");
    const struct image_choice *choice = choose(&service, 1, &options);
    cr_expect_eq(choice->origin, IMAGE_NOWHERE);
    assert_has(choice->why, "has it (not readable: ");
    struct string_list loaded = {0};
    struct error err = {0};
    cr_expect_not(
        image_archive_load_all(test_engine(), options.archive, NULL, NULL, &loaded, &err));
    assert_has(err.message, "broken.tar");
}

// One file for each image of somebody else's, and one for all of ours, whose layers are shared.
Test(image_source, saves_an_image_of_somebody_elses_in_a_file_of_its_own) {
    const struct image_options options = options_for(NULL, NULL);
    struct engine *engine = test_engine();
    cr_assert(image_tag(engine, "assay/base:dev", "img-test/mine", "1", NULL));
    test_engine_forget("img-test/mine:1");
    const char *const references[] = {"img-test/mine:1", NULL};
    struct error err = {0};
    cr_assert(image_archive_save(engine, references, options.archive, NULL, NULL, &err), "%s",
              err.message);
    engine_close(engine);
    cr_expect(file_exists(ground_path("archives/img-test_mine_1.tar")));
}

Test(image_source, gives_up_on_a_silent_registry_in_seconds_and_for_all_its_images) {
    struct test_registry *registry = test_registry_start(NULL);
    struct image_options options = options_for(NULL, NULL);
    options.offline = false;
    options.jobs = 3;
    struct plan_service services[3] = {wants(test_registry_image(registry, "a")),
                                       wants(test_registry_image(registry, "b")),
                                       wants(test_registry_image(registry, "c"))};
    const int64_t started_us = clock_monotonic_us();
    const struct image_choice *choices = choose(services, 3, &options);
    const int64_t took_ms = (clock_monotonic_us() - started_us) / 1000;
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(choices[i].origin, IMAGE_NOWHERE);
        assert_has(choices[i].why, "does not answer");
    }
    cr_expect_lt(took_ms, 60000, "took %lld ms", (long long)took_ms);
    cr_expect_geq(took_ms, 4500, "the registry answered, or nobody asked it");
}

Test(image_source, believes_a_registry_that_does_not_have_the_image) {
    struct test_registry *registry = test_registry_start("HTTP/1.1 404 Not Found\r\n"
                                                         "Content-Length: 0\r\n\r\n");
    struct image_options options = options_for(NULL, NULL);
    options.offline = false;
    struct plan_service service = wants(test_registry_image(registry, "a"));
    const struct image_choice *choice = choose(&service, 1, &options);
    cr_expect_eq(choice->origin, IMAGE_NOWHERE);
    assert_has(choice->why, "does not give ");
}

Test(image_source, stops_at_once_when_the_user_interrupts_a_pull) {
    struct test_registry *registry = test_registry_start(NULL);
    struct image_options options = options_for(NULL, NULL);
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, NULL));
    options.offline = false;
    options.cancel = &cancel;
    struct plan_service service = wants(test_registry_image(registry, "a"));
    const struct plan plan = test_plan(&service, 1);
    struct image_choices choices = {0};
    struct error err = {0};
    test_registry_cancels(registry, &cancel); // as soon as it is asked
    const struct deadline soon = deadline_in_ms(20000);
    cr_expect_not(image_choices_make(test_engine(), &plan, &options, &choices, &err));
    cr_expect_eq(err.domain, ERROR_CANCELLED, "%s", err.message);
    cr_expect_not(deadline_passed(soon));
}

TestSuite(old_images, .init = test_engine_set_up, .fini = test_engine_tear_down, .timeout = 300);

static bool is_there(const char *reference) {
    bool present = false;
    cr_assert(image_exists(test_engine(), reference, &present, NULL));
    return present;
}

Test(old_images, go_when_nobody_used_them_and_only_by_the_tag_that_assay_gave) {
    const struct image_options options = options_for(test_engine_recipes(), NULL);
    struct plan_service service = wants("assay/pebble");
    const char *old = choose(&service, 1, &options)->reference;
    cr_assert(image_tag(test_engine(), old, "assay/pebble", "mine", NULL));
    test_engine_forget("assay/pebble:mine");
    free(ground_file("recipes/pebble/hello", "edited", 0755));
    const char *new = choose(&service, 1, &options)->reference;
    const char *ours = "io.assay.recipe=pebble";
    cr_expect_eq(old_images_remove(test_engine(), "assay/pebble", ours, new, 3600), 0);
    cr_expect(is_there(old), "it was used within the hour");
    cr_expect_geq(old_images_remove(test_engine(), "assay/pebble", ours, new, -5), 1);
    cr_expect_not(is_there(old));
    cr_expect(is_there(new));
    cr_expect(is_there("assay/pebble:mine"));
}
