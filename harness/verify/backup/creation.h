// Making a backup: each server of a stack is dumped into a folder that nobody lists, its manifest
// is written, and only then the folder gets its name.
//
//   ROOT/.making-XXXXXX/     while it is made; locked, so that what a killed one left can be
//                            told and is removed by the next
//   ROOT/20261123-031500/    manifest.json (.sig), db-app.dump, …
//
// The name is the moment in UTC; a second backup of the same second gets the next one's.
#pragma once

#include "base/cancel.h"
#include "base/string_list.h"
#include "verify/backup/origin.h"
#include "verify/backup/signing_key.h"

#include <stdatomic.h>

struct creation {
    struct engine *engine;
    const struct origins *origins;
    const char *root;              // is made if need be
    const char *sockets;           // a 0700 folder, for relays
    const struct signing_key *key; // NULL: unsigned
    const struct cancel *cancel;
    atomic_ullong *counter; // of bytes written; may be NULL
    // "dumping", "done".
    void (*progress)(void *context, const char *service, const char *state);
    void *context;
};

// All or nothing: on failure nothing is left in the root. *ret_path is the caller's; *ret_notes
// gets what the user should know.
bool creation_run(const struct creation *self, char **ret_path, struct string_list *ret_notes,
                  struct error *err) must_use;
