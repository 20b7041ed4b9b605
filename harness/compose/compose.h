// A Compose project: every file read, interpolated, brought to one form and merged, with `include`
// and `extends` resolved. What is left to do is to choose services and to read them (plan.h).
#pragma once

#include "base/cleanup.h"
#include "base/string_list.h"
#include "compose/variables.h"
#include "compose/yaml.h"

struct compose_sources {
    const char *const
        *files;         // NULL-terminated; NULL: the usual names in folder, with their override
    const char *folder; // project folder; NULL: the first file's, or the current one
};

struct compose {
    struct yaml_arena arena;
    struct variables variables; // of the process, over .env
    struct yaml *root;          // services, networks, volumes, secrets, configs: mappings or absent
    char *name;                 // project name
    char *folder;               // absolute
    struct string_list main_files; // absolute paths, as named or found
};

// `files` gets the name of every file that was read; marks borrow from it, so it must outlive them.
bool compose_load(const struct compose_sources *sources, struct string_list *files,
                  struct string_list *warnings, struct compose *ret_compose,
                  struct error *err) must_use;
void compose_done(struct compose *self);

// The Compose file in a folder, by the usual names, as folder/name: compose.yaml, compose.yml,
// docker-compose.yaml, docker-compose.yml; then its override, if there is one. None: nothing is
// added.
void compose_find(const char *folder, struct string_list *paths);

// A reference in a section, e.g. compose_section(self, "networks", "front"); NULL: there is none.
struct yaml_entry *compose_section(const struct compose *self, const char *section,
                                   const char *name);

DEFINE_AUTODONE(compose, compose_done);
