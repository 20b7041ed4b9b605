// What needs no server; the rest is in suites/alertmanager_suite.c.
#include "client/alertmanager.h"

#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <string.h>

static struct error error_of_test;
static struct error *const err = &error_of_test;
static struct tcp_fake *fake;
static struct alertmanager *alertmanager;
static char answer[2048];

// Every request is answered with this.
static void open_at(const char *status, const char *body) {
    snprintf(answer, sizeof answer,
             "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status,
             strlen(body), body);
    fake = tcp_fake_new(TCP_FAKE_GARBAGE, answer);
    cr_assert(alertmanager_open(tcp_fake_endpoint(fake), &alertmanager, err), "%s", err->message);
}

static void close_all(void) {
    alertmanager_close(alertmanager);
    tcp_fake_free(fake);
}

TestSuite(alertmanager, .fini = close_all, .timeout = 120);

Test(alertmanager, reads_an_alert) {
    open_at("200 OK",
            "[{\"labels\":{\"alertname\":\"A\",\"job\":\"x\"},\"annotations\":{},\"receivers\":["
            "{\"name\":\"r1\"},{\"name\":\"r2\"}],\"fingerprint\":\"ab\",\"status\":{\"state\":"
            "\"suppressed\",\"silencedBy\":[\"s\"],\"inhibitedBy\":[]}}]");
    const struct alertmanager_alert *alert = alertmanager_first(alertmanager, NULL, NULL);
    cr_assert_not_null(alert);
    cr_assert_str_eq(alert->name, "A");
    cr_assert_str_eq(alert->state, "suppressed");
    cr_assert_str_eq(alert->receiver, "r1");
    cr_assert_eq(alert->receivers, 2);
    cr_assert_eq(alert->silenced_by, 1);
    cr_assert_eq(alert->inhibited_by, 0);
    cr_assert_str_eq(alert->starts_at, "");
}

Test(alertmanager, counts_none_and_failure_apart) {
    open_at("200 OK", "[]");
    cr_assert_eq(alertmanager_count(alertmanager, NULL, NULL), 0);
    cr_assert_null(alertmanager_first(alertmanager, NULL, NULL));
}

Test(alertmanager, gives_minus_one_for_a_count_that_failed) {
    open_at("500 Internal Server Error", "oops");
    cr_assert_eq(alertmanager_count(alertmanager, NULL, err), -1);
    cr_assert_not_null(strstr(err->message, "answered 500"), "%s", err->message);
}

Test(alertmanager, hands_on_its_own_words_for_a_bad_matcher) {
    const struct alertmanager_alert *alerts;
    size_t count;
    open_at("400 Bad Request", "\"bad matcher format: ==\"\n");
    cr_assert(!alertmanager_alerts(alertmanager, "==", &alerts, &count, err));
    cr_assert_eq(err->domain, ERROR_SERVICE);
    cr_assert_eq(err->code, SERVICE_ERROR_SYNTAX);
    cr_assert_str_eq(err->reference, "400");
    cr_assert_not_null(strstr(err->message, "bad matcher format"), "%s", err->message);
}

Test(alertmanager, hands_on_the_message_of_a_validation_error) {
    open_at("422 Unprocessable Entity", "{\"code\":602,\"message\":\"labels is required\"}");
    cr_assert(!alertmanager_post(alertmanager, "", err));
    cr_assert_eq(err->code, SERVICE_ERROR_SYNTAX);
    cr_assert_not_null(strstr(err->message, "labels is required"), "%s", err->message);
}

Test(alertmanager, is_not_ready_when_it_does_not_list_what_it_accepted) {
    open_at("200 OK", "[]");
    const struct kind_members members = {tcp_fake_endpoint(fake), 1};
    cr_assert(!alertmanager_ready(&members, NULL, err));
    cr_assert_eq(err->code, SERVICE_ERROR_NOT_READY);
    cr_assert_not_null(strstr(err->message, "does not list it"), "%s", err->message);
}
