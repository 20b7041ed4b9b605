#define _GNU_SOURCE
#include "stack/board.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "stack/credential.h"
#include "stack/stack.h"

#include <criterion/criterion.h>
#include <string.h>

static struct board board;
static struct error problem;
static int told; // how often the listener was

static struct plan_service services[2] = {{.name = (char[]){"db"}}, {.name = (char[]){"web"}}};
static const struct plan plan = {.services = services, .service_count = 2};

static void count(void *context, size_t service, enum service_state state, const char *detail) {
    (void)context, (void)service, (void)state, (void)detail;
    told++;
}

static void open_board(void) {
    board_init(&board, 2);
    board.progress = count;
}

static void close_board(void) {
    board_done(&board);
}

TestSuite(board, .init = open_board, .fini = close_board, .timeout = 120);

static bool await(enum dependency_condition condition, bool required) {
    const struct plan_dependency dependency = {
        .service = 0, .condition = condition, .required = required};
    return board_await(&board, &plan, &dependency, NULL, &problem);
}

static void fail_service(size_t service, enum service_state state) {
    struct error why = {0};
    error_set(&why, ERROR_SERVICE, 0, "no disk");
    board_end(&board, service, state, &why);
}

Test(board, tells_its_listener_of_every_change) {
    board_set(&board, 0, SERVICE_CREATING, NULL);
    board_set(&board, 0, SERVICE_STARTING, NULL);
    board_set(&board, 0, SERVICE_READY, NULL);
    cr_assert_eq(told, 3);
    cr_assert(board_get(&board, 0).started);
    cr_assert_gt(board_get(&board, 0).ready_us, 0);
}

Test(board, a_service_that_failed_stays_failed_with_its_first_reason) {
    fail_service(0, SERVICE_FAILED);
    board_set(&board, 0, SERVICE_READY, NULL);
    error_set(&problem, ERROR_SERVICE, 0, "something later");
    board_end(&board, 0, SERVICE_MISSING, &problem);
    cr_assert_eq(board_get(&board, 0).state, SERVICE_FAILED);
    cr_assert_str_eq(board_get(&board, 0).problem.message, "no disk");
    cr_assert_eq(told, 1);
}

Test(board, a_death_after_ready_is_a_failure) {
    board_set(&board, 0, SERVICE_READY, NULL);
    board_saw_death(&board, 0, 7);
    cr_assert_eq(board_get(&board, 0).state, SERVICE_FAILED);
    cr_assert_str_eq(board_get(&board, 0).problem.message,
                     "died after it was ready, exit status 7");
}

Test(board, a_death_seen_before_ready_is_a_failure_too) {
    board_set(&board, 0, SERVICE_STARTING, NULL);
    board_saw_oom(&board, 0);
    board_saw_death(&board, 0, 137);
    board_set(&board, 0, SERVICE_READY, NULL);
    cr_assert_eq(board_get(&board, 0).state, SERVICE_FAILED);
    cr_assert_str_eq(board_get(&board, 0).problem.message,
                     "its container ended with exit status 137 (killed for lack of memory)");
}

Test(board, a_one_shot_may_be_complete_after_its_death) {
    board_saw_death(&board, 0, 0);
    board_set(&board, 0, SERVICE_COMPLETED, NULL);
    cr_assert_eq(board_get(&board, 0).state, SERVICE_COMPLETED);
    cr_assert(await(DEPENDS_COMPLETED, true));
    cr_assert(await(DEPENDS_HEALTHY, true));
}

Test(board, each_condition_holds_from_its_own_moment_on) {
    board_set(&board, 0, SERVICE_STARTING, NULL);
    cr_assert(await(DEPENDS_STARTED, true));
    board_set(&board, 0, SERVICE_READY, NULL);
    cr_assert(await(DEPENDS_HEALTHY, true));
}

Test(board, who_needs_a_service_that_failed_is_told_so) {
    fail_service(0, SERVICE_FAILED);
    cr_assert_not(await(DEPENDS_HEALTHY, true));
    cr_assert_eq(problem.domain, ERROR_UNAVAILABLE);
    cr_assert_str_eq(problem.message, "needs db, which failed");
}

Test(board, who_needs_a_service_that_is_missing_is_told_so) {
    fail_service(0, SERVICE_MISSING);
    cr_assert_not(await(DEPENDS_STARTED, true));
    cr_assert_str_eq(problem.message, "needs db, which is not there (no disk)");
}

Test(board, who_needs_what_lacks_another_is_told_of_the_other) {
    error_set(&problem, ERROR_UNAVAILABLE, 0, "needs disk, which failed; the last probe said: no");
    board_end(&board, 0, SERVICE_MISSING, &problem);
    cr_assert_not(await(DEPENDS_STARTED, true));
    cr_assert_str_eq(problem.message, "needs db, which is not there (needs disk, which failed)");
}

Test(board, who_needs_the_end_of_a_service_is_told_its_exit_status) {
    board_saw_death(&board, 0, 3);
    cr_assert_not(await(DEPENDS_COMPLETED, true));
    cr_assert_str_eq(problem.message, "needs db, which ended with exit status 3");
}

Test(board, what_is_not_required_holds_nobody_up) {
    fail_service(0, SERVICE_FAILED);
    cr_assert(await(DEPENDS_HEALTHY, false));
}

Test(board, remembers_only_the_last_word_of_a_health_check) {
    board_saw_health(&board, 0, false);
    cr_assert(board_get(&board, 0).unhealthy);
    board_saw_health(&board, 0, true);
    cr_assert(board_get(&board, 0).healthy);
    cr_assert_not(board_get(&board, 0).unhealthy);
}

Test(board, nobody_waits_any_longer_once_the_engine_is_lost) {
    error_set(&problem, ERROR_UNAVAILABLE, 0, "the engine went away");
    board_lost_engine(&board, &problem);
    error_clear(&problem);
    cr_assert_not(await(DEPENDS_HEALTHY, true));
    cr_assert_str_eq(problem.message, "the engine went away");
    error_clear(&problem);
    cr_assert(board_engine_lost(&board, &problem));
    cr_assert_str_eq(problem.message, "the engine went away");
}

Test(board, nobody_waits_any_longer_once_interrupted) {
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, &problem));
    cancel_request(&cancel);
    const struct plan_dependency dependency = {.required = true};
    cr_assert_not(board_await(&board, &plan, &dependency, &cancel, &problem));
    cr_assert_eq(problem.domain, ERROR_CANCELLED);
    board_await_end(&board, 0, &cancel);
    cancel_done(&cancel);
}

static void *get_ready(void *context) {
    (void)context;
    pause_ms(30, NULL);
    board_set(&board, 0, SERVICE_READY, NULL);
    return NULL;
}

Test(board, wakes_whoever_waits_at_once) {
    pthread_t thread;
    const int64_t started_us = clock_monotonic_us();
    cr_assert_eq(pthread_create(&thread, NULL, get_ready, NULL), 0);
    const bool ok = await(DEPENDS_HEALTHY, true);
    board_await_end(&board, 0, NULL);
    pthread_join(thread, NULL);
    cr_assert(ok);
    cr_assert_lt(clock_monotonic_us() - started_us, 5000000);
}

// Convention 4: what failed half way is freed like the rest.
Test(stack, destructors_take_null) {
    board_done(&(struct board){0});
    credentials_free(NULL);
    stack_free(NULL);
}
