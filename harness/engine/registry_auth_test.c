#include "engine/registry_auth.h"

#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static char folder[64];
static char decoded[1024];
static struct error err;

static void begin(void) {
    snprintf(folder, sizeof folder, "/tmp/assay-auth-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static void end(void) {
    cr_expect(file_remove_tree(folder, NULL));
}

TestSuite(registry_auth, .init = begin, .fini = end, .timeout = 120);

// Finds the credentials in a configuration, and decodes the header into `decoded`.
static bool find(const char *configuration, const char *registry) {
    struct docker_config config = {.folder = folder, .json = json_loads(configuration, 0, NULL)};
    char *header = NULL;
    cr_assert_not_null(config.json);
    const bool done = registry_auth_find(&config, registry, &header, &err);
    size_t length = 0;
    if (header != NULL)
        cr_assert_eq(sodium_base642bin((unsigned char *)decoded, sizeof decoded - 1, header,
                                       strlen(header), NULL, &length, NULL,
                                       sodium_base64_VARIANT_URLSAFE),
                     0);
    decoded[length] = '\0';
    free(header);
    json_decref(config.json);
    return done;
}

static void expect_registry(const char *reference, const char *expected) {
    char *registry = registry_of(reference);
    cr_expect_str_eq(registry, expected);
    free(registry);
}

Test(registry_auth, knows_the_registry_of_a_reference) {
    expect_registry("postgres", "docker.io");
    expect_registry("library/postgres:16", "docker.io");
    expect_registry("docker.io/library/postgres", "docker.io");
    expect_registry("index.docker.io/library/postgres", "docker.io");
    expect_registry("ghcr.io/a/b@sha256:c", "ghcr.io");
    expect_registry("localhost/a", "localhost");
    expect_registry("host:5000/a", "host:5000");
}

Test(registry_auth, finds_a_name_and_a_password) {
    cr_assert(find("{\"auths\":{\"ghcr.io\":{\"auth\":\"bWU6YTpcImI=\"}}}", "ghcr.io"));
    cr_expect_str_eq(decoded, "{\"username\":\"me\",\"password\":\"a:\\\\\\\"b\","
                              "\"serveraddress\":\"ghcr.io\"}");
}

Test(registry_auth, finds_docker_hub_under_its_old_address) {
    cr_assert(
        find("{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"}}}", "docker.io"));
    cr_expect_str_eq(decoded, "{\"username\":\"a\",\"password\":\"b\","
                              "\"serveraddress\":\"https://index.docker.io/v1/\"}");
}

Test(registry_auth, finds_a_registry_under_its_url) {
    cr_assert(find("{\"auths\":{\"https://h:5000/v2/\":{\"auth\":\"YTpi\"}}}", "h:5000"));
    cr_expect(strstr(decoded, "\"username\":\"a\"") != NULL);
    cr_assert(find("{\"auths\":{\"https://h:5000/v2/\":{\"auth\":\"YTpi\"}}}", "h:500"));
    cr_expect_str_eq(decoded, "");
}

Test(registry_auth, prefers_an_identity_token) {
    cr_assert(find("{\"auths\":{\"h\":{\"auth\":\"YTpi\",\"identitytoken\":\"tok\"}}}", "h"));
    cr_expect_str_eq(decoded, "{\"identitytoken\":\"tok\",\"serveraddress\":\"h\"}");
}

Test(registry_auth, finds_nothing_where_there_is_nothing) {
    cr_assert(find("{}", "h"));
    cr_expect_str_eq(decoded, "");
    cr_assert(find("{\"auths\":{\"h\":{}}}", "h"));
    cr_expect_str_eq(decoded, "");
}

Test(registry_auth, refuses_what_is_not_base64_of_a_name_and_a_password) {
    cr_assert(!find("{\"auths\":{\"h\":{\"auth\":\"!!secret!!\"}}}", "h"));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect(strstr(err.message, "secret") == NULL);
    cr_assert(!find("{\"auths\":{\"h\":{\"auth\":\"bm9jb2xvbg==\"}}}", "h"));
}

// ---- helpers

// Puts a credential helper with this script in front of the PATH.
static void install_helper(const char *script) {
    char *path = path_join(folder, "docker-credential-test");
    char *content = memory_format("#!/bin/sh\n%s\n", script);
    char *search = memory_format("%s:%s", folder, getenv("PATH"));
    cr_assert(file_write_atomic(path, content, strlen(content), 0700, &err), "%s", err.message);
    setenv("PATH", search, 1);
    free(search);
    free(content);
    free(path);
}

#define WITH_HELPER "{\"credHelpers\":{\"h\":\"test\"},\"auths\":{\"h\":{\"auth\":\"YTpi\"}}}"

Test(registry_auth, asks_the_helper_of_the_registry) {
    install_helper("test \"$1\" = get || exit 9; read -r server || test -n \"$server\"; "
                   "echo \"{\\\"Username\\\":\\\"u\\\",\\\"Secret\\\":\\\"for $server\\\"}\"");
    cr_assert(find(WITH_HELPER, "h"), "%s", err.message);
    cr_expect_str_eq(decoded,
                     "{\"username\":\"u\",\"password\":\"for h\",\"serveraddress\":\"h\"}");
}

Test(registry_auth, takes_a_token_from_the_helper_of_all_registries) {
    install_helper("echo '{\"Username\":\"<token>\",\"Secret\":\"tok\"}'");
    cr_assert(find("{\"credsStore\":\"test\"}", "h"), "%s", err.message);
    cr_expect_str_eq(decoded, "{\"identitytoken\":\"tok\",\"serveraddress\":\"h\"}");
}

Test(registry_auth, goes_without_when_the_helper_knows_none) {
    install_helper("echo 'credentials not found in native keychain'; exit 1");
    cr_assert(find(WITH_HELPER, "h"), "%s", err.message);
    cr_expect_str_eq(decoded, "");
}

Test(registry_auth, reports_a_helper_that_fails_without_what_it_said) {
    install_helper("echo 'keychain is locked, secret=sesame'; exit 1");
    cr_assert(!find(WITH_HELPER, "h"));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE);
    cr_expect(strstr(err.message, "docker-credential-test failed") != NULL, "%s", err.message);
    cr_expect(strstr(err.message, "sesame") == NULL);
}

Test(registry_auth, reports_a_helper_that_answers_nonsense) {
    install_helper("echo '[]'");
    cr_assert(!find(WITH_HELPER, "h"));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE);
}

Test(registry_auth, reports_a_helper_that_is_not_installed) {
    cr_assert(!find("{\"credsStore\":\"assay-no-such-helper\"}", "h"));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE);
    cr_expect(strstr(err.message, "docker-credential-assay-no-such-helper") != NULL);
}

Test(registry_auth, runs_no_helper_by_path) {
    cr_assert(!find("{\"credsStore\":\"../../tmp/evil\"}", "h"));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
}

Test(registry_auth, ends_a_helper_that_does_not_stop_talking) {
    install_helper("exec yes");
    cr_assert(!find(WITH_HELPER, "h"));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE);
}
