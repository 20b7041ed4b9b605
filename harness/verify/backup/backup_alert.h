// The alert that a failed verification raises: one for each engine with a failed check, and one for
// the backup as a whole. What was not verified raises none: it has failed at nothing.
//
//   labels       alertname=BackupVerificationFailed severity backup engine (none: the whole backup)
//   annotations  summary, description (the failing checks with their reasons), runbook_url
//
// Alertmanager forgets an alert some minutes after it was last sent; ours is sent once, so it
// carries an end: a little over a week, until the next weekly run has spoken.
//
// Source: github.com/prometheus/alertmanager, api/v2/openapi.yaml, postableAlerts.
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "value/result.h"

#include <jansson.h>
#include <stdint.h>

#define BACKUP_ALERT_NAME "BackupVerificationFailed"
#define BACKUP_ALERT_CHECKS 10 // named in a description; the others are counted
#define BACKUP_ALERT_LASTS_MS ((int64_t)8 * 24 * 60 * 60 * 1000)

struct backup_alert_options {
    const char *severity;    // NULL: "critical"
    const char *runbook_url; // NULL: none
};

// A whole body, the caller's: an array, empty when nothing failed. `backup` is its path. The engine
// is each suite's subject.
json_t *backup_alert_json(const struct report *report, const char *backup, int64_t now_wall_ms,
                          const struct backup_alert_options *options) must_use;

// "http://HOST[:PORT][/]", HOST a name, an IPv4 or an [IPv6] address, 9093 where no port stands.
// ERROR_CONFIGURATION: not such a URL. Otherwise as client/alertmanager.h: ERROR_UNAVAILABLE when
// it cannot be reached. Every message begins "the alert was not sent". An empty array is not sent.
bool backup_alert_send(const char *url, const json_t *alerts, struct error *err) must_use;
