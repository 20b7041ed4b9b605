// Where each image comes from: present in the engine, an image archive folder, a registry, a
// recipe under fixtures/images; or nowhere, with the reason and the command that mends it.
//
// A recipe never stands in silently: only for names under assay/ (which are recipes), for a
// service whose x-assay says `substitute`, or when the user passed --substitute.
#pragma once

#include "base/cancel.h"
#include "compose/plan.h"
#include "engine/engine.h"
#include "run/run.h"

enum image_origin {
    IMAGE_NOWHERE,
    IMAGE_PRESENT,
    IMAGE_ARCHIVE,
    IMAGE_REGISTRY,
    IMAGE_RECIPE,
};

struct image_choice {
    char *service;
    char *reference; // what to run: a tag or id in the engine; NULL when nowhere
    enum image_origin origin;
    char *ran;     // for reports: "assay/ferretdb:3f0c9a12 (FerretDB, in place of mongo:7.0)"
    char *why;     // nowhere: what was tried and the command that would mend it
    bool prepared; // reference is a prepared image
};

struct image_choices {
    struct image_choice *items; // in the order of plan->services
    size_t count;
};

struct image_options {
    const char *recipes; // folder of recipes (fixtures/images); NULL: none
    const char *archive; // folder of `docker save` archives; NULL: <state>/images if it exists
    bool substitute;     // recipes may stand in for any image of that software
    bool offline;        // never ask a registry
    int jobs;            // builds and pulls at once; 0: number of processors
    bool host_network;   // builds use the host's network (private engine)
    // Progress: state is a short word ("building", "pulling", "present"), detail may be NULL.
    void (*progress)(void *context, const char *image, const char *state, const char *detail);
    void *context;
    const struct cancel *cancel;
};

// Makes every image of the plan available that can be had; what cannot is IMAGE_NOWHERE, not an
// error. Errors: a recipe that does not build (with its last output), an engine that fails, cancel.
bool image_choices_make(struct engine *engine, const struct plan *plan,
                        const struct image_options *options, struct image_choices *ret_choices,
                        struct error *err) must_use;
void image_choices_done(struct image_choices *self);
