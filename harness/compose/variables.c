#include "compose/variables.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void variables_done(struct variables *self) {
    if (self == NULL)
        return;
    string_list_done(&self->names);
    string_list_done(&self->values);
}

void variables_set(struct variables *self, const char *name, const char *value) {
    for (size_t i = 0; i < self->names.count; i++) {
        if (strcmp(self->names.items[i], name) != 0)
            continue;
        char *copy = memory_copy_string(value);
        free(self->values.items[i]);
        self->values.items[i] = copy;
        return;
    }
    string_list_add(&self->names, name);
    string_list_add(&self->values, value);
}

const char *variables_own(const struct variables *self, const char *name) {
    for (size_t i = 0; i < self->names.count; i++)
        if (strcmp(self->names.items[i], name) == 0)
            return self->values.items[i];
    return NULL;
}

const char *variables_get(const struct variables *self, const char *name) {
    const char *value = NULL;
    if (self->own_first && (value = variables_own(self, name)) != NULL)
        return value;
    if (!self->closed && (value = getenv(name)) != NULL)
        return value;
    if (self->outer != NULL && (value = variables_get(self->outer, name)) != NULL)
        return value;
    return variables_own(self, name);
}
