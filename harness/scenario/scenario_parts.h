// What scenario.c, service.c and spare.c share. Nobody else includes it.
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
    struct error no_environment;          // why; a test's own err is cleared again and again
    struct engine *engine;                // opened when first asked for
    struct owned *owned;
    size_t owned_count;
};

// Ends the test as not verified when there is none.
const struct environment_file *scenario_environment(const struct scenario *self);
// The service of that name, or all services of that group; NULL: all there are.
void scenario_services_of(struct scenario *self, const char *service_or_group,
                          struct string_list *ret_services);
// false when it cannot be opened; a test that needs it calls scenario_engine.
bool scenario_open_engine(struct scenario *self, struct error *problem) must_use;
// How long the clients of this test wait for an answer, at most.
int scenario_patience_ms(void);

// Ends the test as not verified: neither a service nor a group of this name is in the stack.
noreturn void scenario_lacks(const struct scenario *self, const char *name);
