// The variables that a Compose file is interpolated with: the process environment, over those of an
// outer scope (of the including project, or of the project around an env_file), over its own.
#pragma once

#include "base/cleanup.h"
#include "base/string_list.h"

struct variables {
    const struct variables *outer; // NULL: none; must outlive this one
    struct string_list names;
    struct string_list values;
    bool own_first; // for env_file: what stands further up in the file goes before everything else
    bool closed;    // the process environment is not asked: for fuzzing and tests
};

void variables_done(struct variables *self);
void variables_set(struct variables *self, const char *name, const char *value); // replaces
const char *variables_get(const struct variables *self, const char *name);       // NULL: not set
const char *variables_own(const struct variables *self, const char *name);       // only its own

DEFINE_AUTODONE(variables, variables_done);
