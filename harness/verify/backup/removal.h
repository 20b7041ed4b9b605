// Removing one entry of a folder, with all that is in it, and nothing else.
//
// Goes by open folders, never by paths: whoever exchanges a folder for a link meanwhile does not
// lead it elsewhere. Links are removed, not followed. Does not enter another file system.
//
//   NAME ──rename──> ..removing-NAME ──> emptied ──> gone
//
// The rename comes first and is synced, so that what a kill leaves is hidden and never again taken
// for a backup; removal_finish() completes it the next time.
#pragma once

#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>
#include <stdint.h>

#define REMOVAL_PREFIX "..removing-"
#define REMOVAL_DEPTH 64 // folders in folders; deeper ones are refused

// `folder_fd` is the folder's, open for reading. The name is one of its entries: not "", "." or
// "..", without a slash, else ERROR_USAGE. What is neither a folder nor a regular file (a link) is
// refused: ERROR_CONFIGURATION. ERROR_SYSTEM: it cannot be removed, or not all of it.
bool removal_of(int folder_fd, const char *name, struct error *err) must_use;

// What earlier removals left in the folder, by their hidden names.
bool removal_left(int folder_fd, struct string_list *ret_names, struct error *err) must_use;
// Removes that. Goes on after a failure; err is the first.
bool removal_finish(int folder_fd, struct error *err) must_use;

// Bytes of the regular files below an entry, as it is listed (st_size), links not followed.
// *ret_is_backup: it is a folder or a regular file. ERROR_SYSTEM: it cannot be looked at.
bool removal_size(int folder_fd, const char *name, uint64_t *ret_bytes, bool *ret_is_backup,
                  struct error *err) must_use;
