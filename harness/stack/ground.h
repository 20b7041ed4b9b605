// What services stand on: the run's own networks, on free subnets, and its own fresh volumes.
#pragma once

#include "compose/plan.h"
#include "engine/engine.h"
#include "run/run.h"

struct ground_network {
    char *id;
    char *name;       // "assay-<run>-<key>"
    uint32_t address; // of the run's subnet, host byte order; 0 when the engine chose it
};

struct ground {
    struct ground_network *networks; // in the order of plan->networks
    size_t network_count;
    char **volumes; // names, in the order of plan->volumes
    size_t volume_count;
};

// On failure *ret_ground holds what was made until then.
bool ground_make(struct run *run, struct engine *engine, const struct plan *plan,
                 const char *suffix, struct ground *ret_ground, struct error *err) must_use;
// Whether this host has a leg in the run's first network, so that containers can be reached at
// their own addresses: a local engine that is not in a virtual machine and not rootless.
bool ground_is_within_reach(const struct ground *self, struct engine *engine);
bool ground_remove(struct ground *self, struct engine *engine, struct error *err) must_use;
void ground_done(struct ground *self); // memory only
