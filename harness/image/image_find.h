// Finding one image: the steps of image_source.h, in their order, for a name in a Compose file.
#pragma once

#include "image/image_finder.h"
#include "image/image_source.h"

// An image that a service wants; borrowed strings.
struct image_wish {
    const char *image;
    const char *platform;   // NULL: the engine's
    const char *substitute; // recipe that may stand in; NULL: none
};

// Fills everything of the choice but `service`. Errors: see image_choices_make.
bool image_find(struct image_finder *self, const struct image_wish *wish,
                struct image_choice *ret_choice, struct error *err) must_use;

void image_choice_done(struct image_choice *self);

DEFINE_AUTODONE(image_choice, image_choice_done);
