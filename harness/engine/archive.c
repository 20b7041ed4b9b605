#define _GNU_SOURCE // mkostemp
#include "engine/archive.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "engine/query.h"
#include "engine/request.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_LIMIT 100
#define LINK_LIMIT 4096

// ---- writing entries

static bool archive_failed(struct archive *tar, const char *name, struct error *err) {
    return error_set(err, ERROR_SYSTEM, archive_errno(tar), "cannot write the tar entry %s: %s",
                     name, archive_error_string(tar));
}

// The same content gives the same bytes: no owner, no times.
static bool write_header(struct archive *tar, const char *name, mode_t mode, int64_t size,
                         const char *link, struct error *err) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_mode(entry, mode);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_size(entry, size);
    if (link != NULL)
        archive_entry_set_symlink(entry, link);
    const bool done = archive_write_header(tar, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return done || archive_failed(tar, name, err);
}

static bool write_bytes(struct archive *tar, const char *name, const void *bytes, size_t length,
                        struct error *err) {
    const la_ssize_t put = length > 0 ? archive_write_data(tar, bytes, length) : 0;
    if (put < 0)
        return archive_failed(tar, name, err);
    return (size_t)put == length ||
           error_set(err, ERROR_SYSTEM, EIO, "%s grew while it was being read", name);
}

static bool write_content(struct archive *tar, const char *name, int fd, int64_t size,
                          struct error *err) {
    char *piece = memory_new(64 * 1024, 1);
    bool done = true;
    int64_t left = size;
    while (done && left > 0) {
        const size_t wanted = left < 64 * 1024 ? (size_t)left : 64 * 1024;
        const ssize_t got = read(fd, piece, wanted);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            done = error_set_errno(err, "cannot read %s", name);
        else if (got == 0)
            done = error_set(err, ERROR_SYSTEM, EIO, "%s shrank while it was being read", name);
        else
            done = write_bytes(tar, name, piece, (size_t)got, err);
        left -= got;
    }
    free(piece);
    return done;
}

static bool write_file(struct archive *tar, const char *name, const char *path, mode_t mode,
                       struct error *err) {
    struct stat status;
    autoclose_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_set_errno(err, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_SYSTEM, EINVAL, "%s is not a regular file", path);
    const mode_t permissions = mode != 0 ? mode : status.st_mode;
    return write_header(tar, name, S_IFREG | (permissions & 07777), status.st_size, NULL, err) &&
           write_content(tar, name, fd, status.st_size, err);
}

static bool write_link(struct archive *tar, const char *name, const char *path, struct error *err) {
    char target[LINK_LIMIT];
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return error_set_errno(err, "cannot read the link %s", path);
    target[length] = '\0';
    return write_header(tar, name, S_IFLNK | 0777, 0, target, err);
}

// ---- walking

static bool write_folder(struct archive *tar, const char *path, const char *prefix, int depth,
                         struct error *err);

static bool write_entry(struct archive *tar, const char *path, const char *name, int depth,
                        struct error *err) {
    struct stat status;
    if (lstat(path, &status) != 0)
        return error_set_errno(err, "cannot read %s", path);
    if (S_ISREG(status.st_mode))
        return write_file(tar, name, path, status.st_mode, err);
    if (S_ISLNK(status.st_mode))
        return write_link(tar, name, path, err);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_SYSTEM, EINVAL,
                         "%s is neither a file, a folder nor a symbolic link", path);
    autofree_string char *folder = memory_format("%s/", name);
    return write_header(tar, folder, S_IFDIR | (status.st_mode & 07777), 0, NULL, err) &&
           write_folder(tar, path, folder, depth + 1, err);
}

static bool write_folder(struct archive *tar, const char *path, const char *prefix, int depth,
                         struct error *err) {
    if (depth > DEPTH_LIMIT)
        return error_set(err, ERROR_SYSTEM, ELOOP, "%s is more than %d folders deep", path,
                         DEPTH_LIMIT);
    autodone(string_list) struct string_list names = {0};
    if (!folder_list(path, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        autofree_string char *child = path_join(path, names.items[i]);
        autofree_string char *name = memory_format("%s%s", prefix, names.items[i]);
        if (!write_entry(tar, child, name, depth, err))
            return false;
    }
    return true;
}

static bool write_extra(struct archive *tar, const struct archive_extra *extra, struct error *err) {
    if (extra->file != NULL)
        return write_file(tar, extra->name, extra->file, extra->mode, err);
    const mode_t mode = extra->mode != 0 ? extra->mode : 0644;
    return write_header(tar, extra->name, S_IFREG | (mode & 07777), (int64_t)extra->length, NULL,
                        err) &&
           write_bytes(tar, extra->name, extra->bytes, extra->length, err);
}

// ---- the whole

static int temporary_file(struct error *err) {
    const char *folder = getenv("TMPDIR");
    autofree_string char *path =
        path_join(folder != NULL && folder[0] != '\0' ? folder : "/tmp", "assay-tar-XXXXXX");
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        error_set_errno(err, "cannot make a temporary file %s", path);
    else
        unlink(path);
    return fd;
}

static bool write_all(struct archive *tar, int fd, const char *folder,
                      const struct archive_extra *extras, size_t extra_count, struct error *err) {
    // GNU tar: names are bytes, whatever the locale, and the engine reads it as well as pax.
    if (archive_write_set_format_gnutar(tar) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(tar, 1) != ARCHIVE_OK ||
        archive_write_open_fd(tar, fd) != ARCHIVE_OK)
        return archive_failed(tar, "(none)", err);
    if (folder != NULL && !write_folder(tar, folder, "", 0, err))
        return false;
    for (size_t i = 0; i < extra_count; i++) {
        if (!write_extra(tar, &extras[i], err))
            return false;
    }
    return archive_write_close(tar) == ARCHIVE_OK || archive_failed(tar, "(end)", err);
}

bool archive_folder(const char *folder, const struct archive_extra *extras, size_t extra_count,
                    int *ret_fd, struct error *err) {
    autoclose_fd int fd = temporary_file(err);
    if (fd < 0)
        return false;
    struct archive *tar = archive_write_new();
    const bool written = write_all(tar, fd, folder, extras, extra_count, err);
    archive_write_free(tar);
    if (!written)
        return false;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return error_set_errno(err, "cannot rewind a temporary file");
    *ret_fd = fd;
    fd = -1;
    return true;
}

bool container_put_archive(struct engine *engine, const char *id, const char *path, int tar_fd,
                           struct error *err) {
    autofree_string char *endpoint = query_path("/containers", id, "/archive");
    autodone(text) struct text query = {0};
    query_add(&query, "path", path);
    const struct request request = {.method = "PUT",
                                    .path = endpoint,
                                    .query = text_string(&query),
                                    .body_fd = &tar_fd,
                                    .slow = true};
    return request_perform(engine, &request, err);
}

bool container_get_archive(struct engine *engine, const char *id, const char *path, byte_sink *sink,
                           void *context, struct error *err) {
    autofree_string char *endpoint = query_path("/containers", id, "/archive");
    autodone(text) struct text query = {0};
    query_add(&query, "path", path);
    const struct request request = {.method = "GET",
                                    .path = endpoint,
                                    .query = text_string(&query),
                                    .sink = sink,
                                    .context = context,
                                    .slow = true};
    return request_perform(engine, &request, err);
}
