// The running servers that a backup is taken of: containers of a stack, each told by the programs
// that run in it, whatever its image is called.
//
// Who may log in is what the container was started with: POSTGRES_USER, MYSQL_ROOT_PASSWORD and
// the like, each also with _FILE (the official images' documentation), read inside the container.
#pragma once

#include "base/cleanup.h"
#include "base/secret.h"
#include "engine/engine.h"
#include "engine/relay.h"
#include "verify/backup/dumper.h"

#include <stddef.h>

struct origin {
    char *service; // of the Compose file; else, or when it runs several times, the container's name
    char *name;    // of the container
    char *container; // its id
    const struct dumper *dumper;
    char *user;
    struct secret *password; // NULL: none was found
};

struct origins {
    struct origin *items; // by service
    size_t count;
    size_t capacity;
};

#define ORIGIN_COMPOSE_PROJECT "com.docker.compose.project" // labels of Docker Compose
#define ORIGIN_COMPOSE_SERVICE "com.docker.compose.service"

// Of the running containers with this label, "com.docker.compose.project=shop", those that are
// servers we know. ERROR_CONFIGURATION: no container has the label, or none is such a server.
// `services`: NULL-terminated, only these, and each must be there; NULL: all.
bool origins_find(struct engine *engine, const char *label, const char *const *services,
                  struct origins *ret_origins, struct error *err) must_use;
void origins_done(struct origins *self);

// A relay to the origin's own 127.0.0.1, and the endpoint there, as its user: for requests that
// take as long as a sum of the largest table. Which database is asked, the caller chooses. The
// endpoint borrows from both.
bool origin_reach(const struct origin *self, struct engine *engine, const char *sockets,
                  struct relay **ret_relay, struct endpoint *ret_server,
                  struct error *err) must_use;

DEFINE_AUTODONE(origins, origins_done);
