// Inside of compose.c and compose_extends.c: one Compose file, and what is shared while a project
// loads.
#pragma once

#include "compose/variables.h"
#include "compose/yaml.h"

struct compose_file {
    const char *shown; // as in marks; borrowed from loader->files
    char *path;        // absolute
    char *folder;      // absolute: what its relative paths are relative to
    struct yaml *root;
};

struct compose_loader {
    struct yaml_arena *arena;
    struct string_list *files;
    struct string_list *warnings;
    struct compose_file **extended; // files that `extends` named, each read once
    size_t extended_count;
};

// Reads and checks the outermost shape. `shown` is how messages name it; folder NULL: the file's
// own.
bool compose_file_read(struct compose_loader *loader, const char *path, const char *shown,
                       const char *folder, struct compose_file **ret_file,
                       struct error *err) must_use;
// Fills in variables and brings everything to one form.
bool compose_file_prepare(struct compose_loader *loader, struct compose_file *file,
                          const struct variables *variables, struct error *err) must_use;
void compose_file_free(struct compose_file *self);

// Replaces each service that `extends` another by the two merged.
bool compose_extend(struct compose_loader *loader, struct compose_file *file,
                    const struct variables *variables, struct error *err) must_use;

// How a file named in `by` is shown: "sub/compose.yaml" and "../x.yaml" -> "sub/../x.yaml".
char *compose_shown(const char *by, const char *path);

DEFINE_AUTOFREE(compose_file, compose_file_free);
