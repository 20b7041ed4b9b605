// Recipes: one folder each under fixtures/images, built with the classic builder on one shared
// base.
//
// Tag: assay/<recipe>:<first 12 hex digits of SHA-256 over the folder's names, modes and contents,
// and of the base's tag>, so that an edited recipe builds anew and an unedited one never does. Of
// the modes only "executable" counts, as in git: every checkout gives the same tag.
//
// What is built carries io.assay.recipe=<recipe> and io.assay.hash=<the tag>; its Dockerfile adds
// io.assay.software=<what it is, for people>.
#pragma once

#include "engine/image.h"
#include "image/image_source.h"

#define RECIPE_HASH_LENGTH 12

// The folder's tag, without asking an engine; ERROR_CONFIGURATION when there is no such recipe.
bool recipe_tag(const char *recipes, const char *recipe, char **ret_reference,
                struct error *err) must_use;
// Builds (the base first) unless the tag is present. Two runs that want the same one build it once.
// ERROR_UNAVAILABLE: what building needs is not here; ERROR_ENGINE: a step failed, with its output.
bool recipe_build(struct engine *engine, const char *recipe, const struct image_options *options,
                  char **ret_reference, struct error *err) must_use;
// The same on a base that is there already.
bool recipe_build_on(struct engine *engine, const char *recipe, const char *base,
                     const struct image_options *options, char **ret_reference,
                     struct error *err) must_use;
// Every recipe of the folder but the base, sorted.
bool recipe_list(const char *recipes, struct string_list *ret_names, struct error *err) must_use;

// The recipe that gives the software of a well-known image ("postgres:17" -> "postgres",
// "mongo:7.0" -> "ferretdb"); NULL: none. Whether the image may be replaced is for the caller.
const char *recipe_for_image(const char *reference);

// A line for people out of the builder's output: "Step 4/9 : RUN apt-get update …", at most
// RECIPE_STEP_SIZE bytes with its end; false when the line is of no interest.
#define RECIPE_STEP_SIZE 80
bool recipe_step(const char *line, char ret_step[RECIPE_STEP_SIZE]);
