// Removing what runs left: containers, networks, volumes of an engine and folders of this host,
// only ever by our own labels.
#pragma once

#include "base/error.h"
#include "engine/engine.h"

struct sweep_count {
    int containers;
    int networks;
    int volumes;
    int folders;
    int kept; // of ours, but their owner lives or cannot be judged, or the lease still runs
};

// Everything of one run, whoever owns it.
bool sweep_run(struct engine *engine, const char *run_id, struct sweep_count *ret_count,
               struct error *err) must_use;
// Everything whose owner is provably dead (OWNER_DEAD) and whose lease, if any, has ended.
bool sweep_dead(struct engine *engine, struct sweep_count *ret_count, struct error *err) must_use;
