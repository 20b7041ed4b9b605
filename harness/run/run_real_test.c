// A run that is killed, with a dockerd of the test's own: see real_fixture.h.
#define _GNU_SOURCE
#include "run/run.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"
#include "run/engine_remains.h"
#include "run/lease.h"
#include "run/real_fixture.h"
#include "run/run_cleanup.h"

#include <criterion/criterion.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define GONE_WITHIN_MS 10000 // 2 s on an idle machine, as ci/kill-rounds checks

// What the run tells the test about itself.
struct said {
    volatile int stage;
    pid_t guardian;
    char run_id[16];
    char folder[128];
    char network[80];
};

static struct real_fixture real;
static struct said *said;

static void init_real(void) {
    real_fixture_init(&real);
    setenv("XDG_RUNTIME_DIR", real.state, 1);
    said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1); // so that guardians leave no zombies behind
}

static void done_real(void) {
    real_fixture_done(&real);
    munmap(said, sizeof *said);
}

TestSuite(run_real, .init = init_real, .fini = done_real, .timeout = 300);

enum stage { OPENED = 1, ENGINE_RUNS, ENGINE_TOLD, CREATED, KEPT };

// Lives as a run does, up to a stage, and then waits to be killed.
static void live(enum stage last, int64_t idle_ms) {
    const struct run_options options = {.lease_ms = idle_ms};
    struct run *run = NULL;
    cr_assert(run_open(&options, &run, NULL));
    memcpy(said->run_id, run_id(run), strlen(run_id(run)));
    memcpy(said->folder, run_folder(run), strlen(run_folder(run)));
    said->guardian = run_guardian(run);
    said->stage = OPENED;
    if (last >= ENGINE_RUNS) {
        real_fixture_open(&real);
        said->stage = ENGINE_RUNS;
    }
    if (last >= ENGINE_TOLD) {
        cr_assert(run_uses_engine(run, private_engine_host(real.held), NULL));
        said->stage = ENGINE_TOLD;
    }
    if (last >= CREATED) {
        json_t *labels = run_labels(run, "service");
        const char *network = real_fixture_network(&real, "assay-run", labels);
        memcpy(said->network, network, strlen(network));
        for (int i = 0; i < 4; i++)
            real_fixture_container(&real, labels, "assay-run");
        said->stage = CREATED;
    }
    if (last >= KEPT) {
        struct lease *lease = NULL;
        cr_assert(lease_claim(real.state, "kept", NULL, &lease, NULL));
        const struct lease_facts facts = {.run_id = said->run_id,
                                          .folder = said->folder,
                                          .engine_host = real.place.host,
                                          .idle_ms = idle_ms};
        cr_assert(lease_grant(lease, &facts, NULL));
        cr_assert(run_keep(run, "kept", NULL));
        run_close(run, false);
        lease_release(lease);
        private_engine_close(real.held);
        said->stage = KEPT;
        _exit(0);
    }
    for (;;)
        pause();
}

static bool has_said(void *context, struct error *err) {
    const enum stage *stage = context;
    return said->stage >= (int)*stage || error_set(err, ERROR_TIMEOUT, 0, "stage %d", said->stage);
}

static pid_t start_run(enum stage stage, int64_t idle_ms) {
    const pid_t run = fork();
    if (run == 0)
        live(stage, idle_ms);
    struct error err = {0};
    cr_assert(eventually(deadline_in_ms(30000), has_said, &stage, &err), "%s", err.message);
    return run;
}

static bool nothing_is_left(void *context, struct error *err) {
    (void)context;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    char *left = real_fixture_leftovers(&real);
    const bool guarded = kill(said->guardian, 0) == 0;
    const bool nothing = left[0] == '\0' && !file_exists(said->folder) && !guarded;
    error_set(err, ERROR_TIMEOUT, 0, "left: %s%s%s", left, said->folder,
              guarded ? " and the guardian" : "");
    free(left);
    return nothing;
}

static void assert_no_bridge(void) {
    char bridge[IFNAMSIZ];
    snprintf(bridge, sizeof bridge, "br-%.12s", said->network);
    cr_assert_eq(if_nametoindex(bridge), 0, "%s is still there", bridge);
}

static void assert_all_gone(int within_ms) {
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_assert(eventually(deadline_in_ms(within_ms), nothing_is_left, NULL, &err), "%s",
              err.message);
    cr_log_info("all gone after %lld ms", (long long)(clock_monotonic_us() - started_us) / 1000);
}

Test(run_real, leaves_nothing_when_killed_before_anything_was_started) {
    kill(start_run(OPENED, 0), SIGKILL);
    assert_all_gone(GONE_WITHIN_MS);
}

Test(run_real, leaves_nothing_when_killed_before_it_named_its_engine) {
    kill(start_run(ENGINE_RUNS, 0), SIGKILL);
    assert_all_gone(GONE_WITHIN_MS);
}

Test(run_real, leaves_nothing_when_killed_with_everything_running) {
    kill(start_run(CREATED, 0), SIGKILL);
    assert_all_gone(GONE_WITHIN_MS * 3);
    assert_no_bridge();
}

Test(run_real, leaves_nothing_when_its_engine_is_killed_before_it) {
    const pid_t run = start_run(CREATED, 0);
    kill(real_fixture_process(&real, ENGINE_PROCESS_DAEMON), SIGKILL);
    kill(run, SIGKILL);
    assert_all_gone(GONE_WITHIN_MS * 3);
    assert_no_bridge();
}

Test(run_real, keeps_a_leased_stack_after_it_ended_until_the_lease_does) {
    start_run(KEPT, 1500);
    cr_assert(private_engine_running(real.state), "the engine left under a leased stack");
    cr_assert_neq(real_fixture_process(&real, ENGINE_PROCESS_CONTAINED), 0);
    cr_assert(file_exists(said->folder));

    assert_all_gone(GONE_WITHIN_MS);
    assert_no_bridge();
    cr_assert_eq(lease_judge(real.state, said->run_id), LEASE_NONE);
}

Test(run_real, keeps_a_leased_stack_for_as_long_as_somebody_uses_it) {
    struct error err = {0};
    start_run(KEPT, 700);
    struct lease *lease = NULL;
    cr_assert(lease_claim(real.state, "kept", NULL, &lease, &err), "%s", err.message);
    cr_assert_not_null(lease_facts(lease));
    pause_ms(1500, NULL); // twice the lease
    cr_assert_neq(real_fixture_process(&real, ENGINE_PROCESS_CONTAINED), 0);

    lease_release(lease);
    assert_all_gone(GONE_WITHIN_MS);
}

Test(run_real, ends_a_leased_stack_at_once_when_told) {
    struct error err = {0};
    start_run(KEPT, 600000);
    cr_assert(stack_end(real.state, "kept", &err), "%s", err.message);
    assert_all_gone(GONE_WITHIN_MS);
    cr_assert_not(stack_end(real.state, "kept", &err));
    cr_assert_eq(err.domain, ERROR_USAGE);
}

Test(run_real, removes_a_leased_stack_whose_lease_was_deleted_by_hand) {
    start_run(KEPT, 600000);
    char *lease = path_join(real.state, "stacks/kept.json");
    cr_assert_eq(unlink(lease), 0, "%m");
    free(lease);
    assert_all_gone(GONE_WITHIN_MS);
    assert_no_bridge();
}

Test(run_real, starts_nothing_more_once_its_guardian_was_killed) {
    struct error err = {0};
    const struct run_options options = {0};
    struct run *run = NULL;
    cr_assert(run_open(&options, &run, &err), "%s", err.message);
    cr_assert(run_guarded(run, &err), "%s", err.message);
    kill(run_guardian(run), SIGKILL);
    const struct deadline deadline = deadline_in_ms(20000);
    while (run_guarded(run, &err) && !deadline_passed(deadline))
        pause_ms(5, NULL);
    cr_assert_not(run_guarded(run, &err));
    cr_assert_eq(err.domain, ERROR_UNAVAILABLE);
    run_close(run, true);
}
