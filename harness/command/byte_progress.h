// Progress of work that is measured in bytes: a line of `live` with how far it is, its rate, and
// what is likely left; from the second second on, so that short work says nothing.
#pragma once

#include "base/cleanup.h"
#include "reports/live.h"

#include <stdatomic.h>

struct byte_progress;

// What is counted, by those who do the work. Lives as long as its progress.
struct byte_count {
    atomic_ullong done;
    atomic_ullong total; // 0: nobody knows yet
};

// `state` is the word for the work: "reading"; constant text. NULL when no thread could be had, or
// without `live`: then there is no progress.
struct byte_progress *byte_progress_open(struct live *live, const char *section, const char *name,
                                         const char *state,
                                         const struct byte_count *count) must_use;
void byte_progress_close(struct byte_progress *self);

DEFINE_AUTOFREE(byte_progress, byte_progress_close);
