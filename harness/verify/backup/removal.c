#define _GNU_SOURCE
#include "verify/backup/removal.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "verify/backup/wording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool names_of(int folder_fd, struct string_list *ret_names, struct error *err) {
    // A new description: reading moves an offset that the caller's would share.
    const int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        error_set_errno(err, "cannot read the folder");
        if (fd >= 0)
            close(fd);
        return false;
    }
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            string_list_add(ret_names, entry->d_name);
    const bool all = errno == 0 || error_set_errno(err, "cannot read the folder");
    closedir(folder);
    string_list_sort(ret_names);
    return all;
}

// "NAME: " in front, so that on the way up the message becomes a path.
static bool within(struct error *err, const char *name) {
    autofree_string char *clean = wording_name(name);
    return error_prefix(err, "%s", clean);
}

// ---- removing -----------------------------------------------------------------------------------

static bool remove_entry(int folder_fd, const char *name, dev_t device, int depth,
                         struct error *err);

static bool empty_folder(int folder_fd, const char *name, dev_t device, int depth,
                         struct error *err) {
    autoclose_fd int fd = openat(folder_fd, name, OPEN_FOLDER);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_set_errno(err, "cannot be opened");
    if (status.st_dev != device)
        return error_set(err, ERROR_SYSTEM, EXDEV, "another file system begins here");
    if (depth == REMOVAL_DEPTH)
        return error_set(err, ERROR_SYSTEM, ELOOP, "more than %d folders deep", REMOVAL_DEPTH);
    autodone(string_list) struct string_list names = {0};
    if (!names_of(fd, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!remove_entry(fd, names.items[i], device, depth + 1, err))
            return false;
    return true;
}

static bool remove_entry(int folder_fd, const char *name, dev_t device, int depth,
                         struct error *err) {
    struct stat status;
    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return true;
        error_set_errno(err, "cannot be looked at");
        return within(err, name);
    }
    const bool is_folder = S_ISDIR(status.st_mode);
    if (is_folder && !empty_folder(folder_fd, name, device, depth, err))
        return within(err, name);
    if (unlinkat(folder_fd, name, is_folder ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
        return true;
    error_set_errno(err, "cannot be removed");
    return within(err, name);
}

static bool remove_top(int folder_fd, const char *name, struct error *err) {
    struct stat status;
    if (fstat(folder_fd, &status) != 0)
        return error_set_errno(err, "cannot look at the folder");
    return remove_entry(folder_fd, name, status.st_dev, 0, err);
}

static bool is_entry_name(const char *name) {
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strchr(name, '/') == NULL;
}

// A file system that cannot sync a folder has nothing to lose by it.
static bool sync_folder(int fd) {
    return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
}

static bool hide(int folder_fd, const char *name, const char *hidden, struct error *err) {
    struct stat status;
    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return error_set_errno(err, "cannot be looked at");
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "neither a folder nor a regular file: not removed");
    if (renameat(folder_fd, name, folder_fd, hidden) != 0)
        return error_set_errno(err, "cannot be renamed");
    return sync_folder(folder_fd) || error_set_errno(err, "cannot sync the folder");
}

bool removal_of(int folder_fd, const char *name, struct error *err) {
    if (!is_entry_name(name))
        return error_set(err, ERROR_USAGE, 0, "\"%.200s\" is not the name of a folder's entry",
                         name);
    autofree_string char *hidden =
        memory_format(REMOVAL_PREFIX "%.*s", (int)(NAME_MAX - strlen(REMOVAL_PREFIX)), name);
    if (!hide(folder_fd, name, hidden, err))
        return within(err, name);
    return remove_top(folder_fd, hidden, err);
}

bool removal_left(int folder_fd, struct string_list *ret_names, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    if (!names_of(folder_fd, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (strncmp(names.items[i], REMOVAL_PREFIX, strlen(REMOVAL_PREFIX)) == 0)
            string_list_add(ret_names, names.items[i]);
    return true;
}

bool removal_finish(int folder_fd, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    if (!removal_left(folder_fd, &names, err))
        return false;
    bool all = true;
    for (size_t i = 0; i < names.count; i++)
        if (!remove_top(folder_fd, names.items[i], all ? err : NULL))
            all = false;
    return all;
}

// ---- looking ------------------------------------------------------------------------------------

static bool add_size(int folder_fd, const char *name, int depth, uint64_t *bytes, mode_t *ret_mode,
                     struct error *err);

static bool add_sizes_in(int folder_fd, const char *name, int depth, uint64_t *bytes,
                         struct error *err) {
    autoclose_fd int fd = openat(folder_fd, name, OPEN_FOLDER);
    if (fd < 0)
        return error_set_errno(err, "cannot be opened");
    if (depth == REMOVAL_DEPTH)
        return error_set(err, ERROR_SYSTEM, ELOOP, "more than %d folders deep", REMOVAL_DEPTH);
    autodone(string_list) struct string_list names = {0};
    if (!names_of(fd, &names, err))
        return false;
    mode_t mode;
    for (size_t i = 0; i < names.count; i++)
        if (!add_size(fd, names.items[i], depth + 1, bytes, &mode, err))
            return false;
    return true;
}

static bool add_size(int folder_fd, const char *name, int depth, uint64_t *bytes, mode_t *ret_mode,
                     struct error *err) {
    struct stat status;
    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        error_set_errno(err, "cannot be looked at");
        return within(err, name);
    }
    *ret_mode = status.st_mode;
    if (S_ISREG(status.st_mode))
        *bytes += (uint64_t)status.st_size;
    if (S_ISDIR(status.st_mode) && !add_sizes_in(folder_fd, name, depth, bytes, err))
        return within(err, name);
    return true;
}

bool removal_size(int folder_fd, const char *name, uint64_t *ret_bytes, bool *ret_is_backup,
                  struct error *err) {
    uint64_t bytes = 0;
    mode_t mode = 0;
    const bool looked = add_size(folder_fd, name, 0, &bytes, &mode, err);
    *ret_is_backup = S_ISDIR(mode) || S_ISREG(mode);
    if (looked)
        *ret_bytes = bytes;
    return looked;
}
