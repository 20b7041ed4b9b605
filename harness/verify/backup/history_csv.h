// history.csv: the same records, for spreadsheets. RFC 4180: CRLF, a header line, quotes doubled.
//
//   started,id,outcome,duration_ms,path,against,seed,backup_age_s,bytes,engines
//   2026-11-22T03:00:00Z,k3f0c2ab91,failed,61234,/b/20261122,manifest,42,3600,1048576,
//       postgres=passed/524288/812 mysql=failed/524288/       (on one line)
//
// What is unknown is an empty field. An engine is NAME=OUTCOME/BYTES/RESTORE_MS.
#pragma once

#include "base/string_list.h"
#include "base/text.h"
#include "verify/backup/history_record.h"

#define HISTORY_CSV_HEADER \
    "started,id,outcome,duration_ms,path,against,seed,backup_age_s,bytes,engines"

void history_csv_append(struct text *out, const struct history_record *record); // a line

// Reads all of it; *ret_ids (zeroed) are the ids in it. Lines may end in LF alone. ERROR_PROTOCOL,
// with the line (from 1): another header, a line cut short, fields too few or too many, a quote
// that is not closed, a time, number or outcome that is none.
bool history_csv_ids(const char *bytes, size_t length, struct string_list *ret_ids,
                     struct error *err) must_use;
