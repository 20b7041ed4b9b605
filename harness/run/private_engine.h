// An engine of our own, where none is reachable and we are root on Linux.
//
// `dockerd` with its own data root (kept: the image cache), exec root, socket and pid file under
// the state folder, started with --bridge=none --iptables=false: no rule, bridge, setting or daemon
// of the user's is touched; containers on a network reach each other and the host, but nothing
// beyond it. Builds use the host's network. Shared by all runs of this user: each holds a shared
// lock on engine.lock, and whoever lets go last stops the daemon (the guardian, when the run was
// killed), unless a leased stack (lease.h) lives on it.
#pragma once

#include "base/cancel.h"
#include "base/error.h"

#include <stdbool.h>

struct private_engine;

// Why it could not be started here, with the command that mends it ("apt-get install docker.io
// iptables"), as ERROR_UNAVAILABLE.
bool private_engine_open(const char *state_folder, const struct cancel *cancel,
                         struct private_engine **ret_engine, struct error *err) must_use;
const char *private_engine_host(const struct private_engine *self); // unix:///…/engine.sock
// Lets go; the last one stops the daemon and removes socket, exec root, control groups and mounts.
void private_engine_close(struct private_engine *self);

// For the guardian: stops the daemon if nobody holds the lock and no lease needs it any more.
bool private_engine_stop_if_unused(const char *state_folder, struct error *err) must_use;
bool private_engine_running(const char *state_folder);
bool private_engine_is_host(const char *state_folder,
                            const char *host); // its address, running or not

// Where state is kept: $ASSAY_STATE, /var/lib/assay as root, $XDG_STATE_HOME/assay or
// ~/.local/state/assay otherwise. The caller's.
char *state_folder(void);
