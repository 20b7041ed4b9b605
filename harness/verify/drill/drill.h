// A drill: does `assay backup verify` find what it is there to find? Servers are filled, a backup
// of them is made and verified as anybody's would be; then what it was restored into is altered
// (alteration.h) and the files themselves are corrupted (corruption.h), in every way that is
// listed, and each must be named. The other way round, random_rounds.h.
//
// The stack is that of fixtures/drill: an origin of each engine, and what backups are restored
// into.
#pragma once

#include "stack/stack.h"
#include "value/result.h"

extern const char *const DRILL_ENGINES[]; // "postgres", …; NULL-terminated
#define DRILL_ORIGIN "-origin"            // of its service, the server that is filled

struct drill {
    struct engine *engine;
    const struct stack *stack;
    const char *const *engines; // NULL-terminated; NULL: all
    const char *label;          // of the stack's containers: "io.assay.run=…"
    const char *tables;         // the folder of ENGINE.yaml
    const char *folder;         // 0700, the run's: the backup and its copies lie there
    const struct cancel *cancel;
    // `state`: "filling", "dumping", "restoring", "altering", "done", …; from several threads at
    // once. NULL: nobody is told.
    void (*progress)(void *context, const char *what, const char *state, bool wrong);
    void *context;
};

// What goes wrong is in the report. false: a table cannot be read, or it was cancelled.
bool drill_run(const struct drill *self, struct report *report, struct error *err) must_use;
