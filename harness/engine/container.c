#include "engine/container.h"

#include "base/clock.h"
#include "base/eventually.h"
#include "base/memory.h"
#include "engine/engine_private.h"
#include "engine/query.h"
#include "engine/request.h"

#include <stdio.h>
#include <string.h>

#define REMOVAL_TIMEOUT_MS 30000
#define FREEZE_WITHIN_MS 10000
#define RESTART_GRACE_MS 10000 // the engine's own, before it kills

static char *path_of(const char *id, const char *action) {
    return query_path("/containers", id, action);
}

// POST /containers/<id><action>?<query>, answered without a body that matters.
static bool post(struct engine *engine, const char *id, const char *action, const char *query,
                 int idle_timeout_ms, struct error *err) {
    autofree_string char *path = path_of(id, action);
    const struct request request = {
        .method = "POST", .path = path, .query = query, .idle_timeout_ms = idle_timeout_ms};
    return request_perform(engine, &request, err);
}

static bool get(struct engine *engine, const char *id, const char *action, const char *query,
                json_t **ret_json, struct error *err) {
    autofree_string char *path = path_of(id, action);
    const struct request request = {.method = "GET", .path = path, .query = query};
    return request_json(engine, &request, ret_json, err);
}

bool container_create(struct engine *engine, const char *name, const char *platform,
                      const json_t *body, char **ret_id, struct error *err) {
    autodone(text) struct text query = {0};
    query_add(&query, "name", name);
    query_add(&query, "platform", platform);
    const struct request request = {.method = "POST",
                                    .path = "/containers/create",
                                    .query = text_string(&query),
                                    .json = body,
                                    .makes = true};
    return request_json_string(engine, &request, "Id", ret_id, err);
}

bool container_start(struct engine *engine, const char *id, struct error *err) {
    return post(engine, id, "/start", NULL, 0, err);
}

bool container_inspect(struct engine *engine, const char *id, json_t **ret_json,
                       struct error *err) {
    return get(engine, id, "/json", NULL, ret_json, err);
}

bool container_wait(struct engine *engine, const char *id, int timeout_ms, int *ret_exit_status,
                    struct error *err) {
    autofree_string char *path = path_of(id, "/wait");
    const struct request request = {
        .method = "POST",
        .path = path,
        .timeout_ms = timeout_ms > 0 ? timeout_ms : engine->idle_timeout_ms,
        .idle_timeout_ms = REQUEST_NO_IDLE_LIMIT,
    };
    json_t *json = NULL;
    if (!request_json(engine, &request, &json, err))
        return false;
    const json_t *status = json_object_get(json, "StatusCode");
    const char *problem =
        json_string_value(json_object_get(json_object_get(json, "Error"), "Message"));
    bool done = false;
    if (problem != NULL && problem[0] != '\0')
        error_set(err, ERROR_ENGINE, 500, "POST %s: %s", path, problem);
    else if (!json_is_integer(status))
        error_set(err, ERROR_PROTOCOL, 0, "POST %s: the answer has no StatusCode", path);
    else
        done = true;
    if (done)
        *ret_exit_status = (int)json_integer_value(status);
    json_decref(json);
    return done;
}

bool container_stop(struct engine *engine, const char *id, int grace_s, struct error *err) {
    autodone(text) struct text query = {0};
    query_add_number(&query, "t", grace_s);
    return post(engine, id, "/stop", text_string(&query), engine->idle_timeout_ms + grace_s * 1000,
                err);
}

bool container_kill(struct engine *engine, const char *id, const char *signal, struct error *err) {
    autodone(text) struct text query = {0};
    query_add(&query, "signal", signal);
    return post(engine, id, "/kill", text_string(&query), 0, err);
}

struct freezing {
    struct engine *engine;
    const char *id;
    struct error last;
};

static bool try_to_freeze(void *context, struct error *err) {
    struct freezing *self = context;
    const bool frozen = post(self->engine, self->id, "/pause", NULL, 0, &self->last);
    if (!frozen && err != NULL)
        *err = self->last;
    return frozen;
}

// runc before 1.2 gives up freezing a busy container after a moment ("unable to freeze"); any other
// answer will not change.
static bool will_never_freeze(void *context, struct error *err) {
    const struct freezing *self = context;
    if (strstr(self->last.message, "unable to freeze") != NULL)
        return false;
    if (err != NULL)
        *err = self->last;
    return true;
}

bool container_pause(struct engine *engine, const char *id, struct error *err) {
    struct freezing freezing = {.engine = engine, .id = id};
    return eventually(deadline_in_ms(FREEZE_WITHIN_MS), try_to_freeze, &freezing, err,
                      .interval_ms = 20, .hopeless = will_never_freeze);
}

bool container_unpause(struct engine *engine, const char *id, struct error *err) {
    return post(engine, id, "/unpause", NULL, 0, err);
}

bool container_restart(struct engine *engine, const char *id, struct error *err) {
    return post(engine, id, "/restart", NULL, engine->idle_timeout_ms + RESTART_GRACE_MS, err);
}

// ---- removal

struct removal {
    struct engine *engine;
    const char *id;
    bool refused;        // inspect failed for a reason that waiting does not mend:
    struct error reason; // this one
};

static bool is_gone(void *context, struct error *err) {
    struct removal *self = context;
    json_t *json = NULL;
    if (container_inspect(self->engine, self->id, &json, &self->reason)) {
        json_decref(json);
        return error_set(err, ERROR_TIMEOUT, 0, "the container %s is still being removed",
                         self->id);
    }
    self->refused = self->reason.domain != ERROR_ENGINE || self->reason.code != 404;
    return !self->refused;
}

static bool is_refused(void *context, struct error *err) {
    const struct removal *self = context;
    if (self->refused && err != NULL)
        *err = self->reason;
    return self->refused;
}

bool container_remove(struct engine *engine, const char *id, struct error *err) {
    autofree_string char *path = path_of(id, "");
    const struct request request = {.method = "DELETE", .path = path, .query = "force=1&v=1"};
    struct error reason = {0};
    if (request_perform(engine, &request, &reason))
        return true;
    if (reason.domain == ERROR_ENGINE && reason.code == 404)
        return true;
    // Someone else is removing it: gone means gone, so wait for that.
    if (reason.domain == ERROR_ENGINE && reason.code == 409 &&
        strstr(reason.message, "already in progress") != NULL) {
        struct removal removal = {.engine = engine, .id = id};
        return eventually(deadline_in_ms(REMOVAL_TIMEOUT_MS), is_gone, &removal, err,
                          .cancel = engine->cancel, .hopeless = is_refused);
    }
    if (err != NULL)
        *err = reason;
    return false;
}

// ---- looking

bool container_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                    struct error *err) {
    autodone(text) struct text query = {0};
    query_add_number(&query, "all", 1);
    query_add_filters(&query, filters);
    const struct request request = {
        .method = "GET", .path = "/containers/json", .query = text_string(&query)};
    return request_json(engine, &request, ret_array, err);
}

bool container_stats(struct engine *engine, const char *id, json_t **ret_json, struct error *err) {
    return get(engine, id, "/stats", "stream=0&one-shot=1", ret_json, err);
}

bool container_state(struct engine *engine, const char *id, struct container_state *ret_state,
                     struct error *err) {
    json_t *json = NULL;
    if (!container_inspect(engine, id, &json, err))
        return false;
    const json_t *state = json_object_get(json, "State");
    if (!json_is_object(state)) {
        json_decref(json);
        return error_set(err, ERROR_PROTOCOL, 0, "GET /containers/%s/json: the answer has no State",
                         id);
    }
    const char *health =
        json_string_value(json_object_get(json_object_get(state, "Health"), "Status"));
    *ret_state = (struct container_state){
        .running = json_is_true(json_object_get(state, "Running")),
        .paused = json_is_true(json_object_get(state, "Paused")),
        .oom_killed = json_is_true(json_object_get(state, "OOMKilled")),
        .exit_status = (int)json_integer_value(json_object_get(state, "ExitCode")),
    };
    // "none" is what some engines say of a container without a health check.
    if (health != NULL && strcmp(health, "none") != 0)
        snprintf(ret_state->health, sizeof ret_state->health, "%s", health);
    json_decref(json);
    return true;
}
