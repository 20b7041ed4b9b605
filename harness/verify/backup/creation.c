#define _GNU_SOURCE
#include "verify/backup/creation.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define HIDDEN ".making-"

// ---- what killed ones left

// Its maker holds a lock on it as long as it lives.
static void remove_dead(const char *path) {
    autoclose_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)!file_remove_tree(path, NULL);
}

static void sweep(const char *root) {
    autodone(string_list) struct string_list names = {0};
    if (!folder_list(root, &names, NULL))
        return;
    for (size_t i = 0; i < names.count; i++) {
        autofree_string char *path = path_join(root, names.items[i]);
        if (strncmp(names.items[i], HIDDEN, strlen(HIDDEN)) == 0)
            remove_dead(path);
    }
}

// ---- the folder

struct workplace {
    char *path;
    int fd; // locked
};

static bool open_workplace(const char *root, struct workplace *self, struct error *err) {
    if (!folder_make(root, 0700, err))
        return false;
    sweep(root);
    self->path = memory_format("%s/" HIDDEN "XXXXXX", root);
    if (mkdtemp(self->path) == NULL) {
        error_set_errno(err, "cannot make %s", self->path);
        free(TAKE(self->path));
        return false;
    }
    self->fd = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (self->fd >= 0 && flock(self->fd, LOCK_EX | LOCK_NB) == 0) ||
           error_set_errno(err, "cannot lock %s", self->path);
}

static void leave_workplace(struct workplace *self) {
    if (self->path != NULL)
        (void)!file_remove_tree(self->path, NULL);
    if (self->fd >= 0)
        close(self->fd);
    free(self->path);
}

static char *name_of(time_t moment) {
    struct tm utc;
    char name[32];
    gmtime_r(&moment, &utc);
    strftime(name, sizeof name, "%Y%m%d-%H%M%S", &utc);
    return memory_copy_string(name);
}

// Under the first name from now on that nobody has.
static bool publish(struct workplace *self, const char *root, char **ret_path, struct error *err) {
    autoclose_fd int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fsync(self->fd) != 0 || folder < 0)
        return error_set_errno(err, "cannot sync %s", self->path);
    for (time_t moment = (time_t)(clock_wall_ms() / 1000);; moment++) {
        autofree_string char *name = name_of(moment);
        autofree_string char *path = path_join(root, name);
        if (renameat2(AT_FDCWD, self->path, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
            free(TAKE(self->path));
            *ret_path = TAKE(path);
            return fsync(folder) == 0 || error_set_errno(err, "cannot sync %s", root);
        }
        if (errno != EEXIST)
            return error_set_errno(err, "cannot name the backup %s", path);
    }
}

// ---- the dumps

static bool dump_each(const struct creation *self, const char *folder, struct manifest *manifest,
                      struct string_list *notes, struct error *err) {
    for (size_t i = 0; i < self->origins->count; i++) {
        const struct origin *origin = &self->origins->items[i];
        struct making making = {.engine = self->engine,
                                .origin = origin,
                                .folder = folder,
                                .sockets = self->sockets,
                                .manifest = manifest,
                                .cancel = self->cancel,
                                .counter = self->counter,
                                .notes = notes};
        if (!cancel_check(self->cancel, err))
            return false;
        if (self->progress != NULL)
            self->progress(self->context, origin->service, "dumping");
        if (!dumper_run(&making, err))
            return error_prefix(err, "%s", origin->service);
        if (self->progress != NULL)
            self->progress(self->context, origin->service, "done");
    }
    return manifest->artifact_count > 0 ||
           error_set(err, ERROR_CONFIGURATION, 0,
                     "the servers hold no database: no backup is made");
}

bool creation_run(const struct creation *self, char **ret_path, struct string_list *ret_notes,
                  struct error *err) {
    struct workplace workplace = {.fd = -1};
    autofree(manifest) struct manifest *manifest = manifest_new();
    manifest->start_ms = clock_wall_ms();
    bool made = open_workplace(self->root, &workplace, err) &&
                dump_each(self, workplace.path, manifest, ret_notes, err);
    manifest->end_ms = clock_wall_ms();
    made = made && manifest_write(manifest, workplace.path, self->key, err) &&
           cancel_check(self->cancel, err) && publish(&workplace, self->root, ret_path, err);
    leave_workplace(&workplace);
    if (!made && !cancel_check(self->cancel, err))
        return false; // whatever was said then: connections break when they are interrupted
    return made;
}
