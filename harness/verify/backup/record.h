// Where the records of verifications are kept: names, the folder, and how old ones go.
//
//   logs/backup-verification/
//     verify-20261122-030000.log .json .xml     one run: for people, for programs, JUnit
//     history.json  history.csv                 history.h
#pragma once

#include "base/attributes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDS_FOLDER "logs/backup-verification" // below the working directory
#define RECORDS_KEPT_DAYS 90

// Makes it, 0700, if it is not there: a report may quote the rows of a database.
bool records_folder_make(const char *folder, struct error *err) must_use;

// The path of one run's records without their endings, "FOLDER/verify-20261122-030000" (UTC); the
// log is there from now on, empty, 0600. A second run in the same second gets "…-030000-2".
bool record_reserve(const char *folder, int64_t started_wall_ms, char **ret_stem,
                    struct error *err) must_use;

// Removes what is older than `days` by its name and by its mtime: regular files called
// verify-YYYYMMDD-HHMMSS[-N] .log, .json or .xml, and nothing else. Goes on after a failure: err is
// the first. No folder: nothing to do.
bool records_rotate(const char *folder, int days, int64_t now_wall_ms, size_t *ret_removed,
                    struct error *err) must_use;
