#define _GNU_SOURCE
#include "run/private_engine.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/engine_daemon.h"
#include "run/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

// Whoever starts or stops the daemon holds start.lock meanwhile, so a start includes at most
// READY_DEADLINE_MS of waiting by others.
#define TURN_DEADLINE_MS 60000
#define ANSWER_DEADLINE_MS 10000

struct private_engine {
    struct engine_place place;
    char *state;
    int lock; // engine.lock, shared: as long as it is held the daemon stays
};

char *state_folder(void) {
    const char *set = getenv("ASSAY_STATE");
    if (set != NULL && set[0] == '/')
        return memory_copy_string(set);
    if (set != NULL && set[0] != '\0') {
        autofree_string char *here = getcwd(NULL, 0);
        return path_join(here != NULL ? here : "/", set);
    }
    if (geteuid() == 0)
        return memory_copy_string("/var/lib/assay");
    const char *state_home = getenv("XDG_STATE_HOME");
    if (state_home != NULL && state_home[0] == '/')
        return path_join(state_home, "assay");
    const char *home = getenv("HOME");
    if (home == NULL || home[0] != '/') {
        const struct passwd *user = getpwuid(geteuid());
        home = user != NULL ? user->pw_dir : "/tmp";
    }
    return path_join(home, ".local/state/assay");
}

struct turn {
    const char *path;
    int fd;
};

static bool lock_is_had(void *context, struct error *err) {
    const struct turn *turn = context;
    if (flock(turn->fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    return error_set_errno(err, "%s is locked by another process", turn->path);
}

static bool open_lock(const struct engine_place *place, const char *name, int *ret_fd,
                      struct error *err) {
    autofree_string char *path = path_join(place->folder, name);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, "cannot open %s", path);
    *ret_fd = fd;
    return true;
}

// The right to start or stop the daemon; let go by closing the descriptor.
static bool take_turn(const struct engine_place *place, const struct cancel *cancel, int *ret_fd,
                      struct error *err) {
    autoclose_fd int fd = -1;
    if (!open_lock(place, "start.lock", &fd, err))
        return false;
    struct turn turn = {.path = "engine/start.lock", .fd = fd};
    if (!eventually(deadline_in_ms(TURN_DEADLINE_MS), lock_is_had, &turn, err, .interval_ms = 10,
                    .cancel = cancel))
        return false;
    *ret_fd = fd;
    fd = -1;
    return true;
}

static bool answers(void *context, struct error *err) {
    return engine_daemon_answers(context, err);
}

static bool ends_meanwhile(void *context, struct error *err) {
    pid_t daemon = 0;
    if (!engine_daemon_find(context, &daemon, NULL) || daemon != 0)
        return false;
    error_set(err, ERROR_UNAVAILABLE, 0, "dockerd ended");
    return true;
}

// Starts it, unless it runs and answers. One that runs and does not answer is beyond help.
static bool make_available(struct engine_place *place, const struct cancel *cancel,
                           struct error *err) {
    pid_t daemon = 0;
    if (!engine_daemon_find(place, &daemon, err))
        return false;
    if (daemon != 0) {
        if (eventually(deadline_in_ms(ANSWER_DEADLINE_MS), answers, place, err, .interval_ms = 10,
                       .cancel = cancel, .hopeless = ends_meanwhile))
            return true;
        if (cancel_requested(cancel) || !engine_daemon_stop(place, err))
            return false;
    }
    return engine_daemon_start(place, cancel, err);
}

bool private_engine_open(const char *state_folder, const struct cancel *cancel,
                         struct private_engine **ret_engine, struct error *err) {
    if (geteuid() != 0)
        return engine_daemon_possible(err);
    autodone(engine_place) struct engine_place place = {0};
    autoclose_fd int turn = -1;
    autoclose_fd int lock = -1;
    if (!engine_place_init(&place, state_folder, err) || !take_turn(&place, cancel, &turn, err) ||
        !open_lock(&place, "engine.lock", &lock, err))
        return false;
    // Nobody can hold it exclusively, for that takes the turn.
    if (flock(lock, LOCK_SH) != 0)
        return error_set_errno(err, "cannot lock %s/engine.lock", place.folder);
    if (!make_available(&place, cancel, err))
        return false;
    struct private_engine *self = memory_new(1, sizeof *self);
    self->place = place;
    self->state = memory_copy_string(state_folder);
    self->lock = lock;
    place = (struct engine_place){0};
    lock = -1;
    *ret_engine = self;
    return true;
}

const char *private_engine_host(const struct private_engine *self) {
    return self->place.host;
}

void private_engine_close(struct private_engine *self) {
    if (self == NULL)
        return;
    flock(self->lock, LOCK_UN); // also for what a child process in between fork and exec holds
    close(self->lock);
    // A daemon that does not stop is found and cleared by the next start.
    struct error ignored;
    (void)!private_engine_stop_if_unused(self->state, &ignored);
    engine_place_done(&self->place);
    free(self->state);
    free(self);
}

static bool has_place(const char *state_folder) {
    autofree_string char *folder = path_join(state_folder, "engine");
    return file_exists(folder);
}

bool private_engine_stop_if_unused(const char *state_folder, struct error *err) {
    if (!has_place(state_folder))
        return true;
    autodone(engine_place) struct engine_place place = {0};
    autoclose_fd int turn = -1;
    autoclose_fd int lock = -1;
    if (!engine_place_init(&place, state_folder, err) || !take_turn(&place, NULL, &turn, err) ||
        !open_lock(&place, "engine.lock", &lock, err))
        return false;
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ||
               error_set_errno(err, "cannot lock %s/engine.lock", place.folder);
    if (lease_needs_engine(state_folder, place.host))
        return true;
    pid_t daemon = 0;
    if (!engine_daemon_find(&place, &daemon, err))
        return false;
    if (daemon == 0 && !file_exists(place.exec_root))
        return true;
    return engine_daemon_stop(&place, err);
}

bool private_engine_running(const char *state_folder) {
    autodone(engine_place) struct engine_place place = {0};
    struct error ignored;
    pid_t daemon = 0;
    return has_place(state_folder) && engine_place_init(&place, state_folder, &ignored) &&
           engine_daemon_find(&place, &daemon, &ignored) && daemon != 0;
}

bool private_engine_is_host(const char *state_folder, const char *host) {
    autodone(engine_place) struct engine_place place = {0};
    struct error ignored;
    return has_place(state_folder) && engine_place_init(&place, state_folder, &ignored) &&
           strcmp(place.host, host) == 0;
}
