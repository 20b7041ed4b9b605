// Which backup is meant: "latest", the name of one below a root, or a path.
#pragma once

#include "base/attributes.h"
#include "base/error.h"

#include <stdint.h>

struct backup_choice {
    char *path;            // the caller's to free
    int64_t taken_wall_ms; // of the moment in its name, read as UTC; -1: none is there
};

// "latest": the folder or regular file directly below `root` with the newest moment in its name
// (backup_name.h); hidden ones and links do not count. Anything else: `root`/`which` if that is
// there, else `which` itself. ERROR_CONFIGURATION: there is none, and what was looked for.
bool backup_choose(const char *root, const char *which, struct backup_choice *ret_choice,
                   struct error *err) must_use;
