// A connection to the engine that has stopped speaking HTTP: both directions at once, raw, as
// exec with standard input needs (Engine API, "Start an exec instance"). Over libcurl's
// CONNECT_ONLY, so a unix socket, TCP and TLS alike. Internal to engine/.
#pragma once

#include "base/clock.h"
#include "engine/archive.h"
#include "engine/engine.h"

struct hijack {
    const char *path;    // of the POST that upgrades
    const json_t *json;  // its body
    byte_source *source; // sent once the engine has agreed, then the sending side is closed
    void *source_context;
    const int *source_fd; // the source is asked only when this is readable; NULL: at any time
    byte_sink *sink;      // takes what comes back, to its end; may stop as in request.h
    void *context;
    struct deadline deadline;
    int timeout_ms; // of that deadline, for the message
};

bool hijack_perform(struct engine *engine, const struct hijack *hijack, struct error *err) must_use;
