// What a dockerd of ours leaves when it is killed: containerd, shims, proxies and the processes of
// containers; control groups; mounts; sockets and files. Found by our own paths and control group
// only, so that another engine's are never touched. And the bridges of its networks, which it
// leaves in any case, for it means to come back.
//
// Sources: libnetwork's bridge driver names a bridge "br-" and 12 digits of the network's id,
// unless the option com.docker.network.bridge.name says otherwise; netdevice(7), <linux/sockios.h>.
#pragma once

#include "base/string_list.h"
#include "run/engine_daemon.h"

enum engine_process {
    ENGINE_PROCESS_NONE, // not ours
    ENGINE_PROCESS_DAEMON,
    ENGINE_PROCESS_CONTAINERD,
    ENGINE_PROCESS_HELPER,    // a shim, runc
    ENGINE_PROCESS_CONTAINED, // runs in a container
    ENGINE_PROCESS_UNKNOWN,   // /proc could not be read now: it may be any of them
};

// A zombie is ENGINE_PROCESS_NONE: nothing of it is left but its exit status.
enum engine_process engine_process_judge(const struct engine_place *place, pid_t pid);
// The first one of that sort; 0: none. An error when that cannot be told: to take a daemon that
// serves others for none would end it.
bool engine_process_find(const struct engine_place *place, enum engine_process sort, pid_t *ret_pid,
                         struct error *err) must_use;

// Kills and removes all of it. Call only when no daemon of the place is to go on.
bool engine_remains_clear(const struct engine_place *place, struct error *err) must_use;

// Names of the bridges of all networks that the engine knows; none when it does not answer.
void engine_bridges_list(const struct engine_place *place, struct string_list *ret_names);
// Those that are gone already are fine; a daemon that starts again makes them anew.
bool engine_bridges_remove(const struct string_list *names, struct error *err) must_use;
