// For the tests of image archives: one that looks like what `docker save` writes.
#pragma once

#include <stdbool.h>

// A layer first, then manifest.json (left out when NULL), in the test's folder.
char *test_archive(const char *name, const char *manifest, bool compressed);
