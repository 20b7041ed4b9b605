#include "client/prometheus.h"

#include "base/memory.h"
#include "base/text.h"
#include "client/http.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct prometheus {
    struct http *http;
    const struct http_reply *reply; // borrowed from http
    // What the last call lent out.
    void *items; // series, targets, rules or alerts
    struct prometheus_sample *samples;
    json_t *names;
    struct prometheus_result result;
};

bool prometheus_open(const struct endpoint *endpoint, struct prometheus **ret_prometheus,
                     struct error *err) {
    struct http *http;
    if (!http_open(endpoint, &http, err))
        return false;
    struct prometheus *self = memory_new(1, sizeof *self);
    self->http = http;
    *ret_prometheus = self;
    return true;
}

static void take_back(struct prometheus *self) {
    free(self->items);
    free(self->samples);
    json_decref(self->names);
    self->items = NULL;
    self->samples = NULL;
    self->names = NULL;
}

void prometheus_close(struct prometheus *self) {
    if (self == NULL)
        return;
    take_back(self);
    http_close(self->http);
    free(self);
}

// ---- one call -----------------------------------------------------------------------------------

static enum service_error service_error_of(const char *type, const char *said) {
    static const struct {
        const char *type;
        enum service_error code;
    } codes[] = {
        {"bad_data", SERVICE_ERROR_SYNTAX},     {"timeout", SERVICE_ERROR_LIMIT},
        {"canceled", SERVICE_ERROR_LIMIT},      {"unavailable", SERVICE_ERROR_NOT_READY},
        {"not_found", SERVICE_ERROR_NOT_FOUND},
    };
    if (strstr(said, "admin APIs disabled") != NULL) // sent as "unavailable"
        return SERVICE_ERROR_UNSUPPORTED;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i].type, type) == 0)
            return codes[i].code;
    return SERVICE_ERROR_OTHER;
}

static bool refused(const struct prometheus *self, const json_t *json, struct error *err) {
    const char *type = json_string_value(json_object_get(json, "errorType"));
    const char *said = json_string_value(json_object_get(json, "error"));
    if (type == NULL || said == NULL)
        return http_fail(self->reply, err, ERROR_PROTOCOL, 0, NULL,
                         "answered %d with JSON that is not its API's", http_status(self->reply));
    return http_fail(self->reply, err, ERROR_SERVICE, service_error_of(type, said), type, "%s: %s",
                     type, said);
}

// {"status": "success", "data": …} or {"status": "error", "errorType": "…", "error": "…"}.
static bool call(struct prometheus *self, const char *method, const char *path,
                 const json_t **ret_data, struct error *err) {
    const json_t *json;
    take_back(self);
    if (!http_request(self->http, method, path, &self->reply, err))
        return false;
    if (!http_json(self->reply, &json, NULL)) // "Service Unavailable", while it starts
        return http_expect(self->reply, 200, err) && http_json(self->reply, &json, err);
    const char *status = json_string_value(json_object_get(json, "status"));
    const json_t *data = json_object_get(json, "data");
    if (status == NULL || strcmp(status, "success") != 0 || data == NULL)
        return refused(self, json, err);
    *ret_data = data;
    return true;
}

static bool get(struct prometheus *self, const char *path, const json_t **ret_data,
                struct error *err) {
    return call(self, "GET", path, ret_data, err);
}

static bool nonsense(const struct prometheus *self, const char *what, struct error *err) {
    return http_fail(self->reply, err, ERROR_PROTOCOL, 0, NULL, "%s", what);
}

static const char *string_at(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

// ---- queries ------------------------------------------------------------------------------------

// [1435781430.781, "1"]
static bool read_sample(const json_t *pair, struct prometheus_sample *ret_sample) {
    const char *value = json_string_value(json_array_get(pair, 1));
    if (!json_is_number(json_array_get(pair, 0)) || value == NULL)
        return false;
    char *end;
    ret_sample->time_s = json_number_value(json_array_get(pair, 0));
    ret_sample->value = strtod(value, &end); // "NaN", "+Inf" included
    return end != value && *end == '\0';
}

static size_t count_samples(const json_t *list) {
    size_t i, count = 0;
    const json_t *item;
    json_array_foreach (list, i, item) {
        const json_t *values = json_object_get(item, "values");
        count += values != NULL ? json_array_size(values) : 1;
    }
    return count;
}

static bool read_series(const json_t *item, struct prometheus_series *series,
                        struct prometheus_sample *samples) {
    const json_t *values = json_object_get(item, "values"), *pair;
    size_t i;
    series->labels = json_object_get(item, "metric");
    series->samples = samples;
    if (values == NULL) {
        series->count = 1;
        return read_sample(json_object_get(item, "value"), samples);
    }
    series->count = json_array_size(values);
    json_array_foreach (values, i, pair)
        if (!read_sample(pair, &samples[i]))
            return false;
    return true;
}

static bool read_list(struct prometheus *self, const json_t *list, struct error *err) {
    struct prometheus_series *series =
        memory_new(json_array_size(list) + 1, sizeof(struct prometheus_series));
    self->items = series;
    self->samples = memory_new(count_samples(list) + 1, sizeof(struct prometheus_sample));
    struct prometheus_sample *next = self->samples;
    size_t i;
    const json_t *item;
    json_array_foreach (list, i, item) {
        if (!read_series(item, &series[i], next))
            return nonsense(self, "a series that makes no sense", err);
        next += series[i].count;
    }
    self->result.series = series;
    self->result.count = json_array_size(list);
    return true;
}

static bool read_result(struct prometheus *self, const json_t *data, struct error *err) {
    const json_t *result = json_object_get(data, "result");
    const char *type = string_at(data, "resultType");
    self->result = (struct prometheus_result){.text = ""};
    if (strcmp(type, "vector") == 0 || strcmp(type, "matrix") == 0) {
        self->result.type = type[0] == 'v' ? PROMETHEUS_VECTOR : PROMETHEUS_MATRIX;
        return read_list(self, result, err);
    }
    if (strcmp(type, "string") == 0) {
        self->result.type = PROMETHEUS_STRING;
        const char *text = json_string_value(json_array_get(result, 1));
        self->result.text = text != NULL ? text : "";
        return true;
    }
    if (strcmp(type, "scalar") != 0)
        return nonsense(self, "a result of no known type", err);
    struct prometheus_series *series = memory_new(1, sizeof *series);
    self->items = series;
    self->samples = memory_new(1, sizeof(struct prometheus_sample));
    *series = (struct prometheus_series){.samples = self->samples, .count = 1};
    self->result.type = PROMETHEUS_SCALAR;
    self->result.series = series;
    self->result.count = 1;
    return read_sample(result, self->samples) ||
           nonsense(self, "a scalar that makes no sense", err);
}

static bool query(struct prometheus *self, char *path, const struct prometheus_result **ret_result,
                  struct error *err) {
    const json_t *data;
    const bool queried = get(self, path, &data, err) && read_result(self, data, err);
    free(path);
    if (!queried)
        return false;
    const json_t *json;
    if (http_json(self->reply, &json, NULL))
        self->result.warnings = json_array_size(json_object_get(json, "warnings"));
    *ret_result = &self->result;
    return true;
}

bool prometheus_query(struct prometheus *self, const char *text, double time_s,
                      const struct prometheus_result **ret_result, struct error *err) {
    char at[48] = "";
    if (time_s != 0)
        snprintf(at, sizeof at, "&time=%.3f", time_s);
    char *escaped = http_escape(text);
    char *path = memory_format("/api/v1/query?query=%s%s", escaped, at);
    free(escaped);
    return query(self, path, ret_result, err);
}

bool prometheus_query_range(struct prometheus *self, const char *text, double start_s, double end_s,
                            double step_s, const struct prometheus_result **ret_result,
                            struct error *err) {
    char *escaped = http_escape(text);
    char *path = memory_format("/api/v1/query_range?query=%s&start=%.3f&end=%.3f&step=%.3f",
                               escaped, start_s, end_s, step_s);
    free(escaped);
    return query(self, path, ret_result, err);
}

const char *prometheus_label(const struct prometheus_series *series, const char *name) {
    return json_string_value(json_object_get(series->labels, name));
}

double prometheus_value(struct prometheus *self, const char *text, struct error *err) {
    const struct prometheus_result *result;
    if (!prometheus_query(self, text, 0, &result, err) || result->count != 1 ||
        result->series[0].count != 1)
        return (double)NAN;
    return result->series[0].samples[0].value;
}

// ---- what it knows ------------------------------------------------------------------------------

static enum prometheus_health health_of(const char *name) {
    return strcmp(name, "up") == 0     ? PROMETHEUS_UP
           : strcmp(name, "down") == 0 ? PROMETHEUS_DOWN
                                       : PROMETHEUS_UNKNOWN;
}

bool prometheus_targets(struct prometheus *self, const struct prometheus_target **ret_targets,
                        size_t *ret_count, struct error *err) {
    const json_t *data, *item;
    size_t i;
    if (!get(self, "/api/v1/targets?state=active", &data, err))
        return false;
    const json_t *list = json_object_get(data, "activeTargets");
    struct prometheus_target *targets =
        memory_new(json_array_size(list) + 1, sizeof(struct prometheus_target));
    self->items = targets;
    json_array_foreach (list, i, item) {
        const json_t *labels = json_object_get(item, "labels");
        targets[i] = (struct prometheus_target){
            .job = string_at(labels, "job"),
            .instance = string_at(labels, "instance"),
            .url = string_at(item, "scrapeUrl"),
            .last_error = string_at(item, "lastError"),
            .health = health_of(string_at(item, "health")),
            .labels = labels,
        };
    }
    *ret_targets = targets;
    *ret_count = json_array_size(list);
    return true;
}

static void read_rule(const json_t *group, const json_t *rule, struct prometheus_rule *ret_rule) {
    *ret_rule = (struct prometheus_rule){
        .group = string_at(group, "name"),
        .name = string_at(rule, "name"),
        .query = string_at(rule, "query"),
        .alerting = strcmp(string_at(rule, "type"), "alerting") == 0,
        .state = string_at(rule, "state"),
        .health = string_at(rule, "health"),
        .last_error = string_at(rule, "lastError"),
        .for_s = json_number_value(json_object_get(rule, "duration")),
        .labels = json_object_get(rule, "labels"),
        .annotations = json_object_get(rule, "annotations"),
    };
}

bool prometheus_rules(struct prometheus *self, const struct prometheus_rule **ret_rules,
                      size_t *ret_count, struct error *err) {
    const json_t *data, *group, *rule;
    size_t i, j, count = 0;
    if (!get(self, "/api/v1/rules", &data, err))
        return false;
    const json_t *groups = json_object_get(data, "groups");
    json_array_foreach (groups, i, group)
        count += json_array_size(json_object_get(group, "rules"));
    struct prometheus_rule *rules = memory_new(count + 1, sizeof(struct prometheus_rule));
    self->items = rules;
    *ret_rules = rules;
    *ret_count = count;
    json_array_foreach (groups, i, group) {
        const json_t *list = json_object_get(group, "rules");
        json_array_foreach (list, j, rule)
            read_rule(group, rule, rules++);
    }
    return true;
}

bool prometheus_alerts(struct prometheus *self, const struct prometheus_alert **ret_alerts,
                       size_t *ret_count, struct error *err) {
    const json_t *data, *item;
    size_t i;
    if (!get(self, "/api/v1/alerts", &data, err))
        return false;
    const json_t *list = json_object_get(data, "alerts");
    struct prometheus_alert *alerts =
        memory_new(json_array_size(list) + 1, sizeof(struct prometheus_alert));
    self->items = alerts;
    json_array_foreach (list, i, item)
        alerts[i] = (struct prometheus_alert){
            .name = string_at(json_object_get(item, "labels"), "alertname"),
            .state = string_at(item, "state"),
            .labels = json_object_get(item, "labels"),
            .annotations = json_object_get(item, "annotations"),
        };
    *ret_alerts = alerts;
    *ret_count = json_array_size(list);
    return true;
}

bool prometheus_alertmanagers(struct prometheus *self, const json_t **ret_urls, struct error *err) {
    const json_t *data, *item;
    size_t i;
    if (!get(self, "/api/v1/alertmanagers", &data, err))
        return false;
    self->names = json_array();
    json_array_foreach (json_object_get(data, "activeAlertmanagers"), i, item)
        json_array_append_new(self->names, json_string(string_at(item, "url")));
    *ret_urls = self->names;
    return true;
}

bool prometheus_config(struct prometheus *self, const char **ret_yaml, struct error *err) {
    const json_t *data;
    if (!get(self, "/api/v1/status/config", &data, err))
        return false;
    *ret_yaml = string_at(data, "yaml");
    return true;
}

bool prometheus_label_values(struct prometheus *self, const char *label, const json_t **ret_values,
                             struct error *err) {
    char *escaped = http_escape(label);
    char *path = memory_format("/api/v1/label/%s/values", escaped);
    const bool got = get(self, path, ret_values, err);
    free(path);
    free(escaped);
    return got;
}

bool prometheus_version(struct prometheus *self, char *buffer, size_t size, struct error *err) {
    const json_t *data;
    if (!get(self, "/api/v1/status/buildinfo", &data, err))
        return false;
    snprintf(buffer, size, "%s", string_at(data, "version"));
    return true;
}

// ---- what it may allow --------------------------------------------------------------------------

bool prometheus_reload(struct prometheus *self, struct error *err) {
    take_back(self);
    if (!http_post(self->http, "/-/reload", &self->reply, err))
        return false;
    if (http_status(self->reply) == 403)
        return http_fail(self->reply, err, ERROR_SERVICE, SERVICE_ERROR_UNSUPPORTED, "403",
                         "not allowed without --web.enable-lifecycle");
    return http_expect(self->reply, 200, err);
}

bool prometheus_snapshot(struct prometheus *self, char *buffer, size_t size, struct error *err) {
    const json_t *data;
    if (!call(self, "POST", "/api/v1/admin/tsdb/snapshot", &data, err))
        return false;
    snprintf(buffer, size, "%s", string_at(data, "name"));
    return true;
}

// ---- for the table of kinds ---------------------------------------------------------------------

static bool any_scraped(struct prometheus *self, struct error *err) {
    const struct prometheus_target *targets;
    size_t count;
    if (!prometheus_targets(self, &targets, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (targets[i].health == PROMETHEUS_UP)
            return true;
    const char *why = count > 0 ? targets[0].last_error : "";
    return http_fail(self->reply, err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY, NULL,
                     "none of its %zu targets was scraped with success yet%s%s", count,
                     why[0] != '\0' ? ": " : "", why);
}

bool prometheus_ready(const struct kind_members *members,
                      const struct kind_options *options unused_parameter, struct error *err) {
    for (size_t i = 0; i < members->count; i++) {
        autofree(prometheus) struct prometheus *prometheus = NULL;
        if (!prometheus_open(&members->endpoints[i], &prometheus, err) ||
            !http_get(prometheus->http, "/-/ready", &prometheus->reply, err) ||
            !http_expect(prometheus->reply, 200, err) || !any_scraped(prometheus, err))
            return false;
    }
    return true;
}

bool prometheus_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                         struct error *err) {
    autofree(prometheus) struct prometheus *prometheus = NULL;
    char version[64];
    if (!prometheus_open(endpoint, &prometheus, err) ||
        !prometheus_version(prometheus, version, sizeof version, err))
        return false;
    snprintf(buffer, size, "Prometheus %s", version);
    return true;
}
