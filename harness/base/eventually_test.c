#define _GNU_SOURCE
#include "base/eventually.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

struct counter {
    int calls;
    int yes_at; // 0: never
    int64_t called_at_us[64];
};

static bool count(void *context, struct error *err) {
    struct counter *counter = context;
    if (counter->calls < 64)
        counter->called_at_us[counter->calls] = clock_monotonic_us();
    counter->calls++;
    return counter->calls == counter->yes_at ||
           error_set(err, ERROR_SERVICE, 7, "refused, call %d", counter->calls);
}

Test(eventually, asks_until_the_answer_is_yes) {
    struct counter counter = {.yes_at = 4};
    struct error err = {0};
    cr_expect(eventually(deadline_in_ms(10000), count, &counter, &err, .interval_ms = 1));
    cr_expect_eq(counter.calls, 4);
    cr_expect_eq(err.domain, ERROR_NONE, "a failed probe leaves nothing behind");
}

Test(eventually, asks_at_once_and_even_when_the_deadline_has_passed) {
    struct counter counter = {.yes_at = 1};
    cr_expect(eventually(deadline_in_ms(-1), count, &counter, NULL));
}

Test(eventually, tells_what_the_last_probe_said_when_time_is_up) {
    struct counter counter = {0};
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_expect_not(eventually(deadline_in_ms(200), count, &counter, &err));
    const int64_t took_ms = (clock_monotonic_us() - started_us) / 1000;
    cr_expect_eq(err.domain, ERROR_TIMEOUT);
    cr_expect(strstr(err.message, ": refused, call ") != NULL, "%s", err.message);
    cr_expect(took_ms >= 200 && took_ms < 2000, "%lld ms", (long long)took_ms);
    cr_expect_gt(counter.calls, 2);
}

static bool say_no(void *context, struct error *err) {
    (void)context;
    (void)err;
    return false;
}

Test(eventually, needs_no_reason) {
    struct error err = {0};
    cr_expect_not(eventually(deadline_in_ms(1), say_no, NULL, &err));
    cr_expect_eq(strncmp(err.message, "not within ", 11), 0);
    cr_expect(strstr(err.message, ": ") == NULL, "\"%s\"", err.message);
}

Test(eventually, probes_once_more_at_the_deadline_however_long_the_interval) {
    struct counter counter = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_expect_not(eventually(deadline_in_ms(100), count, &counter, NULL, .interval_ms = 100000));
    cr_expect_eq(counter.calls, 2);
    cr_expect_lt((clock_monotonic_us() - started_us) / 1000, 5000);
}

Test(eventually, doubles_the_interval_up_to_the_longest) {
    struct counter counter = {.yes_at = 6};
    cr_expect(eventually(deadline_in_ms(20000), count, &counter, NULL, .interval_ms = 10,
                         .longest_interval_ms = 35));
    const int64_t least_ms[] = {10, 20, 35, 35, 35};
    for (int i = 0; i < 5; i++) {
        const int64_t pause_us = counter.called_at_us[i + 1] - counter.called_at_us[i];
        cr_expect_geq(pause_us, least_ms[i] * 1000 - 100, "pause %d was %lld us", i,
                      (long long)pause_us);
    }
}

static bool give_up(void *context, struct error *err) {
    const struct counter *counter = context;
    if (counter->calls < 3)
        return false;
    error_set(err, ERROR_SERVICE, 137, "the container is dead");
    return true;
}

Test(eventually, ends_at_once_when_it_is_hopeless) {
    struct counter counter = {0};
    struct error err = {0};
    cr_expect_not(eventually(deadline_in_ms(60000), count, &counter, &err, .hopeless = give_up));
    cr_expect_eq(counter.calls, 3);
    cr_expect_str_eq(err.message, "the container is dead");
}

static void *cancel_after_a_moment(void *context) {
    pause_ms(50, NULL);
    cancel_request(context);
    return NULL;
}

Test(eventually, ends_at_once_when_the_user_interrupts) {
    struct cancel cancel;
    cr_assert(cancel_init(&cancel, NULL));
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_after_a_moment, &cancel), 0);
    struct counter counter = {0};
    struct error err = {0};
    const int64_t started_us = clock_monotonic_us();
    cr_expect_not(eventually(deadline_in_ms(60000), count, &counter, &err, .interval_ms = 60000,
                             .cancel = &cancel));
    cr_expect_eq(err.domain, ERROR_CANCELLED);
    cr_expect_lt((clock_monotonic_us() - started_us) / 1000, 5000);
    pthread_join(thread, NULL);
    cancel_done(&cancel);
}

static void on_alarm(int signal) {
    (void)signal;
}

Test(eventually, a_signal_does_not_cut_a_pause_short) {
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    const struct itimerval every_5_ms = {{0, 5000}, {0, 5000}};
    setitimer(ITIMER_REAL, &every_5_ms, NULL);
    const int64_t started_us = clock_monotonic_us();
    pause_ms(60, NULL);
    cr_expect_geq(clock_monotonic_us() - started_us, 60000);
}

Test(eventually, a_pause_of_nothing_or_less_returns) {
    pause_ms(0, NULL);
    pause_ms(-1, NULL);
}
