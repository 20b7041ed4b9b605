// What the tests of manifests have in common.
#pragma once

#include "verify/backup/manifest.h"

// Two artifacts: "app.dump" with a fingerprint of three rows, and "cluster" of two files.
struct manifest *manifest_sample(void);
