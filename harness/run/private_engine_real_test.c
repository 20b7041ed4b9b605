// With a dockerd for each test: needs root and dockerd, and is skipped, saying so, without.
#define _GNU_SOURCE
#include "run/private_engine.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/network.h"
#include "run/engine_remains.h"
#include "run/real_fixture.h"

#include <criterion/criterion.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct real_fixture real;

static void init_real(void) {
    real_fixture_init(&real);
}

static void done_real(void) {
    real_fixture_done(&real);
}

TestSuite(private_engine_real, .init = init_real, .fini = done_real, .timeout = 300);

static void assert_nothing_left(void) {
    char *left = real_fixture_leftovers(&real);
    cr_assert_str_eq(left, "");
    free(left);
}

static const char *bridge_of(const char *network) {
    static char bridge[IFNAMSIZ];
    snprintf(bridge, sizeof bridge, "br-%.12s", network);
    return bridge;
}

static struct private_engine *open_another(void) {
    struct error err = {0};
    struct private_engine *engine = NULL;
    cr_assert(private_engine_open(real.state, NULL, &engine, &err), "%s", err.message);
    return engine;
}

Test(private_engine_real, serves_two_holders_with_one_daemon_that_leaves_with_the_last) {
    struct private_engine *first = open_another();
    const pid_t daemon = real_fixture_process(&real, ENGINE_PROCESS_DAEMON);
    struct private_engine *second = open_another();
    cr_assert_neq(daemon, 0);
    cr_assert_eq(real_fixture_process(&real, ENGINE_PROCESS_DAEMON), daemon);

    private_engine_close(first);
    cr_assert_eq(real_fixture_process(&real, ENGINE_PROCESS_DAEMON), daemon);

    private_engine_close(second);
    cr_assert_not(private_engine_running(real.state));
    assert_nothing_left();
}

static pid_t fork_holder(void) {
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const pid_t holder = fork();
    if (holder == 0) {
        struct private_engine *held = NULL;
        const char opened = private_engine_open(real.state, NULL, &held, NULL) ? 'y' : 'n';
        if (write(ends[1], &opened, 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    char opened = '\0';
    cr_assert_eq(read(ends[0], &opened, 1), 1);
    cr_assert_eq(opened, 'y');
    close(ends[0]);
    close(ends[1]);
    return holder;
}

Test(private_engine_real, stays_while_its_holder_lives_and_goes_when_it_was_killed) {
    struct error err = {0};
    const pid_t holder = fork_holder();
    cr_assert(private_engine_stop_if_unused(real.state, &err), "%s", err.message);
    cr_assert(private_engine_running(real.state), "the daemon was taken from its holder");

    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    cr_assert(private_engine_stop_if_unused(real.state, &err), "%s", err.message);
    assert_nothing_left();
}

Test(private_engine_real, clears_what_a_killed_daemon_left_and_starts_again) {
    struct error err = {0};
    real_fixture_open(&real);
    json_t *labels = json_object();
    const char *network = real_fixture_network(&real, "assay-real", labels);
    const char *container = real_fixture_container(&real, labels, "assay-real");
    kill(real_fixture_process(&real, ENGINE_PROCESS_DAEMON), SIGKILL);
    cr_assert_neq(real_fixture_process(&real, ENGINE_PROCESS_CONTAINED), 0,
                  "the container was to outlive its daemon");

    struct private_engine *again = open_another();

    cr_assert_eq(real_fixture_process(&real, ENGINE_PROCESS_CONTAINED), 0);
    cr_assert(container_remove(real.engine, container, &err), "%s", err.message);
    cr_assert(network_remove(real.engine, network, &err), "%s", err.message);
    cr_assert_eq(if_nametoindex(bridge_of(network)), 0, "the bridge is still there");
    private_engine_close(again);
    json_decref(labels);
}

Test(private_engine_real, leaves_nothing_when_it_is_stopped_with_containers_running) {
    struct error err = {0};
    real_fixture_open(&real);
    json_t *labels = json_object();
    const char *network = real_fixture_network(&real, "assay-real", labels);
    real_fixture_container(&real, labels, "assay-real");
    json_decref(labels);
    cr_assert_neq(if_nametoindex(bridge_of(network)), 0, "the network was to have a bridge");
    cr_assert(engine_daemon_stop(&real.place, &err), "%s", err.message);
    cr_assert_eq(if_nametoindex(bridge_of(network)), 0, "the bridge is still there");
    assert_nothing_left();
}

Test(private_engine_real, says_what_dockerd_said_when_it_does_not_start) {
    struct error err = {0};
    cr_assert(file_write_atomic(real.place.data_root, "in the way", 10, 0600, &err));
    struct private_engine *engine = NULL;
    const int64_t started_us = clock_monotonic_us();
    cr_assert_not(private_engine_open(real.state, NULL, &engine, &err));
    cr_assert_eq(err.domain, ERROR_UNAVAILABLE);
    cr_assert_not_null(strstr(err.message, "dockerd.log"), "%s", err.message);
    cr_assert_not_null(strstr(err.message, "/engine/data"), "%s", err.message);
    cr_assert_lt(clock_monotonic_us() - started_us, 10 * 1000 * 1000, "waited for a dead daemon");
    assert_nothing_left();
}

Test(private_engine_real, leaves_nothing_when_its_start_is_cancelled) {
    struct error err = {0};
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, &err));
    cancel_request(&cancel);
    cr_assert_not(engine_daemon_start(&real.place, &cancel, &err));
    cr_assert_eq(err.domain, ERROR_CANCELLED);
    cancel_done(&cancel);
    assert_nothing_left();
}

Test(private_engine_real, starts_one_daemon_however_many_ask_at_once) {
    pid_t holders[8];
    for (size_t i = 0; i < 8; i++) {
        holders[i] = fork();
        if (holders[i] == 0) {
            struct private_engine *held = NULL;
            _exit(private_engine_open(real.state, NULL, &held, NULL) &&
                          engine_daemon_answers(&real.place, NULL)
                      ? 0
                      : 1);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        int status = -1;
        waitpid(holders[i], &status, 0);
        cr_assert_eq(status, 0);
    }
    struct error err = {0};
    cr_assert(private_engine_stop_if_unused(real.state, &err), "%s", err.message);
    assert_nothing_left();
}
