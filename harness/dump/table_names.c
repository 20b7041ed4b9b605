#include "dump/table_names.h"

void table_names_add(struct table_names *self, const char *name) {
    if (self->count++ < OBJECT_LIMIT)
        string_list_add(&self->names, name);
}

void table_names_done(struct table_names *self) {
    string_list_done(&self->names);
    self->count = 0;
}

void table_names_give(struct table_names *defined, struct table_names *with_data,
                      struct dump_facts *facts) {
    struct table_names *given = defined->count > 0 ? defined : with_data;
    string_list_done(&facts->objects);
    facts->objects = given->names;
    facts->object_count = given->count;
    *given = (struct table_names){0};
    table_names_done(defined);
    table_names_done(with_data);
}
