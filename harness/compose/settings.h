// assay.yaml: what a project tells assay and nobody else. Beside the Compose file, or named by
// --settings.
//
//   compose: deploy/compose.yaml        path or list of paths, relative to this file
//   profiles: [standard]
//   suites: [suites/orders]             executables, relative to this file
//   services: {db: {kind: postgres}}    as a service's x-assay; these values win
//   backup: {smoke: …}                  read by verify/backup/smoke.h
// Keys that begin with x- are left alone; anything else is an error. Variables are not filled in.
#pragma once

#include "base/cleanup.h"
#include "compose/yaml.h"

struct settings {
    char *file; // as given; marks borrow it
    struct yaml_arena arena;
    struct string_list compose; // paths that can be opened from the current folder
    struct string_list profiles;
    struct string_list suites;
    struct yaml *services; // a mapping of mappings; NULL: none
    struct yaml *backup;   // a mapping; NULL: none
};

// Errors: ERROR_CONFIGURATION, "file:line:column: …".
bool settings_load(const char *path, struct settings **ret_settings, struct error *err) must_use;
void settings_free(struct settings *self);

DEFINE_AUTOFREE(settings, settings_free);
