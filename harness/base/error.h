// One failure: where it comes from, a code in that domain, and a sentence for a person.
//
// Caller-owned and of fixed size, so that reporting a failure cannot itself fail. The function
// that fails sets it; each caller on the way up may put context in front; the top prints it once.
// Every fallible function takes `struct error *err` last; err may be NULL when the caller only
// wants to know whether it worked.
#pragma once

#include "base/attributes.h"

#include <stdarg.h>
#include <stdbool.h>

enum error_domain {
    ERROR_NONE = 0,
    ERROR_USAGE,         // wrong arguments of a command: exit status 2
    ERROR_CONFIGURATION, // a file of the user's is wrong (compose.yaml, assay.yaml): exit status 2
    ERROR_SYSTEM,        // a system call failed; code is errno
    ERROR_ENGINE,        // the Docker engine answered with an error; code is the HTTP status
    ERROR_PROTOCOL,      // a peer broke its own protocol: garbage, truncation, a wrong version
    ERROR_SERVICE,       // a service answered with an error; code is enum service_error (client/)
    ERROR_TIMEOUT,       // a deadline passed
    ERROR_UNAVAILABLE,   // something needed is not to be had here: the outcome is "not verified"
    ERROR_CANCELLED,     // the user interrupted
};

#define ERROR_MESSAGE_SIZE 2048
#define ERROR_REFERENCE_SIZE 32

struct error {
    enum error_domain domain;
    int code;
    char reference[ERROR_REFERENCE_SIZE]; // the peer's own code where it has one: SQLSTATE, "1062"
    char message[ERROR_MESSAGE_SIZE];     // no trailing newline or full stop; cut, never overrun
};

// Sets err (if not NULL) and returns false, so that `return error_set(err, …)` reads well.
bool error_set(struct error *err, enum error_domain domain, int code, const char *format, ...)
    printf_like(4, 5);

// As error_set with ERROR_SYSTEM and the present errno; appends ": <strerror>".
bool error_set_errno(struct error *err, const char *format, ...) printf_like(2, 3);

// Puts "context: " in front of the message; returns false.
bool error_prefix(struct error *err, const char *format, ...) printf_like(2, 3);

// Appends to the message (", did you mean …"); returns false.
bool error_append(struct error *err, const char *format, ...) printf_like(2, 3);

void error_clear(struct error *err);

// "engine", "timeout": a stable word for reports.
const char *error_domain_name(enum error_domain domain);
