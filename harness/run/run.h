// One run: its identity, its folder, its labels, its guardian. Everything assay creates in an
// engine carries these labels from the create call on; everything it writes for the run lies in the
// folder.
//
//   io.assay.run    "k3v9x2m7qa"           random
//   io.assay.owner  owner_format()          who may be asked whether it still lives
//   io.assay.lease  "1763823230"            seconds since 1970 until which an unowned stack may
//   stay;
//                                           only on stacks of `assay up`
//   io.assay.role   "service", "spare", "prepare", "network", "volume"
//   io.assay.service, io.assay.project      for people
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "process/guardian.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct run;

struct run_options {
    const struct cancel *cancel;
    int64_t lease_ms; // for `assay up`: labels carry a lease of this length; 0: none
};

// Starts the guardian, then makes the folder (mode 0700, on tmpfs where there is one: see
// run_folder.h). Call before any thread is started. If the guardian cannot stand, nothing is done.
bool run_open(const struct run_options *options, struct run **ret_run, struct error *err) must_use;

// The same run, seen from a process that the runner started (a suite): same id, folder and owner,
// no guardian of its own, because the runner's looks after everything with this id.
bool run_adopt(const char *id, const char *folder, const char *owner, struct run **ret_run,
               struct error *err) must_use;

// Ends the run. removed: everything is gone from the engine already, the guardian just leaves;
// otherwise the guardian removes it, and run_close waits for that (60 s). After run_keep the stack
// stays, whatever `removed` says, and run_close returns at once.
void run_close(struct run *self, bool removed);

const char *run_id(const struct run *self);     // 10 characters [a-z0-9]
const char *run_folder(const struct run *self); // borrowed
const char *run_owner(const struct run *self);  // text of the owner label
const struct cancel *run_cancel(const struct run *self);

// Tells the guardian, before anything is created there, which engine to clean.
bool run_uses_engine(struct run *self, const char *engine_host, struct error *err) must_use;

// For `assay up`, once the stack is up and lease_grant was called: the guardian becomes the stack's
// keeper and removes it when that lease ends (lease.h).
bool run_keep(struct run *self, const char *lease_name, struct error *err) must_use;

// Asked before each create: ERROR_UNAVAILABLE when the guardian was killed. An adopted run, which
// has none of its own, is never told so.
bool run_guarded(const struct run *self, struct error *err) must_use;

pid_t run_guardian(const struct run *self); // 0: adopted

// {"io.assay.run": …, "io.assay.owner": …, "io.assay.role": role}: a new reference.
json_t *run_labels(const struct run *self, const char *role);
