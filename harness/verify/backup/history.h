// All verifications so far, in two files of the records' folder: history.json, which we read
// (history.schema.json), and history.csv, for spreadsheets.
//
// Appending is atomic: under a lock (".history.lock", beside them), each file is written anew under
// another name, synced and renamed. Readers need no lock. Whoever is killed between the two files
// leaves history.csv short of a line, which the next append adds.
//
// A file that is damaged, or is not ours, is never written: ERROR_PROTOCOL names it and the line.
#pragma once

#include "base/cleanup.h"
#include "verify/backup/history_record.h"

#define HISTORY_JSON "history.json"
#define HISTORY_CSV "history.csv"
#define HISTORY_LIMIT ((size_t)16 * 1024 * 1024) // of each file: some 40,000 runs

struct history {
    struct history_record *records; // in the order in which they were appended
    size_t count;
};

// `folder` is there already (record.h). ERROR_USAGE: the id is in the history already, the record
// has none, or its time is out of range. ERROR_TIMEOUT: others held the lock for 30 seconds.
bool history_append(const char *folder, const struct history_record *record,
                    struct error *err) must_use;

// No file: an empty history.
bool history_read(const char *folder, struct history **ret_history, struct error *err) must_use;
void history_free(struct history *self);

// What the last run of that backup that came to a verdict said: passed or failed; not verified when
// there is none. A later run that could not verify does not undo a verdict.
// Runs that started after `until_wall_ms` do not count; INT64_MAX: all of them do.
enum outcome history_verdict(const struct history *self, const char *path, int64_t until_wall_ms);

DEFINE_AUTOFREE(history, history_free);
