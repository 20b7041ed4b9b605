// Recipes: one folder each under fixtures/images, built with the classic builder on one shared base.
//
// Tag: assay/<recipe>:<first 12 hex digits of SHA-256 over the folder's names, modes and contents, and of the base's tag>, so
// that an edited recipe builds anew and an unedited one never does.
#pragma once

#include "engine/image.h"
#include "stack/image_source.h"

// The folder's tag, without asking an engine; ERROR_CONFIGURATION when there is no such recipe.
bool recipe_tag(const char *recipes, const char *recipe, char **ret_reference,
                struct error *err) must_use;
// Builds (the base first) unless the tag is present.
bool recipe_build(struct engine *engine, const char *recipe, const struct image_options *options,
                  char **ret_reference, struct error *err) must_use;
bool recipe_list(const char *recipes, struct string_list *ret_names, struct error *err) must_use;
