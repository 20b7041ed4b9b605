// A PostgreSQL server of a test's own, if the machine has its programs: on 127.0.0.1, in a
// temporary folder, as a user who is not root.
#pragma once

#include "base/error.h"
#include "client/postgres.h"

#include <stdbool.h>
#include <sys/types.h>

struct postgres_server {
    char *folder;
    pid_t pid;
    struct endpoint endpoint; // as its superuser, database "postgres"
};

// ERROR_UNAVAILABLE: the machine has no PostgreSQL.
bool postgres_server_start(struct postgres_server *self, struct error *err) must_use;
void postgres_server_stop(struct postgres_server *self); // also of one that did not start
