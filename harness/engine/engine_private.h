// What the rooms' files share of struct engine. Internal to engine/.
#pragma once

#include "engine/engine.h"
#include "engine/transport.h"

#define ENGINE_IDLE_TIMEOUT_MS 60000
#define ENGINE_VERSION_SIZE 16

struct engine {
    struct transport transport;
    char *host;
    char api_version[ENGINE_VERSION_SIZE]; // "1.41"; "" until negotiated
    int idle_timeout_ms;
    const struct cancel *cancel; // may be NULL
};
