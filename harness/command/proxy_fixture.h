// A unix socket in front of the engine, in a process of its own, which a test may freeze or kill:
// an engine that does not answer any more, or that is gone.
#pragma once

#include <sys/types.h>

struct proxy {
    pid_t group;    // of the listener and of one process a connection
    char host[128]; // for DOCKER_HOST
};

// To the engine of DOCKER_HOST, which must be a unix socket; listens in the test's folder.
void proxy_fixture_open(struct proxy *ret_proxy);
void proxy_fixture_signal(const struct proxy *self, int signal); // to all of them
void proxy_fixture_close(struct proxy *self);
