// A copy of a file or folder, for bind mounts that a container may write to.
#pragma once

#include "base/error.h"

// Regular files, folders and symbolic links, with modes and (as root) owners; anything else
// (devices, sockets) is left out. `to` must not exist. At most COPY_TREE_LIMIT bytes.
#define COPY_TREE_LIMIT ((long long)512 * 1024 * 1024)
bool copy_tree(const char *from, const char *to, struct error *err) must_use;
