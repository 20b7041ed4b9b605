#define _GNU_SOURCE
#include "run/lease.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/lease_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define KEEPER_INTERVAL_MS 250
#define CLAIM_DEADLINE_MS (60 * 60 * 1000) // a first stack may have to build its images

struct lease {
    struct lease_paths paths;
    int lock;
    bool granted;
    struct lease_facts facts;
};

static struct lease *lease_new(struct lease_paths *paths, int lock) {
    struct lease *self = memory_new(1, sizeof *self);
    self->paths = *paths;
    self->lock = lock;
    *paths = (struct lease_paths){0};
    return self;
}

static void lease_free(struct lease *self) {
    if (self == NULL)
        return;
    if (self->lock >= 0)
        close(self->lock);
    lease_facts_done(&self->facts);
    lease_paths_done(&self->paths);
    free(self);
}

static bool open_lock(const char *path, int *ret_fd, struct error *err) {
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, "cannot open %s", path);
    *ret_fd = fd;
    return true;
}

struct claim {
    struct lease *lease;
    struct error broken; // the file is there and is none of ours
};

// Shared when the stack is there; exclusive when it is not; else asks again.
static bool is_claimed(void *context, struct error *err) {
    struct claim *claim = context;
    struct lease *self = claim->lease;
    if (flock(self->lock, LOCK_SH | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? error_set(err, ERROR_TIMEOUT, 0, "another process makes or removes this stack")
                   : error_set_errno(&claim->broken, "cannot lock %s", self->paths.lock);
    if (file_exists(self->paths.file)) {
        self->granted = lease_file_read(&self->paths, &self->facts, &claim->broken);
        return self->granted;
    }
    // The conversion lets go of the shared lock first: look again under the exclusive one.
    if (flock(self->lock, LOCK_EX | LOCK_NB) == 0 && !file_exists(self->paths.file))
        return true;
    flock(self->lock, LOCK_UN);
    return error_set(err, ERROR_TIMEOUT, 0, "another process was first to make this stack");
}

static bool is_broken(void *context, struct error *err) {
    const struct claim *claim = context;
    if (claim->broken.domain != ERROR_NONE && err != NULL)
        *err = claim->broken;
    return claim->broken.domain != ERROR_NONE;
}

bool lease_claim(const char *state_folder, const char *name, const struct cancel *cancel,
                 struct lease **ret_lease, struct error *err) {
    autodone(lease_paths) struct lease_paths paths = {0};
    int lock = -1;
    if (!lease_paths_init(&paths, state_folder, name, err) || !open_lock(paths.lock, &lock, err))
        return false;
    struct lease *self = lease_new(&paths, lock);
    struct claim claim = {.lease = self};
    if (!eventually(deadline_in_ms(CLAIM_DEADLINE_MS), is_claimed, &claim, err, .interval_ms = 5,
                    .longest_interval_ms = 200, .cancel = cancel, .hopeless = is_broken) ||
        (self->granted && !lease_renew(self, err))) {
        lease_free(self);
        return error_prefix(err, "cannot use the stack \"%s\"", name);
    }
    *ret_lease = self;
    return true;
}

const struct lease_facts *lease_facts(const struct lease *self) {
    return self->granted ? &self->facts : NULL;
}

bool lease_grant(struct lease *self, const struct lease_facts *facts, struct error *err) {
    lease_facts_done(&self->facts);
    lease_facts_copy(facts, &self->facts);
    if (self->facts.idle_ms <= 0)
        self->facts.idle_ms = LEASE_DEFAULT_IDLE_MS;
    self->granted = true;
    if (!lease_renew(self, err))
        return false;
    if (flock(self->lock, LOCK_SH) != 0)
        return error_set_errno(err, "cannot lock %s", self->paths.lock);
    return true;
}

bool lease_renew(struct lease *self, struct error *err) {
    self->facts.expires_wall_ms = clock_wall_ms() + self->facts.idle_ms;
    return lease_file_write(&self->paths, &self->facts, err);
}

void lease_release(struct lease *self) {
    if (self == NULL)
        return;
    // Not after `assay down`: a file without a stack would be worse than a lease that ends early.
    if (self->granted && file_exists(self->paths.file)) {
        struct error ignored;
        (void)!lease_renew(self, &ignored);
    }
    lease_free(self);
}

bool lease_find(const char *state_folder, const char *name, struct lease_facts *ret_facts,
                struct error *err) {
    autodone(lease_paths) struct lease_paths paths = {0};
    if (!lease_paths_init(&paths, state_folder, name, err))
        return false;
    if (file_exists(paths.file))
        return lease_file_read(&paths, ret_facts, err);
    return error_set(err, ERROR_USAGE, ENOENT, "there is no stack \"%s\": assay up starts one",
                     name);
}

static bool is_in_use(const struct lease_paths *paths) {
    autoclose_fd int lock = open(paths->lock, O_RDWR | O_CLOEXEC);
    return lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

struct lease_search {
    const char *run_id;      // NULL: any
    const char *engine_host; // NULL: any
    enum lease_state state;
};

static bool judge_one(void *context, const struct lease_paths *paths,
                      const struct lease_facts *facts) {
    struct lease_search *search = context;
    if ((search->run_id != NULL && strcmp(search->run_id, facts->run_id) != 0) ||
        (search->engine_host != NULL && strcmp(search->engine_host, facts->engine_host) != 0))
        return true;
    const bool runs = facts->expires_wall_ms > clock_wall_ms() || is_in_use(paths);
    search->state = runs ? LEASE_RUNS : LEASE_ENDED;
    return !runs;
}

enum lease_state lease_judge(const char *state_folder, const char *run_id) {
    struct lease_search search = {.run_id = run_id};
    const bool all = lease_file_each(state_folder, judge_one, &search, NULL);
    return search.state == LEASE_NONE && !all ? LEASE_UNKNOWN : search.state;
}

bool lease_needs_engine(const char *state_folder, const char *engine_host) {
    struct lease_search search = {.engine_host = engine_host};
    const bool all = lease_file_each(state_folder, judge_one, &search, NULL);
    return search.state == LEASE_RUNS || !all;
}

// The keeper, if one stands, reads there that nothing is left for it to do.
static void tell_keeper(const struct lease_paths *paths, const char *run_id) {
    autoclose_fd int keeper = open(paths->keeper, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (keeper >= 0 && write(keeper, run_id, strlen(run_id)) < 0) {
        // It will look for what is left and find nothing.
    }
}

static bool forget_one(void *context, const struct lease_paths *paths,
                       const struct lease_facts *facts) {
    if (strcmp(facts->run_id, context) == 0) {
        tell_keeper(paths, facts->run_id); // first: a file that is just gone was deleted by hand
        unlink(paths->file);
    }
    return true;
}

void lease_forget(const char *state_folder, const char *run_id) {
    autofree_string char *wanted = memory_copy_string(run_id);
    struct error ignored; // the lease of a stack that is gone ends by itself
    (void)!lease_file_each(state_folder, forget_one, wanted, &ignored);
}

struct keeper {
    struct lease *lease;
    const char *run_id;
    int file; // "<name>.keeper", locked
};

enum keeping {
    KEEPING_ON,
    KEEPING_ENDED,    // its time is over, or nothing says any more for how long it may stay
    KEEPING_REPLACED, // the name is another stack's by now
    KEEPING_REMOVED,  // by somebody else, who said so
};

static bool was_told(const struct keeper *self) {
    char said[64] = "";
    return self->file >= 0 && pread(self->file, said, sizeof said - 1, 0) > 0 &&
           strcmp(said, self->run_id) == 0;
}

static enum keeping judge_keeping(const struct keeper *self) {
    autodone(lease_facts) struct lease_facts facts = {0};
    struct error problem = {0};
    const bool read = lease_file_read(&self->lease->paths, &facts, &problem);
    if (read && strcmp(facts.run_id, self->run_id) == 0)
        return facts.expires_wall_ms > clock_wall_ms() ? KEEPING_ON : KEEPING_ENDED;
    if (was_told(self))
        return KEEPING_REMOVED;
    if (read)
        return KEEPING_REPLACED;
    // A disk or a system that is in trouble for a moment is no reason to remove anything.
    const bool in_trouble =
        problem.domain == ERROR_SYSTEM && problem.code != ENOENT && problem.code != ENOTDIR;
    return in_trouble ? KEEPING_ON : KEEPING_ENDED;
}

// Waits; *ret_alone: nobody can begin to use the stack any more.
static enum keeping await_end(const struct keeper *self, bool *ret_alone) {
    for (;; pause_ms(KEEPER_INTERVAL_MS, NULL)) {
        enum keeping now = judge_keeping(self);
        *ret_alone = now == KEEPING_ENDED && flock(self->lease->lock, LOCK_EX | LOCK_NB) == 0;
        if (*ret_alone)
            now = judge_keeping(self); // it may have been renewed between the two
        if (now == KEEPING_REMOVED || now == KEEPING_REPLACED ||
            (now == KEEPING_ENDED && *ret_alone))
            return now;
        if (*ret_alone)
            flock(self->lease->lock, LOCK_UN);
    }
}

bool lease_keep(const char *state_folder, const char *name, const char *run_id,
                struct lease **ret_lease) {
    autodone(lease_paths) struct lease_paths paths = {0};
    int lock = -1;
    autoclose_fd int file = -1; // held for as long as this function waits
    *ret_lease = NULL;
    if (!lease_paths_init(&paths, state_folder, name, NULL) || !open_lock(paths.lock, &lock, NULL))
        return true;
    if (open_lock(paths.keeper, &file, NULL))
        flock(file, LOCK_EX);
    struct lease *lease = lease_new(&paths, lock);
    const struct keeper keeper = {.lease = lease, .run_id = run_id, .file = file};
    bool alone = false;
    const enum keeping end = await_end(&keeper, &alone);
    if (alone)
        *ret_lease = lease;
    else
        lease_free(lease);
    return end != KEEPING_REMOVED;
}

static bool keeper_has_gone(void *context, struct error *err) {
    const int *keeper = context;
    return flock(*keeper, LOCK_EX | LOCK_NB) == 0 ||
           error_set_errno(err, "the keeper still stands");
}

void lease_wait_for_keeper(const char *state_folder, const char *name, int deadline_ms) {
    autodone(lease_paths) struct lease_paths paths = {0};
    autoclose_fd int keeper = -1;
    if (!lease_paths_init(&paths, state_folder, name, NULL) ||
        !open_lock(paths.keeper, &keeper, NULL))
        return;
    struct error ignored;
    (void)!eventually(deadline_in_ms(deadline_ms), keeper_has_gone, &keeper, &ignored);
    unlink(paths.keeper);
}
