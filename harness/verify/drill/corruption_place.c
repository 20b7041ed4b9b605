#define _GNU_SOURCE
#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/manifest.h"
#include "verify/drill/corruption_ways.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool not_done(const struct corruption_site *site, struct error *err) {
    return error_set_errno(err, "cannot put anything in the place of the copy of %s",
                           site->artifact);
}

// Outside of the copied backup, and beside it.
static char *elsewhere(const char *copy, const char *name) {
    return memory_format("%s/../%s", copy, name);
}

// ---- not where it was

bool corruption_missing(const struct corruption_site *site, const char *copy, struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    return unlink(path) == 0 || not_done(site, err);
}

bool corruption_all_missing(const struct corruption_site *site, const char *copy,
                            struct error *err) {
    autodone(string_list) struct string_list names = {0};
    (void)site;
    if (!folder_list(copy, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        autofree_string char *path = path_join(copy, names.items[i]);
        if (strcmp(names.items[i], MANIFEST_NAME) != 0 &&
            strcmp(names.items[i], MANIFEST_SIGNATURE_NAME) != 0 && !file_remove_tree(path, err))
            return false;
    }
    return true;
}

// As a transfer leaves it that did not end.
bool corruption_renamed(const struct corruption_site *site, const char *copy, struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    autofree_string char *other = memory_format("%s.part", path);
    return rename(path, other) == 0 || not_done(site, err);
}

bool corruption_moved_below(const struct corruption_site *site, const char *copy,
                            struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    autofree_string char *aside = elsewhere(copy, "aside");
    autofree_string char *below = path_join(path, "below");
    return (rename(path, aside) == 0 && mkdir(path, 0700) == 0 && rename(aside, below) == 0) ||
           not_done(site, err);
}

bool corruption_swapped(const struct corruption_site *site, const char *copy, struct error *err) {
    if (site->other == NULL)
        return error_set(err, ERROR_UNAVAILABLE, 0, "the backup has none of another engine");
    autofree_string char *path = path_join(copy, site->artifact);
    autofree_string char *other = path_join(copy, site->other);
    autofree_string char *aside = elsewhere(copy, "aside");
    return (rename(path, aside) == 0 && rename(other, path) == 0 && rename(aside, other) == 0) ||
           not_done(site, err);
}

// ---- something else of its name

// A link has the size of what it says: never that of the file, which would not be told from it
// by its size.
bool corruption_link_to_it(const struct corruption_site *site, const char *copy,
                           struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    autofree_string char *aside = elsewhere(copy, "aside");
    struct stat status;
    if (stat(path, &status) != 0 || rename(path, aside) != 0)
        return not_done(site, err);
    autofree_string char *target =
        memory_format("%s%s", (size_t)status.st_size == strlen(aside) ? "/" : "", aside);
    return symlink(target, path) == 0 || not_done(site, err);
}

bool corruption_link_to_nowhere(const struct corruption_site *site, const char *copy,
                                struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    struct stat status;
    if (stat(path, &status) != 0 || unlink(path) != 0)
        return not_done(site, err);
    return symlink(status.st_size == 7 ? "nowhere/" : "nowhere", path) == 0 || not_done(site, err);
}

// Its size alone does not tell it from the file.
bool corruption_link_of_its_size(const struct corruption_site *site, const char *copy,
                                 struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    struct stat status;
    if (stat(path, &status) != 0)
        return not_done(site, err);
    if (status.st_size == 0 || status.st_size >= PATH_MAX)
        return error_set(err, ERROR_UNAVAILABLE, 0, "no link can have its size");
    autofree_string char *target = memory_new((size_t)status.st_size + 1, 1);
    memset(target, '/', (size_t)status.st_size);
    return (unlink(path) == 0 && symlink(target, path) == 0) || not_done(site, err);
}

bool corruption_folder_of_its_name(const struct corruption_site *site, const char *copy,
                                   struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    return (unlink(path) == 0 && mkdir(path, 0700) == 0) || not_done(site, err);
}

// Whoever opens one to read waits for a writer that never comes.
bool corruption_pipe_of_its_name(const struct corruption_site *site, const char *copy,
                                 struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    return (unlink(path) == 0 && mkfifo(path, 0600) == 0) || not_done(site, err);
}

// ---- beside it

bool corruption_extra_copy(const struct corruption_site *site, const char *copy,
                           struct error *err) {
    autofree_string char *path = memory_format("%s/%s.1", copy, site->artifact);
    return file_write_atomic(path, "a copy", strlen("a copy"), 0600, err);
}

bool corruption_extra_hidden(const struct corruption_site *site, const char *copy,
                             struct error *err) {
    autofree_string char *path = path_join(copy, ".hidden");
    (void)site;
    return file_write_atomic(path, "", 0, 0600, err);
}
