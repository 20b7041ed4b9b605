// A unix socket in front of the engine, in a process of its own, which a test may freeze or kill:
// an engine that does not answer any more, or that is gone.
#pragma once

#include <sys/types.h>

struct proxy {
    pid_t group;    // of the listener and of one process a connection
    char host[128]; // for DOCKER_HOST
};

// Skips the test if `host` is no unix socket. Listens in the test's folder; goes with the test.
void proxy_fixture_open(const char *host, struct proxy *ret_proxy);
void proxy_fixture_signal(const struct proxy *self, int signal); // to all of them
void proxy_fixture_close(struct proxy *self);
