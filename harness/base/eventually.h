// The one waiting primitive: asks again every few milliseconds until the answer is yes, the
// deadline passes, or the user interrupts. There are no fixed sleeps in assay.
#pragma once

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"

struct eventually_options {
    int interval_ms;             // between two probes; 0 means 5
    int longest_interval_ms;     // when set, the interval doubles after each probe up to this
    const struct cancel *cancel; // may be NULL
    // Asked after each failed probe: true means that going on is pointless (the container is
    // dead); it then has set err. May be NULL.
    bool (*hopeless)(void *context, struct error *err);
};

// Calls probe(context, err) until it returns true. On failure err is the last probe's error
// under "not within N ms" (ERROR_TIMEOUT), or what hopeless() said, or ERROR_CANCELLED.
bool eventually_with(struct deadline deadline, bool (*probe)(void *context, struct error *err),
                     void *context, const struct eventually_options *options,
                     struct error *err) must_use;

#define eventually(deadline, probe, context, err, ...) \
    eventually_with((deadline), (probe), (context),    \
                    &(const struct eventually_options){.interval_ms = 0, __VA_ARGS__}, (err))

// Waits until the time has passed or cancel is set: for pacing inside a loop of one's own.
void pause_ms(int ms, const struct cancel *cancel);
