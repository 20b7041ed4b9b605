// Images that a newer build has replaced: removed when nobody has used them for a while. Only ever
// tags that assay gave itself, told by its labels.
//
// Not at once, because another checkout, or a run that has chosen its images but not yet started
// them, may still want the older one.
#pragma once

#include "engine/engine.h"

#include <stdint.h>

#define OLD_IMAGES_KEPT_S (24 * 60 * 60)

// Remembers (a file's time under the state folder) that the image was used now. Not being able to
// is no error: the image's own age counts then.
void old_images_used(const char *reference);

// Removes every tag `repository`:* but `keep` of the images that have `label` ("name=value"), when
// it was neither made nor used within unused_for_s seconds. An image in use, or one that does not
// go, stays: the next build tries again. Returns how many went.
int old_images_remove(struct engine *engine, const char *repository, const char *label,
                      const char *keep, int64_t unused_for_s);
