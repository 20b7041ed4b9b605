// Where the folders of runs are, on this host: <base>/<run id>/, each with a file "owner" (the text
// of the owner label) and, of a stack that may stay, a file "lease" (of the lease label). The base
// is on tmpfs where there is one, for secrets lie in it.
#pragma once

#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>

// Each suite of a run has this in its environment, a path within the run's folder: by it the
// processes that a suite leaves are known (process/stray.h).
#define RUN_RESULTS_VARIABLE "ASSAY_RESULTS"

#define RUN_FOLDER_LEASE "lease"
#define RUN_FOLDER_GROWING ".new" // behind the name until the owner's file is in it

// The first that is a tmpfs we may write to of $XDG_RUNTIME_DIR/assay, /run/assay (root) and
// /dev/shm/assay-<uid>; else the first that we may write to, $TMPDIR/assay-<uid> being the last.
// Made if absent, mode 0700; one that another user could have made is refused. The caller's.
bool run_folder_base(char **ret_base, struct error *err) must_use;

// A new folder with its owner file; it appears complete.
bool run_folder_make(const char *run_id, const char *owner, char **ret_folder,
                     struct error *err) must_use;
// In whichever base it is, and the base when it was the last; *ret_count (may be NULL) grows by the
// number removed. Processes that the run's suites left are killed first.
bool run_folder_remove(const char *run_id, int *ret_count, struct error *err) must_use;

// Calls visit for each run's folder; owner is "" when there is none to read. False when a base
// could not be read; the others were visited.
bool run_folder_each(void (*visit)(void *context, const char *run_id, const char *folder,
                                   const char *owner),
                     void *context, struct error *err) must_use;
