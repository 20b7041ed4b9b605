// Progress of work that is measured in bytes: a line of `live` with how far it is, its rate, and
// what is likely left; from the second second on, so that short work says nothing.
#pragma once

#include "base/cleanup.h"
#include "reports/live.h"

#include <stdatomic.h>
#include <stdint.h>

struct byte_progress;

// `counter` goes up to `total` (0: nobody knows); both live as long. NULL when no thread could be
// had: then there is no progress.
struct byte_progress *byte_progress_open(struct live *live, const char *section, const char *name,
                                         const atomic_ullong *counter, uint64_t total) must_use;
void byte_progress_close(struct byte_progress *self);

DEFINE_AUTOFREE(byte_progress, byte_progress_close);
