// What needs no server; the rest is in suites/openbao_suite.c.
#include "client/openbao.h"

#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <string.h>

static struct error error_of_test;
static struct error *const err = &error_of_test;
static struct tcp_fake *fake;
static struct openbao *openbao;
static char answer[1024];

// Every request is answered with this.
static void open_at(const char *status, const char *body) {
    snprintf(answer, sizeof answer,
             "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status,
             strlen(body), body);
    fake = tcp_fake_new(TCP_FAKE_GARBAGE, answer);
    cr_assert(openbao_open(tcp_fake_endpoint(fake), &openbao, err), "%s", err->message);
}

static void close_all(void) {
    openbao_close(openbao);
    tcp_fake_free(fake);
}

TestSuite(openbao, .fini = close_all, .timeout = 120);

Test(openbao, reads_a_sealed_server) {
    struct openbao_seal seal;
    open_at("200 OK", "{\"initialized\":true,\"sealed\":true,\"t\":3,\"n\":5,\"progress\":2,"
                      "\"version\":\"2.7.2\"}");
    cr_assert(openbao_seal_status(openbao, &seal, err), "%s", err->message);
    cr_assert(seal.initialised && seal.sealed);
    cr_assert_eq(seal.shares, 5);
    cr_assert_eq(seal.threshold, 3);
    cr_assert_eq(seal.progress, 2);
    cr_assert_str_eq(seal.version, "2.7.2");
}

Test(openbao, takes_a_status_of_health_for_an_answer) {
    enum openbao_health health;
    open_at("473 Performance Standby", "{}");
    cr_assert(openbao_health(openbao, &health, err), "%s", err->message);
    cr_assert_eq(health, OPENBAO_PERFORMANCE_STANDBY);
}

Test(openbao, does_not_take_any_other_status_for_health) {
    enum openbao_health health;
    open_at("500 Internal Server Error", "{\"errors\":[\"core: barrier reported as sealed\"]}");
    cr_assert(!openbao_health(openbao, &health, err));
    cr_assert_eq(err->domain, ERROR_SERVICE);
    cr_assert_str_eq(err->reference, "500");
}

Test(openbao, is_not_ready_while_sealed) {
    open_at("503 Service Unavailable", "{\"sealed\":true}");
    const struct kind_members members = {tcp_fake_endpoint(fake), 1};
    cr_assert(!openbao_ready(&members, NULL, err));
    cr_assert_eq(err->code, SERVICE_ERROR_NOT_READY);
    cr_assert_not_null(strstr(err->message, "it is sealed"), "%s", err->message);
}

Test(openbao, is_not_ready_while_nobody_is_active) {
    open_at("429 Too Many Requests", "{}");
    const struct kind_members members = {tcp_fake_endpoint(fake), 1};
    cr_assert(!openbao_ready(&members, NULL, err));
    cr_assert_eq(err->code, SERVICE_ERROR_NOT_READY, "%s", err->message);
}

Test(openbao, tells_a_lost_check_and_set_from_a_bad_request) {
    open_at("400 Bad Request",
            "{\"errors\":[\"check-and-set parameter did not match the current version\"]}");
    cr_assert(!openbao_kv_put(openbao, "secret", "a", json_object(), NULL, err));
    cr_assert_eq(err->code, SERVICE_ERROR_CONFLICT);
    cr_assert_str_eq(err->reference, "400");
    cr_assert_not_null(strstr(err->message, "POST /v1/secret/data/a: answered 400: check-and-set"),
                       "%s", err->message);
}

Test(openbao, takes_400_at_an_approle_login_for_a_wrong_credential) {
    const struct secret *token;
    struct secret *wrong = secret_generate();
    open_at("400 Bad Request", "{\"errors\":[\"invalid role or secret ID\"]}");
    cr_assert(!openbao_approle_login(openbao, "approle", wrong, wrong, &token, err));
    cr_assert_eq(err->code, SERVICE_ERROR_LOGIN, "%s", err->message);
    secret_free(wrong);
}

Test(openbao, reports_a_reply_that_lacks_the_token) {
    const struct secret *token;
    open_at("200 OK", "{\"auth\":null}");
    cr_assert(!openbao_token_create(openbao, &token, err));
    cr_assert_eq(err->domain, ERROR_PROTOCOL);
    cr_assert_not_null(strstr(err->message, "lacks client_token"), "%s", err->message);
}

Test(openbao, reports_json_cut_short) {
    const json_t *data;
    open_at("200 OK", "{\"data\":{\"data\":{\"password\":\"hunter2");
    cr_assert(!openbao_kv_get(openbao, "secret", "a", 0, &data, err));
    cr_assert_eq(err->domain, ERROR_PROTOCOL);
    cr_assert_null(strstr(err->message, "hunter2"), "%s", err->message);
}

Test(openbao, keeps_every_message_free_of_the_token) {
    open_at("403 Forbidden", "{\"errors\":[\"permission denied\"]}");
    struct secret *token = secret_generate();
    openbao_use_token(openbao, token);
    cr_assert(!openbao_token_revoke(openbao, token, err));
    cr_assert_eq(err->code, SERVICE_ERROR_DENIED);
    cr_assert(!secret_occurs_in(token, err->message, strlen(err->message)), "%s", err->message);
    secret_free(token);
}

Test(openbao, does_not_form_what_somebody_else_has_sealed) {
    struct kind_formed formed = {NULL, NULL};
    open_at("200 OK", "{\"initialized\":true,\"sealed\":true}");
    const struct kind_members members = {tcp_fake_endpoint(fake), 1};
    cr_assert(!openbao_form(&members, &formed, err));
    cr_assert_eq(err->code, SERVICE_ERROR_NOT_READY);
    cr_assert_not_null(strstr(err->message, "its key is not known"), "%s", err->message);
    cr_assert_null(formed.token);
}
