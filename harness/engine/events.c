#include "engine/events.h"

#include "base/clock.h"
#include "engine/engine_private.h"
#include "engine/json_stream.h"
#include "engine/query.h"
#include "engine/request.h"

#include <stdio.h>
#include <stdlib.h>

struct subscription {
    struct json_stream stream;
    engine_event_sink *sink;
    void *context;
    void (*on_open)(void *context);
    bool stopped;
};

static const char *string_or_empty(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

static bool take_event(void *context, const json_t *object, struct error *err) {
    (void)err;
    struct subscription *self = context;
    const json_t *actor = json_object_get(object, "Actor");
    const json_t *attributes = json_object_get(actor, "Attributes");
    const char *exit_status = json_string_value(json_object_get(attributes, "exitCode"));
    const struct engine_event event = {
        .type = string_or_empty(object, "Type"),
        .action = string_or_empty(object, "Action"),
        .id = string_or_empty(actor, "ID"),
        .name = string_or_empty(attributes, "name"),
        .exit_status = exit_status != NULL ? (int)strtol(exit_status, NULL, 10) : -1,
        .time_ns = json_integer_value(json_object_get(object, "timeNano")),
    };
    self->stopped = !self->sink(self->context, &event);
    return !self->stopped;
}

static bool take_bytes(void *context, const void *bytes, size_t length, struct error *err) {
    struct subscription *self = context;
    return json_stream_feed(&self->stream, bytes, length, err);
}

static void opened(void *context) {
    struct subscription *self = context;
    if (self->on_open != NULL)
        self->on_open(self->context);
}

// The engine sends its headers just before it subscribes us. `since` makes it hand over what
// happened in between too: from now by this host's clock for an engine on this host, and by the
// engine's own, in whole seconds from the header Date, for one elsewhere.
static bool add_since(struct engine *engine, struct text *query, struct error *err) {
    if (engine_is_local(engine)) {
        const long long now_ms = clock_wall_ms();
        text_appendf(query, "%ssince=%lld.%09lld", query->length > 0 ? "&" : "", now_ms / 1000,
                     now_ms % 1000 * 1000000);
        return true;
    }
    const struct request ask = {.method = "GET", .path = "/_ping"};
    autodone(reply) struct reply reply = {0};
    if (!request_exchange(engine, &ask, &reply, err))
        return false;
    if (reply.date_s > 0)
        text_appendf(query, "%ssince=%lld", query->length > 0 ? "&" : "", (long long)reply.date_s);
    return true;
}

bool engine_events(struct engine *engine, const char *const *filters,
                   void (*on_open)(void *context), engine_event_sink *sink, void *context,
                   const struct cancel *cancel, struct error *err) {
    struct subscription self = {.sink = sink, .context = context, .on_open = on_open};
    autodone(text) struct text query = {0};
    query_add_filters(&query, filters);
    if (!add_since(engine, &query, err))
        return cancel_requested(cancel);
    json_stream_init(&self.stream, 0, take_event, &self);
    const struct request request = {
        .method = "GET",
        .path = "/events",
        .query = text_string(&query),
        .sink = take_bytes,
        .on_reply = opened,
        .context = &self,
        .idle_timeout_ms = REQUEST_NO_IDLE_LIMIT,
        .cancel = cancel,
    };
    bool done = request_perform(engine, &request, err);
    const bool ended = done && !self.stopped;
    if (ended && json_stream_end(&self.stream, err))
        error_set(err, ERROR_UNAVAILABLE, 0,
                  "GET /events: the engine at %s ended the stream: it is stopping or restarting",
                  engine_host(engine));
    json_stream_done(&self.stream);
    return cancel_requested(cancel) || (done && !ended);
}
