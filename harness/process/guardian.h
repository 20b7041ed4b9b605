// The guardian: a process that outlives the run for as long as it takes to remove what the run
// left, SIGKILL of the run included.
//
// Forked before the first thread and before the first container, in a session of its own, holding
// one end of a socket pair: end-of-file there, or the end of the run's process (whichever is seen
// first: a child of the run may have inherited the other end), means that the run is gone.
// guardian_start returns only after the guardian has said that it stands; if it cannot, nothing
// may be started.
//
//   run ── tell "engine unix:///…" ──> guardian          remembered
//   run ── dismiss ─────────────────> guardian           cleaned up already: it just leaves
//   run ── (end of file) ───────────> guardian           sweep(context, what was told), then leaves
//
// It leaves the run's process group, terminal, folder ("/"), open files and standard streams, and
// ignores SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE: only SIGKILL ends it early. It shows its
// own name in place of the run's arguments and environment (title.h), so that a mark in the latter
// does not make it a stray process of an outer run (stray.h) before it has swept. It is still a
// copy of the run (fork without exec), so it must be forked early, while the run is small and holds
// no secret. What can stop it: the end of its pid namespace (a container that is killed) or of its
// cgroup (`systemctl stop`); leases and the sweep at the next start are for those.
//
// Sources: setsid(2), unix(7) (SOCK_SEQPACKET), pidfd_open(2), closefrom(3).
#pragma once

#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>
#include <sys/types.h>

#define GUARDIAN_LINE_LIMIT ((size_t)4096)

struct guardian;

struct guardian_options {
    const char *title; // as `ps` shows it; NULL: "assay-guardian"
    // A variable that is taken out of its environment: the mark by which the run would be killed as
    // a stray process of another (stray.h), for this one is to sweep after that. May be NULL.
    const char *hides;
    // Runs in the guardian, with deadlines of its own. `told` holds what the run told, in order.
    // Each call has a process of its own: one that crashes or runs out of memory has failed, too.
    // It is called again while it fails: after 0.1 s, 0.2 s and so on up to 5 s, for a minute.
    bool (*sweep)(void *context, const struct string_list *told, struct error *err);
    void *context;
    const char *log_path; // where a sweep that failed is written down (0600); NULL for nowhere
    int patience_ms;      // for how long a failing sweep is tried again; 0: a minute
};

bool guardian_start(const struct guardian_options *options, struct guardian **ret_guardian,
                    struct error *err) must_use;

// Sends one line (no newline in it, below GUARDIAN_LINE_LIMIT), and waits until the guardian has
// it: what was told before a resource is created is known whatever happens next. After a failure
// the guardian is not to be relied on. Safe from several threads.
bool guardian_tell(struct guardian *self, const char *line, struct error *err) must_use;

bool guardian_alive(const struct guardian *self);
pid_t guardian_pid(const struct guardian *self);

// Everything is removed already: the guardian leaves without sweeping. Frees self; NULL is fine.
void guardian_dismiss(struct guardian *self);

// Frees self as the end of this process would: the guardian sweeps. Waits for it, at most
// `deadline_ms`; false when it had not swept everything by then (it goes on in the background).
bool guardian_sweep_now(struct guardian *self, int deadline_ms);
