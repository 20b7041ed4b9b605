// A stopped template's container as an image that starts as the original does: same command,
// entrypoint, environment, user and folder, and no label of the run that made it.
#pragma once

#include "engine/engine.h"

struct template_image {
    const char *container;
    const json_t *original; // inspect result of the image it was started from
    const char *repository; // "assay/prepared-postgres"
    const char *reference;  // with the tag
    const char *key;
    const char *project;
    const char *service;
};

// Refuses (and removes) what does not start as the original: ERROR_PROTOCOL.
bool template_image_commit(struct engine *engine, const struct template_image *self,
                           struct error *err) must_use;
