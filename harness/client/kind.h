// The kinds of service that assay speaks to, in one table: kind.c is the one place where a new kind
// is added. Everything else asks the table.
#pragma once

#include "client/endpoint.h"

#include <stdbool.h>
#include <stddef.h>

// One container of a service, or all of a group (the nodes of a Redis cluster).
struct kind_members {
    const struct endpoint *endpoints;
    size_t count;
};

struct kind_options {
    const char *path; // http: what must answer 2xx; NULL: "/"
};

// What forming a service brought to light; the caller's, freed with kind_formed_done.
struct kind_formed {
    struct secret *token;      // openbao: the root token
    struct secret *unseal_key; // openbao: the one key share
};
void kind_formed_done(struct kind_formed *self);

struct kind {
    const char *name;  // "postgres": as in x-assay and assay.yaml
    const char *also;  // another name for it there; NULL: none
    const char *title; // "PostgreSQL": for people
    uint16_t port;     // the service's usual one

    // Repository names (last path component, without tag) of images known to be of this kind,
    // NULL-terminated.
    const char *const *image_names;

    // Ready, in the service's own protocol and by its meaning (see docs/readiness.md): one quick
    // try, milliseconds, no waiting inside. true: ready.
    //   postgres       a statement as the application's user
    //   mysql          a query over TCP as the application's user
    //   mongodb        hello, then a majority write in a database of its own, removed again
    //   redis_cluster  every member: cluster_state:ok, 16384 slots, the same view; a server that is
    //                  in no cluster: PING is answered
    //   rabbitmq       publish to and consume from an exclusive queue
    //   openbao        unsealed and active
    //   prometheus     ready, and at least one target scraped with success
    //   alertmanager   an alert accepted and returned, then expired
    //   http           the path answers 2xx
    bool (*ready)(const struct kind_members *members, const struct kind_options *options,
                  struct error *err);

    // What a fresh server needs from outside before it can be ready; NULL for most.
    //   redis_cluster  CLUSTER MEET and ADDSLOTSRANGE
    //   openbao        sys/init, sys/unseal: the root token comes back in *ret_token
    // Called again until it returns true; must be safe to repeat.
    bool (*form)(const struct kind_members *members, struct kind_formed *formed, struct error *err);

    // Version and product as the server itself says, for reports: "PostgreSQL 17.6".
    bool (*identify)(const struct endpoint *endpoint, char *buffer, size_t size, struct error *err);
};

const struct kind *kind_by_name(const char *name); // NULL: there is none
// From an image reference: "docker.io/library/postgres:17@sha256:…" -> postgres; NULL: unknown.
const struct kind *kind_by_image(const char *reference);
// All of them, for messages and documentation; the last has name NULL.
const struct kind *kind_table(void);
