#define _GNU_SOURCE
#include "image/digest.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "image/folder_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium/utils.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void digest_init(struct digest *self) {
    crypto_hash_sha256_init(&self->state);
}

static void add_bytes(struct digest *self, const void *bytes, size_t length) {
    crypto_hash_sha256_update(&self->state, bytes, length);
}

// Lengths as eight bytes, lowest first, on every machine.
static void add_length(struct digest *self, uint64_t length) {
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
    add_bytes(self, bytes, sizeof bytes);
}

static void add_header(struct digest *self, const char *name, uint64_t length) {
    add_length(self, strlen(name));
    add_bytes(self, name, strlen(name));
    add_length(self, length);
}

void digest_add(struct digest *self, const char *name, const void *bytes, size_t length) {
    add_header(self, name, length);
    if (length > 0)
        add_bytes(self, bytes, length);
}

void digest_add_string(struct digest *self, const char *name, const char *value) {
    if (value != NULL)
        digest_add(self, name, value, strlen(value));
    else
        add_header(self, name, UINT64_MAX); // no content is that long
}

bool digest_add_file(struct digest *self, const char *name, const char *path, struct error *err) {
    autoclose_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, "cannot open %s", path);
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set_errno(err, "cannot look at %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_CONFIGURATION, 0, "%s is not a regular file", path);
    // The content has a digest of its own: a file that grows meanwhile cannot upset the lengths.
    struct digest content;
    digest_init(&content);
    unsigned char buffer[16384];
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR))
        add_bytes(&content, buffer, got > 0 ? (size_t)got : 0);
    if (got < 0)
        return error_set_errno(err, "cannot read %s", path);
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&content.state, sum);
    digest_add(self, name, sum, sizeof sum);
    return true;
}

static bool add_entry(struct digest *self, const char *folder, const char *path,
                      struct error *err) {
    autofree_string char *full = path_join(folder, path);
    struct stat status;
    if (lstat(full, &status) != 0)
        return error_set_errno(err, "cannot look at %s", full);
    digest_add_string(self, "path", path);
    if (S_ISLNK(status.st_mode)) {
        char target[PATH_MAX];
        const ssize_t length = readlink(full, target, sizeof target);
        if (length < 0)
            return error_set_errno(err, "cannot read the symbolic link %s", full);
        digest_add(self, "link", target, (size_t)length);
        return true;
    }
    const bool executable = (status.st_mode & S_IXUSR) != 0;
    return digest_add_file(self, executable ? "program" : "file", full, err);
}

bool digest_add_folder(struct digest *self, const char *folder, struct error *err) {
    autodone(string_list) struct string_list paths = {0};
    if (!folder_walk(folder, &paths, err))
        return false;
    for (size_t i = 0; i < paths.count; i++)
        if (!add_entry(self, folder, paths.items[i], err))
            return false;
    return true;
}

void digest_end(struct digest *self, char ret_hex[DIGEST_HEX_SIZE]) {
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&self->state, sum);
    sodium_bin2hex(ret_hex, DIGEST_HEX_SIZE, sum, sizeof sum);
}
