// What looking for images shares: the engine, what is known of registries, the folder of archives,
// the base of the recipes. One for all workers of a run.
#pragma once

#include "image/image_archive.h"
#include "image/image_source.h"
#include "image/registry.h"

#include <pthread.h>

struct image_finder {
    struct engine *engine;
    const struct image_options *options;
    char *architecture; // of the engine: "amd64"
    struct registries *registries;
    char *archive_folder; // NULL: none
    pthread_mutex_t lock;
    struct image_archive *archive; // under lock; opened when first wanted
    char *archive_problem;         // under lock; why it could not be
    pthread_mutex_t base_lock;     // held while the base is made
    bool base_tried;               // under base_lock
    char *base;                    // under base_lock
    struct error base_problem;     // under base_lock
};

bool image_finder_init(struct image_finder *self, struct engine *engine,
                       const struct image_options *options, struct error *err) must_use;
void image_finder_done(struct image_finder *self);

// Opened, which reads every archive's manifest, when first asked for; borrowed. NULL: there is no
// folder, or archive_problem says why it cannot be read.
struct image_archive *image_finder_archive(struct image_finder *self);

// The base's tag: made once, by whoever asks first; the others wait. A failure is remembered too.
bool image_finder_base(struct image_finder *self, char **ret_base, struct error *err) must_use;

// "amd64" for "x86_64": the name that images use.
const char *image_architecture(const char *name);

DEFINE_AUTODONE(image_finder, image_finder_done);
