// What needs no server; the rest is in suites/prometheus_suite.c.
#include "client/prometheus.h"

#include "client/tcp_fake.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct error error_of_test;
static struct error *const err = &error_of_test;
static struct tcp_fake *fake;
static struct prometheus *prometheus;
static const struct prometheus_result *result;
static char answer[2048];

// Every request is answered with this.
static void open_at(const char *status, const char *body) {
    snprintf(answer, sizeof answer,
             "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status,
             strlen(body), body);
    fake = tcp_fake_new(TCP_FAKE_GARBAGE, answer);
    cr_assert(prometheus_open(tcp_fake_endpoint(fake), &prometheus, err), "%s", err->message);
}

static void close_all(void) {
    prometheus_close(prometheus);
    tcp_fake_free(fake);
}

static bool queried(void) {
    return prometheus_query(prometheus, "up", 0, &result, err);
}

TestSuite(prometheus, .fini = close_all, .timeout = 120);

Test(prometheus, reads_a_vector_with_labels_and_odd_numbers) {
    open_at("200 OK", "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                      "{\"metric\":{\"job\":\"a\"},\"value\":[1.5,\"NaN\"]},"
                      "{\"metric\":{\"job\":\"b\"},\"value\":[1.5,\"-Inf\"]}]}}");
    cr_assert(queried(), "%s", err->message);
    cr_assert_eq(result->type, PROMETHEUS_VECTOR);
    cr_assert_eq(result->count, 2);
    cr_assert_str_eq(prometheus_label(&result->series[1], "job"), "b");
    cr_assert_null(prometheus_label(&result->series[1], "instance"));
    cr_assert(isnan(result->series[0].samples[0].value));
    cr_assert_eq(result->series[1].samples[0].value, (double)-INFINITY);
    cr_assert_eq(result->series[1].samples[0].time_s, 1.5);
}

Test(prometheus, reads_a_matrix_of_series_of_different_length) {
    open_at("200 OK", "{\"status\":\"success\",\"warnings\":[\"slow\"],\"data\":{\"resultType\":"
                      "\"matrix\",\"result\":[{\"metric\":{},\"values\":[[1,\"2\"],[2,\"3\"]]},"
                      "{\"metric\":{},\"values\":[[1,\"1e3\"]]}]}}");
    cr_assert(prometheus_query_range(prometheus, "up", 1, 2, 1, &result, err), "%s", err->message);
    cr_assert_eq(result->type, PROMETHEUS_MATRIX);
    cr_assert_eq(result->series[0].count, 2);
    cr_assert_eq(result->series[0].samples[1].value, 3);
    cr_assert_eq(result->series[1].samples[0].value, 1000);
    cr_assert_eq(result->warnings, 1);
}

Test(prometheus, reads_a_scalar) {
    open_at("200 OK",
            "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"42\"]}}");
    cr_assert_eq(prometheus_value(prometheus, "scalar(x)", NULL), 42);
}

Test(prometheus, gives_no_value_for_an_empty_vector) {
    open_at("200 OK",
            "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}");
    cr_assert(isnan(prometheus_value(prometheus, "absent", NULL)));
}

Test(prometheus, refuses_a_sample_that_is_no_number) {
    open_at("200 OK", "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                      "{\"metric\":{},\"value\":[1,\"12x\"]}]}}");
    cr_assert(!queried());
    cr_assert_eq(err->domain, ERROR_PROTOCOL, "%s", err->message);
}

Test(prometheus, hands_on_its_own_words_for_a_bad_query) {
    open_at("400 Bad Request",
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"1:4: parse error\"}");
    cr_assert(!queried());
    cr_assert_eq(err->domain, ERROR_SERVICE);
    cr_assert_eq(err->code, SERVICE_ERROR_SYNTAX);
    cr_assert_str_eq(err->reference, "bad_data");
    cr_assert_not_null(strstr(err->message, "1:4: parse error"));
}

Test(prometheus, is_not_ready_while_starting) {
    open_at("503 Service Unavailable", "Service Unavailable");
    const struct kind_members members = {tcp_fake_endpoint(fake), 1};
    cr_assert(!prometheus_ready(&members, NULL, err));
    cr_assert_eq(err->code, SERVICE_ERROR_NOT_READY, "%s", err->message);
}

Test(prometheus, is_not_ready_before_a_target_was_scraped) {
    open_at("200 OK", "{\"status\":\"success\",\"data\":{\"activeTargets\":[{\"health\":\"down\","
                      "\"lastError\":\"connection refused\"},{\"health\":\"unknown\"}]}}");
    const struct kind_members members = {tcp_fake_endpoint(fake), 1};
    cr_assert(!prometheus_ready(&members, NULL, err));
    cr_assert_eq(err->code, SERVICE_ERROR_NOT_READY);
    cr_assert_not_null(strstr(err->message, "none of its 2 targets"), "%s", err->message);
    cr_assert_not_null(strstr(err->message, "connection refused"), "%s", err->message);
}

Test(prometheus, takes_another_service_for_what_it_is) {
    open_at("200 OK", "<html>It works!</html>");
    char product[64];
    cr_assert(!prometheus_identify(tcp_fake_endpoint(fake), product, sizeof product, err));
    cr_assert_eq(err->domain, ERROR_PROTOCOL, "%s", err->message);
}

Test(prometheus, takes_json_of_another_service_for_what_it_is) {
    open_at("200 OK", "{\"status\":\"ok\"}");
    cr_assert(!queried());
    cr_assert_eq(err->domain, ERROR_PROTOCOL, "%s", err->message);
}
