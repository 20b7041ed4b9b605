// Reads one YAML document from bytes into a tree, by libfyaml's events.
//
// YAML 1.2 with what Compose files use on top: merge keys (`<<`, YAML 1.1 types repository), and
// the tags !reset and !override. Bounded: size, depth, number of values (an alias counts as what it
// stands for), keys of one mapping. A key that occurs twice, a second document, an unknown tag or
// anchor are errors.
#pragma once

#include "compose/yaml.h"

enum { YAML_MOST_BYTES = 1024 * 1024 };

// `file` is the name that marks carry; it must outlive the arena. An empty document gives a
// YAML_NULL. Errors: ERROR_CONFIGURATION with the place.
bool yaml_document_parse(struct yaml_arena *arena, const char *file, const char *bytes,
                         size_t length, struct yaml **ret_root, struct error *err) must_use;

// Reads `path`; marks carry `file`.
bool yaml_document_load(struct yaml_arena *arena, const char *path, const char *file,
                        struct yaml **ret_root, struct error *err) must_use;
