// Prepared images: a service booted once, stopped cleanly and committed, so that later starts skip
// the first boot (initdb and the like), which is most of a stack's start. See docs/images.md and
// docs/adr/0004-prepared-images.md.
//
// Tag: assay/prepared-<kind>:<first 16 hex digits of the key>. The key is SHA-256 over the image's
// id, the service's settings (config, host_config, access, mounts with their contents) and
// PREPARED_FORMAT. Credentials are no part of it: the template's are random and thrown away, and
// the entrypoint of our recipes sets the run's at each start, before the server listens. That is
// why only images with the label io.assay.recipe are prepared, never a user's own.
#pragma once

#include "base/cleanup.h"
#include "compose/plan.h"
#include "engine/engine.h"

#include <stdbool.h>

#define PREPARED_FORMAT "1" // change when templates of older versions must not be used

// How the caller starts a template: it has the launcher.
struct prepared_boot {
    // Starts the service alone from `reference`, with throwaway credentials and the label
    // io.assay.role=prepare, waits until it is ready and leaves it running. On failure it has
    // removed what it made.
    bool (*boot)(void *context, const struct plan_service *service, const char *reference,
                 char **ret_container, struct error *err);
    // Called after the container was stopped and committed (or refused): removes it and what came
    // with it.
    void (*finish)(void *context, const char *container);
    // Progress for people ("preparing", "stopping", "committing"), may be NULL.
    void (*progress)(void *context, const char *service, const char *state);
    void *context;
    const struct cancel *cancel;
};

struct prepared_image {
    char *reference; // what to start: the prepared image, or the one that was given
    bool prepared;
    bool booted;   // a template was booted for it just now
    char *why_not; // not prepared: why, for people ("it does not ask for it")
};

// Finds or makes the prepared image of a service. A template that does not get ready, does not end
// cleanly or cannot be kept is no error: the service then starts from its own image, and why_not
// says so. Errors: the engine fails, cancel. Two runs that want the same template boot it once.
bool prepared_ensure(struct engine *engine, const struct plan *plan,
                     const struct plan_service *service, const char *reference,
                     const struct prepared_boot *boot, struct prepared_image *ret_image,
                     struct error *err) must_use;
void prepared_image_done(struct prepared_image *self);

DEFINE_AUTODONE(prepared_image, prepared_image_done);
