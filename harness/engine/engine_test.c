#include "engine/engine.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/fake_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

TestSuite(engine, .fini = fixture_close, .timeout = 120);

static bool open_at(const char *host, const char *certificates) {
    const struct engine_options options = {.host = host,
                                           .certificates = certificates,
                                           .connect_timeout_ms = 2000,
                                           .idle_timeout_ms = FIXTURE_IDLE_MS};
    return engine_open(&options, &fixture.engine, &fixture.err);
}

static char *temporary_folder(void) {
    char *folder = memory_copy_string("/tmp/assay-engine-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    return folder;
}

// ---- an engine that is not there

Test(engine, says_what_to_do_when_no_socket_is_there) {
    cr_assert(!open_at("unix:///no/such/docker.sock", NULL));
    expect_domain(ERROR_UNAVAILABLE);
    cr_expect_eq(fixture.err.code, ENOENT);
    expect_message("/no/such/docker.sock");
    expect_message("start Docker");
    expect_message("assay doctor");
}

Test(engine, says_what_to_do_when_the_user_may_not_use_the_socket) {
    if (geteuid() != 0)
        cr_skip_test("only root can become a user who may not");
    fixture_listen((const struct fake_exchange[]){{0}}, false); // in a folder of mode 0700
    cr_assert(seteuid(65534) == 0);
    const bool opened = open_at(fake_engine_host(fixture.fake), NULL);
    cr_assert(seteuid(0) == 0);
    cr_assert(!opened);
    expect_domain(ERROR_UNAVAILABLE);
    cr_expect_eq(fixture.err.code, EACCES);
    expect_message("join its group");
}

Test(engine, says_what_to_do_when_the_socket_is_left_over) {
    char *folder = temporary_folder();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    close(fd);
    char *host = memory_format("unix://%s", address.sun_path);
    const bool opened = open_at(host, NULL);
    must(file_remove_tree(folder, &fixture.err));
    free(host);
    free(folder);
    cr_assert(!opened);
    expect_domain(ERROR_UNAVAILABLE);
    cr_expect_eq(fixture.err.code, ECONNREFUSED);
    expect_message("no engine behind it");
}

Test(engine, says_that_nothing_listens_at_a_port) {
    fixture_listen((const struct fake_exchange[]){{0}}, true);
    char *host = memory_copy_string(fake_engine_host(fixture.fake));
    fake_engine_close(fixture.fake);
    fixture.fake = NULL;
    const bool opened = open_at(host, NULL);
    cr_expect(strstr(fixture.err.message, host) != NULL);
    free(host);
    cr_assert(!opened);
    expect_domain(ERROR_UNAVAILABLE);
}

// ---- something else is there

Test(engine, gives_up_on_an_engine_that_accepts_and_is_silent) {
    fixture_listen((const struct fake_exchange[]){{"GET /_ping", {{0}}, FAKE_HANG}, {0}}, false);
    const int64_t begun_us = clock_monotonic_us();
    cr_assert(!open_at(fake_engine_host(fixture.fake), NULL));
    const int64_t took_ms = (clock_monotonic_us() - begun_us) / 1000;
    expect_domain(ERROR_TIMEOUT);
    expect_message("GET /_ping");
    expect_message("restart it");
    cr_expect(took_ms >= FIXTURE_IDLE_MS && took_ms < FIXTURE_IDLE_MS + 500, "%d ms", (int)took_ms);
}

Test(engine, is_not_fooled_by_a_peer_that_closes_at_once) {
    fixture_listen((const struct fake_exchange[]){{"GET /_ping", {{0}}, FAKE_CLOSE}, {0}}, false);
    cr_assert(!open_at(fake_engine_host(fixture.fake), NULL));
    expect_domain(ERROR_PROTOCOL);
    expect_message("without an answer");
}

Test(engine, is_not_fooled_by_another_protocol) {
    const struct fake_exchange script[] = {
        {"GET /_ping", {{"SSH-2.0-OpenSSH_9.2\r\nProtocol mismatch.\r\n"}}, FAKE_CLOSE}, {0}};
    fixture_listen(script, false);
    cr_assert(!open_at(fake_engine_host(fixture.fake), NULL));
    expect_domain(ERROR_PROTOCOL);
    expect_message("does not speak HTTP");
}

Test(engine, is_not_fooled_by_a_web_server) {
    const struct fake_exchange script[] = {
        {"GET /_ping", {{FAKE_REPLY("200 OK", "<html>It works!</html>")}}, FAKE_CLOSE}, {0}};
    fixture_listen(script, false);
    cr_assert(!open_at(fake_engine_host(fixture.fake), NULL));
    expect_domain(ERROR_PROTOCOL);
    expect_message("no Api-Version");
}

Test(engine, says_that_the_engine_speaks_plain_http_when_tls_was_asked_for) {
    fixture_listen((const struct fake_exchange[]){{0}}, true);
    char *folder = temporary_folder(); // no certificates in it: the handshake fails before
    const bool opened = open_at(fake_engine_host(fixture.fake), folder);
    must(file_remove_tree(folder, NULL));
    free(folder);
    cr_assert(!opened);
    expect_domain(ERROR_PROTOCOL);
    expect_message("speaks plain HTTP, but TLS was asked for");
    expect_message("DOCKER_TLS_VERIFY");
}

// As a TLS server of Go's does: its refusal in plain HTTP does not make it a plain HTTP server.
Test(engine, does_not_take_a_tls_servers_refusal_for_plain_http) {
    fixture_listen(
        (const struct fake_exchange[]){{"GET /_ping",
                                        {{"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP "
                                          "request to an HTTPS server.\n"}},
                                        FAKE_CLOSE},
                                       {0}},
        true);
    cr_assert(!open_at(fake_engine_host(fixture.fake), "/no/such/folder"));
    cr_expect(strstr(fixture.err.message, "speaks plain HTTP") == NULL, "%s", fixture.err.message);
    cr_expect_eq(fake_engine_answered(fixture.fake), 1);
}

// A TLS server with a certificate of its own making: `openssl s_server` on a free port. It talks
// only to who has one too, and to keep it short that is the same one.
static struct {
    char *folder;
    char *host;
    pid_t pid;
    FILE *output;
    int input; // what is written here it says to its client
} tls_server;

static void start_tls_server(void) {
    tls_server.folder = temporary_folder();
    char *command = memory_format(
        "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=nobody -addext "
        "subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null && cp cert.pem "
        "ca.pem && exec openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -CAfile "
        "ca.pem -Verify 1 -verify_return_error 2>/dev/null",
        tls_server.folder);
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, command, NULL};
    int output[2];
    int input[2]; // s_server ends with its standard input, which this test keeps open
    cr_assert(pipe(output) == 0 && pipe(input) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    cr_assert(posix_spawn(&tls_server.pid, "/bin/sh", &actions, NULL, argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    free(command);
    tls_server.input = input[1];
    tls_server.output = fdopen(output[0], "r");
    char line[256];
    int port = 0; // it says "ACCEPT 127.0.0.1:36421"
    while (port == 0 && fgets(line, sizeof line, tls_server.output) != NULL)
        sscanf(line, "ACCEPT 127.0.0.1:%d", &port);
    if (port == 0)
        cr_skip_test("openssl s_server does not run here");
    tls_server.host = memory_format("tcp://127.0.0.1:%d", port);
}

static void stop_tls_server(void) {
    if (tls_server.pid > 0) {
        kill(tls_server.pid, SIGKILL);
        waitpid(tls_server.pid, NULL, 0);
        fclose(tls_server.output);
        cr_expect(file_remove_tree(tls_server.folder, NULL));
    }
    free(tls_server.folder);
    free(tls_server.host);
    fixture_close();
}

TestSuite(engine_tls, .init = start_tls_server, .fini = stop_tls_server, .timeout = 120);

Test(engine_tls, is_named_when_plain_http_was_asked_for) {
    cr_assert(!open_at(tls_server.host, NULL));
    expect_domain(ERROR_PROTOCOL);
    expect_message("speaks TLS, but plain HTTP was asked for");
}

Test(engine_tls, is_spoken_to_with_the_users_own_certificate) {
    static const char reply[] =
        "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK";
    const struct engine_options options = {.host = tls_server.host,
                                           .certificates = tls_server.folder,
                                           .verify_peer = true,
                                           .connect_timeout_ms = 5000,
                                           .idle_timeout_ms = 5000};
    cr_assert_eq(write(tls_server.input, reply, sizeof reply - 1), (ssize_t)sizeof reply - 1);
    must(engine_open(&options, &fixture.engine, &fixture.err));
    cr_expect(!engine_is_local(fixture.engine));
}

Test(engine_tls, is_refused_when_its_certificate_is_not_the_users) {
    const struct engine_options options = {.host = tls_server.host,
                                           .certificates = "/no/such/folder",
                                           .verify_peer = true,
                                           .connect_timeout_ms = 2000,
                                           .idle_timeout_ms = 2000};
    cr_assert(!engine_open(&options, &fixture.engine, &fixture.err));
    expect_domain(ERROR_PROTOCOL);
    expect_message("certificate");
    expect_message("ca.pem, cert.pem and key.pem");
}

// ---- versions

static void ping_with_version(const char *version) {
    char *reply =
        memory_format("HTTP/1.1 200 OK\r\nApi-Version: %s\r\nContent-Length: 2\r\n\r\nOK", version);
    const struct fake_exchange script[] = {{"GET /_ping", {{reply}}, FAKE_KEEP}, {0}};
    fixture_listen(script, false);
    const bool opened = open_at(fake_engine_host(fixture.fake), NULL);
    cr_expect_eq(opened, fixture.engine != NULL);
    fake_engine_close(fixture.fake);
    fixture.fake = NULL;
    free(reply);
}

Test(engine, refuses_an_engine_that_is_too_old) {
    ping_with_version("1.40");
    cr_expect_null(fixture.engine);
    expect_domain(ERROR_UNAVAILABLE);
    expect_message("speaks API 1.40, but assay needs 1.41");
}

Test(engine, speaks_the_oldest_version_it_knows) {
    ping_with_version("1.41");
    cr_assert_not_null(fixture.engine);
    cr_expect_str_eq(engine_api_version(fixture.engine), "1.41");
}

Test(engine, speaks_the_engines_version_when_it_knows_it) {
    ping_with_version("1.47");
    cr_assert_not_null(fixture.engine);
    cr_expect_str_eq(engine_api_version(fixture.engine), "1.47");
}

Test(engine, speaks_the_newest_version_it_knows_to_a_newer_engine) {
    ping_with_version("1.99");
    cr_assert_not_null(fixture.engine);
    cr_expect_str_eq(engine_api_version(fixture.engine), ENGINE_API_NEWEST);
}

Test(engine, refuses_a_version_that_is_none) {
    ping_with_version("one.two");
    cr_expect_null(fixture.engine);
    expect_domain(ERROR_PROTOCOL);
}

// ---- addresses

Test(engine, refuses_addresses_that_it_cannot_use) {
    static const char *const hosts[] = {"ssh://user@host", "npipe:////./pipe/docker_engine",
                                        "unix://relative", "tcp://",
                                        "tcp://:2375",     "",
                                        "docker"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        cr_assert(!open_at(hosts[i], NULL), "%s", hosts[i]);
        expect_domain(ERROR_CONFIGURATION);
    }
}

Test(engine, is_local_on_a_unix_socket_only) {
    fixture_open((const struct fake_exchange[]){{0}});
    cr_expect(engine_is_local(fixture.engine));
    cr_expect_str_eq(engine_host(fixture.engine), fake_engine_host(fixture.fake));
}

Test(engine, is_not_local_over_tcp) {
    fixture_listen((const struct fake_exchange[]){{0}}, true);
    must(open_at(fake_engine_host(fixture.fake), NULL));
    cr_expect(!engine_is_local(fixture.engine));
}

Test(engine, gathers_its_facts) {
    const struct fake_exchange script[] = {
        {"GET /v1.41/version",
         {{FAKE_REPLY("200 OK", "{\"Version\":\"27.1\",\"Os\":\"linux\",\"Arch\":\"arm64\"}")}},
         FAKE_CLOSE},
        {"GET /v1.41/info",
         {{FAKE_REPLY("200 OK", "{\"Driver\":\"overlay2\",\"MemTotal\":8000000000,\"NCPU\":4,"
                                "\"SecurityOptions\":[\"name=seccomp\",\"name=rootless\"]}")}},
         FAKE_CLOSE},
        {0}};
    fixture_open(script);
    struct engine_facts facts = {0};
    must(engine_facts(fixture.engine, &facts, &fixture.err));
    cr_expect_str_eq(facts.architecture, "arm64");
    cr_expect_eq(facts.memory_bytes, 8000000000);
    cr_expect_eq(facts.processors, 4);
    cr_expect(facts.rootless);
    cr_expect_str_eq(facts.root_folder, "");
    engine_facts_done(&facts);
}

Test(engine, has_no_facts_where_it_does_not_tell_them) {
    fixture_open((const struct fake_exchange[]){
        {"GET /v1.41/version", {{FAKE_REPLY("200 OK", "{\"Version\":\"27.1\"}")}}, FAKE_CLOSE},
        {"GET /v1.41/info", {{FAKE_REPLY("500 Oops", "{\"message\":\"no\"}")}}, FAKE_CLOSE},
        {0}});
    struct engine_facts facts = {0};
    cr_assert(!engine_facts(fixture.engine, &facts, &fixture.err));
    expect_domain(ERROR_ENGINE);
}
