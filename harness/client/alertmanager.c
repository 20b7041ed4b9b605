#include "client/alertmanager.h"

#include "base/clock.h"
#include "base/memory.h"
#include "client/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SILENCE_DEFAULT_S 300
#define READINESS_ALERT_MS 60000 // how long it would stay, were it not resolved at once

struct alertmanager {
    struct http *http;
    const struct http_reply *reply; // borrowed from http
    // What the last call lent out.
    struct alertmanager_alert *alerts;
    json_t *names;
};

bool alertmanager_open(const struct endpoint *endpoint, struct alertmanager **ret_alertmanager,
                       struct error *err) {
    struct http *http;
    if (!http_open(endpoint, &http, err))
        return false;
    struct alertmanager *self = memory_new(1, sizeof *self);
    self->http = http;
    *ret_alertmanager = self;
    return true;
}

static void take_back(struct alertmanager *self) {
    free(self->alerts);
    json_decref(self->names);
    self->alerts = NULL;
    self->names = NULL;
}

void alertmanager_close(struct alertmanager *self) {
    if (self == NULL)
        return;
    take_back(self);
    http_close(self->http);
    free(self);
}

// ---- one call -----------------------------------------------------------------------------------

// An error's body is a JSON string, or {"code": 602, "message": "…"}.
static bool refused(const struct http_reply *reply, struct error *err) {
    const json_t *json;
    const char *said = NULL;
    char reference[ERROR_REFERENCE_SIZE];
    const int status = http_status(reply);
    if (http_json(reply, &json, NULL))
        said = json_is_string(json) ? json_string_value(json)
                                    : json_string_value(json_object_get(json, "message"));
    snprintf(reference, sizeof reference, "%d", status);
    const bool bad = status == 400 || status == 422;
    return http_fail(reply, err, ERROR_SERVICE,
                     bad ? SERVICE_ERROR_SYNTAX : http_service_error(status), reference,
                     "answered %d%s%s", status, said != NULL ? ": " : "", said != NULL ? said : "");
}

static bool call(struct alertmanager *self, const char *method, const char *path,
                 const json_t *json, const json_t **ret_json, struct error *err) {
    take_back(self);
    if (!http_request(self->http, method, path, &self->reply, err, .json = json))
        return false;
    if (http_status(self->reply) != 200)
        return refused(self->reply, err);
    return ret_json == NULL || http_json(self->reply, ret_json, err);
}

static const char *string_at(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

// RFC 3339 with milliseconds.
static json_t *json_of_time(int64_t wall_ms) {
    char seconds[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, seconds);
    return json_sprintf("%.19s.%03dZ", seconds, (int)(wall_ms % 1000));
}

// ---- alerts -------------------------------------------------------------------------------------

static json_t *json_of_pairs(const struct alertmanager_pair *pairs) {
    json_t *json = json_object();
    for (; pairs != NULL && pairs->name != NULL; pairs++)
        json_object_set_new(json, pairs->name, json_string(pairs->value));
    return json;
}

bool alertmanager_post_json(struct alertmanager *self, const json_t *alerts, struct error *err) {
    return call(self, "POST", "/api/v2/alerts", alerts, NULL, err);
}

bool alertmanager_post_with(struct alertmanager *self, const char *alertname, struct error *err,
                            const struct alertmanager_alert_options *options) {
    json_t *alert = json_object();
    json_t *labels = json_of_pairs(options->labels);
    json_object_set_new(labels, "alertname", json_string(alertname));
    json_object_set_new(alert, "labels", labels);
    json_object_set_new(alert, "annotations", json_of_pairs(options->annotations));
    if (options->starts_wall_ms != 0)
        json_object_set_new(alert, "startsAt", json_of_time(options->starts_wall_ms));
    if (options->ends_wall_ms != 0)
        json_object_set_new(alert, "endsAt", json_of_time(options->ends_wall_ms));
    if (options->generator_url != NULL)
        json_object_set_new(alert, "generatorURL", json_string(options->generator_url));
    json_t *alerts = json_pack("[o]", alert);
    const bool posted = alertmanager_post_json(self, alerts, err);
    json_decref(alerts);
    return posted;
}

static void read_alert(const json_t *item, struct alertmanager_alert *ret_alert) {
    const json_t *status = json_object_get(item, "status");
    const json_t *receivers = json_object_get(item, "receivers");
    *ret_alert = (struct alertmanager_alert){
        .name = string_at(json_object_get(item, "labels"), "alertname"),
        .state = string_at(status, "state"),
        .fingerprint = string_at(item, "fingerprint"),
        .starts_at = string_at(item, "startsAt"),
        .ends_at = string_at(item, "endsAt"),
        .receiver = string_at(json_array_get(receivers, 0), "name"),
        .receivers = json_array_size(receivers),
        .silenced_by = json_array_size(json_object_get(status, "silencedBy")),
        .inhibited_by = json_array_size(json_object_get(status, "inhibitedBy")),
        .labels = json_object_get(item, "labels"),
        .annotations = json_object_get(item, "annotations"),
    };
}

bool alertmanager_alerts(struct alertmanager *self, const char *filter,
                         const struct alertmanager_alert **ret_alerts, size_t *ret_count,
                         struct error *err) {
    char *escaped = http_escape(filter != NULL ? filter : "");
    char *path = memory_format("/api/v2/alerts%s%s", escaped[0] != '\0' ? "?filter=" : "", escaped);
    const json_t *list, *item;
    size_t i;
    const bool got = call(self, "GET", path, NULL, &list, err);
    free(path);
    free(escaped);
    if (!got)
        return false;
    self->alerts = memory_new(json_array_size(list) + 1, sizeof(struct alertmanager_alert));
    json_array_foreach (list, i, item)
        read_alert(item, &self->alerts[i]);
    *ret_alerts = self->alerts;
    *ret_count = json_array_size(list);
    return true;
}

int alertmanager_count(struct alertmanager *self, const char *filter, struct error *err) {
    const struct alertmanager_alert *alerts;
    size_t count;
    return alertmanager_alerts(self, filter, &alerts, &count, err) ? (int)count : -1;
}

const struct alertmanager_alert *alertmanager_first(struct alertmanager *self, const char *filter,
                                                    struct error *err) {
    const struct alertmanager_alert *alerts;
    size_t count;
    return alertmanager_alerts(self, filter, &alerts, &count, err) && count > 0 ? alerts : NULL;
}

// ---- silences -----------------------------------------------------------------------------------

static json_t *silence_json(const char *label, const char *value,
                            const struct alertmanager_silence_options *options) {
    const int64_t now_ms = clock_wall_ms();
    const int64_t for_ms =
        1000 * (int64_t)(options->for_s > 0 ? options->for_s : SILENCE_DEFAULT_S);
    return json_pack("{s:[{s:s, s:s, s:b, s:b}], s:o, s:o, s:s, s:s}", "matchers", "name", label,
                     "value", value, "isRegex", (int)options->regex, "isEqual",
                     (int)!options->not_equal, "startsAt", json_of_time(now_ms), "endsAt",
                     json_of_time(now_ms + for_ms), "comment",
                     options->comment != NULL ? options->comment : "assay", "createdBy",
                     options->created_by != NULL ? options->created_by : "assay");
}

bool alertmanager_silence_with(struct alertmanager *self, const char *label, const char *value,
                               char id[ALERTMANAGER_SILENCE_ID_SIZE], struct error *err,
                               const struct alertmanager_silence_options *options) {
    json_t *silence = silence_json(label, value, options);
    const json_t *reply;
    const bool posted = call(self, "POST", "/api/v2/silences", silence, &reply, err);
    json_decref(silence);
    if (posted)
        snprintf(id, ALERTMANAGER_SILENCE_ID_SIZE, "%s", string_at(reply, "silenceID"));
    return posted;
}

bool alertmanager_expire_silence(struct alertmanager *self, const char *id, struct error *err) {
    char *path = memory_format("/api/v2/silence/%s", id);
    const bool called = call(self, "DELETE", path, NULL, NULL, err);
    free(path);
    return called;
}

bool alertmanager_silence_state(struct alertmanager *self, const char *id, char *buffer,
                                size_t size, struct error *err) {
    char *path = memory_format("/api/v2/silence/%s", id);
    const json_t *reply;
    const bool called = call(self, "GET", path, NULL, &reply, err);
    free(path);
    if (called)
        snprintf(buffer, size, "%s", string_at(json_object_get(reply, "status"), "state"));
    return called;
}

// ---- the server ---------------------------------------------------------------------------------

bool alertmanager_status(struct alertmanager *self, struct alertmanager_status *ret_status,
                         struct error *err) {
    const json_t *reply;
    if (!call(self, "GET", "/api/v2/status", NULL, &reply, err))
        return false;
    *ret_status = (struct alertmanager_status){
        .version = string_at(json_object_get(reply, "versionInfo"), "version"),
        .cluster = string_at(json_object_get(reply, "cluster"), "status"),
        .config = string_at(json_object_get(reply, "config"), "original"),
    };
    return true;
}

bool alertmanager_receivers(struct alertmanager *self, const json_t **ret_names,
                            struct error *err) {
    const json_t *reply, *item;
    size_t i;
    if (!call(self, "GET", "/api/v2/receivers", NULL, &reply, err))
        return false;
    self->names = json_array();
    json_array_foreach (reply, i, item)
        json_array_append_new(self->names, json_string(string_at(item, "name")));
    *ret_names = self->names;
    return true;
}

bool alertmanager_reload(struct alertmanager *self, struct error *err) {
    return call(self, "POST", "/-/reload", NULL, NULL, err);
}

// ---- for the table of kinds ---------------------------------------------------------------------

static bool post_and_read_back(struct alertmanager *self, struct error *err) {
    char probe[64], filter[96];
    const int64_t now_ms = clock_wall_ms();
    snprintf(probe, sizeof probe, "%ld-%lld", (long)getpid(), (long long)clock_monotonic_us());
    snprintf(filter, sizeof filter, "probe=\"%s\"", probe);
    const struct alertmanager_pair *labels =
        alertmanager_pairs({"severity", "none"}, {"probe", probe});
    const struct alertmanager_alert *alerts;
    size_t count;
    if (!alertmanager_post(self, "assay_readiness", err, .labels = labels, .starts_wall_ms = now_ms,
                           .ends_wall_ms = now_ms + READINESS_ALERT_MS) ||
        !alertmanager_alerts(self, filter, &alerts, &count, err))
        return false;
    const bool returned = count == 1;
    if (!alertmanager_post(self, "assay_readiness", err, .labels = labels, .starts_wall_ms = now_ms,
                           .ends_wall_ms = clock_wall_ms()))
        return false;
    return returned || http_fail(self->reply, err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY, NULL,
                                 "it accepted an alert and does not list it");
}

bool alertmanager_ready(const struct kind_members *members,
                        const struct kind_options *options unused_parameter, struct error *err) {
    for (size_t i = 0; i < members->count; i++) {
        autofree(alertmanager) struct alertmanager *alertmanager = NULL;
        if (!alertmanager_open(&members->endpoints[i], &alertmanager, err) ||
            !http_get(alertmanager->http, "/-/ready", &alertmanager->reply, err) ||
            !http_expect(alertmanager->reply, 200, err) || !post_and_read_back(alertmanager, err))
            return false;
    }
    return true;
}

bool alertmanager_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                           struct error *err) {
    autofree(alertmanager) struct alertmanager *alertmanager = NULL;
    struct alertmanager_status status;
    if (!alertmanager_open(endpoint, &alertmanager, err) ||
        !alertmanager_status(alertmanager, &status, err))
        return false;
    snprintf(buffer, size, "Alertmanager %s", status.version);
    return true;
}
