// An image reference taken apart, as the docker command reads it: "postgres:17" is
// docker.io/library/postgres:17.
//
// Source: github.com/distribution/reference, the grammar and the rules for familiar names.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>

struct image_name {
    char *registry;   // "docker.io", "quay.io", "localhost:5000"
    char *repository; // "library/postgres"
    char *tag;        // NULL: the reference has none
    char *digest;     // "sha256:…"; NULL: none
};

// ERROR_CONFIGURATION when it is no reference.
bool image_name_parse(const char *reference, struct image_name *ret_name,
                      struct error *err) must_use;
void image_name_done(struct image_name *self);

// "docker.io/library/postgres:17": one spelling for each image. With a digest the tag does not
// count; with neither the tag is "latest".
char *image_name_full(const struct image_name *self) must_use;

// Whether both references name the same image, however they are spelled.
bool image_name_same(const char *left, const char *right);

// "postgres" for assay/postgres, assay/postgres:3f0c9a12…: a recipe of our own, which no registry
// is asked for; NULL for any other image. The caller's.
char *image_name_own_recipe(const struct image_name *self) must_use;

DEFINE_AUTODONE(image_name, image_name_done);
