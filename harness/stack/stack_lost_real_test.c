// An engine that goes away while a stack comes up or runs: a dockerd of the test's own, which is
// killed. See real_fixture.h.
#define _GNU_SOURCE
#include "stack/stack.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "compose/plan_test_tools.h"
#include "run/engine_remains.h"
#include "run/real_fixture.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct real_fixture real;
static struct run *run;
static struct stack *stack;
static struct error problem;

static void init_lost(void) {
    real_fixture_init(&real);
    setenv("XDG_RUNTIME_DIR", real.state, 1);
    plan_test_folder();
    const struct run_options options = {0};
    cr_assert(run_open(&options, &run, &problem), "%s", problem.message);
    real_fixture_open(&real);
    cr_assert(run_uses_engine(run, private_engine_host(real.held), &problem));
}

static void done_lost(void) {
    stack_free(stack);
    run_close(run, false);
    plan_test_leave();
    real_fixture_done(&real);
}

TestSuite(stack_lost_real, .init = init_lost, .fini = done_lost, .timeout = 300);

// The scratch image holds nothing: the host's programs are mounted read-only.
#define PROGRAMS "[\"/usr:/usr:ro\", \"/bin:/bin:ro\", \"/lib:/lib:ro\", \"/lib64:/lib64:ro\"]"

static void *kill_daemon(void *context) {
    const int *after_ms = context;
    pause_ms(*after_ms, NULL);
    kill(real_fixture_process(&real, ENGINE_PROCESS_DAEMON), SIGKILL);
    return NULL;
}

static bool up_while_killed(const char *compose, int after_ms) {
    const struct plan *plan = plan_test_load(compose);
    struct image_choice choices[4] = {0};
    for (size_t i = 0; i < plan->service_count; i++)
        choices[i] = (struct image_choice){.service = plan->services[i].name,
                                           .reference = (char[]){"assay-test/scratch:1"},
                                           .origin = IMAGE_PRESENT};
    const struct image_choices images = {.items = choices, .count = plan->service_count};
    const struct stack_options options = {0};
    // At once means before: an engine that dies while it makes a network leaves a bridge that
    // nobody can tell from a stranger's.
    if (after_ms == 0)
        kill_daemon(&after_ms);
    pthread_t killer;
    const bool later = after_ms > 0;
    cr_assert(!later || pthread_create(&killer, NULL, kill_daemon, &after_ms) == 0);
    const bool ok = stack_up(run, real.engine, plan, &images, &options, &stack, &problem);
    if (later)
        pthread_join(killer, NULL);
    return ok;
}

Test(stack_lost_real, is_known_while_a_service_is_probed_and_said_once) {
    const int64_t started_us = clock_monotonic_us();
    const bool ok = up_while_killed("services:\n  web:\n    image: i\n    volumes: " PROGRAMS "\n"
                                    "    command: [/usr/bin/tail, -f, /dev/null]\n"
                                    "    x-assay: {kind: http, port: 80, ready_timeout: 60s}\n",
                                    3000);
    cr_assert_not(ok);
    cr_assert_not_null(strstr(problem.message, "the engine went away"), "%s", problem.message);
    cr_assert_lt(clock_monotonic_us() - started_us, 30 * 1000000);
}

#define UNHEALTHY(name)                                          \
    "  " name ":\n    image: i\n    volumes: " PROGRAMS "\n"     \
    "    command: [/usr/bin/tail, -f, /dev/null]\n"              \
    "    healthcheck: {test: [CMD, /bin/false], interval: 1s}\n" \
    "    x-assay: {ready_timeout: 60s}\n"

Test(stack_lost_real, is_known_before_anything_was_created) {
    cr_assert_not(up_while_killed("services:\n" UNHEALTHY("a"), 0));
    cr_assert_not_null(strstr(problem.message, "engine"), "%s", problem.message);
}

Test(stack_lost_real, is_known_while_containers_are_created) {
    cr_assert_not(up_while_killed("services:\n" UNHEALTHY("a") UNHEALTHY("b") UNHEALTHY("c"), 400));
    cr_assert_not_null(strstr(problem.message, "engine"), "%s", problem.message);
}
