// The /events stream: what happens to containers, as it happens.
#pragma once

#include "engine/engine.h"

struct engine_event {
    const char *type;   // "container", "network" …
    const char *action; // "die", "oom", "start", "health_status: healthy" …
    const char *id;     // of the container
    const char *name;   // its name, or ""
    int exit_status;    // of a "die"; -1 otherwise
    int64_t time_ns;    // the engine's clock
};

// Return false to end the stream.
typedef bool engine_event_sink(void *context, const struct engine_event *event);

// Blocks, calling sink for each event, until sink says stop, cancel is set (both return true), or
// the stream breaks (false: the engine is gone or restarting). `on_open` is called once when the
// engine has accepted the subscription: what is created after it will be seen; may be NULL.
bool engine_events(struct engine *engine, const char *const *filters,
                   void (*on_open)(void *context), engine_event_sink *sink, void *context,
                   const struct cancel *cancel, struct error *err) must_use;
