// Images that only a registry has: a real engine, a real registry, and what the search for an image
// makes of them.
#define _GNU_SOURCE
#include "image/image_source.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/image.h"
#include "engine/registry_fixture.h"
#include "image/image_test_engine.h"
#include "image/image_test_ground.h"
#include "image/registry.h"

#include <criterion/criterion.h>
#include <string.h>

static struct registry_fixture registry;

static void begin(void) {
    registry_fixture_require();
    test_engine_set_up();
}

static void end(void) {
    struct engine *engine = registry.engine;
    registry_fixture_close(&registry);
    engine_close(engine);
    test_engine_tear_down();
}

TestSuite(registry_real, .init = begin, .fini = end, .timeout = 300);

static void open_registry(void) {
    registry_fixture_open(&registry, test_engine(), ground_path("."), false);
}

static void open_registry_that_asks_who(void) {
    registry_fixture_open(&registry, test_engine(), ground_path("."), true);
}

static struct plan_service wants(const char *image) {
    return (struct plan_service){.image = memory_copy_string(image)};
}

static struct plan_service wants_tail(const char *tail) {
    return (struct plan_service){.image = registry_fixture_reference(&registry, tail)};
}

// Counts how often it was said of an image that it is being pulled.
static void count_pulls(void *context, const char *image, const char *state, const char *detail) {
    (void)image;
    *(int *)context += strcmp(state, "pulling") == 0 && detail == NULL;
}

static int pulls;

static struct image_choice *choose(struct plan_service *services, size_t count, int jobs) {
    const struct plan plan = test_plan(services, count);
    const struct image_options options = {
        .archive = NULL, .jobs = jobs, .progress = count_pulls, .context = &pulls};
    struct image_choices choices = {0};
    struct error err = {0};
    autofree(engine) struct engine *engine = test_engine();
    cr_assert(image_choices_make(engine, &plan, &options, &choices, &err), "%s", err.message);
    cr_assert_eq(choices.count, count);
    return choices.items;
}

static void assert_has(const char *text, const char *part) {
    cr_assert_not_null(text, "nothing instead of \"%s\"", part);
    cr_expect_not_null(strstr(text, part), "no \"%s\" in: %s", part, text);
}

static void assert_lacks(const char *text, const char *part) {
    cr_expect_null(strstr(text, part), "\"%s\" in: %s", part, text);
}

static void expect_pulled(const struct image_choice *choice, const char *reference) {
    cr_assert_eq(choice->origin, IMAGE_REGISTRY, "%s", choice->why);
    cr_expect_str_eq(choice->reference, reference);
    autofree(engine) struct engine *engine = test_engine();
    bool present = false;
    cr_assert(image_exists(engine, reference, &present, NULL));
    cr_expect(present);
}

// The registry speaks: it is its word that is passed on.
static void expect_refused(const struct image_choice *choice, const char *reference,
                           const char *reason) {
    cr_assert_eq(choice->origin, IMAGE_NOWHERE);
    autofree_string char *words =
        memory_format("%s does not give %s: %s", registry.name, reference, reason);
    assert_has(choice->why, words);
}

static void expect_silence(const struct image_choice *choice, const char *reason) {
    cr_assert_eq(choice->origin, IMAGE_NOWHERE);
    autofree_string char *words = memory_format("%s does not answer%s", registry.name, reason);
    assert_has(choice->why, words);
    assert_lacks(choice->why, "does not give");
}

Test(registry_real, has_an_image_that_the_engine_lacks) {
    open_registry();
    struct plan_service service = wants(registry_fixture_image(&registry, "only-here"));
    const struct image_choice *choice = choose(&service, 1, 1);
    expect_pulled(choice, service.image);
    assert_has(choice->ran, service.image);
    assert_has(choice->ran, " (sha256:");
    cr_expect_eq(pulls, 1);
    cr_expect_eq(choose(&service, 1, 1)->origin, IMAGE_PRESENT);
    cr_expect_eq(pulls, 1);
}

Test(registry_real, has_several_images_that_are_pulled_side_by_side) {
    open_registry();
    struct plan_service services[3] = {wants(registry_fixture_image(&registry, "a")),
                                       wants(registry_fixture_image(&registry, "b")),
                                       wants(registry_fixture_image(&registry, "c"))};
    const struct image_choice *choices = choose(services, 3, 3);
    for (size_t i = 0; i < 3; i++)
        expect_pulled(&choices[i], services[i].image);
}

Test(registry_real, has_an_image_by_tag_and_digest) {
    open_registry();
    struct plan_service service = wants(registry_fixture_image(&registry, "pinned"));
    expect_pulled(choose(&service, 1, 1), service.image);
    autofree(engine) struct engine *engine = test_engine();
    json_t *json = NULL;
    cr_assert(image_inspect(engine, service.image, &json, NULL));
    const char *digest = json_string_value(json_array_get(json_object_get(json, "RepoDigests"), 0));
    struct plan_service pinned = wants(memory_format("%s%s", service.image, strchr(digest, '@')));
    cr_assert(image_remove(engine, service.image, NULL));
    json_decref(json);
    expect_pulled(choose(&pinned, 1, 1), pinned.image);
    cr_expect_eq(choose(&pinned, 1, 1)->origin, IMAGE_PRESENT);
}

Test(registry_real, has_an_image_for_another_processor_only) {
    open_registry();
    struct plan_service service = wants(registry_fixture_image(&registry, "a"));
    service.platform = (char[]){"linux/s390x"};
    const struct image_choice *choice = choose(&service, 1, 1);
    cr_expect_eq(choice->origin, IMAGE_NOWHERE);
}

Test(registry_real, does_not_have_that_tag_nor_that_repository_but_the_third_image) {
    open_registry();
    struct plan_service services[3] = {wants_tail("a:2"), wants_tail("x509-exporter:1"),
                                       wants(registry_fixture_image(&registry, "a"))};
    const struct image_choice *choices = choose(services, 3, 1);
    expect_refused(&choices[0], services[0].image, "manifest unknown");
    expect_refused(&choices[1], services[1].image, "manifest unknown");
    expect_pulled(&choices[2], services[2].image);
}

Test(registry_real, gives_to_who_logs_in) {
    open_registry_that_asks_who();
    struct plan_service service = wants(registry_fixture_image(&registry, "private"));
    expect_refused(choose(&service, 1, 1), service.image, "no basic auth credentials");
    registry_fixture_configure(&registry, "{\"auths\":{\"%s\":{\"auth\":\"" REGISTRY_AUTH "\"}}}");
    expect_pulled(choose(&service, 1, 1), service.image);
}

Test(registry_real, refuses_a_wrong_password_which_is_not_shown) {
    open_registry_that_asks_who();
    struct plan_service service = wants(registry_fixture_image(&registry, "private"));
    registry_fixture_helper(&registry, "assay-test", "shut-sesame");
    registry_fixture_configure(&registry, "{\"credHelpers\":{\"%s\":\"assay-test\"}}");
    const struct image_choice *choice = choose(&service, 1, 1);
    expect_refused(choice, service.image, "authentication required");
    assert_lacks(choice->why, "sesame");
}

Test(registry_real, refuses_who_has_no_helper_and_both_reasons_are_told) {
    open_registry_that_asks_who();
    struct plan_service service = wants(registry_fixture_image(&registry, "private"));
    registry_fixture_configure(&registry, "{\"credHelpers\":{\"%s\":\"assay-no-such-helper\"}}");
    const struct image_choice *choice = choose(&service, 1, 1);
    expect_refused(choice, service.image, "no basic auth credentials");
    assert_has(choice->why, "docker-credential-assay-no-such-helper");
}

static int64_t now_ms(void) {
    return clock_monotonic_us() / 1000;
}

Test(registry_real, refuses_connections_when_it_is_stopped) {
    open_registry();
    registry_fixture_stop(&registry);
    struct plan_service services[2] = {wants_tail("a:1"), wants_tail("b:1")};
    const int64_t started_ms = now_ms();
    const struct image_choice *choices = choose(services, 2, 2);
    for (size_t i = 0; i < 2; i++)
        expect_silence(&choices[i], ": connection refused");
    cr_expect_lt(now_ms() - started_ms, REGISTRY_ANSWER_MS);
}

Test(registry_real, is_given_up_on_in_seconds_for_all_its_images_when_it_is_silent) {
    open_registry();
    struct plan_service services[3] = {wants_tail("a:1"), wants_tail("b:1"), wants_tail("c:1")};
    registry_fixture_pause(&registry);
    const int64_t started_ms = now_ms();
    const struct image_choice *choices = choose(services, 3, 3);
    const int64_t took_ms = now_ms() - started_ms;
    for (size_t i = 0; i < 3; i++)
        expect_silence(&choices[i], "");
    cr_expect_geq(took_ms, REGISTRY_ANSWER_MS - 500, "took %lld ms", (long long)took_ms);
    cr_expect_lt(took_ms, 3 * REGISTRY_ANSWER_MS, "took %lld ms", (long long)took_ms);
}

Test(registry_real, that_answered_once_is_not_said_to_be_silent_for_five_seconds) {
    open_registry();
    char *first = registry_fixture_image(&registry, "a");
    char *second = registry_fixture_image(&registry, "b");
    const struct engine_options options = {.host = getenv("DOCKER_HOST"), .idle_timeout_ms = 100};
    struct engine *engine = NULL;
    struct registries *registries = registries_new();
    struct error err = {0};
    cr_assert(engine_open(&options, &engine, &err), "%s", err.message);
    cr_assert(registries_pull(registries, engine, first, NULL, NULL, NULL, &err), "%s",
              err.message);
    registry_fixture_pause(&registry);
    cr_assert_not(registries_pull(registries, engine, second, NULL, NULL, NULL, &err));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE);
    autofree_string char *words = memory_format("%s does not give %s: ", registry.name, second);
    assert_has(err.message, words);
    assert_has(err.message, "was silent for 1000 ms");
    registries_free(registries);
    engine_close(engine);
}
