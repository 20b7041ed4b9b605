// The moment that stands in the name of a backup, as people's scripts write it:
//
//     20261121-030000   20261121_030000   20261121T030000Z   20261121030000
//     2026-11-21_03-00-00   2026-11-21T03:00:00Z   2026-11-21 03:00:00
//     2026-11-21   2026_11_21   20261121
//
// anywhere in the name ("backup-20261121-030000", "app_2026-11-21.sql.gz"), as long as no digit
// touches it. The time follows its date after one of - _ T and space, and has its seconds; what
// does not is no time ("20261121-3" is a date and a number). A Z, or what else comes behind, is not
// looked at: the moment is what is written, in whatever zone the script lives.
//
// Only days of the calendar count: "20260229" is no date. Two different dates in one name
// ("20260101-to-20261121") are no date either: nobody can know which one is meant, and what has no
// date is never removed (rotation.h).
#pragma once

#include "verify/backup/civil_time.h"

#include <stdbool.h>

// Pure. false: no moment can be read from it.
bool backup_name_moment(const char *name, struct civil_time *ret_moment);
