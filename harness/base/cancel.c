#define _GNU_SOURCE
#include "base/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool cancel_init(struct cancel *self, struct error *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_set_errno(err, "cannot make a pipe");
    atomic_init(&self->requested, false);
    self->pipe_read = ends[0];
    self->pipe_write = ends[1];
    return true;
}

void cancel_done(struct cancel *self) {
    if (self == NULL || self->pipe_write <= 0)
        return;
    close(self->pipe_read);
    close(self->pipe_write);
    self->pipe_read = self->pipe_write = -1;
}

void cancel_request(struct cancel *self) {
    const int saved = errno;
    atomic_store(&self->requested, true);
    if (write(self->pipe_write, "x", 1) < 0) {
        // The pipe is full: it is readable already.
    }
    errno = saved;
}

bool cancel_requested(const struct cancel *self) {
    return self != NULL && atomic_load(&self->requested);
}

bool cancel_check(const struct cancel *self, struct error *err) {
    return !cancel_requested(self) || error_set(err, ERROR_CANCELLED, 0, "interrupted");
}
