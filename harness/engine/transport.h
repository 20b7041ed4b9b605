// How the engine is reached: its address, TLS files, and a pool of connections kept alive.
// Internal to engine/.
#pragma once

#include "engine/engine.h"

#include <curl/curl.h>
#include <pthread.h>

// A curl handle with a connection cache of its own. One request at a time uses it.
struct channel {
    CURLM *multi;
    CURL *easy;
    char reason[CURL_ERROR_SIZE]; // curl's own words on a failure
};

#define TRANSPORT_IDLE_CHANNELS 16

struct transport {
    char *base_url;    // "http://localhost", "https://10.0.0.5:2376": no slash at the end
    char *socket_path; // NULL: TCP
    char *ca_file;     // these three: NULL when not there
    char *certificate_file;
    char *key_file;
    bool tls;
    bool verify_peer;
    int connect_timeout_ms;
    pthread_mutex_t mutex;
    struct channel *idle[TRANSPORT_IDLE_CHANNELS]; // under mutex
    size_t idle_count;                             // under mutex
};

// ERROR_CONFIGURATION when the host cannot be understood.
bool transport_init(struct transport *self, const struct engine_options *options,
                    struct error *err) must_use;
void transport_done(struct transport *self);

// A channel with every option of the connection set and none of a request; hand it back with
// `reusable` false when its request failed.
struct channel *transport_take(struct transport *self);
void transport_give(struct transport *self, struct channel *channel, bool reusable);

// Whether something at a TCP address answers in the other dialect: TLS when we speak plain HTTP,
// plain HTTP when we speak TLS. For an explanation after a failure.
bool transport_other_dialect_answers(struct transport *self);
