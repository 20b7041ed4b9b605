// Restoring one artifact into a throwaway server of its kind, and asking that server whether what
// it now holds is sound. One row a engine; a new engine is a file and a row.
//
// The tools run inside the server's own container (psql, pg_restore, mysql, redis-check-rdb …), fed
// over standard input, so that nothing is written into the user's folder and no password stands in
// argv or environment. They stop at the first error (ON_ERROR_STOP, --exit-on-error), and what they
// print is read: an exit status alone is not believed.
#pragma once

#include "base/cancel.h"
#include "stack/stack.h"
#include "value/result.h"
#include "verify/backup/backup_folder.h"

struct restore {
    struct engine *engine;
    struct stack *stack;
    const struct backup *backup;
    const struct artifact *artifact;
    const struct cancel *cancel;
    int timeout_ms; // of one tool; 0: an hour
    uint64_t *restored_bytes; // may be NULL; for progress
};

struct restorer {
    enum dump_engine engine;
    const char *service; // of the bundled devstack: "postgres"
    // The container and its server are fresh; what an earlier artifact of the same backup left is
    // dropped first. ERROR_PROTOCOL: the artifact does not restore (the tool's own words);
    // ERROR_UNAVAILABLE: cannot be tried here, with the reason: not verified.
    bool (*restore)(const struct restore *self, struct error *err);
    // Adds a test_result for each check, by name: "heap_and_btree_pages_are_sound", …
    void (*check)(const struct restore *self, struct suite_result *suite);
};

extern const struct restorer RESTORE_POSTGRES; // plain, custom, tar, directory, pg_dumpall
extern const struct restorer RESTORE_MYSQL;
extern const struct restorer RESTORE_MONGODB;
extern const struct restorer RESTORE_REDIS;

const struct restorer *restorer_of(enum dump_engine engine); // NULL: none
