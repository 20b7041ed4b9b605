// Brings one Compose file's tree to the one form that merging and reading know: short syntaxes
// become long ones, relative paths absolute, wrong shapes errors with their place
// ("services.db.ports: expected a list, found a mapping"). Unknown keys stay as they are; whoever
// reads the merged service warns.
#pragma once

#include "compose/yaml.h"

struct compose_former {
    struct yaml_arena *arena;
    const char *folder; // absolute: what relative paths in this file are relative to
    struct string_list *warnings;
};

bool compose_form(const struct compose_former *self, struct yaml *root, struct error *err) must_use;

// "./conf" -> "/srv/shop/conf", "~/x" -> "/home/me/x"; "." and ".." are resolved by text.
char *compose_path(const char *folder, const char *path);

// One item of a service's `volumes` in short syntax, [SOURCE:]TARGET[:OPTIONS], as a mapping.
bool compose_volume_form(const struct compose_former *self, const struct yaml *item,
                         const char *where, struct yaml **ret_volume, struct error *err) must_use;
