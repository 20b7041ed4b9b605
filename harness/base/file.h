// Small files and folders, with errors that name the path.
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Reads a whole file of at most `limit` bytes; *ret_bytes is NUL-terminated, the caller's.
bool file_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_length,
               struct error *err) must_use;

// Writes to a temporary name beside `path`, syncs, renames: readers see the old or the new file,
// never half of one, and a full disk leaves the old one.
bool file_write_atomic(const char *path, const void *bytes, size_t length, mode_t mode,
                       struct error *err) must_use;

// All of it, whatever pieces the kernel takes, and not synced; false: errno says why.
bool file_write_all(int fd, const void *bytes, size_t length) must_use;

// What cannot be looked at counts as there, for a reason other than that we may not: whoever opens
// it then learns why. A settings file that a full table of files hides would just not be honoured.
bool file_exists(const char *path);
bool folder_make(const char *path, mode_t mode, struct error *err) must_use; // with parents
// The names in a folder, sorted, without "." and ".."; *ret_names (zeroed) is the caller's.
bool folder_list(const char *path, struct string_list *ret_names, struct error *err) must_use;
// Removes a file or a whole folder; does not follow symbolic links; absent is fine. What stands at
// the top of the file system ("/tmp") is never removed: such a path is a mistake (EPERM).
bool file_remove_tree(const char *path, struct error *err) must_use;

char *path_join(const char *folder, const char *name) must_use; // name absolute: a copy of name
