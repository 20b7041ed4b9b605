// With a dockerd of the test's own: see real_fixture.h.
#define _GNU_SOURCE
#include "run/sweep.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/container.h"
#include "engine/network.h"
#include "process/owner.h"
#include "run/lease.h"
#include "run/real_fixture.h"
#include "run/run_folder.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOREIGN_OWNER "0123456789abcdef/00000000-0000-0000-0000-000000000000/initial/4242/1"

static struct real_fixture real;

static void init_real(void) {
    real_fixture_init(&real);
    setenv("XDG_RUNTIME_DIR", real.state, 1);
    real_fixture_open(&real);
}

static void done_real(void) {
    real_fixture_done(&real);
}

TestSuite(sweep_real, .init = init_real, .fini = done_real, .timeout = 300);

static void owner_of_myself(char text[OWNER_TEXT_SIZE]) {
    struct error err = {0};
    struct owner owner;
    cr_assert(owner_self(&owner, &err), "%s", err.message);
    owner_format(&owner, text);
}

// As a process would have written that has ended since.
static void owner_of_the_dead(char text[OWNER_TEXT_SIZE]) {
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        char mine[OWNER_TEXT_SIZE] = "";
        owner_of_myself(mine);
        _exit(write(ends[1], mine, sizeof mine) == (ssize_t)sizeof mine ? 0 : 1);
    }
    cr_assert_eq(read(ends[0], text, OWNER_TEXT_SIZE), OWNER_TEXT_SIZE);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static json_t *labels_of(const char *run_id, const char *owner, const char *lease) {
    json_t *labels = json_pack("{s:s*, s:s*, s:s*}", "io.assay.run", run_id, "io.assay.owner",
                               owner, "io.assay.lease", lease);
    cr_assert_not_null(labels);
    return labels;
}

static const char *container_of(const char *run_id, const char *owner, const char *lease) {
    json_t *labels = labels_of(run_id, owner, lease);
    const char *id = real_fixture_container(&real, labels, NULL);
    json_decref(labels);
    return id;
}

static bool is_there(const char *container) {
    struct error err = {0};
    json_t *json = NULL;
    const bool there = container_inspect(real.engine, container, &json, &err);
    json_decref(json);
    cr_assert(there || err.code == 404, "%s", err.message);
    return there;
}

static struct sweep_count sweep_the_dead(void) {
    struct error err = {0};
    struct sweep_count count = {0};
    cr_assert(sweep_dead(real.engine, &count, &err), "%s", err.message);
    return count;
}

Test(sweep_real, takes_what_the_provably_dead_left_and_nothing_else) {
    char dead[OWNER_TEXT_SIZE];
    char alive[OWNER_TEXT_SIZE];
    owner_of_the_dead(dead);
    owner_of_myself(alive);
    const char *of_the_dead = container_of("aaaaaaaaaa", dead, NULL);
    const char *of_the_living = container_of("bbbbbbbbbb", alive, NULL);
    const char *of_a_stranger = container_of("cccccccccc", FOREIGN_OWNER, NULL);
    const char *unowned = container_of("dddddddddd", NULL, NULL);
    const char *garbled = container_of("eeeeeeeeee", "who/knows", NULL);
    const char *unlabelled = container_of(NULL, NULL, NULL);
    const char *almost_labelled = container_of(NULL, dead, NULL);

    const struct sweep_count count = sweep_the_dead();

    cr_assert_not(is_there(of_the_dead));
    cr_assert(is_there(of_the_living));
    cr_assert(is_there(of_a_stranger));
    cr_assert(is_there(unowned));
    cr_assert(is_there(garbled));
    cr_assert(is_there(unlabelled));
    cr_assert(is_there(almost_labelled));
    cr_assert_eq(count.containers, 1);
    cr_assert_geq(count.kept, 4); // and folders of other runs on this host
}

Test(sweep_real, leaves_a_leased_stack_until_its_lease_has_ended) {
    char dead[OWNER_TEXT_SIZE];
    owner_of_the_dead(dead);
    char later[24];
    snprintf(later, sizeof later, "%lld", (long long)(clock_wall_ms() / 1000 + 3600));
    const char *leased = container_of("aaaaaaaaaa", dead, later);
    const char *ended = container_of("bbbbbbbbbb", dead, "1000000000");

    sweep_the_dead();

    cr_assert(is_there(leased));
    cr_assert_not(is_there(ended));
}

Test(sweep_real, believes_the_lease_on_file_more_than_the_label) {
    struct error err = {0};
    char dead[OWNER_TEXT_SIZE];
    owner_of_the_dead(dead);
    const char *renewed = container_of("aaaaaaaaaa", dead, "1000000000");
    struct lease *lease = NULL;
    cr_assert(lease_claim(real.state, "mine", NULL, &lease, &err), "%s", err.message);
    const struct lease_facts facts = {.run_id = (char[]){"aaaaaaaaaa"}, .idle_ms = 60000};
    cr_assert(lease_grant(lease, &facts, &err), "%s", err.message);
    lease_release(lease);

    sweep_the_dead();
    cr_assert(is_there(renewed));

    lease_forget(real.state, "aaaaaaaaaa");
    sweep_the_dead();
    cr_assert_not(is_there(renewed));
}

Test(sweep_real, removes_a_run_whatever_state_its_containers_are_in) {
    struct error err = {0};
    json_t *labels = labels_of("aaaaaaaaaa", FOREIGN_OWNER, NULL);
    real_fixture_network(&real, "assay-sweep", labels);
    real_fixture_volume(&real, "assay-sweep", labels);
    const char *paused = real_fixture_container(&real, labels, "assay-sweep");
    const char *stopped = real_fixture_container(&real, labels, "assay-sweep");
    real_fixture_container(&real, labels, "assay-sweep");
    cr_assert(container_pause(real.engine, paused, &err), "%s", err.message);
    cr_assert(container_kill(real.engine, stopped, "KILL", &err), "%s", err.message);
    const char *other = container_of("bbbbbbbbbb", FOREIGN_OWNER, NULL);

    struct sweep_count count = {0};
    cr_assert(sweep_run(real.engine, "aaaaaaaaaa", &count, &err), "%s", err.message);

    cr_assert_eq(count.containers, 3);
    cr_assert_eq(count.networks, 1);
    cr_assert_eq(count.volumes, 1);
    cr_assert(is_there(other));
    json_decref(labels);
}

Test(sweep_real, gives_up_soon_on_a_network_that_the_engine_does_not_let_go_of) {
    struct error err = {0};
    struct sweep_count count = {0};
    char dead[OWNER_TEXT_SIZE];
    owner_of_the_dead(dead);
    json_t *labels = labels_of("aaaaaaaaaa", dead, NULL);
    json_t *none = json_object();
    real_fixture_network(&real, "assay-sweep", labels);
    const char *of_a_stranger = real_fixture_container(&real, none, "assay-sweep");
    const char *of_the_dead = container_of("aaaaaaaaaa", dead, NULL);
    const struct deadline soon = deadline_in_ms(15000);

    cr_assert_not(sweep_dead(real.engine, &count, &err));

    cr_assert_not(deadline_passed(soon));
    cr_assert_not_null(strstr(err.message, "has active endpoints"), "%s", err.message);
    cr_assert(is_there(of_a_stranger));
    cr_assert_not(is_there(of_the_dead));
    json_decref(none);
    json_decref(labels);
}

static void *make_containers(void *context) {
    for (int i = 0; i < 6; i++)
        real_fixture_container(&real, context, NULL);
    return NULL;
}

Test(sweep_real, removes_what_is_being_created_while_it_sweeps) {
    struct error err = {0};
    json_t *labels = labels_of("aaaaaaaaaa", FOREIGN_OWNER, NULL);
    const char *first = real_fixture_container(&real, labels, NULL);
    pthread_t maker;
    cr_assert_eq(pthread_create(&maker, NULL, make_containers, labels), 0);
    struct sweep_count count = {0};
    while (count.containers < 7) {
        struct sweep_count now = {0};
        cr_assert(sweep_run(real.engine, "aaaaaaaaaa", &now, &err), "%s", err.message);
        count.containers += now.containers;
    }
    pthread_join(maker, NULL);
    cr_assert_not(is_there(first));
    json_decref(labels);
}

Test(sweep_real, removes_sixteen_containers_within_their_second) {
    struct error err = {0};
    json_t *labels = labels_of("aaaaaaaaaa", FOREIGN_OWNER, NULL);
    real_fixture_network(&real, "assay-sweep", labels);
    for (int i = 0; i < 16; i++)
        real_fixture_container(&real, labels, "assay-sweep");
    const int64_t started_us = clock_monotonic_us();
    struct sweep_count count = {0};
    cr_assert(sweep_run(real.engine, "aaaaaaaaaa", &count, &err), "%s", err.message);
    const long long took_ms = (long long)(clock_monotonic_us() - started_us) / 1000;
    cr_log_info("16 containers and a network removed in %lld ms", took_ms);
    cr_assert_eq(count.containers, 16);
    // A loaded machine is no failure of ours; docs/benchmarks has the figure.
    cr_assert_lt(took_ms, 60000);
    json_decref(labels);
}

// As `assay up` under another ASSAY_STATE leaves it: the lease itself is not to be seen from here.
static void note_lease(const char *folder, long long until_s) {
    struct error err = {0};
    char *path = path_join(folder, RUN_FOLDER_LEASE);
    char *text = memory_format("%lld", until_s);
    cr_assert(file_write_atomic(path, text, strlen(text), 0600, &err), "%s", err.message);
    free(text);
    free(path);
}

Test(sweep_real, takes_the_folders_of_dead_runs_only) {
    struct error err = {0};
    char dead[OWNER_TEXT_SIZE];
    char alive[OWNER_TEXT_SIZE];
    owner_of_the_dead(dead);
    owner_of_myself(alive);
    char *of_the_dead = NULL;
    char *of_the_living = NULL;
    char *of_a_stranger = NULL;
    char *leased = NULL;
    char *no_longer_leased = NULL;
    cr_assert(run_folder_make("aaaaaaaaaa", dead, &of_the_dead, &err), "%s", err.message);
    cr_assert(run_folder_make("bbbbbbbbbb", alive, &of_the_living, &err), "%s", err.message);
    cr_assert(run_folder_make("cccccccccc", FOREIGN_OWNER, &of_a_stranger, &err));
    cr_assert(run_folder_make("dddddddddd", dead, &leased, &err), "%s", err.message);
    cr_assert(run_folder_make("eeeeeeeeee", dead, &no_longer_leased, &err), "%s", err.message);
    note_lease(leased, (long long)(clock_wall_ms() / 1000 + 3600));
    note_lease(no_longer_leased, 1000000000);

    const struct sweep_count count = sweep_the_dead();

    cr_assert_eq(count.folders, 2);
    cr_assert(file_exists(leased));
    cr_assert_not(file_exists(no_longer_leased));
    cr_assert_not(file_exists(of_the_dead));
    cr_assert(file_exists(of_the_living));
    cr_assert(file_exists(of_a_stranger));
    cr_assert(run_folder_remove("bbbbbbbbbb", NULL, &err), "%s", err.message);
    cr_assert(run_folder_remove("cccccccccc", NULL, &err), "%s", err.message);
    cr_assert(run_folder_remove("dddddddddd", NULL, &err), "%s", err.message);
    free(leased);
    free(no_longer_leased);
    free(of_the_dead);
    free(of_the_living);
    free(of_a_stranger);
}
