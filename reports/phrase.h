// The same words for the same things in every report.
#pragma once

#include "base/text.h"
#include "value/result.h"

#include <stdint.h>

void phrase_duration(struct text *out, int64_t duration_us); // "12 ms", "0.41 s", "2 min 03 s"
void phrase_tally(struct text *out, struct tally tally);     // "3 passed, 1 failed, 2 skipped"

// One sentence for the exit status: "Everything was verified and passed."
const char *phrase_verdict(int exit_status);

// "passed", "failed", "not_verified", "not_applicable": for formats read by programs.
const char *phrase_outcome_key(enum outcome outcome);
