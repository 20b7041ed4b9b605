// Random tables in SQL, one maker for two dialects: see random_dataset.h.
#pragma once

#include "base/string_list.h"
#include "base/text.h"
#include "value/chance.h"

struct random_type {
    const char *name; // "numeric(12,3)"
    void (*write)(struct chance *chance, struct text *text);
    bool is_ordered; // an index may be made of it
};

struct random_dialect {
    const struct random_type *types; // the last has no name
    const char *const *before;       // statements, NULL-terminated: an empty database
    const char *quote;               // around names: "`"
    bool has_materialized_views;
    bool has_partial_indexes;
};
extern const struct random_dialect RANDOM_POSTGRES, RANDOM_MYSQL;

void random_sql(const struct random_dialect *dialect, struct chance *chance,
                struct string_list *statements);
