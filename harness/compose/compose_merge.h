// Merging of Compose trees in their one form (compose_form.h): several files, `extends`, `include`.
// Source: Compose specification, 13-merge, with !reset and !override.
#pragma once

#include "compose/yaml.h"

// Puts `over` (a mapping of sections) over `base`, which is changed; values move, nothing is
// copied.
bool compose_merge(struct yaml *base, struct yaml *over, struct error *err) must_use;

// The same for one service: `over` extends `base`.
bool compose_merge_service(struct yaml *base, struct yaml *over, const char *name,
                           struct error *err) must_use;
