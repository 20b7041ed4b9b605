// fixtures/drill/ENGINE.yaml: what a drill puts into a server, and what it alters in one that a
// backup of it was restored into.
//
//   fill:
//     - do: create table orders (…)     # in the server's own language, see fingerprint/console.h
//     - do: SET m%d %d                  # every %d counts from 1
//       times: 250
//   alterations:                        # each upon those before it
//     - do: [drop function f, create …] # one or several
//       said: "orders.total: …"         # part of what `assay backup verify` must say of it
//       differences: 2                  # how many it must list; left out: 1
#pragma once

#include "base/cleanup.h"
#include "base/string_list.h"
#include "compose/yaml.h"

#include <stddef.h>

struct alteration {
    struct string_list statements;
    const char *said; // borrowed from the table's arena
    size_t differences;
};

struct drill_table {
    struct yaml_arena arena;
    struct string_list fill; // with what is counted spelled out
    struct alteration *alterations;
    size_t count;
};

// `file` is how errors name it; it must outlive the table. ERROR_CONFIGURATION: with the line.
bool drill_table_load(const char *path, const char *file, struct drill_table *ret_table,
                      struct error *err) must_use;
void drill_table_done(struct drill_table *self);

DEFINE_AUTODONE(drill_table, drill_table_done);
