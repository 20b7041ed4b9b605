#define _GNU_SOURCE
#include "verify/backup/artifact_writer.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct artifact_writer {
    char *name; // within the backup
    char *path;
    int fd;
    uint64_t size;
    struct sha256 *hash;
    atomic_ullong *counter;
};

bool artifact_writer_open(const char *folder, const char *name, atomic_ullong *counter,
                          struct artifact_writer **ret_writer, struct error *err) {
    autofree(artifact_writer) struct artifact_writer *self = memory_new(1, sizeof *self);
    self->name = memory_copy_string(name);
    self->path = path_join(folder, name);
    self->counter = counter;
    self->hash = sha256_new();
    self->fd = open(self->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (self->fd < 0)
        return error_set_errno(err, "cannot make %s", self->path);
    *ret_writer = TAKE(self);
    return true;
}

bool artifact_writer_put(struct artifact_writer *self, const void *bytes, size_t length,
                         struct error *err) {
    sha256_add(self->hash, bytes, length);
    if (!file_write_all(self->fd, bytes, length))
        return error_set_errno(err, "cannot write %s", self->path);
    self->size += length;
    if (self->counter != NULL)
        atomic_fetch_add(self->counter, length);
    return true;
}

bool artifact_writer_finish(struct artifact_writer *self, struct manifest_artifact *artifact,
                            struct error *err) {
    uint8_t sha256[SHA256_SIZE];
    if (fsync(self->fd) != 0)
        return error_set_errno(err, "cannot sync %s", self->path);
    sha256_end(self->hash, sha256);
    manifest_file_add(artifact, self->name, self->size, sha256);
    return true;
}

void artifact_writer_close(struct artifact_writer *self) {
    if (self == NULL)
        return;
    if (self->fd >= 0)
        close(self->fd);
    sha256_free(self->hash);
    free(self->path);
    free(self->name);
    free(self);
}
