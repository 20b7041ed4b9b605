// Files into and out of containers as tar streams, and the tar of a folder (libarchive).
#pragma once

#include "engine/engine.h"

#include <stddef.h>
#include <sys/types.h>

// A stream of bytes pulled by the engine room: returns how many were put in buffer, 0 at the end,
// -1 on failure with err set.
typedef ssize_t byte_source(void *context, void *buffer, size_t size, struct error *err);
// A stream pushed to the caller; false (with err set) stops it.
typedef bool byte_sink(void *context, const void *bytes, size_t length, struct error *err);

// An entry that is not on disk, added to a tar: name is the path within it.
struct archive_extra {
    const char *name;
    const void *bytes;
    size_t length;
    mode_t mode;      // permission bits; 0: 0644, or those of `file`
    const char *file; // read from this file instead of bytes
};

// Writes a tar of `folder` (regular files, symbolic links, modes; owner root, mtime 0, sorted by
// name, so that the same content gives the same bytes) plus extras, in their order, to a temporary,
// unlinked file. `folder` may be NULL: only extras. Anything else in the folder (a socket, a
// device) is an error that names it.
bool archive_folder(const char *folder, const struct archive_extra *extras, size_t extra_count,
                    int *ret_fd, struct error *err) must_use;

// A tar_fd that is a regular file is sent whole, whatever its position, which stays as it is (so
// several threads may send the same); anything else (a pipe) is read to its end.
bool container_put_archive(struct engine *engine, const char *id, const char *path, int tar_fd,
                           struct error *err) must_use;
bool container_get_archive(struct engine *engine, const char *id, const char *path, byte_sink *sink,
                           void *context, struct error *err) must_use;
