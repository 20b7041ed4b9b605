#include "client/http.h"

#include "base/clock.h"
#include "base/text.h"
#include "client/tcp_fake.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Serves one connection: reads one request, answers with what it was given, closes.
struct server {
    int listener;
    pthread_t thread;
    const char *answer;
    char request[4096];
    struct endpoint endpoint;
};

static void *serve(void *context) {
    struct server *self = context;
    const int peer = accept(self->listener, NULL, NULL);
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && strstr(self->request, "\r\n\r\n") == NULL) {
        got = recv(peer, self->request + length, sizeof self->request - 1 - length, 0);
        length += got > 0 ? (size_t)got : 0;
    }
    (void)!send(peer, self->answer, strlen(self->answer), MSG_NOSIGNAL);
    shutdown(peer, SHUT_WR);
    char rest[65536];
    while (recv(peer, rest, sizeof rest, 0) > 0) {
    }
    close(peer);
    return NULL;
}

static void server_start(struct server *self, const char *answer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    self->answer = answer;
    self->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(self->listener, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(listen(self->listener, 1), 0);
    cr_assert_eq(getsockname(self->listener, (struct sockaddr *)&address, &length), 0);
    self->endpoint = (struct endpoint){.service = "shop",
                                       .host = "127.0.0.1",
                                       .port = ntohs(address.sin_port),
                                       .request_timeout_ms = 2000};
    cr_assert_eq(pthread_create(&self->thread, NULL, serve, self), 0);
}

static void server_stop(struct server *self) {
    pthread_join(self->thread, NULL);
    close(self->listener);
}

static struct error error_of_test;
static struct error *const err = &error_of_test;
static struct server server;
static struct http *http;
static const struct http_reply *reply;

static void open_at(const char *answer) {
    server_start(&server, answer);
    cr_assert(http_open(&server.endpoint, &http, err), "%s", err->message);
}

static void close_all(void) {
    http_close(http);
    server_stop(&server);
}

static bool got(const char *path) {
    return http_get(http, path, &reply, err);
}

Test(http, gives_status_headers_and_body_as_they_were_sent, .fini = close_all) {
    open_at("HTTP/1.1 201 Created\r\nX-Kind: first\r\nx-kind:  second\r\nContent-Length: 5\r\n\r\n"
            "hello");
    cr_assert(got("/items"), "%s", err->message);
    cr_assert_eq(http_status(reply), 201);
    cr_assert_str_eq(http_body(reply), "hello");
    cr_assert_eq(http_body_length(reply), 5);
    cr_assert_str_eq(http_header(reply, "X-KIND"), "second");
    cr_assert_null(http_header(reply, "X-Kin"));
}

Test(http, reads_a_chunked_body, .fini = close_all) {
    open_at(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
    cr_assert(got("/"), "%s", err->message);
    cr_assert_str_eq(http_body(reply), "hello");
}

Test(http, sends_method_path_json_and_nothing_unasked, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    json_t *json = json_pack("{s:i}", "n", 7);
    cr_assert(http_put(http, "/items/1?q=%20", &reply, err, .json = json), "%s", err->message);
    json_decref(json);
    cr_assert_eq(strncmp(server.request, "PUT /items/1?q=%20 HTTP/1.1\r\n", 29), 0);
    cr_assert_not_null(strstr(server.request, "Content-Type: application/json\r\n"));
    cr_assert_not_null(strstr(server.request, "Content-Length: 7\r\n"));
    cr_assert_null(strstr(server.request, "Expect:"));
    cr_assert_null(strstr(server.request, "Accept-Encoding:"));
    cr_assert_null(strstr(server.request, "Authorization:"));
}

Test(http, sends_a_post_without_a_body_with_length_0, .fini = close_all) {
    open_at("HTTP/1.1 204 No Content\r\n\r\n");
    cr_assert(http_post(http, "/-/reload", &reply, err), "%s", err->message);
    cr_assert_not_null(strstr(server.request, "Content-Length: 0\r\n"));
    cr_assert_null(strstr(server.request, "Content-Type:"));
}

Test(http, sends_a_large_body_without_asking_for_leave, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    static char body[2 * 1024 * 1024];
    cr_assert(http_post(http, "/", &reply, err, .body = body, .body_length = sizeof body), "%s",
              err->message);
    cr_assert_not_null(strstr(server.request, "Content-Length: 2097152\r\n"));
    cr_assert_null(strstr(server.request, "Expect:"));
}

Test(http, sends_secrets_only_in_their_headers, .fini = close_all) {
    open_at("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    struct secret *token = secret_from_bytes("t0ken", 5);
    cr_assert(http_get(http, "/v1/x", &reply, err, .token = token), "%s", err->message);
    secret_free(token);
    cr_assert_not_null(strstr(server.request, "X-Vault-Token: t0ken\r\n"));
    cr_assert(!http_expect(reply, 200, err));
    cr_assert_null(strstr(err->message, "t0ken"));
}

Test(http, sends_a_bearer_token, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct secret *token = secret_from_bytes("b3arer", 6);
    cr_assert(http_get(http, "/", &reply, err, .bearer = token), "%s", err->message);
    secret_free(token);
    cr_assert_not_null(strstr(server.request, "Authorization: Bearer b3arer\r\n"));
}

Test(http, sends_user_and_password_and_headers_of_the_callers, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct secret *password = secret_from_bytes("open sesame", 11);
    const char *const headers[] = {"X-One: 1", "X-Two: 2", NULL};
    cr_assert(http_get(http, "/", &reply, err, .user = "Aladdin", .password = password,
                       .accept = "text/plain", .headers = headers),
              "%s", err->message);
    secret_free(password);
    cr_assert_not_null(strstr(server.request, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    cr_assert_not_null(strstr(server.request, "Accept: text/plain\r\n"));
    cr_assert_not_null(strstr(server.request, "X-One: 1\r\nX-Two: 2\r\n"));
}

Test(http, follows_as_many_redirects_as_it_is_allowed) {
    struct tcp_fake *circle = tcp_fake_new(
        TCP_FAKE_GARBAGE, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
    cr_assert(http_open(tcp_fake_endpoint(circle), &http, err), "%s", err->message);
    cr_assert(!http_get(http, "/", &reply, err, .redirects = 1));
    cr_assert_neq(err->domain, ERROR_NONE);
    http_close(http);
    tcp_fake_free(circle);
}

Test(http, has_a_word_for_every_status_that_means_something) {
    static const struct {
        int status;
        enum service_error word;
    } words[] = {
        {401, SERVICE_ERROR_LOGIN},       {403, SERVICE_ERROR_DENIED},
        {404, SERVICE_ERROR_NOT_FOUND},   {410, SERVICE_ERROR_NOT_FOUND},
        {405, SERVICE_ERROR_UNSUPPORTED}, {501, SERVICE_ERROR_UNSUPPORTED},
        {409, SERVICE_ERROR_CONFLICT},    {412, SERVICE_ERROR_CONFLICT},
        {413, SERVICE_ERROR_TOO_LARGE},   {429, SERVICE_ERROR_LIMIT},
        {502, SERVICE_ERROR_NOT_READY},   {503, SERVICE_ERROR_NOT_READY},
        {504, SERVICE_ERROR_NOT_READY},   {500, SERVICE_ERROR_OTHER},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        cr_expect_eq(http_service_error(words[i].status), words[i].word, "%d", words[i].status);
}

Test(http, does_not_follow_a_redirect_unasked, .fini = close_all) {
    open_at("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    cr_assert(got("/"), "%s", err->message);
    cr_assert_eq(http_status(reply), 302);
    cr_assert_str_eq(http_header(reply, "location"), "/elsewhere");
}

Test(http, does_not_carry_a_token_to_where_it_is_redirected, .fini = close_all) {
    open_at("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    struct secret *token = secret_from_bytes("t0ken", 5);
    cr_assert(http_get(http, "/", &reply, err, .token = token, .redirects = 3), "%s", err->message);
    secret_free(token);
    cr_assert_eq(http_status(reply), 302);
}

Test(http, ignores_the_proxy_of_the_environment, .fini = close_all) {
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    cr_assert(got("/"), "%s", err->message);
}

Test(http, reports_a_body_cut_short, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    cr_assert(!got("/x"));
    cr_assert_eq(err->domain, ERROR_PROTOCOL, "%s", err->message);
    cr_assert_not_null(strstr(err->message, "): GET /x: the reply was cut short"), "%s",
                       err->message);
}

Test(http, reports_a_chunk_cut_short, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhel");
    cr_assert(!got("/"));
    cr_assert_eq(err->domain, ERROR_PROTOCOL, "%s", err->message);
}

Test(http, refuses_a_body_over_the_limit, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    cr_assert(!http_get(http, "/", &reply, err, .limit_bytes = 4));
    cr_assert_eq(err->domain, ERROR_PROTOCOL);
    cr_assert_not_null(strstr(err->message, "more than 4 bytes"), "%s", err->message);
}

Test(http, takes_a_body_of_just_the_limit, .fini = close_all) {
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    cr_assert(http_get(http, "/", &reply, err, .limit_bytes = 5), "%s", err->message);
}

Test(http, refuses_headers_over_the_limit, .fini = close_all) {
    struct text many = {0};
    text_append(&many, "HTTP/1.1 200 OK\r\n");
    while (many.length <= HTTP_HEADERS_LIMIT)
        text_append(&many, "X-Much: of it\r\n");
    text_append(&many, "\r\n");
    open_at(text_string(&many));
    cr_assert(!got("/"));
    cr_assert_not_null(strstr(err->message, "headers of more than 65536 bytes"), "%s",
                       err->message);
    text_done(&many);
}

Test(http, reports_json_cut_short, .fini = close_all) {
    const json_t *json;
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"secret\"");
    cr_assert(got("/"), "%s", err->message);
    cr_assert(!http_json(reply, &json, err));
    cr_assert_eq(err->domain, ERROR_PROTOCOL);
    cr_assert_null(strstr(err->message, "secret"), "a body stands in a message: %s", err->message);
}

Test(http, parses_json_of_any_type, .fini = close_all) {
    const json_t *json;
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\"ok\"");
    cr_assert(got("/") && http_json(reply, &json, err), "%s", err->message);
    cr_assert_str_eq(json_string_value(json), "ok");
}

Test(http, wipes_body_and_strings, .fini = close_all) {
    const json_t *json;
    open_at("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"k\":\"s3cr3t\"");
    cr_assert(got("/"), "%s", err->message);
    http_wipe(http);
    cr_assert_str_eq(http_body(reply), "");
    cr_assert(!http_json(reply, &json, err));
    json_t *own = json_pack("{s:[s]}", "k", "s3cr3t");
    const char *bytes = json_string_value(json_array_get(json_object_get(own, "k"), 0));
    http_wipe_json(own);
    cr_assert_arr_eq(bytes, "\0\0\0\0\0\0", 6);
    json_decref(own);
}

Test(http, expects_a_status_and_says_what_came, .fini = close_all) {
    open_at("HTTP/1.1 409 Conflict\r\nContent-Length: 21\r\n\r\nname is taken already");
    cr_assert(got("/items"), "%s", err->message);
    cr_assert(http_expect(reply, 409, err));
    cr_assert(!http_expect(reply, 201, err));
    cr_assert_eq(err->domain, ERROR_SERVICE);
    cr_assert_eq(err->code, SERVICE_ERROR_CONFLICT);
    cr_assert_str_eq(err->reference, "409");
    cr_assert_not_null(strstr(err->message, "answered 409, expected 201: name is taken already"));
}

Test(http, escapes_a_query_value_and_keeps_the_slashes_of_a_path) {
    char *value = http_escape("a b/ü=\"");
    char *path = http_escape_path("a b/c");
    cr_assert_str_eq(value, "a%20b%2F%C3%BC%3D%22");
    cr_assert_str_eq(path, "a%20b/c");
    free(value);
    free(path);
}

// ---- faults of the connection -------------------------------------------------------------------

struct fault { // handed to another process: no pointers
    enum tcp_fake_fault fault;
    char said[64];
    enum error_domain domain;
};

ParameterizedTestParameters(http, tells_faults_of_a_connection_apart) {
    static struct fault faults[] = {
        {TCP_FAKE_ENDLESS, "HTTP/1.1 200 OK\r\nX: y\r\n", ERROR_PROTOCOL}, // headers for ever
        {TCP_FAKE_ENDLESS, "HTTP/1.1 200 OK\r\n\r\n", ERROR_PROTOCOL},     // a body for ever
        {TCP_FAKE_TRICKLE, "H", ERROR_PROTOCOL},
        {TCP_FAKE_GARBAGE, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ERROR_TIMEOUT},
    };
    return cr_make_param_array(struct fault, faults, sizeof faults / sizeof faults[0]);
}

ParameterizedTest(struct fault *fault, http, tells_faults_of_a_connection_apart, .timeout = 120) {
    struct tcp_fake *fake = tcp_fake_new(fault->fault, fault->said);
    const struct deadline on_time = deadline_in_ms(20000);
    cr_assert(http_open(tcp_fake_endpoint(fake), &http, err), "%s", err->message);
    cr_assert(!http_get(http, "/", &reply, err, .limit_bytes = 100000));
    cr_assert_eq(err->domain, fault->domain, "%s: %s", error_domain_name(err->domain),
                 err->message);
    cr_assert(!deadline_passed(on_time), "late");
    cr_assert_eq(strncmp(err->message, "fake (127.0.0.1:", 16), 0, "%s", err->message);
    http_close(http);
    tcp_fake_free(fake);
}

Test(http, takes_a_timeout_of_its_own_for_a_request) {
    struct tcp_fake *fake = tcp_fake_new(TCP_FAKE_SILENT, NULL);
    cr_assert(http_open(tcp_fake_endpoint(fake), &http, err));
    cr_assert(!http_get(http, "/", &reply, err, .timeout_ms = 50));
    cr_assert_eq(err->domain, ERROR_TIMEOUT);
    cr_assert_not_null(strstr(err->message, "within 50 ms"), "%s", err->message);
    http_close(http);
    tcp_fake_free(fake);
}

Test(http, is_ready_when_the_path_answers_2xx_and_not_when_it_redirects) {
    struct tcp_fake *good = tcp_fake_new(TCP_FAKE_GARBAGE, "HTTP/1.1 204 No Content\r\n\r\n");
    struct tcp_fake *bad =
        tcp_fake_new(TCP_FAKE_GARBAGE, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    const struct kind_members members = {tcp_fake_endpoint(good), 1};
    const struct kind_members others = {tcp_fake_endpoint(bad), 1};
    const struct kind_options options = {.path = "/health"};
    cr_assert(http_ready(&members, &options, err), "%s", err->message);
    cr_assert(!http_ready(&others, NULL, err));
    cr_assert_eq(err->domain, ERROR_SERVICE);
    tcp_fake_free(good);
    tcp_fake_free(bad);
}
