// The exporters of the full profile: each tells of the service behind it, and Prometheus hears it.
#include "base/memory.h"
#include "scenario/clients.h"

static struct scenario *scenario;
static struct prometheus *prometheus;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(exporter, .init = open_scenario, .fini = close_scenario, .timeout = 120);

// The exporter's page holds that line.
static void must_say(const char *exporter, const char *line) {
    const struct http_reply *reply;
    must(http_get(scenario_http(scenario, exporter), "/metrics", &reply, err));
    must(http_expect(reply, 200, err));
    cr_assert_not_null(strstr(http_body(reply), line), "%s does not say \"%s\"", exporter, line);
}

// Prometheus has scraped it under the job of its name, and then answers the query with 1 or more.
static void must_be_heard(const char *exporter, const char *query) {
    (void)scenario_endpoint(scenario, exporter); // not verified where the profile has none
    prometheus = scenario_prometheus(scenario, "prometheus");
    char *up = memory_format("up{job=\"%s\"}", exporter);
    scenario_own(scenario, up, free);
    must_become(prometheus_value(prometheus, up, err) == 1, 30000);
    must_become(prometheus_value(prometheus, query, err) >= 1, 30000);
}

Test(exporter, of_postgresql_reaches_its_server) {
    must_say("postgres-exporter", "\npg_up 1\n");
}

Test(exporter, of_mysql_reaches_its_server) {
    must_say("mysqld-exporter", "\nmysql_up 1\n");
}

Test(exporter, of_redis_reaches_its_server) {
    must_say("redis-exporter", "\nredis_up 1\n");
}

Test(exporter, of_the_node_measures_it) {
    must_say("node-exporter", "\nnode_memory_MemTotal_bytes ");
}

Test(exporter, of_postgresql_is_heard_by_prometheus) {
    must_be_heard("postgres-exporter", "max(pg_settings_max_connections)");
}

Test(exporter, of_mysql_is_heard_by_prometheus) {
    must_be_heard("mysqld-exporter", "max(mysql_global_status_uptime)");
}

Test(exporter, of_redis_is_heard_by_prometheus) {
    must_be_heard("redis-exporter", "max(redis_cluster_state)");
}

Test(exporter, of_the_node_is_heard_by_prometheus) {
    must_be_heard("node-exporter", "max(node_load1 >= bool 0)");
}

Test(exporter, of_redis_counts_what_its_server_does) {
    must_be_heard("redis-exporter", "max(redis_commands_processed_total)");
    const double before = prometheus_value(prometheus, "max(redis_commands_processed_total)", err);
    must_become(prometheus_value(prometheus, "max(redis_commands_processed_total)", err) > before,
                15000);
}

Test(exporter, shows_no_password_of_its_server) {
    const struct http_reply *reply;
    const struct endpoint *server = scenario_endpoint(scenario, "postgres");
    must(http_get(scenario_http(scenario, "postgres-exporter"), "/metrics", &reply, err));
    cr_assert_not(secret_occurs_in(server->password, http_body(reply), http_body_length(reply)));
}

Test(exporter, does_not_take_a_dead_address_for_a_live_one) {
    const struct http_reply *reply;
    struct http *dead = scenario_http_at(
        scenario, scenario_dead_server(scenario, scenario_endpoint(scenario, "node-exporter")));
    must_fail(http_get(dead, "/metrics", &reply, err), ERROR_UNAVAILABLE, 0);
}
