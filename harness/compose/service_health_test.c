#include "compose/plan_test_tools.h"

#include <criterion/criterion.h>

TestSuite(service_health, .init = plan_test_folder, .fini = plan_test_leave, .timeout = 120);

Test(service_health, runs_a_text_in_a_shell_and_a_list_as_it_says) {
    expect_config(SERVICE("healthcheck: {test: curl -f http://x || exit 1}"),
                  "{\"Healthcheck\": {\"Test\": [\"CMD-SHELL\", \"curl -f http://x || exit 1\"]}}");
    expect_config(SERVICE("healthcheck: {test: [CMD, pg_isready]}"),
                  "{\"Healthcheck\": {\"Test\": [\"CMD\", \"pg_isready\"]}}");
}

Test(service_health, counts_times_in_nanoseconds) {
    expect_config(SERVICE("healthcheck: {interval: 1m30s, timeout: 500ms, retries: 3,"
                          " start_period: 10s, start_interval: 1s}"),
                  "{\"Healthcheck\": {\"Interval\": 90000000000, \"Timeout\": 500000000,"
                  " \"Retries\": 3, \"StartPeriod\": 10000000000, \"StartInterval\": 1000000000}}");
}

Test(service_health, can_be_switched_off) {
    expect_config(SERVICE("healthcheck: {disable: true, interval: 1s}"),
                  "{\"Healthcheck\": {\"Test\": [\"NONE\"]}}");
    expect_config(SERVICE("healthcheck: {test: [NONE]}"),
                  "{\"Healthcheck\": {\"Test\": [\"NONE\"]}}");
}

Test(service_health, says_what_is_wrong_and_where) {
    expect_error(SERVICE("healthcheck: {test: [curl, x]}"),
                 "compose.yaml:4:26: services.s.healthcheck.test: a list begins with NONE, CMD or "
                 "CMD-SHELL, not \"curl\"");
    expect_error(SERVICE("healthcheck: {interval: 5}"),
                 "compose.yaml:4:29: services.s.healthcheck.interval: expected a duration such as "
                 "10s or 1m30s, found \"5\"");
    expect_error(SERVICE("healthcheck: {interval: 5us}"),
                 "compose.yaml:4:29: services.s.healthcheck.interval: \"5us\" is less than a "
                 "millisecond");
    expect_error(
        SERVICE("healthcheck: {retries: many}"),
        "compose.yaml:4:28: services.s.healthcheck.retries: expected a whole number, found "
        "\"many\"");
    expect_error(SERVICE("healthcheck: [a]"),
                 "compose.yaml:4:18: services.s.healthcheck: expected a mapping, found a list");
    expect_warning(SERVICE("healthcheck: {tests: a}"),
                   "compose.yaml:4:19: services.s.healthcheck.tests: unknown key \"tests\", left "
                   "out");
}
