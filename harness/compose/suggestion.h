// "did you mean …": the nearest of some names, by edit distance.
#pragma once

#include <stddef.h>

// `name_at(context, i)` gives the i-th candidate, NULL after the last. Returns the nearest one that
// is near enough to be a typing error (at most a third of its letters differ), or NULL.
const char *suggestion(const char *word, const char *(*name_at)(const void *context, size_t i),
                       const void *context);

// The same over a NULL-terminated array.
const char *suggestion_of(const char *word, const char *const *names);
