// Stray processes: what a child started and nobody waits for, in sessions of its own, stopped, or
// without a living parent. They are known by a mark in their environment, which a process inherits
// and keeps however far it strays.
//
// Why a process group is not enough: Criterion's test processes call setsid(2), and one whose
// parent is killed between its fork and its prctl(PR_SET_PDEATHSIG) stays stopped for ever.
//
// Who is to outlive them takes the mark off: a guardian hides the variable (guardian.h), a daemon
// is started without it.
//
// Sources: proc(5) (/proc/PID/environ: as it was at execve(2)), pidfd_send_signal(2).
#pragma once

#include "base/error.h"

#include <stdbool.h>

// Kills every other process that we may read and whose environment has an entry that begins with
// `mark` ("NAME=VALUE" or a part of it), and looks again until there is none. ERROR_TIMEOUT when
// some are still there after `timeout_ms`.
bool stray_kill(const char *mark, int timeout_ms, struct error *err) must_use;
