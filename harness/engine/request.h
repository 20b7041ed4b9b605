// One HTTP request to the engine, from its options to a reply or a struct error (see engine.h for
// the domains). Internal to engine/.
//
// Safe from several threads at once. A GET may use a connection kept alive (curl repeats it once
// when that has gone stale); everything else travels on a connection of its own, since curl would
// repeat that as well and a repeated "create" is not the same as one.
#pragma once

#include "base/text.h"
#include "engine/archive.h"
#include "engine/engine.h"

#define REQUEST_NO_IDLE_LIMIT (-1)

struct request {
    const char *method; // "GET", "POST", "PUT", "DELETE"
    const char *path;   // encoded, without the version: from query_path()
    const char *query;  // encoded; NULL: none

    // At most one of these is the body.
    const json_t *json;
    const int *body_fd; // a regular file is sent whole, whatever its position; others to their end

    const char *content_type;  // of body_fd; NULL: application/x-tar
    const char *registry_auth; // X-Registry-Auth; NULL: none

    // Takes the body of a 2xx reply as it comes; NULL: it is kept (up to 64 MiB) for JSON.
    // A sink that returns false without setting err ends the request, which counts as success.
    byte_sink *sink;
    void *context;                   // of sink and on_reply
    void (*on_reply)(void *context); // called when a 2xx status and all headers are there

    int idle_timeout_ms; // 0: the engine's
    bool slow;           // the engine may work long before it answers: ten times the idle timeout
    int timeout_ms;      // for the whole request; 0: none
    const struct cancel *cancel; // besides the engine's; may be NULL
    // It makes what would stay in the engine: once sent, its answer is waited for even when it is
    // cancelled, for 10 s at most. Who does not know what was made cannot remove it.
    bool makes;
};

struct reply {
    int status;
    char api_version[16]; // header Api-Version; "" when absent
    int64_t date_s;       // header Date, since 1970; 0 when absent
    struct text body;     // when there was no sink
};
void reply_done(struct reply *self);

bool request_exchange(struct engine *engine, const struct request *request, struct reply *ret_reply,
                      struct error *err) must_use;
// The reply's body does not matter.
bool request_perform(struct engine *engine, const struct request *request,
                     struct error *err) must_use;
// The reply must be JSON.
bool request_json(struct engine *engine, const struct request *request, json_t **ret_json,
                  struct error *err) must_use;
// The reply must be a JSON object with a string `key`.
bool request_json_string(struct engine *engine, const struct request *request, const char *key,
                         char **ret_value, struct error *err) must_use;

// "http://localhost/v1.41/containers/json?all=1".
char *request_url(const struct engine *engine, const char *path, const char *query) must_use;

DEFINE_AUTODONE(reply, reply_done);
