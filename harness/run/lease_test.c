#define _GNU_SOURCE
#include "run/lease.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/run.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char state[64];
static struct error err;
static pid_t keeper; // 0: none

static void open_state(void) {
    snprintf(state, sizeof state, "/tmp/assay-lease-XXXXXX");
    cr_assert_not_null(mkdtemp(state));
}

static void close_state(void) {
    if (keeper > 0) {
        kill(keeper, SIGKILL);
        waitpid(keeper, NULL, 0);
    }
    cr_expect(file_remove_tree(state, NULL));
}

TestSuite(lease, .init = open_state, .fini = close_state, .timeout = 120);

static struct lease *claim(const char *name) {
    struct lease *lease = NULL;
    cr_assert(lease_claim(state, name, NULL, &lease, &err), "%s", err.message);
    return lease;
}

static void grant(struct lease *lease, const char *run_id, int64_t idle_ms) {
    char *id = memory_copy_string(run_id);
    const struct lease_facts facts = {.run_id = id,
                                      .folder = (char[]){"/run/assay/x"},
                                      .engine_host = (char[]){"unix:///engine.sock"},
                                      .environment = (char[]){"/run/assay/x/environment"},
                                      .project = (char[]){"dévstack"},
                                      .idle_ms = idle_ms};
    cr_assert(lease_grant(lease, &facts, &err), "%s", err.message);
    free(id);
}

Test(lease, keeps_what_was_granted) {
    struct lease *lease = claim("mine");
    cr_assert_null(lease_facts(lease));
    grant(lease, "aaaaaaaaaa", 0);
    lease_release(lease);

    struct lease_facts facts = {0};
    cr_assert(lease_find(state, "mine", &facts, &err), "%s", err.message);
    cr_assert_str_eq(facts.run_id, "aaaaaaaaaa");
    cr_assert_str_eq(facts.environment, "/run/assay/x/environment");
    cr_assert_str_eq(facts.project, "dévstack");
    cr_assert_eq(facts.idle_ms, LEASE_DEFAULT_IDLE_MS);
    cr_assert_gt(facts.expires_wall_ms, clock_wall_ms() + LEASE_DEFAULT_IDLE_MS - 10000);
    lease_facts_done(&facts);
}

Test(lease, is_seen_by_the_next_who_claims_the_name) {
    struct lease *first = claim("mine");
    grant(first, "aaaaaaaaaa", 0);
    struct lease *second = claim("mine"); // at once, though the first still uses it
    cr_assert_not_null(lease_facts(second));
    cr_assert_str_eq(lease_facts(second)->run_id, "aaaaaaaaaa");
    lease_release(second);
    lease_release(first);
}

Test(lease, lets_one_of_many_make_the_stack_and_the_others_use_it) {
    atomic_int *made =
        mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t starters[64];
    for (size_t i = 0; i < 64; i++) {
        starters[i] = fork();
        if (starters[i] != 0)
            continue;
        struct lease *lease = NULL;
        if (!lease_claim(state, "mine", NULL, &lease, NULL))
            _exit(1);
        if (lease_facts(lease) == NULL) {
            atomic_fetch_add(made, 1);
            const struct lease_facts facts = {.run_id = (char[]){"aaaaaaaaaa"}};
            if (!lease_grant(lease, &facts, NULL))
                _exit(2);
        }
        const bool used = strcmp(lease_facts(lease)->run_id, "aaaaaaaaaa") == 0;
        lease_release(lease);
        _exit(used ? 0 : 3);
    }
    for (size_t i = 0; i < 64; i++) {
        int status = -1;
        waitpid(starters[i], &status, 0);
        cr_assert_eq(status, 0);
    }
    cr_assert_eq(atomic_load(made), 1);
    munmap(made, sizeof *made);
}

Test(lease, of_a_starter_that_was_killed_is_the_next_ones_to_make) {
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const pid_t starter = fork();
    if (starter == 0) {
        struct lease *lease = NULL;
        if (lease_claim(state, "mine", NULL, &lease, NULL) && write(ends[1], "y", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    char claimed = '\0';
    cr_assert_eq(read(ends[0], &claimed, 1), 1);
    kill(starter, SIGKILL);
    struct lease *lease = claim("mine");
    cr_assert_null(lease_facts(lease));
    lease_release(lease);
    waitpid(starter, NULL, 0);
}

Test(lease, waits_for_who_makes_the_stack_only_until_it_is_cancelled) {
    struct lease *maker = claim("mine");
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, &err));
    cancel_request(&cancel);
    struct lease *waiter = NULL;
    cr_assert_not(lease_claim(state, "mine", &cancel, &waiter, &err));
    cr_assert_eq(err.domain, ERROR_CANCELLED);
    cancel_done(&cancel);
    lease_release(maker);
}

Test(lease, runs_while_it_is_in_use_even_after_its_time) {
    struct lease *lease = claim("mine");
    grant(lease, "aaaaaaaaaa", 1);
    const struct deadline over = deadline_in_ms(20);
    while (!deadline_passed(over))
        cr_assert_eq(lease_judge(state, "aaaaaaaaaa"), LEASE_RUNS);
    cr_assert(lease_needs_engine(state, "unix:///engine.sock"));
    cr_assert_not(lease_needs_engine(state, "unix:///other.sock"));
    lease_release(lease);
}

Test(lease, ends_when_its_time_is_over_and_nobody_uses_it) {
    struct lease *lease = claim("mine");
    grant(lease, "aaaaaaaaaa", 1);
    lease_release(lease);
    const struct deadline soon = deadline_in_ms(20000);
    while (lease_judge(state, "aaaaaaaaaa") == LEASE_RUNS && !deadline_passed(soon)) {
    }
    cr_assert_eq(lease_judge(state, "aaaaaaaaaa"), LEASE_ENDED);
    cr_assert_eq(lease_judge(state, "bbbbbbbbbb"), LEASE_NONE);
    cr_assert_not(lease_needs_engine(state, "unix:///engine.sock"));
}

Test(lease, is_not_brought_back_by_a_user_after_the_stack_was_removed) {
    struct lease *lease = claim("mine");
    grant(lease, "aaaaaaaaaa", 0);
    lease_forget(state, "aaaaaaaaaa");
    lease_release(lease);
    struct lease_facts facts = {0};
    cr_assert_not(lease_find(state, "mine", &facts, &err));
    cr_assert_eq(err.domain, ERROR_USAGE);
}

Test(lease, of_another_run_is_not_forgotten) {
    struct lease *lease = claim("mine");
    grant(lease, "aaaaaaaaaa", 0);
    lease_forget(state, "bbbbbbbbbb");
    cr_assert_eq(lease_judge(state, "aaaaaaaaaa"), LEASE_RUNS);
    lease_release(lease);
}

Test(lease, keeper_has_nothing_to_wait_for_without_a_lease) {
    struct lease *ended = NULL;
    cr_assert(lease_keep(state, "mine", "aaaaaaaaaa", &ended), "it would leave without a sweep");
    lease_release(ended);
}

enum kept { KEPT_TO_REMOVE = 0, KEPT_ALONE, KEPT_QUIETLY };

// A keeper in a process of its own, which ends with enum kept; returns once it stands. It must not
// inherit a lease: it would keep what it waits for.
static void start_keeper(void) {
    char path[128];
    snprintf(path, sizeof path, "%s/stacks/mine.keeper", state);
    keeper = fork();
    if (keeper == 0) {
        struct lease *ended = NULL;
        if (!lease_keep(state, "mine", "aaaaaaaaaa", &ended))
            _exit(KEPT_QUIETLY);
        _exit(ended != NULL ? KEPT_ALONE : KEPT_TO_REMOVE);
    }
    const struct deadline deadline = deadline_in_ms(20000);
    while (!file_exists(path) && !deadline_passed(deadline)) {
    }
    cr_assert(file_exists(path));
}

static enum kept end_of_keeper(void) {
    int status = -1;
    waitpid(keeper, &status, 0);
    keeper = 0;
    cr_assert(WIFEXITED(status));
    return (enum kept)WEXITSTATUS(status);
}

static void remove_by_hand(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", state, name);
    cr_assert(file_remove_tree(path, &err), "%s", err.message);
}

static void start_keeper_of_a_long_lease(void) {
    struct lease *lease = claim("mine");
    grant(lease, "aaaaaaaaaa", 600000);
    lease_release(lease);
    start_keeper();
}

Test(lease, that_is_deleted_by_hand_has_ended) {
    start_keeper_of_a_long_lease();
    remove_by_hand("stacks/mine.json");
    cr_assert_eq(end_of_keeper(), KEPT_ALONE);
}

Test(lease, that_is_deleted_with_the_whole_folder_has_ended) {
    start_keeper_of_a_long_lease();
    remove_by_hand("");
    cr_assert_eq(end_of_keeper(), KEPT_ALONE);
}

Test(lease, that_is_deleted_by_hand_still_waits_for_who_uses_the_stack) {
    start_keeper_of_a_long_lease();
    struct lease *user = claim("mine"); // after the fork: a lock is inherited
    remove_by_hand("stacks/mine.json");
    pause_ms(600, NULL); // more than twice the keeper's interval
    cr_assert_eq(waitpid(keeper, NULL, WNOHANG), 0, "it removes what is in use");
    lease_release(user);
    cr_assert_eq(end_of_keeper(), KEPT_ALONE);
}

Test(lease, whose_name_was_given_to_another_stack_has_ended) {
    start_keeper_of_a_long_lease();
    remove_by_hand("stacks/mine.json");
    struct lease *other = claim("mine");
    grant(other, "bbbbbbbbbb", 600000);
    const enum kept end = end_of_keeper();
    cr_assert_eq(lease_judge(state, "bbbbbbbbbb"), LEASE_RUNS);
    lease_release(other);
    cr_assert_eq(end, KEPT_TO_REMOVE);
}

Test(lease, of_a_stack_that_somebody_else_removed_ends_quietly) {
    start_keeper_of_a_long_lease();
    lease_forget(state, "aaaaaaaaaa");
    cr_assert_eq(end_of_keeper(), KEPT_QUIETLY);
}

Test(lease, that_cannot_be_read_for_a_moment_has_not_ended) {
    start_keeper_of_a_long_lease();
    char path[128];
    snprintf(path, sizeof path, "%s/stacks/mine.json", state);
    char aside[136];
    snprintf(aside, sizeof aside, "%s.aside", path);
    cr_assert_eq(symlink(path, aside), 0);
    cr_assert_eq(rename(aside, path), 0); // a link to itself: ELOOP
    pause_ms(600, NULL);
    cr_assert_eq(waitpid(keeper, NULL, WNOHANG), 0);
}

Test(lease, keeper_holds_the_stack_alone_when_the_time_is_over) {
    struct lease *lease = claim("mine");
    grant(lease, "aaaaaaaaaa", 1);
    lease_release(lease);
    struct lease *ended = NULL;
    cr_assert(lease_keep(state, "mine", "aaaaaaaaaa", &ended));
    cr_assert_not_null(ended);
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, &err));
    cancel_request(&cancel);
    struct lease *user = NULL;
    cr_assert_not(lease_claim(state, "mine", &cancel, &user, &err), "used while it is removed");
    cancel_done(&cancel);
    lease_release(ended);
}

Test(lease, file_that_is_broken_is_an_error_that_names_it) {
    lease_release(claim("mine"));
    char path[128];
    snprintf(path, sizeof path, "%s/stacks/mine.json", state);
    cr_assert(file_write_atomic(path, "{\"run\": 1}", 10, 0600, &err));
    struct lease *lease = NULL;
    cr_assert_not(lease_claim(state, "mine", NULL, &lease, &err));
    cr_assert_eq(err.domain, ERROR_PROTOCOL);
    cr_assert_not_null(strstr(err.message, "mine.json"), "%s", err.message);
    cr_assert_eq(lease_judge(state, "aaaaaaaaaa"), LEASE_NONE);
}

static void assert_no_name(const char *name) {
    struct lease *lease = NULL;
    cr_assert_not(lease_claim(state, name, NULL, &lease, &err), "\"%s\" was taken", name);
    cr_assert_eq(err.domain, ERROR_USAGE);
}

Test(lease, refuses_names_that_would_leave_the_folder) {
    assert_no_name("");
    assert_no_name("../mine");
    assert_no_name("a/b");
    assert_no_name("-option");
    assert_no_name("Upper");
    assert_no_name("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

Test(lease, names_are_listed_in_order) {
    struct lease *second = claim("b");
    struct lease *first = claim("a");
    grant(second, "bbbbbbbbbb", 0);
    grant(first, "aaaaaaaaaa", 0);
    lease_release(claim("c")); // never granted
    struct string_list names = {0};
    cr_assert(lease_names(state, &names, &err), "%s", err.message);
    lease_release(first);
    lease_release(second);
    cr_assert_eq(names.count, 2);
    cr_assert_str_eq(names.items[0], "a");
    cr_assert_str_eq(names.items[1], "b");
    string_list_done(&names);
}

// A link that leads to itself stands for all that is there and cannot be read now.
Test(lease, that_cannot_be_read_is_unknown_and_keeps_its_engine) {
    struct lease *lease = claim("mine");
    grant(lease, "aaaaaaaaaa", 0);
    lease_release(lease);
    char path[128];
    snprintf(path, sizeof path, "%s/stacks/mine.json", state);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink("mine.json", path), 0);

    cr_assert_eq(lease_judge(state, "aaaaaaaaaa"), LEASE_UNKNOWN);
    cr_assert(lease_needs_engine(state, "unix:///engine.sock"));
}

Test(lease, cannot_be_listed_where_their_folder_is_none) {
    struct string_list names = {0};
    cr_assert(lease_names(state, &names, &err), "%s", err.message);
    cr_assert_eq(names.count, 0);
    char path[128];
    snprintf(path, sizeof path, "%s/stacks", state);
    cr_assert(file_write_atomic(path, "", 0, 0600, &err), "%s", err.message);
    cr_assert_not(lease_names(state, &names, &err));
    cr_assert_eq(lease_judge(state, "aaaaaaaaaa"), LEASE_UNKNOWN);
}

// Convention 4: what failed half way is freed like the rest.
Test(run, destructors_take_null) {
    lease_release(NULL);
    run_close(NULL, true);
}
