#include "base/eventually.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#define DEFAULT_INTERVAL_MS 5

void pause_ms(int ms, const struct cancel *cancel) {
    struct pollfd cancelled = {.fd = cancel != NULL ? cancel->pipe_read : -1, .events = POLLIN};
    const struct deadline deadline = deadline_in_ms(ms);
    // A signal ends poll early; that is not yet the time.
    while (poll(&cancelled, 1, (int)deadline_left_ms(deadline)) < 0 && errno == EINTR &&
           !cancel_requested(cancel) && !deadline_passed(deadline)) {
    }
}

bool eventually_with(struct deadline deadline, bool (*probe)(void *context, struct error *err),
                     void *context, const struct eventually_options *options, struct error *err) {
    int interval_ms = options->interval_ms > 0 ? options->interval_ms : DEFAULT_INTERVAL_MS;
    const int64_t started_us = clock_monotonic_us();
    struct error last = {0};
    for (;;) {
        if (!cancel_check(options->cancel, err))
            return false;
        error_clear(&last);
        if (probe(context, &last))
            return true;
        if (options->hopeless != NULL && options->hopeless(context, err))
            return false;
        if (deadline_passed(deadline)) {
            const int64_t waited_ms = (clock_monotonic_us() - started_us) / 1000;
            return error_set(err, ERROR_TIMEOUT, 0, "not within %lld ms%s%s", (long long)waited_ms,
                             last.message[0] != '\0' ? ": " : "", last.message);
        }
        const int64_t left_ms = deadline_left_ms(deadline); // the last probe is at the deadline
        pause_ms(left_ms < interval_ms ? (int)left_ms : interval_ms, options->cancel);
        if (interval_ms < options->longest_interval_ms)
            interval_ms = interval_ms * 2 < options->longest_interval_ms
                              ? interval_ms * 2
                              : options->longest_interval_ms;
    }
}
