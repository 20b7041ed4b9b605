// Prometheus by its HTTP API, version 1 (prometheus.io/docs/prometheus/latest/querying/api).
//
// Results are borrowed from the client until its next call.
//
// Errors as in client/http.h, and ERROR_SERVICE with Prometheus' own errorType as reference
// ("bad_data", "timeout", "execution" …) and its message:
//   bad_data SYNTAX
//   timeout, canceled LIMIT
//   unavailable NOT_READY
//   not_found NOT_FOUND
//   what --web.enable-admin-api or --web.enable-lifecycle would allow UNSUPPORTED
//   any other OTHER
#pragma once

#include "client/endpoint.h"
#include "client/kind.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <stdint.h>

struct prometheus;

bool prometheus_open(const struct endpoint *endpoint, struct prometheus **ret_prometheus,
                     struct error *err) must_use; // does not connect
void prometheus_close(struct prometheus *self);

// ---- queries ------------------------------------------------------------------------------------

enum prometheus_type {
    PROMETHEUS_SCALAR, // one series without labels, one sample
    PROMETHEUS_VECTOR, // one sample a series
    PROMETHEUS_MATRIX,
    PROMETHEUS_STRING, // no series; text is set
};
struct prometheus_sample {
    double time_s; // since 1970
    double value;  // may be NaN or infinite
};
struct prometheus_series {
    const json_t *labels; // an object of strings, __name__ included
    const struct prometheus_sample *samples;
    size_t count;
};
struct prometheus_result {
    enum prometheus_type type;
    const struct prometheus_series *series;
    size_t count;
    const char *text;
    size_t warnings;
};
// At time_s, 0: now.
bool prometheus_query(struct prometheus *self, const char *query, double time_s,
                      const struct prometheus_result **ret_result, struct error *err) must_use;
bool prometheus_query_range(struct prometheus *self, const char *query, double start_s,
                            double end_s, double step_s,
                            const struct prometheus_result **ret_result,
                            struct error *err) must_use;
const char *prometheus_label(const struct prometheus_series *series,
                             const char *name); // NULL: none
// The one sample of the one series of an instant query, NaN when there is not exactly one: for
// must_become(prometheus_value(p, "up{job=\"api\"}", err) == 1, 5000). A failed query is NaN as
// well, and only that sets err.
double prometheus_value(struct prometheus *self, const char *query, struct error *err);

// ---- what it knows ------------------------------------------------------------------------------

enum prometheus_health { PROMETHEUS_UNKNOWN, PROMETHEUS_UP, PROMETHEUS_DOWN };
struct prometheus_target {
    const char *job;
    const char *instance;
    const char *url;
    const char *last_error; // "" when the last scrape went well
    enum prometheus_health health;
    const json_t *labels;
};
bool prometheus_targets(struct prometheus *self, const struct prometheus_target **ret_targets,
                        size_t *ret_count, struct error *err) must_use; // the active ones

struct prometheus_rule {
    const char *group;
    const char *name;
    const char *query;
    bool alerting;      // otherwise recording
    const char *state;  // alerting: "inactive", "pending", "firing"; recording: ""
    const char *health; // "ok", "err", "unknown"
    const char *last_error;
    double for_s; // alerting
    const json_t *labels;
    const json_t *annotations;
};
bool prometheus_rules(struct prometheus *self, const struct prometheus_rule **ret_rules,
                      size_t *ret_count, struct error *err) must_use;

struct prometheus_alert {
    const char *name;
    const char *state; // "pending", "firing"
    const json_t *labels;
    const json_t *annotations;
};
bool prometheus_alerts(struct prometheus *self, const struct prometheus_alert **ret_alerts,
                       size_t *ret_count, struct error *err) must_use;

// Alertmanagers it sends to, as URLs; an array of strings.
bool prometheus_alertmanagers(struct prometheus *self, const json_t **ret_urls,
                              struct error *err) must_use;
bool prometheus_config(struct prometheus *self, const char **ret_yaml, struct error *err) must_use;
// Names of metrics or values of any label, sorted by the server: an array of strings.
bool prometheus_label_values(struct prometheus *self, const char *label, const json_t **ret_values,
                             struct error *err) must_use;
bool prometheus_version(struct prometheus *self, char *buffer, size_t size,
                        struct error *err) must_use;

// ---- what it may allow --------------------------------------------------------------------------

// Reads its configuration and rules again (needs --web.enable-lifecycle).
bool prometheus_reload(struct prometheus *self, struct error *err) must_use;
// A snapshot of all data, the head flushed into it (needs --web.enable-admin-api); name of the
// folder.
bool prometheus_snapshot(struct prometheus *self, char *buffer, size_t size,
                         struct error *err) must_use;

// ---- for the table of kinds ---------------------------------------------------------------------

// Ready, and at least one target scraped with success.
bool prometheus_ready(const struct kind_members *members, const struct kind_options *options,
                      struct error *err) must_use;
bool prometheus_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                         struct error *err) must_use; // GET /api/v1/status/buildinfo

DEFINE_AUTOFREE(prometheus, prometheus_close);
