// A child process in a process group of its own, with bounded output and a deadline.
//
// It gets its argv, environment, folder and standard streams, default signal handling, and nothing
// else: no other file of ours. When it ends, however it ends, what is left of its group is killed.
//
// Sources: execvpe(3), setpgid(2), waitid(2), pidfd_open(2), memfd_create(2), prctl(2).
#pragma once

#include "base/attributes.h"
#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <sys/types.h>

struct child;

#define CHILD_TICK_MS 200

struct child_options {
    const char *const *argv;        // argv[0] is looked up in PATH
    const char *const *environment; // NULL: this process's own
    const char *working_folder;     // NULL: this process's own
    const char *input;              // what its standard input holds; NULL: /dev/null
    // PR_SET_PDEATHSIG: killed when the thread that spawned it ends, so spawn it from one that
    // lives long enough.
    bool dies_with_us;
    // Called with each piece of standard output or error as it comes (from child_wait); NULL:
    // it is only kept.
    void (*on_output)(void *context, bool is_error, const char *bytes, size_t length);
    // Called about every CHILD_TICK_MS from child_wait, for what else is to be watched; may be
    // NULL.
    void (*on_tick)(void *context);
    void *context;
    size_t output_limit; // of each kept tail, bytes; 0 means 64 KiB
};

struct child_end {
    bool exited;        // by itself; else killed by `signal`
    int exit_status;    // when exited
    int signal;         // when not
    bool timed_out;     // we killed it at the deadline
    struct text output; // tail of standard output
    struct text errors; // tail of standard error
};

// A program that does not exist is an error here (ERROR_SYSTEM, ENOENT), not exit status 127.
bool child_spawn(const struct child_options *options, struct child **ret_child,
                 struct error *err) must_use;
pid_t child_pid(const struct child *self);
void child_signal_group(const struct child *self, int signal); // nothing once it was waited for
bool child_running(const struct child *self);                  // it has not ended; does not wait

// Waits for the end, collecting output; once only. At the deadline or on cancel the whole process
// group is killed; that is `timed_out` (and true) or ERROR_CANCELLED. Descendants that left the
// group and keep the pipes open do not make it hang. Nobody reads the pipes before child_wait: a
// child that writes more than they hold stands still until then.
bool child_wait(struct child *self, struct deadline deadline, const struct cancel *cancel,
                struct child_end *ret_end, struct error *err) must_use;
void child_end_done(struct child_end *self);
void child_free(struct child *self); // kills the group if it still runs

// Spawn and wait in one. Anything but exit status 0 is an error that holds the tail of stderr (of
// stdout when that is empty): ERROR_TIMEOUT, or ERROR_SYSTEM with the exit status as its code.
bool child_run(const char *const *argv, int timeout_ms, const struct cancel *cancel,
               struct error *err) must_use;

DEFINE_AUTOFREE(child, child_free);
DEFINE_AUTODONE(child_end, child_end_done);
