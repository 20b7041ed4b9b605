// A server's own tools, run inside a container of the restore stand (fixtures/restore): a script of
// sh, what is fed to it, and what it printed. No password is ever needed there.
#pragma once

#include "base/cancel.h"
#include "base/text.h"
#include "dump/source.h"
#include "engine/engine.h"
#include "verify/backup/backup_folder.h"

struct tool_stand {
    struct engine *engine;
    const char *container;
    const char *user; // who runs the scripts: "postgres"
    int timeout_ms;   // of one script; 0: a day (who stands still is told by stall.h)
    const struct cancel *cancel;
    atomic_ullong *counter; // of bytes fed from files; may be NULL
};

#define TOOL_ARGUMENTS 6

struct tool_call {
    const char *script;                        // constant text; values only by $1, $2, …
    const char *arguments[TOOL_ARGUMENTS + 1]; // $1 and on, NULL-terminated
    const char *user;                          // NULL: the stand's
    const char *input;                         // fed to standard input; NULL: none
    const char *file;                          // the same from a backup file, decompressed
};

// What it printed, both kinds in `output` as the script redirects them; `errors` otherwise.
struct tool_answer {
    int exit_status;
    struct text output;
    struct text errors;
};

// false: it could not be run, or its input could not be read. A script that fails is an answer.
// ERROR_PROTOCOL is the input's alone: an engine that hangs up says nothing of a backup.
bool tool_ask(const struct tool_stand *self, const struct tool_call *call,
              struct tool_answer *ret_answer, struct error *err) must_use;
void tool_answer_done(struct tool_answer *self);

// What the engine did wrong, whatever it was: ERROR_UNAVAILABLE in place of ERROR_PROTOCOL. Returns
// false.
bool tool_blame_engine(struct error *err);

// For scripts that must succeed and say nothing on standard error: else ERROR_SERVICE with their
// first words of complaint. *ret_output (may be NULL) is the caller's.
bool tool_do(const struct tool_stand *self, const struct tool_call *call, char **ret_output,
             struct error *err) must_use;

// The line of a tool's complaint that says what went wrong: the first with "ERROR" or "error" or
// "FATAL", else the first at all. The caller's.
char *tool_complaint(const struct tool_answer *answer) must_use;

DEFINE_AUTODONE(tool_answer, tool_answer_done);
