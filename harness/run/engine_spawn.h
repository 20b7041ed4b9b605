// Starting a daemon that outlives us: a session of its own, no terminal, none of our files, and a
// mount namespace of its own that still receives what the host mounts later.
//
// Sources: daemon(7), unshare(2), mount_namespaces(7) (MS_SLAVE), close_range(2).
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

// Full path of a program in PATH or in the folders of system programs, which a plain user's PATH
// may lack; NULL: not installed. The caller's.
char *engine_spawn_lookup(const char *program) must_use;

// Standard output and error go to the end of `log` (0600). Our file descriptors stay open in it
// until it executes the program, and locks are held until then. It gets our environment with a
// longer PATH and without the mark of the suite that we may be in (run_folder.h).
bool engine_spawn(const char *program, const char *const *arguments, const char *log,
                  pid_t *ret_pid, struct error *err) must_use;
