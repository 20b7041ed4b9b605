#define _GNU_SOURCE
#include "verify/backup/rotation_folder.h"

#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/backup_name.h"
#include "verify/backup/removal.h"
#include "verify/backup/wording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

// ---- opening ------------------------------------------------------------------------------------

static bool open_root(struct rotation_folder *self, const char *root, struct error *err) {
    self->root = realpath(root, NULL);
    if (self->root != NULL)
        self->fd = open(self->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->fd < 0)
        return error_set(err, ERROR_CONFIGURATION, 0, "cannot open the folder of backups %s: %s",
                         root, strerror(errno));
    if (flock(self->fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "%s: another rotation is under way: try again when it is done", root);
    return error_set_errno(err, "cannot lock the folder %s", root);
}

// The history may name the root as the user did, or without links.
static bool is_verified(const struct rotation_folder *self, const char *root,
                        const struct history *history, const char *name) {
    if (history == NULL)
        return false;
    autofree_string char *straight = path_join(self->root, name);
    autofree_string char *as_named = path_join(root, name);
    const enum outcome first = history_verdict(history, straight, INT64_MAX);
    const enum outcome second = history_verdict(history, as_named, INT64_MAX);
    return (first == OUTCOME_PASSED || second == OUTCOME_PASSED) && first != OUTCOME_FAILED &&
           second != OUTCOME_FAILED;
}

static bool add_item(struct rotation_folder *self, const char *root, const struct history *history,
                     const char *name, struct error *err) {
    struct rotation_item item = {0};
    bool is_backup = false;
    item.is_dated = backup_name_moment(name, &item.moment);
    // What is never removed ("lost+found") need not be readable either.
    if (!removal_size(self->fd, name, &item.bytes, &is_backup, err) && item.is_dated)
        return error_prefix(err, "%s", self->root);
    if (!is_backup)
        return true;
    item.name = memory_copy_string(name);
    item.verified = is_verified(self, root, history, name);
    self->items[self->count++] = item;
    return true;
}

bool rotation_folder_open(const char *root, const struct history *history,
                          struct rotation_folder **ret_folder, struct error *err) {
    autofree(rotation_folder) struct rotation_folder *self = memory_new(1, sizeof *self);
    self->fd = -1;
    autodone(string_list) struct string_list names = {0};
    if (!open_root(self, root, err) || !folder_list(self->root, &names, err) ||
        !removal_left(self->fd, &self->left, err))
        return false;
    self->items = memory_new(names.count + 1, sizeof *self->items);
    for (size_t i = 0; i < names.count; i++)
        if (names.items[i][0] != '.' && !add_item(self, root, history, names.items[i], err))
            return false;
    *ret_folder = TAKE(self);
    return true;
}

void rotation_folder_close(struct rotation_folder *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].name);
    free(self->items);
    string_list_done(&self->left);
    free(self->root);
    if (self->fd >= 0)
        close(self->fd);
    free(self);
}

// ---- deciding and removing ----------------------------------------------------------------------

void rotation_folder_decide(struct rotation_folder *self, const struct rotation_policy *policy,
                            const struct civil_time *today) {
    rotation_decide(self->items, self->count, policy, today);
}

void rotation_folder_append_plan(const struct rotation_folder *self, struct text *out,
                                 const struct rotation_policy *policy,
                                 const struct civil_time *today) {
    text_append(out, "backups in ");
    wording_append_name(out, self->root);
    text_append(out, ", ");
    rotation_append_plan(out, self->items, self->count, policy, today);
    for (size_t i = 0; i < self->left.count; i++) {
        text_append(out, "also removed, left by a rotation that was interrupted: ");
        wording_append_name(out, self->left.items[i]);
        text_append_char(out, '\n');
    }
}

static int compare_moments(const void *left, const void *right) {
    const struct rotation_item *const *l = left;
    const struct rotation_item *const *r = right;
    return civil_compare(&(*l)->moment, &(*r)->moment);
}

static const struct rotation_item **chosen_of(const struct rotation_folder *self,
                                              size_t *ret_count) {
    const struct rotation_item **chosen = memory_new(self->count + 1, sizeof *chosen);
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].remove)
            chosen[count++] = &self->items[i];
    qsort(chosen, count, sizeof *chosen, compare_moments);
    *ret_count = count;
    return chosen;
}

bool rotation_folder_apply_with(const struct rotation_folder *self,
                                struct rotation_freed *ret_freed, struct error *err,
                                const struct rotation_apply_options *options) {
    struct rotation_freed freed = {0};
    bool all = options->dry_run || removal_finish(self->fd, err);
    size_t count = 0;
    const struct rotation_item **chosen = chosen_of(self, &count);
    for (size_t i = 0; i < count && !options->dry_run; i++) {
        if (removal_of(self->fd, chosen[i]->name, all ? err : NULL)) {
            freed.count++;
            freed.bytes += chosen[i]->bytes;
        } else {
            all = false;
        }
    }
    free(chosen);
    if (ret_freed != NULL)
        *ret_freed = freed;
    return all || error_prefix(err, "%s", self->root);
}
