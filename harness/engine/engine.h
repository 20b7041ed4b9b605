// A connection to a Docker Engine: where it is, how to reach it, which API version both speak.
//
// Source of paths and shapes: Docker Engine API v1.41 and later (docs.docker.com/reference/api/
// engine). The version is negotiated by `GET /_ping` (header Api-Version), from 1.41 up to
// ENGINE_API_NEWEST. Safe to use from several threads at once: each request has a handle of its
// own.
//
// Errors of every call in this room name the request ("POST /containers/create") and carry the
// engine's own message:
//   ERROR_ENGINE       it answered with an error; code is the HTTP status (404, 409, 500 …)
//   ERROR_PROTOCOL     what it answered is not the Engine API: not JSON, cut short, HTML, TLS
//   mismatch ERROR_UNAVAILABLE  nothing listens there, permission denied ERROR_TIMEOUT      no byte
//   within the deadline ERROR_CANCELLED
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ENGINE_API_OLDEST "1.41"
#define ENGINE_API_NEWEST "1.51"

struct engine;

struct engine_options {
    const char *host;            // unix:///path, tcp://host:port, https://…; NULL: see below
    const char *certificates;    // folder with ca.pem, cert.pem, key.pem; NULL: no TLS
    bool verify_peer;            // with certificates
    int connect_timeout_ms;      // 0: 5 s
    int idle_timeout_ms;         // longest silence within a request; 0: 60 s
    const struct cancel *cancel; // ends every request; may be NULL
};

// Where the user's engine is, as the docker command would decide: DOCKER_HOST, then DOCKER_CONTEXT
// or the current context of the config file (~/.docker/config.json, $DOCKER_CONFIG), then
// unix:///var/run/docker.sock; DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. Does not connect.
struct engine_location {
    char *host;
    char *certificates; // NULL: no TLS
    bool verify_peer;
    char *origin; // what decided: "DOCKER_HOST", "context \"colima\"", "default": for messages
};
bool engine_locate(struct engine_location *ret_location, struct error *err) must_use;
void engine_location_done(struct engine_location *self);

// Connects and negotiates. An engine older than ENGINE_API_OLDEST is ERROR_UNAVAILABLE.
bool engine_open(const struct engine_options *options, struct engine **ret_engine,
                 struct error *err) must_use;
void engine_close(struct engine *self);

const char *engine_host(const struct engine *self);        // borrowed
const char *engine_api_version(const struct engine *self); // "1.41"
bool engine_is_local(const struct engine *self);           // a unix socket on this host

// GET /version and /info, the parts assay needs.
struct engine_facts {
    char *version;          // "20.10.24+dfsg1"
    char *operating_system; // "linux"
    char *architecture;     // "amd64"
    char *storage_driver;
    char *root_folder;
    int64_t memory_bytes;
    int processors;
    bool rootless;
};
bool engine_facts(struct engine *self, struct engine_facts *ret_facts, struct error *err) must_use;
void engine_facts_done(struct engine_facts *self);

DEFINE_AUTOFREE(engine, engine_close);
DEFINE_AUTODONE(engine_location, engine_location_done);
DEFINE_AUTODONE(engine_facts, engine_facts_done);
