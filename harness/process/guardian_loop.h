// The guardian's own side: what its process does from fork to end. Used by guardian.c only.
//
// Messages on the socket are packets: one letter, then the line for a 'T'. Each is answered with
// GUARDIAN_ACK once it is acted upon.
#pragma once

#include "process/guardian.h"

#include <stdnoreturn.h>

#define GUARDIAN_TELL 'T'
#define GUARDIAN_DISMISS 'D'
#define GUARDIAN_ACK 'A' // also sent once at the start: the guardian stands

enum guardian_status {  // exit status of the guardian's process
    GUARDIAN_CLEAN = 0, // dismissed, or swept
    GUARDIAN_SWEEP_FAILED = 1,
    GUARDIAN_CANNOT_STAND = 2, // never acknowledged
};

// run_pidfd: of the run's process; -1 where the system has none. Takes over the calling process.
noreturn void guardian_live(const struct guardian_options *options, int socket, int run_pidfd);
