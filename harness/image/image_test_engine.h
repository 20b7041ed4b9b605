// For the tests of images against a real engine (DOCKER_HOST). What a test makes there carries
// the label io.assay.test=<its folder> or is named to engine_forget, and goes when it ends.
#pragma once

#include "engine/engine.h"
#include "image/image_source.h"

// ground_set_up, and skips the test, saying so, when there is no engine or no assay/base:dev.
void test_engine_set_up(void);
void test_engine_tear_down(void);

struct engine *test_engine(void); // a new connection
// Recipes as ground_recipes, with the base already in the engine under its tag.
char *test_engine_recipes(void);
void test_engine_forget(const char *reference); // remove this image at the end
const char *test_engine_label(void);            // "io.assay.test=/tmp/…"

// A plan of services that only name images.
struct plan test_plan(struct plan_service *services, size_t count);

// Counts what progress says.
struct test_progress {
    int building; // started builds
    int present;
    int waiting;
};
void test_progress(void *context, const char *image, const char *state, const char *detail);
