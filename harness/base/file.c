#define _GNU_SOURCE
#include "base/file.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_length,
               struct error *err) {
    autoclose_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "cannot open %s", path);
    autofree_string char *bytes = NULL;
    size_t length = 0;
    size_t capacity = 0;
    for (;;) {
        if (length + 1 >= capacity) {
            capacity = capacity > 0 ? capacity * 2 : 4096;
            bytes = memory_resize(bytes, capacity, 1);
        }
        const ssize_t got = read(fd, bytes + length, capacity - length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, "cannot read %s", path);
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > limit)
            return error_set(err, ERROR_SYSTEM, EFBIG, "%s is larger than %zu bytes", path, limit);
    }
    bytes[length] = '\0';
    *ret_bytes = TAKE(bytes);
    if (ret_length != NULL)
        *ret_length = length;
    return true;
}

bool file_write_all(int fd, const void *bytes, size_t length) {
    const char *at = bytes;
    size_t written = 0;
    while (written < length) {
        const ssize_t put = write(fd, at + written, length - written);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0)
            written += (size_t)put;
    }
    return true;
}

bool file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode,
                       struct error *err) {
    autofree_string char *temporary = memory_format("%s.XXXXXX", path);
    const int fd = mkostemp(temporary, O_CLOEXEC); // a new file: never through a link, never shared
    if (fd < 0)
        return error_set_errno(err, "cannot create %s", path);
    const bool written =
        file_write_all(fd, bytes, length) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    if (!written)
        error_set_errno(err, "cannot write %s", path);
    if (close(fd) != 0 && written) {
        unlink(temporary);
        return error_set_errno(err, "cannot write %s", path);
    }
    if (written && rename(temporary, path) == 0)
        return true;
    if (written)
        error_set_errno(err, "cannot put the new %s in its place", path);
    unlink(temporary);
    return false;
}

bool file_exists(const char *path) {
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR && errno != EACCES);
}

bool folder_list(const char *path, struct string_list *ret_names, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    DIR *folder = opendir(path);
    if (folder == NULL)
        return error_set_errno(err, "cannot read the folder %s", path);
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            string_list_add(&names, entry->d_name);
    const int failure = errno;
    closedir(folder);
    errno = failure;
    if (failure != 0)
        return error_set_errno(err, "cannot read the folder %s", path);
    string_list_sort(&names);
    *ret_names = names;
    names = (struct string_list){0};
    return true;
}

bool folder_make(const char *path, mode_t mode, struct error *err) {
    autofree_string char *partial = memory_copy_string(path);
    // "a/b/" is "a/b": its last part, not only its parents, is made with `mode`.
    for (size_t length = strlen(partial); length > 1 && partial[length - 1] == '/'; length--)
        partial[length - 1] = '\0';
    char *slash = partial[0] != '\0' ? partial + 1 : partial;
    for (; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return error_set_errno(err, "cannot make the folder %s", partial);
        *slash = '/';
    }
    if (mkdir(partial, mode) == 0)
        return true;
    if (errno != EEXIST)
        return error_set_errno(err, "cannot make the folder %s", path);
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return true;
    errno = ENOTDIR;
    return error_set_errno(err, "cannot make the folder %s", path);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

// "/", "/tmp", "/home/": whoever asks for one of these has made up the path wrongly.
static bool is_at_the_top(const char *path) {
    if (path[0] != '/')
        return false;
    const char *name = path + strspn(path, "/");
    const char *below = name + strcspn(name, "/");
    return below[strspn(below, "/")] == '\0';
}

bool file_remove_tree(const char *path, struct error *err) {
    if (path[0] == '\0' || is_at_the_top(path))
        return error_set(err, ERROR_SYSTEM, EPERM, "\"%s\" is never removed", path);
    const int walked = nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    const int walk_errno = errno;
    // What vanishes while we walk ends the walk early: only the path itself tells.
    struct stat status;
    if (lstat(path, &status) != 0 && errno == ENOENT)
        return true;
    errno = walked == 0 ? ENOTEMPTY : walk_errno;
    return error_set_errno(err, "cannot remove %s", path);
}

char *path_join(const char *folder, const char *name) {
    if (name[0] == '/' || folder[0] == '\0')
        return memory_copy_string(name);
    const size_t length = strlen(folder);
    const char *separator = length > 0 && folder[length - 1] == '/' ? "" : "/";
    return memory_format("%s%s%s", folder, separator, name);
}
