// One dockerd of ours: where it lives, starting it, finding it, stopping it with all that is its.
// Used by private_engine.c, which decides when.
//
// Nothing of the host's is changed: no bridge of its own (--bridge=none), no iptables rule, no
// forwarding switched on, no configuration of the user's read, and a mount namespace of its own, so
// that its mounts disappear with its last process however that ends.
//
// Sources: dockerd(8); mount_namespaces(7); cgroups(7); /proc/PID/cmdline in proc(5).
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct engine_place {
    char *folder;    // <state>/engine, absolute and without symbolic links
    char *data_root; // images and layers: kept
    char *exec_root; // sockets and state of what runs: removed at the stop
    char *socket;
    char *host; // unix://<socket>
    char *pid_file;
    char *log;
    char *configuration;
    char *cgroup; // "assay-<hash of data_root>": parent of every container's group
};

// Makes the folder (0700). ERROR_UNAVAILABLE when the path is too long for a unix socket.
bool engine_place_init(struct engine_place *self, const char *state_folder,
                       struct error *err) must_use;
void engine_place_done(struct engine_place *self);

// Whether one can be started here: ERROR_UNAVAILABLE with the command that mends it.
bool engine_daemon_possible(struct error *err) must_use;

// The dockerd that serves this place, proved by its command line; 0: none. An error when that
// cannot be told.
bool engine_daemon_find(const struct engine_place *place, pid_t *ret_pid,
                        struct error *err) must_use;
bool engine_daemon_answers(const struct engine_place *place, struct error *err) must_use;

// Clears what an earlier one left, starts one in a session of its own, waits until it answers.
// On failure nothing of it is left and err holds the end of its log.
bool engine_daemon_start(const struct engine_place *place, const struct cancel *cancel,
                         struct error *err) must_use;

// SIGTERM, then SIGKILL after 10 s; then everything of it is cleared. None running is fine.
bool engine_daemon_stop(const struct engine_place *place, struct error *err) must_use;

DEFINE_AUTODONE(engine_place, engine_place_done);
