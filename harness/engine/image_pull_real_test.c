// Pulling from a real registry, by a real engine.
#include "engine/image.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/real_fixture.h"
#include "engine/registry_fixture.h"

#include <string.h>

static struct registry_fixture registry;

static void begin(void) {
    registry_fixture_require();
    real_begin();
}

static void end(void) {
    registry_fixture_close(&registry);
    real_end();
}

TestSuite(image_pull_real, .init = begin, .fini = end, .timeout = 120);

static void open_registry(void) {
    registry_fixture_open(&registry, test.engine, test.folder, false);
}

static void open_registry_that_asks_who(void) {
    registry_fixture_open(&registry, test.engine, test.folder, true);
}

static bool is_there(const char *reference) {
    bool exists = false;
    must(image_exists(test.engine, reference, &exists, &test.err));
    return exists;
}

static void pull(const char *reference) {
    cr_assert_not(is_there(reference));
    must(image_pull(test.engine, reference, NULL, NULL, &test.err));
    cr_expect(is_there(reference));
}

static void refuse(const char *reference, const char *reason) {
    cr_assert_not(image_pull(test.engine, reference, NULL, NULL, &test.err));
    cr_expect_eq(test.err.domain, ERROR_UNAVAILABLE);
    cr_expect_not_null(strstr(test.err.message, reference), "%s", test.err.message);
    cr_expect_not_null(strstr(test.err.message, reason), "%s", test.err.message);
    cr_expect_not(is_there(reference));
}

// ---- what it brings

struct seen {
    struct text lines;
    int complete;            // layers
    int64_t most_done_bytes; // of one layer
    int64_t total_bytes;     // of one layer
    bool impossible;         // more done than there is
};

static void see(void *context, const char *line, int64_t done_bytes, int64_t total_bytes) {
    struct seen *seen = context;
    text_appendf(&seen->lines, "%s [%lld/%lld]\n", line, (long long)done_bytes,
                 (long long)total_bytes);
    seen->complete += strstr(line, ": Pull complete") != NULL;
    if (done_bytes > seen->most_done_bytes)
        seen->most_done_bytes = done_bytes;
    if (total_bytes > seen->total_bytes)
        seen->total_bytes = total_bytes;
    seen->impossible = seen->impossible || (total_bytes > 0 && done_bytes > total_bytes);
}

Test(image_pull_real, brings_every_layer_and_tells_its_bytes) {
    open_registry();
    autofree_string char *reference = registry_fixture_image(&registry, "layers");
    struct seen seen = {0};
    const struct image_progress progress = {see, &seen};
    cr_assert_not(is_there(reference));
    must(image_pull(test.engine, reference, NULL, &progress, &test.err));
    cr_expect(is_there(reference));
    const char *lines = text_string(&seen.lines);
    cr_expect_not_null(strstr(lines, "1: Pulling from layers [0/0]\n"), "%s", lines);
    cr_expect_eq(seen.complete, REGISTRY_LAYERS, "%s", lines);
    cr_expect_geq(seen.total_bytes, (int64_t)REGISTRY_LAYER_BYTES, "%s", lines);
    cr_expect_gt(seen.most_done_bytes, 0, "%s", lines);
    cr_expect_not(seen.impossible, "%s", lines);
    text_done(&seen.lines);
}

static char *digest_of(const char *reference) {
    json_t *json = NULL;
    must(image_inspect(test.engine, reference, &json, &test.err));
    const json_t *digests = json_object_get(json, "RepoDigests");
    const char *digest = strstr(json_string_value(json_array_get(digests, 0)), "sha256:");
    cr_assert_not_null(digest);
    char *copy = memory_copy_string(digest);
    json_decref(json);
    return copy;
}

Test(image_pull_real, brings_an_image_by_its_digest_whatever_its_tag) {
    open_registry();
    autofree_string char *tagged = registry_fixture_image(&registry, "pinned");
    pull(tagged);
    autofree_string char *digest = digest_of(tagged);
    autofree_string char *pinned = memory_format("%s/pinned@%s", registry.name, digest);
    autofree_string char *both = memory_format("%s@%s", tagged, digest);
    must(image_remove(test.engine, tagged, &test.err));
    pull(pinned);
    must(image_remove(test.engine, pinned, &test.err));
    pull(both);
}

// ---- what the registry does not have

Test(image_pull_real, believes_a_registry_that_does_not_have_the_tag) {
    open_registry();
    free(registry_fixture_image(&registry, "there"));
    autofree_string char *reference = registry_fixture_reference(&registry, "there:2");
    refuse(reference, "manifest unknown");
    cr_expect_eq(test.err.code, 404);
}

Test(image_pull_real, believes_a_registry_that_does_not_have_the_repository) {
    open_registry();
    autofree_string char *reference = registry_fixture_reference(&registry, "nowhere:1");
    refuse(reference, "not found");
    cr_expect_eq(test.err.code, 404);
}

Test(image_pull_real, says_that_the_registry_has_been_stopped) {
    open_registry();
    autofree_string char *reference = registry_fixture_image(&registry, "stopped");
    registry_fixture_stop(&registry);
    const struct deadline soon = deadline_in_ms(20000);
    refuse(reference, "connection refused");
    cr_expect_not(deadline_passed(soon));
}

// ---- who asks

Test(image_pull_real, logs_in_as_the_users_configuration_says) {
    open_registry_that_asks_who();
    autofree_string char *reference = registry_fixture_image(&registry, "private");
    registry_fixture_configure(&registry, "{\"auths\":{\"%s\":{\"auth\":\"" REGISTRY_AUTH "\"}}}");
    pull(reference);
}

Test(image_pull_real, logs_in_as_the_credential_helper_says) {
    open_registry_that_asks_who();
    autofree_string char *reference = registry_fixture_image(&registry, "private");
    registry_fixture_helper(&registry, "assay-test", REGISTRY_PASSWORD);
    registry_fixture_configure(&registry, "{\"credHelpers\":{\"%s\":\"assay-test\"}}");
    pull(reference);
}

Test(image_pull_real, is_refused_without_credentials) {
    open_registry_that_asks_who();
    autofree_string char *reference = registry_fixture_image(&registry, "private");
    refuse(reference, "no basic auth credentials");
}

static void expect_no_secret(void) {
    // As it is, as in `auths`, and as in X-Registry-Auth.
    static const char *const secrets[] = {"sesame", "cmVhZGVy", "eyJ1c2VybmFtZSI6"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        cr_expect_null(strstr(test.err.message, secrets[i]), "%s", test.err.message);
}

Test(image_pull_real, is_refused_with_a_wrong_password_and_does_not_show_it) {
    open_registry_that_asks_who();
    autofree_string char *reference = registry_fixture_image(&registry, "private");
    // reader:shut-sesame
    registry_fixture_configure(&registry,
                               "{\"auths\":{\"%s\":{\"auth\":\"cmVhZGVyOnNodXQtc2VzYW1l\"}}}");
    refuse(reference, "unauthorized: authentication required");
    expect_no_secret();
}

Test(image_pull_real, is_refused_with_a_wrong_password_of_the_helpers_and_does_not_show_it) {
    open_registry_that_asks_who();
    autofree_string char *reference = registry_fixture_image(&registry, "private");
    registry_fixture_helper(&registry, "assay-test", "shut-sesame");
    registry_fixture_configure(&registry, "{\"credHelpers\":{\"%s\":\"assay-test\"}}");
    refuse(reference, "unauthorized: authentication required");
    expect_no_secret();
}

Test(image_pull_real, says_that_the_helper_failed_when_that_is_why_it_is_refused) {
    open_registry_that_asks_who();
    autofree_string char *reference = registry_fixture_image(&registry, "private");
    registry_fixture_configure(&registry, "{\"credHelpers\":{\"%s\":\"assay-no-such-helper\"}}");
    refuse(reference, "no basic auth credentials");
    cr_expect_not_null(strstr(test.err.message, "docker-credential-assay-no-such-helper"), "%s",
                       test.err.message);
}
