// Whether what runs in a container goes on. However long a restore takes, it keeps its server busy;
// one that waits for something that never comes does not, and would be waited for without end.
//
// A thread looks at the container's processor time now and then, and at the bytes that are fed from
// files (`stand`'s counter). When nothing was fed and less than STALL_LEAST_SHARE of one processor
// was used over the whole of `patience_ms`, it kills every process there but the first, so that
// whoever waits for one of them is told. Time in which this process itself was stopped is not
// counted.
#pragma once

#include "base/cleanup.h"
#include "verify/backup/tool.h"

#define STALL_PATIENCE_MS (15 * 60 * 1000)
#define STALL_LEAST_SHARE 0.03 // a MySQL that nobody asks anything uses up to 0.02

struct stall_watch;

// `stand` is borrowed until the end. An engine that does not tell processor times is believed.
// NULL: there is no thread or no pipe to be had, and nobody watches.
struct stall_watch *stall_watch_start(const struct tool_stand *stand, int patience_ms);
// Ends the watching and frees it. true: the processes were killed.
bool stall_watch_stop(struct stall_watch *self);
