// Taking a backup of one running server, and the sums of what it holds (value/fingerprint.h): by
// its own dump tool inside its container under one snapshot (PostgreSQL, MySQL), or through its
// protocol, summed before and after (MongoDB, Redis). One row an engine.
//
// Passwords: the tool gets one by a file or a pipe of a shell inside the container, which reads it
// where the server found it; no argument and no environment holds one.
#pragma once

#include "base/cancel.h"
#include "base/string_list.h"
#include "client/endpoint.h"
#include "engine/engine.h"
#include "verify/backup/manifest.h"

#include <stdatomic.h>

struct origin;

// One server's part of a backup that is being made.
struct making {
    struct engine *engine;
    const struct origin *origin;
    const char *folder;        // of the backup, not yet under its name
    const char *sockets;       // a 0700 folder, for relays
    struct relay *relay;       // to the origin, while it is dumped; NULL: none
    struct manifest *manifest; // gets the artifacts
    const struct cancel *cancel;
    atomic_ullong *counter;    // of bytes written; may be NULL
    struct string_list *notes; // what the user should know of a backup that was made
};

struct dumper {
    enum dump_engine engine;
    const char *title;           // "PostgreSQL"
    const char *const *programs; // names of its processes, NULL-terminated
    const char *users;           // variables that name the user, in the order they are looked for
    const char *passwords;
    const char *default_user; // NULL: none
    uint16_t port;            // where it listens in its container
    // `server`: where it is reached, as the origin's user; which database is asked, `dump` chooses.
    bool (*dump)(struct making *self, const struct endpoint *server, struct error *err);
};

extern const struct dumper DUMPER_POSTGRES;
extern const struct dumper DUMPER_MYSQL;
extern const struct dumper DUMPER_REDIS;
extern const struct dumper DUMPER_MONGODB;

// By the name of a process; NULL: none of ours.
const struct dumper *dumper_of(const char *program);

// Backs up the origin, over a relay to its own 127.0.0.1. The artifacts are in the manifest then.
bool dumper_run(struct making *self, struct error *err) must_use;

// ---- for the dumpers

// sh: `first "A B"` prints the value of the first of these variables that is set, or what is in the
// file that its _FILE names.
#define DUMPER_FIRST                                                                       \
    "first() { for name in $1; do eval \"value=\\${$name:-}; file=\\${${name}_FILE:-}\"; " \
    "if [ -n \"$value\" ]; then printf %s \"$value\"; return; fi; "                        \
    "if [ -n \"$file\" ]; then cat \"$file\"; return; fi; done; }; "

// sh: `wide TOOL ARGUMENT…` runs a tool that writes 64 KiB at a time, where the container has
// stdbuf(1), and not the 4 KiB of stdio's pipes: each write wakes up the engine, its shim and us.
#define DUMPER_WIDE                                                                      \
    "wide() { if stdbuf -o64K true 2>/dev/null; then stdbuf -o64K \"$@\"; else \"$@\"; " \
    "fi; }; "

struct artifact_writer;

struct dump_call {
    const char *script;       // of sh, run as root; constant text, values by $1, $2, …
    const char *arguments[6]; // NULL-terminated
    // Or, without a script: writes the file itself.
    bool (*write)(void *context, struct artifact_writer *writer, struct error *err);
    const char *artifact; // its name in the manifest: "postgres/app"
    const char *ending;   // of the file's name: ".dump"
    const char *server_version;
    const char *tool;
    void (*began)(void *context); // at the first bytes of the dump; may be NULL
    // Sums what the server holds, in a thread of its own while the dump is written; NULL: not.
    bool (*sum)(void *context, struct fingerprint **ret_fingerprint, struct error *err);
    void *context;
};
// Runs the script and writes what it prints to a new file of the backup, which becomes an artifact
// of the manifest with its sums. ERROR_SERVICE: the tool failed, in its own words. When we are
// killed, interrupted or cannot write, the script and its tool are ended in the container.
bool dumper_write(struct making *self, const struct dump_call *call, struct error *err) must_use;

// For a server without snapshots: the last artifact gets these sums, which are the making's from
// now on, if they were the same before and after; else the user is told why it has none.
void dumper_keep_steady(struct making *self, const struct fingerprint *before,
                        struct fingerprint *after);

// What a script prints, without the newline at its end; the caller's.
bool dumper_ask(struct making *self, const char *script, char **ret_said,
                struct error *err) must_use;
