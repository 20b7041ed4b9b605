// What scenario.c and spare.c share. Nobody else includes it.
#pragma once

#include "base/string_list.h"
#include "compose/environment_file.h"
#include "scenario/scenario.h"

struct owned {
    void *object;
    void (*free_object)(void *object);
};

struct scenario {
    struct environment_file *environment; // NULL: not started by the runner
    struct engine *engine;                // opened when first asked for
    struct owned *owned;
    size_t owned_count;
};

// Ends the test as not verified when there is none.
const struct environment_file *scenario_environment(const struct scenario *self);
// The service of that name, or all services of that group.
void scenario_services_of(struct scenario *self, const char *service_or_group,
                          struct string_list *ret_services);
