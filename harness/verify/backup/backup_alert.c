#include "verify/backup/backup_alert.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "client/alertmanager.h"
#include "verify/backup/wording.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 9093
#define REASON_LIMIT 300 // bytes of one check's message in a description

// ---- building -----------------------------------------------------------------------------------

// "" stands for the backup as a whole.
static const char *engine_of(const struct suite_result *suite) {
    return suite->subject != NULL ? suite->subject : "";
}

static json_t *json_of_text(const struct text *text) {
    return json_stringn(text->length > 0 ? text->bytes : "", text->length);
}

static void append_check(struct text *out, const struct suite_result *suite,
                         const struct test_case *test) {
    wording_append_name(out, suite->name);
    text_append(out, ": ");
    wording_append_name(out, test->name);
    if (test->message != NULL && test->message[0] != '\0') {
        autofree_string char *start = memory_format("%.*s", REASON_LIMIT, test->message);
        text_append(out, ": ");
        wording_append_name(out, start);
    }
    text_append_char(out, '\n');
}

// Returns how many checks of the engine failed; describes the first of them.
static size_t describe(const struct report *report, const char *engine, struct text *out) {
    size_t failed = 0;
    for (size_t i = 0; i < report->suite_count; i++) {
        const struct suite_result *suite = &report->suites[i];
        if (strcmp(engine_of(suite), engine) != 0)
            continue;
        for (size_t j = 0; j < suite_case_count(suite); j++) {
            const struct test_case test = suite_case(suite, j);
            if (test.outcome == OUTCOME_FAILED && failed++ < BACKUP_ALERT_CHECKS)
                append_check(out, suite, &test);
        }
    }
    if (failed > BACKUP_ALERT_CHECKS)
        text_appendf(out, "and %zu more\n", failed - BACKUP_ALERT_CHECKS);
    return failed;
}

static json_t *labels_of(const char *engine, const char *backup, const char *severity) {
    json_t *labels = json_pack("{s:s, s:o, s:o}", "alertname", BACKUP_ALERT_NAME, "severity",
                               wording_json(severity != NULL ? severity : "critical"), "backup",
                               wording_json(backup));
    if (engine[0] != '\0')
        json_object_set_new(labels, "engine", wording_json(engine));
    return labels;
}

static json_t *annotations_of(const char *engine, const char *backup, size_t failed,
                              const struct text *description, const char *runbook_url) {
    autodone(text) struct text summary = {0};
    text_appendf(&summary, "%zu check%s of the backup ", failed, failed == 1 ? "" : "s");
    wording_append_name(&summary, backup);
    text_append(&summary, " failed");
    if (engine[0] != '\0') {
        text_append(&summary, " for ");
        wording_append_name(&summary, engine);
    }
    json_t *annotations = json_pack("{s:o, s:o}", "summary", json_of_text(&summary), "description",
                                    json_of_text(description));
    if (runbook_url != NULL)
        json_object_set_new(annotations, "runbook_url", wording_json(runbook_url));
    return annotations;
}

json_t *backup_alert_json(const struct report *report, const char *backup, int64_t now_wall_ms,
                          const struct backup_alert_options *options) {
    json_t *alerts = json_array();
    autodone(string_list) struct string_list seen = {0};
    char starts[CLOCK_TEXT_SIZE];
    char ends[CLOCK_TEXT_SIZE];
    clock_format_utc(now_wall_ms, starts);
    clock_format_utc(now_wall_ms + BACKUP_ALERT_LASTS_MS, ends);
    for (size_t i = 0; i < report->suite_count; i++) {
        const char *engine = engine_of(&report->suites[i]);
        if (string_list_contains(&seen, engine))
            continue;
        string_list_add(&seen, engine);
        autodone(text) struct text description = {0};
        const size_t failed = describe(report, engine, &description);
        if (failed == 0)
            continue;
        json_array_append_new(
            alerts,
            json_pack("{s:o, s:o, s:s, s:s}", "labels",
                      labels_of(engine, backup, options->severity), "annotations",
                      annotations_of(engine, backup, failed, &description, options->runbook_url),
                      "startsAt", starts, "endsAt", ends));
    }
    return alerts;
}

// ---- sending ------------------------------------------------------------------------------------

static bool read_port(const char *text, uint16_t *ret_port) {
    const size_t digits = strspn(text, "0123456789");
    const long port = digits > 0 && digits <= 5 ? strtol(text, NULL, 10) : 0;
    if (port < 1 || port > UINT16_MAX || (text[digits] != '\0' && strcmp(text + digits, "/") != 0))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool read_url(const char *url, char **ret_host, uint16_t *ret_port) {
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *host = url + sizeof scheme - 1;
    const bool is_bracketed = *host == '[';
    host += is_bracketed;
    const size_t length = strcspn(host, is_bracketed ? "]" : ":/@?#[]");
    const char *rest = host + length;
    if (length == 0 || (is_bracketed && *rest++ != ']'))
        return false;
    *ret_port = DEFAULT_PORT;
    if (*rest == ':' ? !read_port(rest + 1, ret_port) : *rest != '\0' && strcmp(rest, "/") != 0)
        return false;
    *ret_host = memory_copy_bytes(host, length);
    return true;
}

static bool post(const char *host, uint16_t port, const json_t *alerts, struct error *err) {
    const struct endpoint endpoint = {.service = "alertmanager", .host = host, .port = port};
    autofree(alertmanager) struct alertmanager *alertmanager = NULL;
    return alertmanager_open(&endpoint, &alertmanager, err) &&
           alertmanager_post_json(alertmanager, alerts, err);
}

bool backup_alert_send(const char *url, const json_t *alerts, struct error *err) {
    autofree_string char *host = NULL;
    uint16_t port = 0;
    if (!read_url(url, &host, &port))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "the alert was not sent: \"%.200s\" is not the address of an Alertmanager "
                         "such as http://127.0.0.1:9093",
                         url);
    return json_array_size(alerts) == 0 || post(host, port, alerts, err) ||
           error_prefix(err, "the alert was not sent");
}
