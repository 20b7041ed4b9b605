// Leases: who may keep a stack of `assay up` for how long.
//
// <state>/stacks/<name>.json   which run it is, where, until when; there while the stack is there
// <state>/stacks/<name>.lock   flock(2): shared by each process that uses the stack, exclusive for
//                              whoever makes or removes it. The kernel counts the users, so
//                              one that was killed is not counted.
// <state>/stacks/<name>.keeper flock(2): held by the keeper for as long as it stands. Who removes
// the
//                              stack in its place writes the run's id into it.
//
// A lease lasts for `idle_ms` from the last use; while somebody uses the stack it does not end.
// When it has ended, the keeper (the guardian of the run that made the stack: lease_keep) removes
// the stack; if the keeper is dead too, the next sweep does (sweep_dead, through lease_judge). A
// file that was deleted by hand is a lease that has ended: without it nobody would know the stack.
//
//   assay up:      lease_claim -> no facts: bring it up, lease_grant, run_keep; facts: it is there
//   run, status:   lease_claim or lease_find; lease_release renews
//   assay down:    stack_end (run_cleanup.h)
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>
#include <stdint.h>

#define LEASE_DEFAULT_IDLE_MS ((int64_t)30 * 60 * 1000)
#define LEASE_NAME_LIMIT 40

struct lease_facts {
    char *run_id;
    char *folder; // of the run
    char *engine_host;
    char *environment; // path of the environment file
    char *project;     // name of the Compose project, for people
    int64_t idle_ms;
    int64_t expires_wall_ms;
};
void lease_facts_done(struct lease_facts *self);

struct lease; // held: the stack is not removed, except by `assay down`

// Waits while another process makes or removes the stack. Names are 1 to LEASE_NAME_LIMIT of a-z,
// 0-9, '-' and '_', the first one a letter or digit; others are ERROR_USAGE.
bool lease_claim(const char *state_folder, const char *name, const struct cancel *cancel,
                 struct lease **ret_lease, struct error *err) must_use;
// NULL: there is no such stack, and until lease_grant or lease_release nobody else can make it.
const struct lease_facts *lease_facts(const struct lease *self);
// The stack is up. expires_wall_ms is set here; idle_ms 0 means the default. Copies.
bool lease_grant(struct lease *self, const struct lease_facts *facts, struct error *err) must_use;
bool lease_renew(struct lease *self, struct error *err) must_use; // from now on, idle_ms
void lease_release(struct lease *self);                           // renews first; frees

// Without holding it; ERROR_USAGE when there is none.
bool lease_find(const char *state_folder, const char *name, struct lease_facts *ret_facts,
                struct error *err) must_use;
// Sorted; no stack at all is an empty list.
bool lease_names(const char *state_folder, struct string_list *ret_names,
                 struct error *err) must_use;

enum lease_state {
    LEASE_NONE, // this run has none
    LEASE_RUNS, // or is in use
    LEASE_ENDED,
    LEASE_UNKNOWN, // a file could not be read, and it may be this run's: leave it alone
};
enum lease_state lease_judge(const char *state_folder, const char *run_id);
// Whether a lease that runs, or may run, is on a stack of that engine.
bool lease_needs_engine(const char *state_folder, const char *engine_host);

// The keeper's wait. true: the lease has ended and the stack is the caller's to remove; *ret_lease
// holds its name exclusively, or is NULL where another stack has that name by now. false: somebody
// else removed the stack, and said so by lease_forget.
bool lease_keep(const char *state_folder, const char *name, const char *run_id,
                struct lease **ret_lease) must_use;
// The stack of that run is gone: tells its keeper and removes its file.
void lease_forget(const char *state_folder, const char *run_id);
// Waits until the keeper has gone too, at most `deadline_ms`.
void lease_wait_for_keeper(const char *state_folder, const char *name, int deadline_ms);

DEFINE_AUTOFREE(lease, lease_release);
DEFINE_AUTODONE(lease_facts, lease_facts_done);
