// The names of tables that a dump holds, as many as OBJECT_LIMIT, and how many they were.
#pragma once

#include "dump/dump.h"

struct table_names {
    struct string_list names;
    uint64_t count;
};

void table_names_add(struct table_names *self, const char *name); // copies
void table_names_done(struct table_names *self);

// The facts' objects are the tables that the dump defines, or, where it defines none, those that it
// has data of. Both are empty afterwards.
void table_names_give(struct table_names *defined, struct table_names *with_data,
                      struct dump_facts *facts);
