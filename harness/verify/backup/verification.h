// What `assay backup verify` does with a backup that was read (backup_folder.h): a suite of results
// for each artifact, and one for the backup as a whole.
//
// Of each artifact:
//   is_whole                    its files were read to their proven end
//   a_damaged_copy_is_refused   negative control: see damage.h
//   restores                    into a fresh throwaway server, without an error
//   (schema and rows)           as the manifest has them, and the running servers: see comparison.h
//   (the user's smoke queries)  see smoke.h, smoke_check.h
//   (the server's own checks)   see restore.h
//   a_lost_record_is_noticed    negative control of the counts: one record is deleted there
// Of the backup: nothing_was_changed, its files against its manifest, and the smoke queries that no
// artifact could be asked.
//
// Three-valued: what could not be tried is not verified, with the reason; an unknown file is not
// verified ("unknown format: looks like a PNG image"), never passed over.
#pragma once

#include "stack/stack.h"
#include "verify/backup/comparison.h"
#include "verify/backup/restore.h"
#include "verify/backup/smoke.h"

struct verification {
    struct engine *engine;
    const struct stack *stack; // of fixtures/restore; NULL: none, so nothing is restored
    const struct backup *backup;
    const struct testimony *testimony;  // what the backup says of itself
    const struct comparison_live *live; // what running servers hold; NULL: they were not asked
    const struct smoke *smoke;          // what the user asks of it; NULL: nothing
    const char *folder;                 // 0700, the run's; may be NULL without a stack
    uint64_t seed;                      // of the controls: stands in the report
    int patience_ms;                    // with a restore that does not go on (stall.h); 0: as there
    const struct cancel *cancel;
    atomic_ullong *counter; // of bytes read meanwhile, for progress; may be NULL
    // What is done with each restored server after it was asked, instead of losing a record there:
    // see verify/drill. NULL: nothing.
    void (*visit)(void *visitor, const struct restorer *restorer, const struct restore *restore,
                  struct suite_result *suite);
    void *visitor;
    // `state`: "restoring", "checking", "done", …; called from several threads, one at a time.
    void (*progress)(void *context, const char *artifact, const char *state, bool wrong);
    void *context;
};

// Names of the services of fixtures/restore that this backup needs; may be none.
void verification_services(const struct backup *backup, struct string_list *ret_services);

// Engines side by side, the artifacts of one engine one after the other. What goes wrong is in the
// report; false only when it was cancelled.
bool verification_run(const struct verification *self, struct report *report,
                      struct error *err) must_use;
