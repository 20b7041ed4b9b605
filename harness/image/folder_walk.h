// What is in a folder, as git sees it: regular files and symbolic links (not followed), by their
// path within it, sorted by bytes. Empty folders are not seen; a socket, pipe or device is an
// error.
#pragma once

#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>

bool folder_walk(const char *folder, struct string_list *ret_paths, struct error *err) must_use;
