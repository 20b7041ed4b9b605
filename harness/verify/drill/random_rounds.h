// Rounds of random datasets: the origins are filled with what random_dataset.h makes up, a backup
// of them is made and verified as anybody's would be, and must be found sound. What is not is a
// false alarm (or a backup that lost something).
#pragma once

#include "verify/drill/drill.h"

// Round n has the seed `seed` + n, counted from 0. What goes wrong is in the report, named after
// its round. false: it was cancelled.
bool random_rounds_run(const struct drill *drill, size_t rounds, uint64_t seed,
                       struct report *report, struct error *err) must_use;
