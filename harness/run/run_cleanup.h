// Removing one run for good: what it has in its engines, its folder, its lease; and the private
// engine, if nobody needs it any more.
#pragma once

#include "base/cancel.h"
#include "base/string_list.h"

#include <stdbool.h>

// As the guardian does it. An engine that has gone does not keep the folder; a private engine that
// was killed is started once more, for only it can remove the networks that it made.
bool run_cleanup(const char *state_folder, const char *run_id,
                 const struct string_list *engine_hosts, struct error *err) must_use;

// `assay down`: at once, whoever uses the stack. ERROR_USAGE when there is no such stack.
bool stack_end(const char *state_folder, const char *name, struct error *err) must_use;
