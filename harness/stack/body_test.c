#define _GNU_SOURCE
#include "stack/body.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/plan_test_tools.h"
#include "process/owner.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct run *run;
static char owner[OWNER_TEXT_SIZE];
static struct credentials *credentials;
static json_t *body;
static struct error problem;
static struct body_site site;
static struct ground_network networks[2] = {
    {.id = (char[]){"1"}, .name = (char[]){"assay-r-front"}, .address = 0x0a070000},
    {.id = (char[]){"2"}, .name = (char[]){"assay-r-back"}, .address = 0x0a080000}};
static char *volumes[1] = {(char[]){"assay-r-data"}};
static const struct ground ground = {
    .networks = networks, .network_count = 2, .volumes = volumes, .volume_count = 1};

static void open_site(void) {
    plan_test_folder();
    struct owner self;
    cr_assert(owner_self(&self, &problem), "%s", problem.message);
    owner_format(&self, owner);
    cr_assert(run_adopt("abcdefghij", "/nonexistent", owner, &run, &problem), "%s",
              problem.message);
}

static void close_site(void) {
    json_decref(body);
    credentials_free(credentials);
    run_close(run, true);
    plan_test_leave();
}

TestSuite(body, .init = open_site, .fini = close_site, .timeout = 120);

static const struct plan_service *load(const char *compose) {
    const struct plan *plan = plan_test_load(compose);
    cr_assert(credentials_make(plan, "secrets", &credentials, &problem), "%s", problem.message);
    site = (struct body_site){.run = run,
                              .plan = plan,
                              .ground = &ground,
                              .credentials = credentials,
                              .binds_folder = ".",
                              .role = "service",
                              .publish = site.publish,
                              .no_way_out = site.no_way_out};
    return &plan->services[0];
}

static const struct plan_service *make(const char *compose) {
    const struct plan_service *service = load(compose);
    cr_assert(body_make(&site, service, "chosen:1", &body, &problem), "%s", problem.message);
    return service;
}

// What stands at "HostConfig/Mounts/0" and the like, compared with JSON text; null: nothing.
static void expect_at(const char *path, const char *json) {
    autofree_string char *copy = memory_copy_string(path);
    json_t *at = body;
    char *rest = NULL;
    for (char *key = strtok_r(copy, "/", &rest); key != NULL; key = strtok_r(NULL, "/", &rest))
        at = json_is_array(at) ? json_array_get(at, (size_t)(key[0] - '0'))
                               : json_object_get(at, key);
    json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL);
    autofree_string char *got = at != NULL ? json_dumps(at, JSON_ENCODE_ANY) : NULL;
    const bool same = json_is_null(expected) ? at == NULL : json_equal(at, expected);
    json_decref(expected);
    cr_assert(same, "%s: got %s\nnot %s", path, got, json);
}

Test(body, runs_the_image_that_was_chosen_for_it) {
    make(SERVICE("command: [a, b]"));
    expect_at("Image", "\"chosen:1\"");
    expect_at("Cmd", "[\"a\", \"b\"]");
}

Test(body, refuses_foreign_names_at_once_where_there_is_no_way_out) {
    site.no_way_out = true;
    make(SERVICE("restart: always"));
    expect_at("HostConfig/Dns", "[\"127.0.0.1\"]");
}

Test(body, leaves_name_servers_alone_where_the_file_names_them_or_there_is_a_way_out) {
    make(SERVICE("restart: always"));
    expect_at("HostConfig/Dns", "null");
    json_decref(TAKE(body));
    credentials_free(TAKE(credentials));
    cr_assert(file_remove_tree("secrets", &problem), "%s", problem.message);
    site.no_way_out = true;
    make(SERVICE("dns: 10.1.2.3"));
    expect_at("HostConfig/Dns", "[\"10.1.2.3\"]");
}

Test(body, never_restarts_and_keeps_its_log_where_it_can_be_read) {
    make(SERVICE("restart: always"));
    expect_at("HostConfig/RestartPolicy", "{\"Name\": \"no\"}");
    expect_at("HostConfig/LogConfig/Type", "\"json-file\"");
}

Test(body, carries_the_labels_of_its_run_which_a_file_cannot_take_away) {
    make(SERVICE("labels: {io.assay.run: stolen, io.assay.owner: stolen, theirs: \"1\"}"));
    expect_at("Labels/io.assay.run", "\"abcdefghij\"");
    cr_assert_str_eq(
        json_string_value(json_object_get(json_object_get(body, "Labels"), "io.assay.owner")),
        owner);
    expect_at("Labels/io.assay.role", "\"service\"");
    expect_at("Labels/io.assay.service", "\"s\"");
    expect_at("Labels/theirs", "\"1\"");
}

Test(body, publishes_nothing_that_the_file_publishes) {
    make(SERVICE("ports: [\"18080:80\"]"));
    expect_at("HostConfig/PortBindings", "null");
    expect_at("HostConfig/PublishAllPorts", "null");
}

Test(body, publishes_its_own_port_on_the_loopback_where_addresses_are_out_of_reach) {
    site.publish = true;
    make(SERVICE("x-assay: {kind: http, port: 8080}"));
    site.publish = false;
    expect_at("HostConfig/PortBindings",
              "{\"8080/tcp\": [{\"HostIp\": \"127.0.0.1\", \"HostPort\": \"\"}]}");
    expect_at("ExposedPorts", "{\"8080/tcp\": {}}");
}

Test(body, keeps_a_static_address_at_its_place_in_the_runs_own_subnet) {
    const struct plan_service *service =
        make("services:\n  s:\n    image: i\n    networks:\n"
             "      front: {ipv4_address: 172.30.5.10}\n"
             "      back: {aliases: [store]}\n"
             "networks:\n"
             "  front: {ipam: {config: [{subnet: 172.30.5.0/24}]}}\n"
             "  back: {}\n");
    const size_t front = service->attachments[0].has_address ? 0 : 1;
    json_decref(body);
    body = body_for_attachment(&site, service, front, "c1");
    expect_at("Container", "\"c1\"");
    expect_at("EndpointConfig/Aliases", "[\"s\"]");
    cr_assert_not_null(json_object_get(json_object_get(body, "EndpointConfig"), "IPAMConfig"));
    json_decref(body);
    body = body_for_attachment(&site, service, 1 - front, "c1");
    expect_at("EndpointConfig/Aliases", "[\"s\", \"store\"]");
    expect_at("EndpointConfig/IPAMConfig", "null");
}

Test(body, has_no_network_where_the_file_says_none) {
    make(SERVICE("network_mode: none"));
    expect_at("HostConfig/NetworkMode", "\"none\"");
    expect_at("NetworkingConfig", "null");
}

Test(body, mounts_the_runs_own_volume_in_place_of_the_files) {
    make("services:\n  s:\n    image: i\n    volumes: [\"data:/data\", \"/anonymous\"]\n"
         "volumes: {data: {}}\n");
    expect_at("HostConfig/Mounts/0/Source", "\"assay-r-data\"");
    expect_at("HostConfig/Mounts/0/Type", "\"volume\"");
    expect_at("HostConfig/Mounts/1/Source", "null");
    expect_at("HostConfig/Mounts/1/Target", "\"/anonymous\"");
}

Test(body, mounts_a_copy_of_what_a_container_may_write_to) {
    plan_test_write("conf/file", "x");
    make(SERVICE("volumes: [\"./conf:/conf\"]"));
    expect_at("HostConfig/Mounts/0/Source", "\"./s-0\"");
    expect_at("HostConfig/Mounts/0/ReadOnly", "false");
    cr_assert(file_exists("s-0/file"));
}

Test(body, mounts_the_users_own_folder_only_to_read) {
    plan_test_write("conf/file", "x");
    make(SERVICE("volumes: [\"./conf:/conf:ro\"]"));
    expect_at("HostConfig/Mounts/0/ReadOnly", "true");
    cr_assert_not(file_exists("s-0"));
}

Test(body, names_the_mount_that_cannot_be_copied) {
    plan_test_write("conf/file", "x");
    const struct plan_service *service = load(SERVICE("volumes: [\"./conf:/conf\"]"));
    cr_assert(file_remove_tree("conf", NULL));
    cr_assert_not(body_make(&site, service, "chosen:1", &body, &problem));
    cr_assert_not_null(strstr(problem.message, "compose.yaml:4: service \"s\", mount /conf"), "%s",
                       problem.message);
}

Test(body, mounts_secrets_read_only_and_puts_no_secret_into_the_body) {
    plan_test_write("t", "correct horse");
    make("services:\n  s:\n    image: i\n    secrets: [token]\nsecrets:\n  token: {file: ./t}\n");
    expect_at("HostConfig/Mounts/0/Target", "\"/run/secrets/token\"");
    expect_at("HostConfig/Mounts/0/ReadOnly", "true");
    autofree_string char *whole = json_dumps(body, 0);
    cr_assert_null(strstr(whole, "correct horse"));
}

Test(body, gives_a_tmpfs_its_size_and_mode) {
    make(SERVICE("volumes: [{type: tmpfs, target: /a, tmpfs: {size: 1m, mode: 0700}}]"));
    expect_at("HostConfig/Mounts/0/Type", "\"tmpfs\"");
    expect_at("HostConfig/Mounts/0/Target", "\"/a\"");
    expect_at("HostConfig/Mounts/0/TmpfsOptions", "{\"SizeBytes\": 1048576, \"Mode\": 448}");
}
