#include "run/run_cleanup.h"

#include "base/memory.h"
#include "engine/engine.h"
#include "run/lease.h"
#include "run/private_engine.h"
#include "run/run_folder.h"
#include "run/sweep.h"

#include <stdlib.h>
#include <string.h>

#define KEEPER_DEADLINE_MS 3000

// With the user's certificates, if the engine is the one that the user's settings name.
static bool open_engine(const char *host, struct engine **ret_engine, struct error *err) {
    autodone(engine_location) struct engine_location location = {0};
    struct engine_options options = {.host = host};
    struct error ignored;
    if (engine_locate(&location, &ignored) && strcmp(location.host, host) == 0) {
        options.certificates = location.certificates;
        options.verify_peer = location.verify_peer;
    }
    return engine_open(&options, ret_engine, err);
}

static bool sweep_at(const char *host, const char *run_id, struct error *err) {
    autofree(engine) struct engine *engine = NULL;
    return open_engine(host, &engine, err) && sweep_run(engine, run_id, NULL, err);
}

// Holds the private engine meanwhile, so that no other run that ends stops it under us.
static bool sweep_private(const char *state, const char *host, const char *run_id,
                          struct error *err) {
    struct private_engine *held = NULL;
    if (!private_engine_open(state, NULL, &held, err))
        return false;
    const bool swept = sweep_at(host, run_id, err);
    if (swept)
        lease_forget(state, run_id); // before the close: a lease would keep the engine
    private_engine_close(held);
    return swept;
}

bool run_cleanup(const char *state_folder, const char *run_id,
                 const struct string_list *engine_hosts, struct error *err) {
    // First, for secrets lie in it. What runs still has its files open or mounted.
    bool done = run_folder_remove(run_id, NULL, err);
    for (size_t i = 0; i < engine_hosts->count; i++) {
        const char *host = engine_hosts->items[i];
        done = (private_engine_is_host(state_folder, host)
                    ? sweep_private(state_folder, host, run_id, err)
                    : sweep_at(host, run_id, err)) &&
               done;
    }
    if (done)
        lease_forget(state_folder, run_id);
    // A run may have ended after it started the engine and before it said so.
    return private_engine_stop_if_unused(state_folder, err) && done;
}

bool stack_end(const char *state_folder, const char *name, struct error *err) {
    autodone(lease_facts) struct lease_facts facts = {0};
    if (!lease_find(state_folder, name, &facts, err))
        return false;
    autodone(string_list) struct string_list hosts = {0};
    string_list_add(&hosts, facts.engine_host);
    if (!run_cleanup(state_folder, facts.run_id, &hosts, err))
        return error_prefix(err, "cannot remove the stack \"%s\"", name);
    lease_wait_for_keeper(state_folder, name, KEEPER_DEADLINE_MS);
    return true;
}
