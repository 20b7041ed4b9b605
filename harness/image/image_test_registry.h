// For the tests of images: a "registry" on 127.0.0.1 that says nothing, or always the same, or has
// one image; and an archive of an image for another processor.
#pragma once

#include "base/cancel.h"

struct test_registry;

// Listens on a free port; answers each request with `reply`; NULL: accepts and stays silent.
struct test_registry *test_registry_start(const char *reply);
// Serves one image, of this engine's architecture and a single empty layer, under the name "a", and
// has no other (Docker Registry HTTP API V2, image manifest version 2, schema 2).
struct test_registry *test_registry_start_with_an_image(void);
const char *test_registry_image(const struct test_registry *self, const char *name);
void test_registry_cancels(struct test_registry *self, struct cancel *cancel);

char *test_foreign_archive(const char *name, const char *reference);
