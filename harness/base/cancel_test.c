#include "base/cancel.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>

static struct cancel cancel;

static void hold(void) {
    cr_assert(cancel_init(&cancel, NULL));
}

static void release(void) {
    cancel_done(&cancel);
}

TestSuite(cancel, .init = hold, .fini = release);

static bool is_readable(void) {
    struct pollfd end = {.fd = cancel.pipe_read, .events = POLLIN};
    return poll(&end, 1, 0) == 1;
}

Test(cancel, is_not_requested_at_first) {
    struct error err = {0};
    cr_expect_not(cancel_requested(&cancel));
    cr_expect_not(is_readable());
    cr_expect(cancel_check(&cancel, &err));
    cr_expect_eq(err.domain, ERROR_NONE);
}

Test(cancel, requested_is_seen_by_flag_by_pipe_and_by_error) {
    struct error err = {0};
    cancel_request(&cancel);
    cr_expect(cancel_requested(&cancel));
    cr_expect(is_readable());
    cr_expect_not(cancel_check(&cancel, &err));
    cr_expect_eq(err.domain, ERROR_CANCELLED);
}

Test(cancel, of_nobody_is_never_requested) {
    cr_expect_not(cancel_requested(NULL));
    cr_expect(cancel_check(NULL, NULL));
}

Test(cancel, may_be_requested_any_number_of_times) {
    for (int i = 0; i < 100000; i++) // more than the pipe holds
        cancel_request(&cancel);
    cr_expect(is_readable());
}

static void on_signal(int signal) {
    (void)signal;
    cancel_request(&cancel);
}

Test(cancel, may_be_requested_by_a_signal_handler_and_leaves_errno_alone) {
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
    for (int i = 0; i < 100000; i++)
        cancel_request(&cancel); // fill the pipe, so that the write in the handler fails
    errno = E2BIG;
    raise(SIGINT);
    cr_expect_eq(errno, E2BIG);
    cr_expect(cancel_requested(&cancel));
}

Test(cancel, half_built_can_be_released) {
    struct cancel zeroed = {0};
    cancel_done(&zeroed);
    cancel_done(NULL);
}
