#include "engine/engine.h"

#include "base/file.h"
#include "base/memory.h"
#include "engine/docker_config.h"
#include "engine/exec.h"
#include "engine/fake_engine.h"
#include "engine/progress_stream.h"
#include "engine/transport.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

// The SHA-256 of "colima", which names its folders.
#define COLIMA "f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16"

static char folder[64];
static struct engine_location location;
static struct error err;

static void begin(void) {
    snprintf(folder, sizeof folder, "/tmp/assay-location-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    static const char *const names[] = {"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY",
                                        "DOCKER_TLS", "DOCKER_CERT_PATH"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    setenv("DOCKER_CONFIG", folder, 1);
}

static void end(void) {
    engine_location_done(&location);
    cr_expect(file_remove_tree(folder, NULL));
}

TestSuite(location, .init = begin, .fini = end);

static void write_file(const char *name, const char *content) {
    char *path = path_join(folder, name);
    char *parent = memory_copy_string(path);
    *strrchr(parent, '/') = '\0';
    cr_assert(folder_make(parent, 0700, &err), "%s", err.message);
    cr_assert(file_write_atomic(path, content, strlen(content), 0600, &err), "%s", err.message);
    free(parent);
    free(path);
}

static void locate(void) {
    cr_assert(engine_locate(&location, &err), "%s", err.message);
}

Test(location, is_the_usual_socket_without_any_configuration) {
    locate();
    cr_expect_str_eq(location.host, "unix:///var/run/docker.sock");
    cr_expect_str_eq(location.origin, "default");
    cr_expect_null(location.certificates);
}

Test(location, obeys_docker_host_before_everything_else) {
    setenv("DOCKER_HOST", "unix:///else/where.sock", 1);
    setenv("DOCKER_CONTEXT", "colima", 1);
    setenv("DOCKER_TLS_VERIFY", "1", 1); // means nothing to a unix socket
    write_file("config.json", "not JSON at all");
    locate();
    cr_expect_str_eq(location.host, "unix:///else/where.sock");
    cr_expect_str_eq(location.origin, "DOCKER_HOST");
    cr_expect_null(location.certificates);
}

Test(location, takes_certificates_from_the_environment) {
    setenv("DOCKER_HOST", "tcp://10.0.0.5:2376", 1);
    setenv("DOCKER_TLS_VERIFY", "1", 1);
    setenv("DOCKER_CERT_PATH", "/certs", 1);
    locate();
    cr_expect_str_eq(location.certificates, "/certs");
    cr_expect(location.verify_peer);
}

Test(location, speaks_plain_http_unless_tls_is_asked_for) {
    setenv("DOCKER_HOST", "tcp://10.0.0.5:2375", 1);
    setenv("DOCKER_CERT_PATH", "/certs", 1);
    setenv("DOCKER_TLS_VERIFY", "", 1);
    locate();
    cr_expect_null(location.certificates);
}

Test(location, is_what_the_current_context_says) {
    write_file("config.json", "{\"currentContext\":\"colima\"}");
    write_file("contexts/meta/" COLIMA "/meta.json",
               "{\"Name\":\"colima\",\"Endpoints\":{\"docker\":{\"Host\":\"unix:///c.sock\"}}}");
    locate();
    cr_expect_str_eq(location.host, "unix:///c.sock");
    cr_expect_str_eq(location.origin, "context \"colima\"");
    cr_expect_null(location.certificates);
}

Test(location, prefers_the_context_of_the_environment) {
    setenv("DOCKER_CONTEXT", "default", 1);
    write_file("config.json", "{\"currentContext\":\"colima\"}");
    locate();
    cr_expect_str_eq(location.host, "unix:///var/run/docker.sock");
}

Test(location, finds_the_certificates_of_a_context) {
    setenv("DOCKER_CONTEXT", "colima", 1);
    write_file("contexts/meta/" COLIMA "/meta.json",
               "{\"Endpoints\":{\"docker\":{\"Host\":\"tcp://h:2376\",\"SkipTLSVerify\":true}}}");
    write_file("contexts/tls/" COLIMA "/docker/ca.pem", "");
    locate();
    cr_expect(strstr(location.certificates, "contexts/tls/" COLIMA "/docker") != NULL);
    cr_expect(!location.verify_peer);
}

Test(location, names_a_context_that_does_not_exist) {
    setenv("DOCKER_CONTEXT", "gone", 1);
    cr_assert(!engine_locate(&location, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect(strstr(err.message, "\"gone\" does not exist") != NULL);
    cr_expect(strstr(err.message, "docker context use") != NULL);
}

Test(location, names_a_context_without_an_address) {
    setenv("DOCKER_CONTEXT", "colima", 1);
    write_file("contexts/meta/" COLIMA "/meta.json", "{\"Endpoints\":{\"kubernetes\":{}}}");
    cr_assert(!engine_locate(&location, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect(strstr(err.message, "Endpoints.docker.Host") != NULL);
}

Test(location, points_at_the_fault_in_a_malformed_configuration) {
    write_file("config.json", "{\n  \"currentContext\": colima\n}");
    cr_assert(!engine_locate(&location, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect(strstr(err.message, "config.json:2:") != NULL, "%s", err.message);
}

Test(location, names_a_configuration_that_cannot_be_read) {
    write_file("config.json/in_the_way", ""); // a folder of that name
    cr_assert(!engine_locate(&location, &err));
    cr_expect_eq(err.domain, ERROR_CONFIGURATION);
    cr_expect(strstr(err.message, "config.json") != NULL, "%s", err.message);
    struct engine *engine = NULL;
    cr_assert(!engine_open(&(struct engine_options){0}, &engine, &err), "it is found no better so");
}

Test(location, points_at_the_fault_in_a_malformed_context) {
    write_file("config.json", "{\"currentContext\": \"colima\"}");
    write_file("contexts/meta/" COLIMA "/meta.json", "{");
    cr_assert(!engine_locate(&location, &err));
    cr_expect(strstr(err.message, "meta.json:1:") != NULL, "%s", err.message);
}

// Convention 4: what failed half way is freed like the rest.
Test(engine, destructors_take_null) {
    docker_config_done(NULL);
    engine_close(NULL);
    engine_facts_done(NULL);
    engine_location_done(NULL);
    exec_result_done(NULL);
    fake_engine_close(NULL);
    progress_stream_done(NULL);
    transport_done(NULL);
}
