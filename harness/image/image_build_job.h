// One build of one of our own images: lock, look again, build, label, tidy up. What recipe.c and
// base_image.c share.
#pragma once

#include "image/image_source.h"

struct image_build_job {
    struct engine *engine;
    const struct image_options *options;
    const char *recipe;    // "postgres", "base"
    const char *reference; // "assay/postgres:3f0c9a12abcd"
};

// Unless the image is present: takes the lock of this recipe, looks again, calls make, and then
// removes tags of the same recipe that nobody uses any more.
bool image_build_once(const struct image_build_job *job,
                      bool (*make)(const struct image_build_job *job, void *context,
                                   struct error *err),
                      void *context, struct error *err) must_use;

// Builds the folder (or the given Dockerfile's text with it) under the job's reference, with the
// labels that every image of ours has.
bool image_build_folder(const struct image_build_job *job, const char *folder,
                        const char *dockerfile, const char *base, struct error *err) must_use;

// Calls options->progress, if there is one.
void image_report(const struct image_options *options, const char *image, const char *state,
                  const char *detail);
