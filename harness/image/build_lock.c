#define _GNU_SOURCE
#include "image/build_lock.h"

#include "base/cleanup.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/private_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#define LONGEST_WAIT_MS (60 * 60 * 1000)

struct attempt {
    int fd;
    const char *path;
    bool failed; // not because another holds it
};

static bool try_lock(void *context, struct error *err) {
    struct attempt *attempt = context;
    if (flock(attempt->fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    attempt->failed = errno != EWOULDBLOCK && errno != EINTR;
    return attempt->failed
               ? error_set_errno(err, "cannot lock %s", attempt->path)
               : error_set(err, ERROR_TIMEOUT, 0, "another run holds %s", attempt->path);
}

static bool never_lockable(void *context, struct error *err) {
    struct attempt *attempt = context;
    return attempt->failed && !try_lock(attempt, err);
}

bool build_lock_take(const char *name, const struct cancel *cancel, void (*waiting)(void *context),
                     void *context, int *ret_fd, struct error *err) {
    autofree_string char *state = state_folder();
    autofree_string char *folder = path_join(state, "locks");
    if (!folder_make(folder, 0700, err))
        return false;
    autofree_string char *path = path_join(folder, name);
    autoclose_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, "cannot open the lock %s", path);
    struct attempt attempt = {.fd = fd, .path = path};
    if (!try_lock(&attempt, err)) {
        if (attempt.failed)
            return false;
        if (waiting != NULL)
            waiting(context);
        if (!eventually(deadline_in_ms(LONGEST_WAIT_MS), try_lock, &attempt, err,
                        .longest_interval_ms = 100, .cancel = cancel, .hopeless = never_lockable))
            return false;
    }
    *ret_fd = fd;
    fd = -1;
    return true;
}
