// A drill (verify/drill) with everything around it: an engine, a run, the stack of fixtures/drill.
#pragma once

#include "base/error.h"
#include "value/result.h"

#include <stdint.h>

struct drill_request {
    const char *const *engines; // NULL-terminated names: "postgres"; NULL: all
    bool offline;
    size_t random_rounds; // of random datasets instead (verify/drill/random_rounds.h); 0: none
    uint64_t seed;        // of the first
};

bool drill_has_engine(const char *name);

// Adds what was found to the report, also what was found before something failed. false: the
// environment could not be built, or it was interrupted; the report says so, too. When it returns,
// nothing of the drill is left.
bool drill_backups(const struct drill_request *request, struct report *report,
                   struct error *err) must_use;
