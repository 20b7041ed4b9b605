// The ids of a Redis stream's entries: "1526919030474-55", two 64-bit numbers, milliseconds first.
#pragma once

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

#define REDIS_STREAM_ID_SIZE 42 // two times 20 digits, '-', NUL

// The first id that can come after this one; false: it is no id, or the last that there can be.
bool redis_stream_id_after(const char *id, char *buffer, size_t size) must_use;
