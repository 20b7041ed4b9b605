// A restored server is altered step by step, and after each step compared with what it held before:
// in the words that `assay backup verify` would use, the comparison must name what was altered,
// and nothing else.
#pragma once

#include "verify/backup/restore.h"
#include "verify/drill/drill_table.h"

// Adds a test for each alteration of the table, "altered: drop view totals". `database`: where the
// restored server holds what the table filled in. An alteration that the server itself does not
// offer is not applicable; one that could not be made, and those after it, are not verified.
void alteration_try_all(const struct drill_table *table, const char *database,
                        const struct restorer *restorer, const struct restore *restore,
                        struct suite_result *suite);
