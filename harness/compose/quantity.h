// Durations and sizes as Compose writes them (Compose specification, "Specifying durations" and
// "Specifying byte values").
#pragma once

#include "base/attributes.h"

#include <stdbool.h>

// "10s", "1m30s", "2h32m", "500ms", "1.5s", "0": nanoseconds. Units: ns us µs ms s m h d w.
// false: not a duration, negative, or more than 2^63 - 1 ns.
bool quantity_duration(const char *text, long long *ret_ns) must_use;

// "64m", "1gb", "1.5g", "300000", "2KiB": bytes, in powers of 1024. false: not a size, or too
// large.
bool quantity_bytes(const char *text, long long *ret_bytes) must_use;
