// What drills make of the servers of their stack: filled ones, and a backup of them.
#pragma once

#include "base/string_list.h"
#include "verify/backup/signing_key.h"
#include "verify/backup/verification.h"
#include "verify/drill/drill.h"

struct drill_origin {
    const char *name;
    enum dump_engine engine;
    const char *table;    // the file in drill's tables
    const char *service;  // that is filled
    const char *database; // there
    const char *restored; // what it is restored as
};
#define DRILL_ORIGIN_COUNT 4
extern const struct drill_origin DRILL_ORIGINS[DRILL_ORIGIN_COUNT];

void drill_tell(const struct drill *self, const char *what, const char *state);
bool drill_wants(const struct drill *self, const struct drill_origin *origin);

// What cannot be done is not verified: a drill proves nothing then, but no backup was at fault.
// Returns `done`.
bool drill_say(struct suite_result *suite, const char *name, bool done,
               const struct error *problem);

// A signed backup of the stack's origins.
struct drill_backup {
    char *path;
    struct signing_key *key;
};
void drill_backup_done(struct drill_backup *self);
DEFINE_AUTODONE(drill_backup, drill_backup_done);

// Runs each engine's statements in its origin (NULL: that engine is left out), side by side, and
// makes a backup of those that could be filled. `suite` says what could not be done. false: there
// is no backup.
bool drill_backup_make(const struct drill *self,
                       const struct string_list *const statements[DRILL_ORIGIN_COUNT],
                       struct suite_result *suite, struct drill_backup *ret_backup);

// false: it cannot be read, which `suite` says.
bool drill_backup_open(const struct drill *self, const struct drill_backup *made,
                       struct suite_result *suite, struct backup **ret_backup) must_use;
// Of the options the seed and the visitor count (verification.h). false: it was cancelled.
bool drill_backup_verify(const struct drill *self, const struct drill_backup *made,
                         const struct backup *backup, const struct verification *options,
                         struct report *report, struct error *err) must_use;
