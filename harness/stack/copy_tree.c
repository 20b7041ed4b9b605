#define _GNU_SOURCE
#include "stack/copy_tree.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static bool copy_entry(const char *from, const char *to, long long *left, struct error *err);

// The owner first: to change it clears the set-user-id bit (chown(2)).
static bool give_same_owner_and_mode(const char *to, const struct stat *status, struct error *err) {
    if (geteuid() == 0 && chown(to, status->st_uid, status->st_gid) != 0)
        return error_set_errno(err, "cannot set the owner of %s", to);
    return chmod(to, status->st_mode & 07777) == 0 ||
           error_set_errno(err, "cannot set the mode of %s", to);
}

static bool copy_file(const char *from, const char *to, const struct stat *status, long long *left,
                      struct error *err) {
    if (status->st_size > *left)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s is too large to copy for a writable mount (limit %lld MiB): mount it "
                         "read-only, or use a volume",
                         from, COPY_TREE_LIMIT / (1024 * 1024));
    *left -= status->st_size;
    autoclose_fd int source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (source < 0)
        return error_set_errno(err, "cannot read %s", from);
    autoclose_fd int target =
        open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status->st_mode & 07777);
    if (target < 0)
        return error_set_errno(err, "cannot create %s", to);
    for (;;) {
        const ssize_t sent = sendfile(target, source, NULL, 1 << 20);
        if (sent < 0)
            return error_set_errno(err, "cannot copy %s", from);
        if (sent == 0)
            break;
    }
    return give_same_owner_and_mode(to, status, err);
}

static bool copy_link(const char *from, const char *to, struct error *err) {
    char target[PATH_MAX];
    const ssize_t length = readlink(from, target, sizeof target - 1);
    if (length < 0)
        return error_set_errno(err, "cannot read the link %s", from);
    target[length] = '\0';
    return symlink(target, to) == 0 || error_set_errno(err, "cannot create the link %s", to);
}

static bool copy_folder(const char *from, const char *to, const struct stat *status,
                        long long *left, struct error *err) {
    if (mkdir(to, 0700) != 0)
        return error_set_errno(err, "cannot make the folder %s", to);
    autodone(string_list) struct string_list names = {0};
    bool ok = folder_list(from, &names, err);
    for (size_t i = 0; ok && i < names.count; i++) {
        autofree_string char *source = path_join(from, names.items[i]);
        autofree_string char *target = path_join(to, names.items[i]);
        ok = copy_entry(source, target, left, err);
    }
    return ok && give_same_owner_and_mode(to, status, err);
}

static bool copy_entry(const char *from, const char *to, long long *left, struct error *err) {
    struct stat status;
    if (lstat(from, &status) != 0)
        return error_set_errno(err, "cannot look at %s", from);
    if (S_ISREG(status.st_mode))
        return copy_file(from, to, &status, left, err);
    if (S_ISDIR(status.st_mode))
        return copy_folder(from, to, &status, left, err);
    if (S_ISLNK(status.st_mode))
        return copy_link(from, to, err);
    return true;
}

bool copy_tree(const char *from, const char *to, struct error *err) {
    long long left = COPY_TREE_LIMIT;
    autofree_string char *real = realpath(from, NULL); // the mount itself may be a link
    if (real == NULL)
        return error_set_errno(err, "cannot find %s", from);
    return copy_entry(real, to, &left, err);
}
