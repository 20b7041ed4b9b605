// The file of a lease: reading, writing and listing. Used by lease.c only; the rules are in
// lease.h.
//
//   {"run": "k3v9x2m7qa", "folder": "/run/assay/k3v9x2m7qa", "engine": "unix:///…",
//    "environment": "/run/assay/k3v9x2m7qa/environment", "project": "devstack",
//    "idle_ms": 1800000, "expires_wall_ms": 1763823230000}
#pragma once

#include "run/lease.h"

struct lease_paths {
    char *name;
    char *file;
    char *lock;
    char *keeper;
};

// Makes the folder (0700); a name that is not allowed is ERROR_USAGE.
bool lease_paths_init(struct lease_paths *self, const char *state_folder, const char *name,
                      struct error *err) must_use;
void lease_paths_done(struct lease_paths *self);

bool lease_file_read(const struct lease_paths *paths, struct lease_facts *ret_facts,
                     struct error *err) must_use;
bool lease_file_write(const struct lease_paths *paths, const struct lease_facts *facts,
                      struct error *err) must_use;
// Calls visit for every lease that can be read, until it returns false. False when one, or their
// folder, could not be read; a file that is no lease is passed over.
bool lease_file_each(const char *state_folder,
                     bool (*visit)(void *context, const struct lease_paths *paths,
                                   const struct lease_facts *facts),
                     void *context, struct error *err) must_use;
void lease_facts_copy(const struct lease_facts *self, struct lease_facts *ret_copy);

DEFINE_AUTODONE(lease_paths, lease_paths_done);
