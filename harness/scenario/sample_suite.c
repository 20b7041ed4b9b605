// A suite that does everything a suite may do wrong: the runner's tests run it.
#include "scenario/clients.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct scenario *scenario;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(sample, .init = open_scenario, .fini = close_scenario, .timeout = 10);

Test(sample, passes) {
    cr_assert(scenario != NULL);
}

Test(sample, fails_with_a_message_no_format_can_hold) {
    cr_assert(false, "say \"hi\" \\ ]]> \x01\xff\nsecond line");
}

Test(sample, expected_another_error) {
    must_fail(error_set(err, ERROR_TIMEOUT, 0, "too late"), ERROR_SERVICE, SERVICE_ERROR_LOGIN);
}

Test(sample, crashes) {
    raise(SIGKILL); // which no sanitizer takes for itself
}

Test(sample, hangs, .timeout = 0.3) {
    for (;;)
        pause_ms(1000, NULL);
}

Test(sample, leaves) {
    exit(7);
}

Test(sample, cannot_verify) {
    not_verified("the %s is not there", "server");
}

Test(sample, does_not_apply) {
    not_applicable("the server says \"no\"");
}

Test(sample, skips_plainly) {
    cr_skip_test("because");
}

Test(sample, asks_for_a_service_without_a_runner) {
    (void)scenario_endpoint(scenario, "postgres");
}
