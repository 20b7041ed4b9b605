// The manifest.json of a `docker save` archive: the names of the images in it.
#pragma once

#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>

// Adds the tags of every image in the archive at `path`. ERROR_PROTOCOL: it is no archive, it is
// cut short, or it has no manifest.
bool image_manifest_read(const char *path, struct string_list *tags, struct error *err) must_use;
