// Files of KEY=VALUE lines: `.env` beside a Compose file, and what `env_file` names (Compose
// specification, "env_file"; docs.docker.com, "Syntax for environment files").
//
//   # comment                 KEY=value # comment      export KEY=value      KEY: value
//   KEY='literal'             KEY="with \n escapes and ${VARIABLES}"         KEY   (inherited)
// A quoted value may run over lines. Without quotes or in double quotes variables are filled in,
// from what stands further up in the file, then from the outer variables.
#pragma once

#include "compose/mark.h"
#include "compose/variables.h"

struct dotenv_options {
    const char *file; // the name that marks carry
    bool raw;         // env_file's format: raw: a line is KEY=VALUE and nothing in it is special
    struct string_list *warnings;
};

// Adds to `into` (whose outer variables are those that a value may refer to).
bool dotenv_parse(struct variables *into, const char *bytes, size_t length,
                  const struct dotenv_options *options, struct error *err) must_use;

// Reads `path`, at most 1 MiB; marks carry options->file.
bool dotenv_load(struct variables *into, const char *path, const struct dotenv_options *options,
                 struct error *err) must_use;
