#include "engine/network.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "engine/engine_private.h"
#include "engine/query.h"
#include "engine/request.h"

#include <string.h>

#define HELD_MS 2000 // for containers that are still on their way out

static bool inspect(struct engine *engine, const char *collection, const char *name,
                    json_t **ret_json, struct error *err) {
    autofree_string char *path = query_path(collection, name, "");
    const struct request request = {.method = "GET", .path = path};
    return request_json(engine, &request, ret_json, err);
}

static bool list(struct engine *engine, const char *path, const char *const *filters,
                 json_t **ret_json, struct error *err) {
    autodone(text) struct text query = {0};
    query_add_filters(&query, filters);
    const struct request request = {.method = "GET", .path = path, .query = text_string(&query)};
    return request_json(engine, &request, ret_json, err);
}

static bool remove_named(struct engine *engine, const char *collection, const char *name,
                         struct error *err) {
    autofree_string char *path = query_path(collection, name, "");
    const struct request request = {.method = "DELETE", .path = path};
    struct error reason = {0};
    if (request_perform(engine, &request, &reason) ||
        (reason.domain == ERROR_ENGINE && reason.code == 404))
        return true;
    if (err != NULL)
        *err = reason;
    return false;
}

bool network_create(struct engine *engine, const json_t *body, char **ret_id, struct error *err) {
    const struct request request = {
        .method = "POST", .path = "/networks/create", .json = body, .makes = true};
    return request_json_string(engine, &request, "Id", ret_id, err);
}

bool network_inspect(struct engine *engine, const char *id, json_t **ret_json, struct error *err) {
    return inspect(engine, "/networks", id, ret_json, err);
}

bool network_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                  struct error *err) {
    return list(engine, "/networks", filters, ret_array, err);
}

bool network_connect(struct engine *engine, const char *id, const json_t *body, struct error *err) {
    autofree_string char *path = query_path("/networks", id, "/connect");
    const struct request request = {.method = "POST", .path = path, .json = body};
    return request_perform(engine, &request, err);
}

bool network_disconnect(struct engine *engine, const char *id, const char *container,
                        struct error *err) {
    autofree_string char *path = query_path("/networks", id, "/disconnect");
    json_t *body = json_pack("{s:s, s:b}", "Container", container, "Force", 1);
    const struct request request = {.method = "POST", .path = path, .json = body};
    const bool done = request_perform(engine, &request, err);
    json_decref(body);
    return done;
}

// ---- removing a network

// An engine that was busy may hold on to the endpoint of a container that is gone: listed as
// "ep-<id>" in place of a container's id (moby, daemon/network.go). Whoever is alive stays.
static void let_go_of_the_dead(struct engine *engine, const char *id) {
    json_t *network = NULL, *endpoint;
    const char *key;
    if (!network_inspect(engine, id, &network, NULL))
        return;
    json_object_foreach (json_object_get(network, "Containers"), key, endpoint) {
        const char *name = json_string_value(json_object_get(endpoint, "Name"));
        if (strncmp(key, "ep-", 3) == 0 && name != NULL)
            (void)!network_disconnect(engine, id, name, NULL); // the next attempt tells
    }
    json_decref(network);
}

struct removal {
    struct engine *engine;
    const char *id;
    struct error reason; // of the last attempt
};

static bool is_held(const struct removal *self) {
    return self->reason.domain == ERROR_ENGINE &&
           strstr(self->reason.message, "has active endpoints") != NULL;
}

static bool is_removed(void *context, struct error *err) {
    struct removal *self = context;
    error_clear(&self->reason);
    if (remove_named(self->engine, "/networks", self->id, &self->reason))
        return true;
    if (is_held(self))
        let_go_of_the_dead(self->engine, self->id);
    if (err != NULL)
        *err = self->reason;
    return false;
}

static bool is_hopeless(void *context, struct error *err) {
    const struct removal *self = context;
    if (err != NULL)
        *err = self->reason;
    return !is_held(self);
}

bool network_remove(struct engine *engine, const char *id, struct error *err) {
    struct removal removal = {.engine = engine, .id = id};
    if (is_removed(&removal, err))
        return true;
    if (is_held(&removal) &&
        eventually(deadline_in_ms(HELD_MS), is_removed, &removal, NULL, .interval_ms = 50,
                   .cancel = engine->cancel, .hopeless = is_hopeless))
        return true;
    if (err != NULL)
        *err = removal.reason;
    return false;
}

bool volume_create(struct engine *engine, const json_t *body, struct error *err) {
    const struct request request = {
        .method = "POST", .path = "/volumes/create", .json = body, .makes = true};
    return request_perform(engine, &request, err);
}

bool volume_inspect(struct engine *engine, const char *name, json_t **ret_json, struct error *err) {
    return inspect(engine, "/volumes", name, ret_json, err);
}

// GET /volumes wraps its array: {"Volumes": [...] or null, "Warnings": ...}.
bool volume_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                 struct error *err) {
    json_t *json = NULL;
    if (!list(engine, "/volumes", filters, &json, err))
        return false;
    json_t *volumes = json_object_get(json, "Volumes");
    *ret_array = json_is_array(volumes) ? json_incref(volumes) : json_array();
    json_decref(json);
    return true;
}

bool volume_remove(struct engine *engine, const char *name, struct error *err) {
    return remove_named(engine, "/volumes", name, err);
}
