// What is to be started: a Compose file, read, interpolated, checked and turned into bodies for the
// Engine API. Pure: nothing is asked of an engine, nothing is created.
//
// Source: the Compose specification (compose-spec.io). Keys that are not honoured become warnings
// with file and line; keys that would change the meaning are errors. docs/compose-support.md has
// the table.
//
// Extensions: a service's `x-assay` key and the same content in assay.yaml under services.<name>:
//   kind: postgres          which client speaks to it; default: from the image name
//   port, user, database    for that client; defaults of the kind
//                           (vhost: the same as database, for rabbitmq)
//   password: NAME          the Compose secret that holds it
//   root_password: NAME     mysql: the secret of its root account
//   path: /health           http: what must answer
//   group: redis            members that are ready (and formed) together
//   form: true              redis_cluster: assay forms the cluster
//   initialise: true        openbao: assay initialises and unseals
//   prepare: true           keep a prepared image: booted once, committed
//   substitute: ferretdb    recipe that may stand in when the image is not to be had
//   ready_timeout: 60s
// A secret's `x-assay: {generate: true}`: made fresh for each run, whatever its file says.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/string_list.h"
#include "client/kind.h"
#include "compose/mark.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mount_type { MOUNT_VOLUME, MOUNT_BIND, MOUNT_TMPFS, MOUNT_SECRET, MOUNT_CONFIG };

struct plan_mount {
    enum mount_type type;
    char *source; // volume: its key in the file (NULL: anonymous); bind: absolute host path;
                  // secret, config: its key; tmpfs: NULL
    char *target; // absolute path in the container
    bool read_only;
    uid_t owner; // secret, config
    gid_t group;
    mode_t mode;        // secret, config, tmpfs; 0: default (0600 of root for secrets)
    int64_t size_bytes; // tmpfs; 0: no limit
    struct mark mark;
};

enum dependency_condition { DEPENDS_STARTED, DEPENDS_HEALTHY, DEPENDS_COMPLETED };

struct plan_dependency {
    size_t service; // index in plan->services
    enum dependency_condition condition;
    bool required;
};

struct plan_attachment {
    size_t network; // index in plan->networks
    char **aliases; // NULL-terminated; the service's name is always one
    bool has_address;
    uint32_t address_offset; // of ipv4_address within the file's subnet: kept in the run's own
};

struct plan_service {
    char *name;
    struct mark mark;
    char *image;             // as the file names it
    char *platform;          // NULL: the engine's
    const struct kind *kind; // NULL: unknown; readiness is then health check, or just running
    uint16_t port;
    char *user;
    char *database;
    char *password;      // key of a secret; NULL: none
    char *root_password; // the same
    char *path;
    char *group; // NULL: alone
    bool form;
    bool initialise;
    bool prepare;
    char *substitute;
    int ready_timeout_ms;
    // Bodies for POST /containers/create. config: Env, Cmd, Entrypoint, User, Healthcheck, …
    // without Image; host_config: Memory, CapAdd, Ulimits, Tmpfs, … without mounts, networks,
    // ports, restart.
    json_t *config;
    json_t *host_config;
    struct plan_mount *mounts;
    size_t mount_count;
    struct plan_attachment *attachments;
    size_t attachment_count;
    struct plan_dependency *dependencies;
    size_t dependency_count;
};

struct plan_network {
    char *key;
    bool internal;
    bool has_subnet; // the file asked for one: the run gets a free one with as many addresses
    uint32_t subnet_address; // host byte order
    int prefix_length;
    struct mark mark;
};

struct plan_volume {
    char *key;
    struct mark mark;
};

// A secret or a config: where its content comes from.
struct plan_content {
    char *key;
    bool generate;     // a fresh 128-bit value for each run
    char *file;        // absolute path; NULL: not from a file
    char *environment; // name of the variable, which is set in this process; NULL
    char *content;     // configs: inline, interpolated; NULL
    struct mark mark;
};

struct plan {
    char *name;                    // project name
    char *folder;                  // of the first Compose file, absolute
    struct plan_service *services; // sorted: dependencies before dependants
    size_t service_count;
    struct plan_network *networks;
    size_t network_count;
    struct plan_volume *volumes;
    size_t volume_count;
    struct plan_content *secrets;
    size_t secret_count;
    struct plan_content *configs;
    size_t config_count;
    struct string_list warnings; // "compose.yaml:12:5: …"
    struct string_list files;    // every file that was read; marks borrow from here
    // What it was loaded from, so that another process can load the same plan (a spare of one
    // service): absolute paths.
    struct string_list compose_files;
    char *settings;            // absolute path of assay.yaml; NULL: none
    struct string_list suites; // of assay.yaml: paths of Criterion executables
};

struct plan_options {
    const char *const
        *files; // NULL-terminated; NULL: compose.yaml, compose.yml, docker-compose.* in folder
    const char *folder;          // project folder; NULL: the first file's
    const char *const *profiles; // NULL-terminated; NULL: none, and COMPOSE_PROFILES is read
    const char *const *services; // only these and what they need; NULL: all enabled
    const char *settings;        // assay.yaml; NULL: the one beside the Compose file, if any
    // Where warnings go when the plan cannot be loaded: the mistake may be in them. May be NULL.
    struct string_list *warnings;
};

// Errors are ERROR_CONFIGURATION and begin with "file:line:column: ".
bool plan_load(const struct plan_options *options, struct plan **ret_plan,
               struct error *err) must_use;
void plan_free(struct plan *self);

const struct plan_service *plan_find(const struct plan *self, const char *name); // NULL: none

DEFINE_AUTOFREE(plan, plan_free);
