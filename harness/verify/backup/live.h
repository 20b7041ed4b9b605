// What running servers hold now, in the form of a manifest: so that a backup, also one without a
// manifest of its own, can be compared with what it was taken of.
//
// An artifact is of the server of its engine, and of the database, that its file names. Which
// server that is, if there are several of an engine: the one whose service's name the artifact's
// begins with
// ("db-app.dump": db), as `assay backup create` names them.
#pragma once

#include "value/row_hunt.h"
#include "verify/backup/backup_folder.h"
#include "verify/backup/manifest.h"
#include "verify/backup/origin.h"

struct live_servers {
    struct engine *engine; // of the running stack; need not be the one that is restored in
    const struct origins *origins;
    const char *sockets; // a 0700 folder, for relays
    const struct cancel *cancel;
};

// *ret_manifest (the caller's) has an entry for each artifact that a server was found for, with its
// sums. *ret_notes gets what was left out, and why: "app.sql: the file does not say of which
// database it is". Servers may be written to meanwhile: PostgreSQL and MySQL are read under a
// snapshot each. ERROR_SERVICE and the like: a server that was found could not be asked.
bool live_look(const struct live_servers *self, const struct backup *backup,
               struct manifest **ret_manifest, struct string_list *ret_notes,
               struct error *err) must_use;

// The rows of the artifact's server that differ, read once more: fills in the hunt's notes.
// ERROR_UNAVAILABLE: no server was found for it.
bool live_hunt(const struct live_servers *self, const struct backup *backup,
               const struct artifact *artifact, const uint8_t key[ROW_HASH_KEY_SIZE],
               struct row_hunt *hunt, struct error *err) must_use;
