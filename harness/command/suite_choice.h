// Which suites a run runs.
#pragma once

#include "command/session.h"

// Those that are named, by path or as bundled ones; where none is, those of assay.yaml beside the
// user's own stack, or every one that is bundled with the devstack. Paths of executables. Warnings
// of a plan that cannot be loaded are printed.
bool suite_choice_make(const struct string_list *named, const struct session_options *options,
                       struct string_list *ret_paths, struct error *err) must_use;

// "postgres" of "build/suites/postgres": borrowed.
const char *suite_choice_name(const char *path);
