// A flag that ends waits: set once from a signal handler or another thread, never reset.
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>

struct cancel {
    atomic_bool requested;
    int pipe_read; // becomes readable when cancelled: for poll()
    int pipe_write;
};

bool cancel_init(struct cancel *self, struct error *err) must_use;
void cancel_done(struct cancel *self);
void cancel_request(struct cancel *self);         // async-signal-safe
bool cancel_requested(const struct cancel *self); // self may be NULL: never cancelled
bool cancel_check(const struct cancel *self, struct error *err) must_use; // false + ERROR_CANCELLED

DEFINE_AUTODONE(cancel, cancel_done);
