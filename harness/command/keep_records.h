// What a verification of a backup leaves for later: its report in the records' folder (record.h), a
// line in the history, metrics, and an alert when it failed.
#pragma once

#include "value/result.h"
#include "verify/backup/backup_folder.h"

struct keep_options {
    const char *folder;    // made already
    const char *metrics;   // a .prom file; NULL: none
    const char *alert;     // Alertmanager's URL; NULL: none
    const char *runbook;   // URL that an alert carries; NULL: none
    int64_t taken_wall_ms; // when the backup was taken; -1: unknown
    uint64_t seed;
};

// All of it, whatever becomes of each; problems are printed. false: something was not kept. That an
// alert was not sent is printed, and is no reason for false: the verdict stands in the records.
bool keep_records(const struct report *report, const struct backup *backup,
                  const struct keep_options *options) must_use;
