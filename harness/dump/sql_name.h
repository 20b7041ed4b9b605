// Names in SQL: plain, "quoted" or `quoted`, with dots between.
#pragma once

#include "base/text.h"

// Reads one at the beginning of `sql` (NUL-terminated) and appends it unquoted: public."a.b" is
// appended as public.a.b. Returns what follows it, or NULL if none stands there.
const char *sql_name_read(const char *sql, struct text *name);

// How many names a list in parentheses holds; 0: none stands there.
unsigned sql_name_count(const char *sql);
