// Whether the members of an archive stay within the folder that it is extracted to: told from their
// names and links alone, before anything is written.
//
// A link may point within the folder: "../x" from a/b is a/x. Its target may go up at its beginning
// only, and no member may lie behind a link, so that no chain of harmless links leads out.
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"

#include <stddef.h>

#define PATH_SHOWN 512

struct path_check;

struct path_check *path_check_new(size_t link_limit) must_use;
void path_check_free(struct path_check *self);

// NULL, or why it is refused: "has an absolute path". Also for targets of hard links, which are
// paths from the root.
const char *path_check_member(const struct path_check *self, const char *path);
// And from now on, nothing may lie behind it.
const char *path_check_link(struct path_check *self, const char *path, const char *target);

DEFINE_AUTOFREE(path_check, path_check_free);
