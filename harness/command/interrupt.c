#define _GNU_SOURCE
#include "command/interrupt.h"

#include "command/command.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

// A signal handler has no other way to reach its object: the mutable globals of the program. Two
// signals may be handled by two threads at the same moment, hence the atomic count.
static struct cancel *volatile cancelled_by_signal;
static atomic_int signals_seen;

static void say(const char *message) {
    if (write(STDERR_FILENO, message, strlen(message)) < 0) {
        // Nobody reads; what follows happens all the same.
    }
}

static void on_signal(int signal) {
    (void)signal;
    if (atomic_fetch_add(&signals_seen, 1) > 0) {
        say("\nassay: leaving at once; the guardian removes what is left\n");
        _exit(EXIT_INTERRUPTED);
    }
    say("\nassay: interrupted, cleaning up (once more to leave at once)\n");
    cancel_request(cancelled_by_signal);
}

void interrupt_cancels(struct cancel *cancel) {
    cancelled_by_signal = cancel;
    atomic_store(&signals_seen, 0);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

void interrupt_forget(void) {
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    cancelled_by_signal = NULL;
}
