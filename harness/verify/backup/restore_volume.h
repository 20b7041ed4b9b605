// Restoring the tar of a data directory: it is unpacked in the stand, and the engine's own server
// is started on that copy, with settings of ours instead of those that lie in it. A copy of a
// server that was running recovers then, as it would after a crash.
//
//   tar ──decompressed──> tar -x in the stand, as the server's user ──> ROOT/unpacked/…
//   ROOT/data ──link──> the data directory in there; the server runs on it
//
// That no member leaves the folder, dump/volume.c has seen to: an archive with a path or a link
// that leads out, or with a device, is not whole, and never comes here.
#pragma once

#include "verify/backup/restore.h"

struct volume_way {
    const char *root;  // of this engine in the stand: "/restore/postgres"
    const char *owner; // who unpacks it, and so owns all of it: the server's user
    // Removes what a stopped server has left there, starts one, prepares the login. It prints why
    // it does not, and then does not end well.
    const char *open;
    const char *note; // prints what the report says of a restore that went well, a line each
    bool same_major;  // only a server of that major version opens it
    // What is said when this server lacks something, so that the copy may well be sound.
    const char *const *lacking; // NULL-terminated
};

bool restore_is_volume(const struct restore *self);

// As `restore` of struct restorer.
bool restore_volume(const struct restorer *restorer, struct restore *self,
                    const struct volume_way *way, struct error *err) must_use;

// A data directory does not say how many records it holds, nor does the table of contents of a
// folder of pg_dump, whose data files nobody counts: adds that as the result of this test.
// false: it is another format, and nothing was added.
bool restore_says_no_count(const struct restore *self, struct suite_result *suite,
                           const char *name);
#define VOLUME_HAS_NO_COUNT "a data directory does not say how many records it holds"
#define FOLDER_HAS_NO_COUNT "the records in the files of pg_dump's directory format are not counted"

// ---- pure parts

// Whether a server of major version `here` opens what one of `there` wrote ("17"): else err is
// ERROR_UNAVAILABLE, and names both.
bool volume_fits(const char *title, const char *there, int here, struct error *err) must_use;
// What became of a server that did not start: ERROR_UNAVAILABLE if any of its words is of what is
// lacking here, else ERROR_SERVICE. Always false.
bool volume_refuse(const struct volume_way *way, const struct tool_answer *answer,
                   struct error *err);
