// Prometheus: queries, targets, rules, and what happens when a target goes away.
#include "base/memory.h"
#include "engine/container.h"
#include "engine/network.h"
#include "scenario/clients.h"

#include <math.h>

static struct scenario *scenario;
static struct prometheus *prometheus;
static const struct prometheus_result *result;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(prometheus, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static void given_a_client(void) {
    prometheus = scenario_prometheus(scenario, "prometheus");
}

static double value(const char *query) {
    return prometheus_value(prometheus, query, err);
}

// ---- queries ------------------------------------------------------------------------------------

Test(prometheus, is_the_product_that_the_report_names) {
    given_a_client();
    char version[64];
    must(prometheus_version(prometheus, version, sizeof version, err));
    cr_assert_not_null(strstr(scenario_product(scenario, "prometheus"), version));
}

Test(prometheus, tells_a_scalar_from_a_vector_from_a_string) {
    given_a_client();
    must(prometheus_query(prometheus, "6 * 7", 0, &result, err));
    cr_assert_eq(result->type, PROMETHEUS_SCALAR);
    cr_assert_eq(result->series[0].samples[0].value, 42);
    must(prometheus_query(prometheus, "vector(1) + 1", 0, &result, err));
    cr_assert_eq(result->type, PROMETHEUS_VECTOR);
    cr_assert_eq(result->series[0].samples[0].value, 2);
    must(prometheus_query(prometheus, "\"größe\"", 0, &result, err));
    cr_assert_eq(result->type, PROMETHEUS_STRING);
    cr_assert_str_eq(result->text, "größe");
}

Test(prometheus, gives_a_range_its_steps) {
    given_a_client();
    must(prometheus_query_range(prometheus, "time() * 2", 1000, 1030, 10, &result, err));
    cr_assert_eq(result->type, PROMETHEUS_MATRIX);
    cr_assert_eq(result->count, 1);
    cr_assert_eq(result->series[0].count, 4);
    cr_assert_eq(result->series[0].samples[3].time_s, 1030);
    cr_assert_eq(result->series[0].samples[3].value, 2060);
}

Test(prometheus, calculates_with_numbers_that_are_none) {
    given_a_client();
    must(prometheus_query(prometheus, "vector(0) / 0", 0, &result, err));
    cr_assert(isnan(result->series[0].samples[0].value));
    must(prometheus_query(prometheus, "vector(-1) / 0", 0, &result, err));
    cr_assert(isinf(result->series[0].samples[0].value));
}

Test(prometheus, has_nothing_of_a_series_that_never_was) {
    given_a_client();
    must(prometheus_query(prometheus, "up{job=\"no such job\"}", 0, &result, err));
    cr_assert_eq(result->count, 0);
    cr_assert_eq(value("absent(up{job=\"no such job\"})"), 1);
}

Test(prometheus, has_nothing_of_a_time_before_it_began) {
    given_a_client();
    must(prometheus_query(prometheus, "up", 1000000, &result, err));
    cr_assert_eq(result->count, 0);
}

Test(prometheus, refuses_a_query_that_does_not_parse) {
    given_a_client();
    must_fail(prometheus_query(prometheus, "up{", 0, &result, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    cr_assert_str_eq(err->reference, "bad_data");
    cr_assert_not_null(strstr(err->message, "parse error"), "%s", err->message);
}

Test(prometheus, refuses_a_range_of_too_many_points) {
    given_a_client();
    must_fail(prometheus_query_range(prometheus, "up", 0, 20000, 1, &result, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    cr_assert_not_null(strstr(err->message, "maximum resolution"), "%s", err->message);
}

// ---- scraping -----------------------------------------------------------------------------------

Test(prometheus, scrapes_every_target_of_the_stack) {
    given_a_client();
    must_become(value("up{job=\"prometheus\"}") == 1, 15000);
    must_become(value("up{job=\"alertmanager\"}") == 1, 15000);
    must_become(value("up{job=\"reference-api\"}") == 1, 15000);
}

Test(prometheus, labels_a_target_with_its_job_and_address) {
    given_a_client();
    must_become(value("count(up{job=\"alertmanager\"})") == 1, 15000);
    must(prometheus_query(prometheus, "up{job=\"alertmanager\"}", 0, &result, err));
    cr_assert_str_eq(prometheus_label(&result->series[0], "__name__"), "up");
    cr_assert_str_eq(prometheus_label(&result->series[0], "instance"), "alertmanager:9093");
}

Test(prometheus, lists_its_targets_with_their_health) {
    given_a_client();
    const struct prometheus_target *targets;
    size_t count, healthy = 0;
    must_become(value("up{job=\"prometheus\"}") == 1, 15000);
    must(prometheus_targets(prometheus, &targets, &count, err));
    for (size_t i = 0; i < count; i++)
        healthy += strcmp(targets[i].job, "prometheus") == 0 &&
                   targets[i].health == PROMETHEUS_UP && targets[i].last_error[0] == '\0';
    cr_assert_eq(healthy, 1);
}

Test(prometheus, counts_the_requests_that_a_target_answered) {
    given_a_client();
    const char *counter = "http_requests_total{job=\"reference-api\",route=\"unknown\","
                          "method=\"GET\",status=\"404\"}";
    struct http *api = scenario_http(scenario, "reference-api");
    const struct http_reply *reply;
    must(http_get(api, "/before", &reply, err));
    must_become(value(counter) >= 1, 15000);
    const double before = value(counter);
    for (int i = 0; i < 25; i++)
        must(http_get(api, "/counted", &reply, err));
    must_become(value(counter) >= before + 25, 15000);
}

Test(prometheus, keeps_a_history_that_grows) {
    given_a_client();
    must_become(value("count_over_time(up{job=\"prometheus\"}[1m])") >= 3, 15000);
    must_become(value("rate(prometheus_http_requests_total{handler=\"/metrics\"}[1m]) > 0") > 0,
                15000);
}

Test(prometheus, knows_the_values_of_a_label) {
    given_a_client();
    const json_t *values, *item;
    size_t i;
    int found = 0;
    must_become(value("up{job=\"prometheus\"}") == 1, 15000);
    must(prometheus_label_values(prometheus, "job", &values, err));
    json_array_foreach (values, i, item)
        found += strcmp(json_string_value(item), "prometheus") == 0;
    cr_assert_eq(found, 1);
}

// ---- rules and configuration --------------------------------------------------------------------

Test(prometheus, evaluates_the_rules_of_the_stack) {
    given_a_client();
    const struct prometheus_rule *rules;
    size_t count;
    must_become(value("prometheus_rule_group_iterations_total") >= 1, 15000);
    must(prometheus_rules(prometheus, &rules, &count, err));
    cr_assert_eq(count, 1);
    cr_assert_str_eq(rules[0].name, "TargetDown");
    cr_assert(rules[0].alerting);
    cr_assert_str_eq(rules[0].query, "up == 0");
    cr_assert_str_eq(rules[0].health, "ok", "%s", rules[0].last_error);
}

Test(prometheus, knows_where_to_send_its_alerts) {
    given_a_client();
    const json_t *urls;
    must(prometheus_alertmanagers(prometheus, &urls, err));
    cr_assert_eq(json_array_size(urls), 1);
    cr_assert_str_eq(json_string_value(json_array_get(urls, 0)),
                     "http://alertmanager:9093/api/v2/alerts");
}

Test(prometheus, shows_the_configuration_that_it_runs_on) {
    given_a_client();
    const char *yaml;
    must(prometheus_config(prometheus, &yaml, err));
    cr_assert_not_null(strstr(yaml, "job_name: reference-api"), "%s", yaml);
}

Test(prometheus, reads_its_configuration_again_when_told_to) {
    given_a_client();
    must(prometheus_reload(prometheus, err));
    must_become(value("prometheus_config_last_reload_successful") == 1, 15000);
}

Test(prometheus, gives_no_snapshot_to_just_anybody) {
    given_a_client();
    char name[64];
    must_fail(prometheus_snapshot(prometheus, name, sizeof name, err), ERROR_SERVICE,
              SERVICE_ERROR_UNSUPPORTED);
}

// ---- faults -------------------------------------------------------------------------------------

// The network of a container, by name; containers of the stack are in one.
static const char *network_of(const char *container) {
    json_t *json = NULL;
    must(container_inspect(scenario_engine(scenario), container, &json, err));
    json_t *networks = json_object_get(json_object_get(json, "NetworkSettings"), "Networks");
    char *name = memory_copy_string(json_object_iter_key(json_object_iter(networks)));
    scenario_own(scenario, name, free);
    json_decref(json);
    return name;
}

static struct spare *watched;

// A private Prometheus, and a private Alertmanager that it knows by its usual name.
static void given_a_spare_pair(void) {
    struct spare *watcher = scenario_spare(scenario, "prometheus");
    watched = scenario_spare(scenario, "alertmanager");
    json_t *body = json_pack("{s:s, s:{s:[s]}}", "Container", spare_container(watched, 0),
                             "EndpointConfig", "Aliases", "alertmanager");
    must(network_connect(scenario_engine(scenario), network_of(spare_container(watcher, 0)), body,
                         err));
    json_decref(body);
    prometheus = scenario_prometheus_at(scenario, spare_endpoint(watcher, 0));
}

Test(prometheus, sees_a_target_go_down_and_come_back, .timeout = 300) {
    given_a_spare_pair();
    must_become(value("up{job=\"alertmanager\"}") == 1, 30000);
    must(container_pause(scenario_engine(scenario), spare_container(watched, 0), err));
    must_become(value("up{job=\"alertmanager\"}") == 0, 30000);
    must(container_unpause(scenario_engine(scenario), spare_container(watched, 0), err));
    must_become(value("up{job=\"alertmanager\"}") == 1, 30000);
}

Test(prometheus, sends_an_alert_for_a_target_that_is_down, .timeout = 300) {
    given_a_spare_pair(); // no reference API there
    struct alertmanager *alertmanager =
        scenario_alertmanager_at(scenario, spare_endpoint(watched, 0));
    must_become(alertmanager_count(alertmanager, "job=\"reference-api\"", err) == 1, 60000);
    const struct prometheus_alert *alerts;
    size_t count;
    must(prometheus_alerts(prometheus, &alerts, &count, err));
    cr_assert_geq(count, 1);
    cr_assert_str_eq(alerts[0].name, "TargetDown");
    cr_assert_str_eq(alerts[0].state, "firing");
    const struct alertmanager_alert *alert =
        alertmanager_first(alertmanager, "job=\"reference-api\"", err);
    cr_assert_str_eq(alert->name, "TargetDown");
    cr_assert_str_eq(json_string_value(json_object_get(alert->labels, "severity")), "critical");
    cr_assert_str_eq(json_string_value(json_object_get(alert->annotations, "summary")),
                     "reference-api at reference-api:8080 does not answer");
}

Test(prometheus, gives_up_in_time_on_a_paused_server, .timeout = 180) {
    struct spare *spare = scenario_spare(scenario, "prometheus");
    const struct endpoint *impatient = scenario_impatient(scenario, spare_endpoint(spare, 0));
    prometheus = scenario_prometheus_at(scenario, impatient);
    must(prometheus_query(prometheus, "1", 0, &result, err));
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(prometheus_query(prometheus, "1", 0, &result, err), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
    prometheus = scenario_prometheus_at(scenario, spare_endpoint(spare, 0));
    must(prometheus_query(prometheus, "1", 0, &result, err));
}

Test(prometheus, gives_up_in_time_on_a_server_that_says_nothing) {
    struct endpoint silent =
        *scenario_silent_server(scenario, scenario_endpoint(scenario, "prometheus"));
    silent.request_timeout_ms = 300;
    prometheus = scenario_prometheus_at(scenario, &silent);
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(prometheus_query(prometheus, "1", 0, &result, err), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
}

Test(prometheus, reports_a_server_that_is_not_there) {
    prometheus = scenario_prometheus_at(
        scenario, scenario_dead_server(scenario, scenario_endpoint(scenario, "prometheus")));
    must_fail(prometheus_query(prometheus, "1", 0, &result, err), ERROR_UNAVAILABLE, 0);
}

Test(prometheus, is_told_from_another_service_that_answers_in_json) {
    const struct endpoint *other = scenario_endpoint(scenario, "reference-api");
    struct endpoint mistaken = *scenario_endpoint(scenario, "prometheus");
    mistaken.host = other->host;
    mistaken.port = other->port;
    prometheus = scenario_prometheus_at(scenario, &mistaken);
    must_fail(prometheus_query(prometheus, "1", 0, &result, err), ERROR_PROTOCOL, 0);
}
