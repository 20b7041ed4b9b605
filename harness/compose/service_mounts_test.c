#define _GNU_SOURCE
#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void prepare(void) {
    plan_test_folder();
    plan_test_write("conf/a.conf", "a");
    plan_test_write("pw", "secret");
}

TestSuite(service_mounts, .init = prepare, .fini = plan_test_leave, .timeout = 120);

#define DECLARED(lines) \
    SERVICE(lines) "volumes: {data: }\nsecrets: {pw: {file: pw}}\nconfigs: {c: {content: x}}\n"

Test(service_mounts, takes_short_volumes) {
    expect_mounts(DECLARED("volumes: [./conf:/etc/app:ro, 'data:/data', /cache, 'data:/ro:ro,z']"),
                  "bind /conf -> /etc/app ro\nvolume data -> /data\nvolume  -> /cache\n"
                  "volume data -> /ro ro\n");
}

Test(service_mounts, takes_long_volumes) {
    expect_mounts(
        DECLARED("volumes: [{type: bind, source: ./conf/../conf/a.conf, target: /a,"
                 " read_only: true},\n      {type: volume, source: data, target: /d},"
                 " {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 01777}}]"),
        "bind /conf/a.conf -> /a ro\nvolume data -> /d\ntmpfs  -> /t 1777 size=1048576\n");
}

Test(service_mounts, finds_bind_sources_in_the_home_folder) {
    char *folder = realpath(".", NULL);
    setenv("HOME", folder, 1);
    expect_mounts(SERVICE("volumes: ['~/conf:/c']"), "bind /conf -> /c\n");
    free(folder);
}

Test(service_mounts, keeps_the_last_volume_of_a_target) {
    expect_mounts(DECLARED("volumes: ['data:/x', './conf:/x']"), "bind /conf -> /x\n");
}

Test(service_mounts, names_a_bind_source_that_is_missing) {
    expect_error(SERVICE("volumes: ['/nowhere/conf:/x']"),
                 "compose.yaml:4:15: services.s.volumes: there is no /nowhere/conf to mount at /x");
    const char *created = SERVICE("volumes: [{type: bind, source: /nowhere/conf, target: /x,"
                                  " bind: {create_host_path: true}}]");
    expect_mounts(created, "volume  -> /x\n");
    expect_warning(created,
                   "compose.yaml:4:15: services.s.volumes: there is no /nowhere/conf: /x is "
                   "an empty volume instead, and nothing is made on this machine");
}

Test(service_mounts, passes_on_tmpfs_options) {
    expect_host(SERVICE("tmpfs: /run"), "{\"Tmpfs\": {\"/run\": \"\"}}");
    expect_host(SERVICE("tmpfs: ['/run', '/data:mode=755,uid=1009']"),
                "{\"Tmpfs\": {\"/run\": \"\", \"/data\": \"mode=755,uid=1009\"}}");
}

Test(service_mounts, takes_secrets_and_configs) {
    expect_mounts(DECLARED("secrets: [pw]\n    configs: [c]"),
                  "secret pw -> /run/secrets/pw ro\nconfig c -> /c ro\n");
    expect_mounts(DECLARED("secrets: [{source: pw, target: x, uid: '5', gid: 6, mode: 0440},\n"
                           "      {source: pw, target: /etc/x}]\n"
                           "    configs: [{source: c, target: /etc/c}]"),
                  "secret pw -> /run/secrets/x ro 0440 5:6\nsecret pw -> /etc/x ro\n"
                  "config c -> /etc/c ro\n");
}

Test(service_mounts, says_what_is_wrong_and_where) {
    static const struct text_case cases[] = {
        {SERVICE("volumes: ['a:/b:ro:x']"), "compose.yaml:4:15: services.s.volumes[0]: too many "
                                            "colons in \"a:/b:ro:x\""},
        {SERVICE("volumes: [':/b']"), "compose.yaml:4:15: services.s.volumes[0]: an empty part in "
                                      "\":/b\""},
        {SERVICE("volumes: ['a:/b:rw,fast']"), "compose.yaml:4:15: services.s.volumes[0]: unknown "
                                               "volume option \"fast\""},
        {DECLARED("volumes: ['data:b']"), "compose.yaml:4:15: services.s.volumes: the path in the "
                                          "container is not absolute: \"b\""},
        {DECLARED("volumes: ['date:/b']"), "compose.yaml:4:15: services.s.volumes: \"date\" is not "
                                           "declared under volumes: at the top level; did you mean "
                                           "\"data\"?"},
        {SERVICE("volumes: [{type: bind, target: /b}]"), "compose.yaml:4:15: services.s.volumes: a "
                                                         "bind mount needs a source"},
        {SERVICE("volumes: [{type: npipe, source: x, target: /b}]"),
         "compose.yaml:4:15: services.s.volumes: mounts of the type \"npipe\" are not supported"},
        {SERVICE("volumes: [{source: x, target: /b}]"),
         "compose.yaml:4:15: services.s.volumes: type is missing"},
        {DECLARED("volumes: [{type: volume, source: data, target: /b, volume: {subpath: x}}]"),
         "compose.yaml:4:74: services.s.volumes: subpath is not supported yet"},
        {SERVICE("volumes: {a: b}"),
         "compose.yaml:4:14: services.s.volumes: expected a list, found "
         "a mapping"},
        {SERVICE("volumes: [[a]]"), "compose.yaml:4:15: services.s.volumes[0]: expected a mapping, "
                                    "found a list"},
        {DECLARED("volumes: ['data:/x']\n    secrets: [{source: pw, target: /x}]"),
         "compose.yaml:5:15: services.s.secrets: /x is mounted twice"},
        {DECLARED("secrets: [{target: x}]"),
         "compose.yaml:4:15: services.s.secrets: source is missing"},
        {SERVICE("volumes: [{type: tmpfs, target: /t, tmpfs: {size: lots}}]"),
         "compose.yaml:4:55: services.s.volumes: expected a size such as 64m or 1gb, found "
         "\"lots\""},
        {DECLARED("secrets: [wp]"), "compose.yaml:4:15: services.s.secrets: \"wp\" is not declared "
                                    "under secrets: at the top level; did you mean "
                                    "\"pw\"?"},
        {DECLARED("secrets: [{source: pw, uid: me}]"), "compose.yaml:4:33: services.s.secrets: "
                                                       "expected a whole number, found \"me\""},
        {DECLARED("secrets: [{source: pw, mode: 999}]"), "compose.yaml:4:34: services.s.secrets: "
                                                         "expected a file mode such as 0440, found "
                                                         "\"999\""},
        {SERVICE("tmpfs: run"), "compose.yaml:4:12: services.s.tmpfs: the path in the container is "
                                "not absolute: \"run\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].input, cases[i].expected);
}

Test(service_mounts, hands_no_socket_in) {
    struct error err = {0};
    struct plan *plan = NULL;
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "docker.sock"};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    plan_test_write("compose.yaml", SERVICE("volumes: ['./docker.sock:/var/run/docker.sock:ro']"));
    cr_assert_not(plan_load(&(const struct plan_options){0}, &plan, &err));
    cr_expect_not_null(
        strstr(err.message, "/docker.sock: a service is handed no socket of this machine"));
    close(fd);
}

Test(service_mounts, warns_of_a_look_into_the_machine) {
    expect_warning(SERVICE("volumes: ['/proc:/host/proc:ro']"),
                   "compose.yaml:4:15: services.s.volumes: /proc lets this service look into this "
                   "machine");
    expect_no_warning(SERVICE("volumes: ['/dev/null:/etc/motd:ro']"));
}

Test(service_mounts, warns_of_what_it_leaves_out) {
    expect_warning(
        DECLARED("volumes: ['data:/d:nocopy']"),
        "compose.yaml:4:15: services.s.volumes: nocopy is not honoured: the image's files "
        "are copied in");
    expect_warning(
        SERVICE("volumes: ['./conf:/c:rshared']"),
        "compose.yaml:4:15: services.s.volumes: propagation is not honoured: mounts stay "
        "private");
    expect_warning(DECLARED("volumes: [{type: volume, source: data, target: /d, sise: 1}]"),
                   "compose.yaml:4:56: services.s.volumes: unknown key \"sise\", left out");
}

Test(service_mounts, refuses_a_field_of_the_wrong_type) {
    expect_error(SERVICE("volumes: [{type: [x], target: /t}]"),
                 "compose.yaml:4:22: services.s.volumes: expected a single value, found a list");
    expect_error(SERVICE("volumes: [{type: bind, source: /tmp, target: /t, "
                         "bind: {create_host_path: perhaps}}]"),
                 "compose.yaml:4:79: services.s.volumes: expected true or false, found "
                 "\"perhaps\"");
    expect_error(SERVICE("secrets: [{source: a, mode: [1]}]") "secrets: {a: {file: /dev/null}}\n",
                 "compose.yaml:4:33: services.s.secrets: expected a file mode, found a list");
}
