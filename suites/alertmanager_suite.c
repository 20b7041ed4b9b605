// Alertmanager: alerts, silences, grouping, and the way to a receiver. The receiver of the bundled
// stack is the reference API, which keeps what it was sent: GET /alerts.
#include "base/memory.h"
#include "engine/container.h"
#include "scenario/clients.h"

static struct scenario *scenario;
static struct alertmanager *alertmanager;
static const char *name;   // of the test's own alert
static const char *filter; // alertname="<name>"
static const struct alertmanager_alert *alert;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(alertmanager, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static void given_a_name_for_an_alert(void) {
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    name = scenario_unique(scenario, "alert");
    char *matcher = memory_format("alertname=\"%s\"", name);
    scenario_own(scenario, matcher, free);
    filter = matcher;
}

static int count(void) {
    return alertmanager_count(alertmanager, filter, err);
}

static const char *state(void) {
    alert = alertmanager_first(alertmanager, filter, err);
    return alert != NULL ? alert->state : "";
}

static void resolve(void) {
    must(alertmanager_post(alertmanager, name, err, .starts_wall_ms = clock_wall_ms() - 1000,
                           .ends_wall_ms = clock_wall_ms()));
}

static const char *silence(const char *value) {
    char *id = memory_new(ALERTMANAGER_SILENCE_ID_SIZE, 1);
    scenario_own(scenario, id, free);
    must(alertmanager_silence(alertmanager, "alertname", value, id, err));
    return id;
}

// How many alerts of that name and status ("firing", "resolved") the receiver got in its fullest
// notification.
static size_t notified(const char *alertname, const char *status) {
    const struct http_reply *reply;
    const json_t *notifications, *notification;
    size_t i, most = 0;
    struct http *receiver = scenario_http(scenario, "reference-api");
    must(http_get(receiver, "/alerts", &reply, err));
    must(http_json(reply, &notifications, err));
    json_array_foreach (notifications, i, notification) {
        const json_t *labels = json_object_get(notification, "groupLabels");
        const char *of = json_string_value(json_object_get(labels, "alertname"));
        const char *is = json_string_value(json_object_get(notification, "status"));
        const size_t size = json_array_size(json_object_get(notification, "alerts"));
        if (of != NULL && strcmp(of, alertname) == 0 && strcmp(is, status) == 0 && size > most)
            most = size;
    }
    return most;
}

// ---- alerts -------------------------------------------------------------------------------------

Test(alertmanager, is_the_product_that_the_report_names) {
    struct alertmanager_status status;
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    must(alertmanager_status(alertmanager, &status, err));
    cr_assert_not_null(strstr(scenario_product(scenario, "alertmanager"), status.version));
}

Test(alertmanager, returns_an_alert_as_it_was_posted) {
    given_a_name_for_an_alert();
    must(alertmanager_post(alertmanager, name, err, .labels = alertmanager_pairs({"stadt", "Köln"}),
                           .annotations = alertmanager_pairs({"summary", "日本語 \"🚀\"\n"}),
                           .generator_url = "http://example.invalid/graph"));
    must_become(count() == 1, 15000);
    alert = alertmanager_first(alertmanager, filter, err);
    cr_assert_str_eq(alert->name, name);
    cr_assert_str_eq(json_string_value(json_object_get(alert->labels, "stadt")), "Köln");
    cr_assert_str_eq(json_string_value(json_object_get(alert->annotations, "summary")),
                     "日本語 \"🚀\"\n");
    resolve();
}

Test(alertmanager, takes_the_same_labels_for_the_same_alert) {
    given_a_name_for_an_alert();
    must(alertmanager_post(alertmanager, name, err, .annotations = alertmanager_pairs({"n", "1"})));
    must(alertmanager_post(alertmanager, name, err, .annotations = alertmanager_pairs({"n", "2"})));
    must_become(count() == 1, 15000);
    alert = alertmanager_first(alertmanager, filter, err);
    cr_assert_str_eq(json_string_value(json_object_get(alert->annotations, "n")), "2");
    resolve();
}

Test(alertmanager, takes_other_labels_for_another_alert) {
    given_a_name_for_an_alert();
    must(alertmanager_post(alertmanager, name, err, .labels = alertmanager_pairs({"disk", "a"}),
                           .ends_wall_ms = clock_wall_ms() + 20000));
    must(alertmanager_post(alertmanager, name, err, .labels = alertmanager_pairs({"disk", "b"}),
                           .ends_wall_ms = clock_wall_ms() + 20000));
    must_become(count() == 2, 15000);
}

Test(alertmanager, drops_an_alert_that_is_resolved) {
    given_a_name_for_an_alert();
    must(alertmanager_post(alertmanager, name, err));
    must_become(count() == 1, 15000);
    resolve();
    must_become(count() == 0, 15000);
}

Test(alertmanager, drops_an_alert_whose_time_is_over) {
    given_a_name_for_an_alert();
    must(alertmanager_post(alertmanager, name, err, .ends_wall_ms = clock_wall_ms() + 3000));
    must_become(count() == 1, 2500);
    must_become(count() == 0, 15000);
}

Test(alertmanager, takes_five_hundred_alerts_at_once) {
    given_a_name_for_an_alert();
    json_t *alerts = json_array();
    for (int i = 0; i < 500; i++)
        json_array_append_new(alerts, json_pack("{s:{s:s, s:o}}", "labels", "alertname", name, "n",
                                                json_sprintf("%d", i)));
    must(alertmanager_post_json(alertmanager, alerts, err));
    json_decref(alerts);
    must_become(count() == 500, 15000);
}

// ---- silences -----------------------------------------------------------------------------------

Test(alertmanager, suppresses_an_alert_while_it_is_silenced) {
    given_a_name_for_an_alert();
    const char *id = silence(name);
    must(alertmanager_post(alertmanager, name, err));
    must_become(strcmp(state(), "suppressed") == 0, 15000);
    cr_assert_eq(alert->silenced_by, 1);
    must(alertmanager_expire_silence(alertmanager, id, err));
    must_become(strcmp(state(), "active") == 0, 15000);
    resolve();
}

Test(alertmanager, silences_what_a_pattern_matches) {
    given_a_name_for_an_alert();
    char id[ALERTMANAGER_SILENCE_ID_SIZE];
    char *pattern = memory_format("%s.*", name);
    scenario_own(scenario, pattern, free);
    must(alertmanager_silence(alertmanager, "alertname", pattern, id, err, .regex = true));
    must(alertmanager_post(alertmanager, name, err));
    must_become(strcmp(state(), "suppressed") == 0, 15000);
    must(alertmanager_expire_silence(alertmanager, id, err));
    resolve();
}

Test(alertmanager, keeps_what_became_of_a_silence) {
    given_a_name_for_an_alert();
    char now[32];
    const char *id = silence(name);
    must(alertmanager_silence_state(alertmanager, id, now, sizeof now, err));
    cr_assert_str_eq(now, "active");
    must(alertmanager_expire_silence(alertmanager, id, err));
    must(alertmanager_silence_state(alertmanager, id, now, sizeof now, err));
    cr_assert_str_eq(now, "expired");
}

// ---- the way to a receiver ----------------------------------------------------------------------

Test(alertmanager, delivers_an_alert_to_its_receiver_and_later_its_end) {
    given_a_name_for_an_alert();
    must(alertmanager_post(alertmanager, name, err));
    must_become(notified(name, "firing") == 1, 15000);
    alert = alertmanager_first(alertmanager, filter, err);
    cr_assert_str_eq(alert->receiver, "reference-api");
    resolve();
    must_become(notified(name, "resolved") == 1, 15000);
}

Test(alertmanager, delivers_alerts_of_one_group_together) {
    given_a_name_for_an_alert();
    json_t *alerts = json_pack("[{s:{s:s, s:s}}, {s:{s:s, s:s}}]", "labels", "alertname", name,
                               "disk", "a", "labels", "alertname", name, "disk", "b");
    must(alertmanager_post_json(alertmanager, alerts, err));
    json_decref(alerts);
    must_become(notified(name, "firing") == 2, 15000);
}

Test(alertmanager, delivers_nothing_of_a_silenced_alert) {
    given_a_name_for_an_alert();
    const char *silenced = name;
    (void)silence(silenced);
    must(alertmanager_post(alertmanager, silenced, err));
    given_a_name_for_an_alert(); // one that is not silenced, and comes later
    must(alertmanager_post(alertmanager, name, err));
    must_become(notified(name, "firing") == 1, 15000);
    cr_assert_eq(notified(silenced, "firing"), 0);
    resolve();
}

Test(alertmanager, knows_its_receivers) {
    const json_t *names;
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    must(alertmanager_receivers(alertmanager, &names, err));
    cr_assert_eq(json_array_size(names), 1);
    cr_assert_str_eq(json_string_value(json_array_get(names, 0)), "reference-api");
}

Test(alertmanager, does_not_show_the_address_of_a_receiver) {
    struct alertmanager_status status;
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    must(alertmanager_status(alertmanager, &status, err));
    cr_assert_not_null(strstr(status.config, "receiver: reference-api"));
    cr_assert_null(strstr(status.config, "/alerts"), "a webhook's address can be a credential");
}

Test(alertmanager, reads_its_configuration_again_when_told_to) {
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    must(alertmanager_reload(alertmanager, err));
}

// ---- refusals and faults ------------------------------------------------------------------------

Test(alertmanager, refuses_an_alert_that_ends_before_it_starts) {
    given_a_name_for_an_alert();
    must_fail(alertmanager_post(alertmanager, name, err, .starts_wall_ms = clock_wall_ms(),
                                .ends_wall_ms = clock_wall_ms() - 60000),
              ERROR_SERVICE, SERVICE_ERROR_SYNTAX);
    cr_assert_eq(count(), 0);
}

Test(alertmanager, refuses_an_alert_without_labels) {
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    json_t *alerts = json_pack("[{s:{}}]", "labels");
    must_fail(alertmanager_post_json(alertmanager, alerts, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    json_decref(alerts);
}

Test(alertmanager, refuses_a_matcher_that_is_none) {
    const struct alertmanager_alert *alerts;
    size_t length;
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    must_fail(alertmanager_alerts(alertmanager, "==", &alerts, &length, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
}

Test(alertmanager, knows_nothing_of_a_silence_that_never_was) {
    char now[32];
    alertmanager = scenario_alertmanager(scenario, "alertmanager");
    must_fail(alertmanager_silence_state(alertmanager, "00000000-0000-4000-8000-000000000000", now,
                                         sizeof now, err),
              ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND);
}

Test(alertmanager, gives_up_in_time_on_a_server_that_says_nothing) {
    struct endpoint silent =
        *scenario_silent_server(scenario, scenario_endpoint(scenario, "alertmanager"));
    silent.request_timeout_ms = 300;
    alertmanager = scenario_alertmanager_at(scenario, &silent);
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(alertmanager_post(alertmanager, "a", err), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
}

Test(alertmanager, reports_a_server_that_is_not_there) {
    alertmanager = scenario_alertmanager_at(
        scenario, scenario_dead_server(scenario, scenario_endpoint(scenario, "alertmanager")));
    must_fail(alertmanager_post(alertmanager, "a", err), ERROR_UNAVAILABLE, 0);
}

Test(alertmanager, gives_up_in_time_on_a_paused_server, .timeout = 180) {
    struct spare *spare = scenario_spare(scenario, "alertmanager");
    const struct endpoint *impatient = scenario_impatient(scenario, spare_endpoint(spare, 0));
    alertmanager = scenario_alertmanager_at(scenario, impatient);
    must(alertmanager_post(alertmanager, "before", err));
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    const struct deadline in_time = deadline_in_ms(20000);
    must_fail(alertmanager_post(alertmanager, "during", err), ERROR_TIMEOUT, 0);
    cr_assert_not(deadline_passed(in_time));
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
    alertmanager = scenario_alertmanager_at(scenario, spare_endpoint(spare, 0));
    must_become(alertmanager_count(alertmanager, "alertname=\"before\"", err) == 1, 15000);
}

Test(alertmanager, keeps_a_silence_over_a_restart, .timeout = 180) {
    struct spare *spare = scenario_spare(scenario, "alertmanager");
    char now[32] = "", id[ALERTMANAGER_SILENCE_ID_SIZE];
    struct kind_members members = spare_members(spare);
    alertmanager = scenario_alertmanager_at(scenario, spare_endpoint(spare, 0));
    must(alertmanager_silence(alertmanager, "alertname", "kept", id, err));
    must(container_restart(scenario_engine(scenario), spare_container(spare, 0), err));
    must_become(alertmanager_ready(&members, NULL, NULL), 30000);
    must(alertmanager_silence_state(alertmanager, id, now, sizeof now, err));
    cr_assert_str_eq(now, "active");
}
