// A container that runs on this very machine, and may be gone to without its engine.
#pragma once

#include "engine/engine.h"

#include <stdint.h>

// Connects to 127.0.0.1:port of the container's own network, by entering its network namespace
// (setns(2)) for a moment. -1: there is no such way: we are not root, or the process that the
// engine names is not of this container here (its cgroup, /proc/PID/cgroup, has not the container's
// id in it: the engine runs elsewhere), or nobody answers.
int near_container_connect(struct engine *engine, const char *container, uint16_t port);
