// Alertmanager by its HTTP API, version 2 (github.com/prometheus/alertmanager,
// api/v2/openapi.yaml).
//
// Results are borrowed from the client until its next call. Errors as in client/http.h, and
// ERROR_SERVICE with the status as reference and Alertmanager's own message: 400 SYNTAX (a bad
// matcher, an alert without labels), the rest as http_service_error().
#pragma once

#include "client/endpoint.h"
#include "client/kind.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <stdint.h>

struct alertmanager;

bool alertmanager_open(const struct endpoint *endpoint, struct alertmanager **ret_alertmanager,
                       struct error *err) must_use; // does not connect
void alertmanager_close(struct alertmanager *self);

// ---- alerts -------------------------------------------------------------------------------------

struct alertmanager_pair {
    const char *name;
    const char *value;
};
struct alertmanager_alert_options {
    const struct alertmanager_pair *labels; // in addition to alertname; ends with a NULL name
    const struct alertmanager_pair *annotations;
    int64_t starts_wall_ms;    // since 1970; 0: now
    int64_t ends_wall_ms;      // 0: the server's resolve_timeout from now
    const char *generator_url; // NULL: none
};
// The same labels again change the alert that is there; ends in the past resolves it.
bool alertmanager_post_with(struct alertmanager *self, const char *alertname, struct error *err,
                            const struct alertmanager_alert_options *options) must_use;
#define alertmanager_post(self, alertname, err, ...) \
    alertmanager_post_with(                          \
        (self), (alertname), (err),                  \
        &(const struct alertmanager_alert_options){.starts_wall_ms = 0, __VA_ARGS__})
#define alertmanager_pairs(...) ((const struct alertmanager_pair[]){__VA_ARGS__, {NULL, NULL}})

// A whole array of postableAlert as it is: for what the function above cannot say.
bool alertmanager_post_json(struct alertmanager *self, const json_t *alerts,
                            struct error *err) must_use;

struct alertmanager_alert {
    const char *name;
    const char *state; // "active", "suppressed", "unprocessed"
    const char *fingerprint;
    const char *starts_at; // RFC 3339
    const char *ends_at;
    const char *receiver; // the first
    size_t receivers;
    size_t silenced_by; // how many silences
    size_t inhibited_by;
    const json_t *labels;
    const json_t *annotations;
};
// filter: a matcher (`alertname="x"`), NULL: all. Resolved alerts are not listed by Alertmanager.
bool alertmanager_alerts(struct alertmanager *self, const char *filter,
                         const struct alertmanager_alert **ret_alerts, size_t *ret_count,
                         struct error *err) must_use;
// For must_become(alertmanager_count(am, filter, err) == 1, 2000); -1 on failure.
int alertmanager_count(struct alertmanager *self, const char *filter, struct error *err);
// The first alert of that filter, NULL when there is none or on failure: for must_become as well.
const struct alertmanager_alert *alertmanager_first(struct alertmanager *self, const char *filter,
                                                    struct error *err);

// ---- silences -----------------------------------------------------------------------------------

#define ALERTMANAGER_SILENCE_ID_SIZE 64
struct alertmanager_silence_options {
    bool regex;             // value is a regular expression (RE2, anchored)
    bool not_equal;         // what does not match
    int for_s;              // 0: 5 minutes
    const char *comment;    // NULL: "assay"
    const char *created_by; // NULL: "assay"
};
bool alertmanager_silence_with(struct alertmanager *self, const char *label, const char *value,
                               char id[ALERTMANAGER_SILENCE_ID_SIZE], struct error *err,
                               const struct alertmanager_silence_options *options) must_use;
#define alertmanager_silence(self, label, value, id, err, ...) \
    alertmanager_silence_with(                                 \
        (self), (label), (value), (id), (err),                 \
        &(const struct alertmanager_silence_options){.regex = false, __VA_ARGS__})
bool alertmanager_expire_silence(struct alertmanager *self, const char *id,
                                 struct error *err) must_use;
// "active", "pending", "expired".
bool alertmanager_silence_state(struct alertmanager *self, const char *id, char *buffer,
                                size_t size, struct error *err) must_use;

// ---- the server ---------------------------------------------------------------------------------

struct alertmanager_status {
    const char *version;
    const char *cluster; // "ready", "settling", "disabled"
    const char *config;  // YAML
};
bool alertmanager_status(struct alertmanager *self, struct alertmanager_status *ret_status,
                         struct error *err) must_use;
bool alertmanager_receivers(struct alertmanager *self, const json_t **ret_names,
                            struct error *err) must_use; // an array of strings
bool alertmanager_reload(struct alertmanager *self, struct error *err) must_use; // POST /-/reload

// ---- for the table of kinds ---------------------------------------------------------------------

// Posts an alert {alertname: assay_readiness, severity: none, probe: <unique>}, reads it back and
// resolves it: a resolved alert that was never notified of is never notified.
bool alertmanager_ready(const struct kind_members *members, const struct kind_options *options,
                        struct error *err) must_use;
bool alertmanager_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                           struct error *err) must_use;

DEFINE_AUTOFREE(alertmanager, alertmanager_close);
