// A child process in a process group of its own, with bounded output and a deadline.
#pragma once

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <sys/types.h>

struct child;

struct child_options {
    const char *const *argv;        // argv[0] is looked up in PATH
    const char *const *environment; // NULL: this process's own
    const char *working_folder;     // NULL: this process's own
    const char *input;              // written to its standard input; NULL: /dev/null
    bool dies_with_us;              // PR_SET_PDEATHSIG where the system has it
    // Called with each piece of standard output or error as it comes (from child_wait); NULL:
    // it is only kept.
    void (*on_output)(void *context, bool is_error, const char *bytes, size_t length);
    void *context;
    size_t output_limit; // of each kept tail, bytes; 0 means 64 KiB
};

struct child_end {
    bool exited;      // by itself; else killed by `signal`
    int exit_status;  // when exited
    int signal;       // when not
    bool timed_out;   // we killed it at the deadline
    struct text output; // tail of standard output
    struct text errors; // tail of standard error
};

// A program that does not exist is an error here (ERROR_SYSTEM, ENOENT), not exit status 127.
bool child_spawn(const struct child_options *options, struct child **ret_child,
                 struct error *err) must_use;
pid_t child_pid(const struct child *self);
void child_signal_group(const struct child *self, int signal);

// Waits for the end, collecting output. At the deadline or on cancel the whole process group is
// killed; that is `timed_out` or ERROR_CANCELLED. Descendants that kept the pipe open do not make
// it hang.
bool child_wait(struct child *self, struct deadline deadline, const struct cancel *cancel,
                struct child_end *ret_end, struct error *err) must_use;
void child_end_done(struct child_end *self);
void child_free(struct child *self); // kills the group if it still runs

// Spawn and wait in one; exit status other than 0 is an error that holds the tail of stderr.
bool child_run(const char *const *argv, int timeout_ms, const struct cancel *cancel,
               struct error *err) must_use;

DEFINE_AUTOFREE(child, child_free);
DEFINE_AUTODONE(child_end, child_end_done);
