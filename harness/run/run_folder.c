#define _GNU_SOURCE
#include "run/run_folder.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/stray.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OWNER_LIMIT ((size_t)4096)
#define BASE_ATTEMPTS 100
#define STRAY_TIMEOUT_MS 1000

static void list_bases(struct string_list *ret_bases) {
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *temporary = getenv("TMPDIR");
    if (runtime != NULL && runtime[0] == '/')
        string_list_take(ret_bases, path_join(runtime, "assay"));
    if (geteuid() == 0)
        string_list_add(ret_bases, "/run/assay");
    string_list_addf(ret_bases, "/dev/shm/assay-%u", (unsigned)geteuid());
    string_list_addf(ret_bases, "%s/assay-%u",
                     temporary != NULL && temporary[0] == '/' ? temporary : "/tmp",
                     (unsigned)geteuid());
}

static char *parent_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == path ? memory_copy_string("/")
                         : memory_copy_bytes(path, (size_t)(slash - path));
}

static bool can_hold_a_base(const char *parent, bool wants_memory) {
    struct statfs system;
    return access(parent, W_OK | X_OK) == 0 && statfs(parent, &system) == 0 &&
           (!wants_memory || system.f_type == TMPFS_MAGIC);
}

// In a folder that everybody may write to, the name may have been taken by someone else.
static bool is_ours_alone(const char *base, struct error *err) {
    struct stat status;
    if (lstat(base, &status) != 0)
        return error_set_errno(err, "cannot look at %s", base);
    if (S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 0077) == 0)
        return true;
    return error_set(err, ERROR_SYSTEM, EPERM,
                     "%s is not a folder of ours with mode 0700: remove it, or set XDG_RUNTIME_DIR",
                     base);
}

static bool choose_base(const struct string_list *bases, bool wants_memory, char **ret_base) {
    for (size_t i = 0; i < bases->count; i++) {
        autofree_string char *parent = parent_of(bases->items[i]);
        if (!can_hold_a_base(parent, wants_memory))
            continue;
        *ret_base = memory_copy_string(bases->items[i]);
        return true;
    }
    return false;
}

bool run_folder_base(char **ret_base, struct error *err) {
    autodone(string_list) struct string_list bases = {0};
    list_bases(&bases);
    autofree_string char *base = NULL;
    if (!choose_base(&bases, true, &base) && !choose_base(&bases, false, &base))
        return error_set(err, ERROR_SYSTEM, EACCES,
                         "no folder for the files of a run: neither %s nor %s can be made",
                         bases.items[0], bases.items[bases.count - 1]);
    if (mkdir(base, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, "cannot make the folder %s", base);
    if (!is_ours_alone(base, err))
        return false;
    *ret_base = TAKE(base);
    return true;
}

// Whoever removes the last folder removes the base too: between our making it and our using it that
// may happen, but not often.
static bool make_growing(const char *run_id, char **ret_folder, char **ret_growing,
                         struct error *err) {
    for (int attempt = 0;; attempt++) {
        autofree_string char *base = NULL;
        if (!run_folder_base(&base, err))
            return false;
        autofree_string char *folder = path_join(base, run_id);
        autofree_string char *growing = memory_format("%s%s", folder, RUN_FOLDER_GROWING);
        if (mkdir(growing, 0700) == 0) {
            *ret_folder = TAKE(folder);
            *ret_growing = TAKE(growing);
            return true;
        }
        if (errno != ENOENT || attempt == BASE_ATTEMPTS)
            return error_set_errno(err, "cannot make the folder %s", growing);
    }
}

bool run_folder_make(const char *run_id, const char *owner, char **ret_folder, struct error *err) {
    autofree_string char *folder = NULL;
    autofree_string char *growing = NULL;
    if (!make_growing(run_id, &folder, &growing, err))
        return false;
    autofree_string char *owner_file = path_join(growing, "owner");
    if (file_write_atomic(owner_file, owner, strlen(owner), 0600, err)) {
        if (rename(growing, folder) == 0) {
            *ret_folder = TAKE(folder);
            return true;
        }
        error_set_errno(err, "cannot rename %s", growing);
    }
    struct error ignored;
    (void)!file_remove_tree(growing, &ignored);
    return false;
}

static bool remove_with_processes(const char *folder, struct error *err) {
    autofree_string char *mark = memory_format("%s=%s/", RUN_RESULTS_VARIABLE, folder);
    const bool none_left = stray_kill(mark, STRAY_TIMEOUT_MS, err);
    return file_remove_tree(folder, none_left ? err : NULL) && none_left;
}

bool run_folder_remove(const char *run_id, int *ret_count, struct error *err) {
    autodone(string_list) struct string_list bases = {0};
    list_bases(&bases);
    for (size_t i = 0; i < bases.count; i++) {
        autofree_string char *folder = path_join(bases.items[i], run_id);
        struct stat status;
        if (lstat(folder, &status) != 0 || !is_ours_alone(bases.items[i], NULL))
            continue;
        const bool removed = remove_with_processes(folder, err);
        rmdir(bases.items[i]); // unless another run's folder is in it
        if (!removed)
            return false;
        if (ret_count != NULL)
            ++*ret_count;
    }
    return true;
}

static bool visit_base(const char *base,
                       void (*visit)(void *context, const char *run_id, const char *folder,
                                     const char *owner),
                       void *context, struct error *err) {
    autodone(string_list) struct string_list names = {0}; // visit may remove them
    if (!folder_list(base, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (names.items[i][0] == '.')
            continue;
        autofree_string char *folder = path_join(base, names.items[i]);
        autofree_string char *owner_file = path_join(folder, "owner");
        autofree_string char *owner = NULL;
        if (!file_read(owner_file, OWNER_LIMIT, &owner, NULL, NULL))
            owner = memory_copy_string("");
        visit(context, names.items[i], folder, owner);
    }
    return true;
}

bool run_folder_each(void (*visit)(void *context, const char *run_id, const char *folder,
                                   const char *owner),
                     void *context, struct error *err) {
    autodone(string_list) struct string_list bases = {0};
    list_bases(&bases);
    bool all = true;
    for (size_t i = 0; i < bases.count; i++)
        if (is_ours_alone(bases.items[i], NULL) &&
            !visit_base(bases.items[i], visit, context, all ? err : NULL))
            all = false;
    return all;
}
