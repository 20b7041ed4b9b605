// The shared base of all recipes: a minimal Debian with the packages of fixtures/images/base.
//
// From debian:<suite>-slim where a registry answers, otherwise by mmdebstrap and `docker import`.
// Either way its tag is assay/base:<12 hex digits over fixtures/images/base>: two files, `suite`
// ("trixie") and `packages` (one a line).
#pragma once

#include "image/image_source.h"
#include "image/registry.h"

bool base_image_tag(const char *recipes, char **ret_reference, struct error *err) must_use;

// `registries` may be NULL. ERROR_UNAVAILABLE: no registry answers and mmdebstrap is missing or
// fails; the message says what to install.
bool base_image_ensure(struct engine *engine, const struct image_options *options,
                       struct registries *registries, char **ret_reference,
                       struct error *err) must_use;
