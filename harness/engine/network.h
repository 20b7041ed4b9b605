// Networks and volumes: the /networks and /volumes endpoints.
#pragma once

#include "engine/engine.h"

// `body` is the engine's own JSON for POST /networks/create.
bool network_create(struct engine *engine, const json_t *body, char **ret_id,
                    struct error *err) must_use;
bool network_inspect(struct engine *engine, const char *id, json_t **ret_json,
                     struct error *err) must_use;
bool network_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                  struct error *err) must_use;
bool network_connect(struct engine *engine, const char *id, const json_t *body,
                     struct error *err) must_use;
bool network_disconnect(struct engine *engine, const char *id, const char *container,
                        struct error *err) must_use;
// Gone is fine. One that the engine believes in use gets two seconds, and endpoints of containers
// that are gone already are taken off it.
bool network_remove(struct engine *engine, const char *id, struct error *err) must_use;

bool volume_create(struct engine *engine, const json_t *body, struct error *err) must_use;
bool volume_inspect(struct engine *engine, const char *name, json_t **ret_json,
                    struct error *err) must_use;
bool volume_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                 struct error *err) must_use;
bool volume_remove(struct engine *engine, const char *name,
                   struct error *err) must_use; // gone is fine
