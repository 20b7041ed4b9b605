// A folder of `docker save` archives (*.tar, also compressed): which archive holds which image, and
// loading one. For machines that no registry answers.
//
// Source: Docker image specification v1.2, "Combined image JSON + filesystem changeset format":
// manifest.json with the RepoTags of each image; `podman save` writes the same.
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/string_list.h"
#include "engine/image.h"

struct image_archive; // safe to use from several threads

// Reads the manifest of every archive in the folder. A file that is no image archive is not an
// error: see image_archive_problems.
bool image_archive_open(const char *folder, struct image_archive **ret_archive,
                        struct error *err) must_use;
void image_archive_free(struct image_archive *self);

const char *image_archive_folder(const struct image_archive *self);
// "old.tar: cut short" for each file that could not be read; borrowed.
const struct string_list *image_archive_problems(const struct image_archive *self);
// Path of the archive that has the image, however its name is spelled; borrowed; NULL: none.
const char *image_archive_find(const struct image_archive *self, const char *reference);
// Loads the archive that has the image, with all that is in it, once per run. *ret_found false:
// none has it.
bool image_archive_load(struct image_archive *self, struct engine *engine, const char *reference,
                        const struct image_progress *progress, bool *ret_found,
                        struct error *err) must_use;

// `assay images save DIR`: our own images, which share a base, in one archive, assay.tar, and every
// other in one of its own. `references` is NULL-terminated.
bool image_archive_save(struct engine *engine, const char *const *references, const char *folder,
                        const struct image_progress *progress, const struct cancel *cancel,
                        struct error *err) must_use;
// `assay images load DIR`: everything. Adds what was loaded to ret_references.
bool image_archive_load_all(struct engine *engine, const char *folder,
                            const struct image_progress *progress, const struct cancel *cancel,
                            struct string_list *ret_references, struct error *err) must_use;

DEFINE_AUTOFREE(image_archive, image_archive_free);
