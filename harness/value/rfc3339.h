// Times of others' files: RFC 3339, section 5.6: "2026-11-22T03:00:00.25+01:00".
#pragma once

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

// Milliseconds since 1970-01-01 UTC; finer digits are dropped, a leap second is the second after.
// false: it is none, or no such day.
bool rfc3339_parse(const char *text, int64_t *ret_wall_ms) must_use;
