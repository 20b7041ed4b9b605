// One maker at a time: two runs that want the same image must not both build it. An flock on a
// file under the state folder, so it is let go however its holder ends.
#pragma once

#include "base/cancel.h"
#include "base/error.h"

#include <stdbool.h>

// Waits for as long as another holds it, up to an hour; cancel ends the wait. `waiting` (may be
// NULL) is called once when it has to wait. `name` is a word for a file name. *ret_fd is closed by
// the caller: that lets go.
bool build_lock_take(const char *name, const struct cancel *cancel, void (*waiting)(void *context),
                     void *context, int *ret_fd, struct error *err) must_use;
