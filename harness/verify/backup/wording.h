// How names, sizes and durations stand in the texts and files that the records of backups are.
#pragma once

#include "base/attributes.h"
#include "base/text.h"

#include <jansson.h>
#include <stdint.h>

// A name on one line: control characters and what is not UTF-8 become "\x1b", so that a folder's
// name can neither move a terminal's cursor nor break a JSON file. NULL counts as empty.
void wording_append_name(struct text *out, const char *name);
char *wording_name(const char *name) must_use;   // the caller's
json_t *wording_json(const char *name) must_use; // the same as a JSON string; the caller's

void wording_append_bytes(struct text *out, int64_t bytes); // "17 B", "1.5 GiB"; below 0: "unknown"
void wording_append_duration(struct text *out,
                             int64_t ms); // "850 ms", "12.3 s", "4 min 5 s", "2 h 3 min"
void wording_append_age(struct text *out, int64_t seconds); // "5 min", "7 h", "2 days 3 h"
