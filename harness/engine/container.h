// Containers: the /containers endpoints.
#pragma once

#include "engine/engine.h"

#include "base/text.h"

// `body` is the engine's own JSON (Config + HostConfig + NetworkingConfig), borrowed; `name` may be
// NULL. Warnings the engine gives are dropped. *ret_id is the caller's.
bool container_create(struct engine *engine, const char *name, const char *platform,
                      const json_t *body, char **ret_id, struct error *err) must_use;
bool container_start(struct engine *engine, const char *id, struct error *err) must_use;
bool container_inspect(struct engine *engine, const char *id, json_t **ret_json,
                       struct error *err) must_use;

// Blocks until the container has stopped; timeout_ms 0 means the engine's idle timeout.
bool container_wait(struct engine *engine, const char *id, int timeout_ms, int *ret_exit_status,
                    struct error *err) must_use;
// SIGTERM (or the image's StopSignal), then SIGKILL after grace_s seconds.
bool container_stop(struct engine *engine, const char *id, int grace_s, struct error *err) must_use;
bool container_kill(struct engine *engine, const char *id, const char *signal,
                    struct error *err) must_use;
bool container_pause(struct engine *engine, const char *id, struct error *err) must_use;
bool container_unpause(struct engine *engine, const char *id, struct error *err) must_use;
bool container_restart(struct engine *engine, const char *id, struct error *err) must_use;
// Force, with its anonymous volumes, without grace; a container that is gone already is fine.
bool container_remove(struct engine *engine, const char *id, struct error *err) must_use;

// All states; each filter is "label=io.assay.run=…" or "name=…". *ret_array as the engine gives it.
bool container_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                    struct error *err) must_use;
// One sample of /stats.
bool container_stats(struct engine *engine, const char *id, json_t **ret_json,
                     struct error *err) must_use;

// What a dead or slow container says of itself, from inspect.
struct container_state {
    bool running;
    bool paused;
    bool oom_killed;
    int exit_status;
    char health[16]; // "", "starting", "healthy", "unhealthy"
};
bool container_state(struct engine *engine, const char *id, struct container_state *ret_state,
                     struct error *err) must_use;
