// Metrics for node_exporter's textfile collector, made from the history: alerts and dashboards ask
// how old the last success is, also of a weekly run that has stopped running.
//
//   assay_backup_last_run_timestamp_seconds                  when the last run started
//   assay_backup_last_success_timestamp_seconds              when the last run that passed started
//   assay_backup_verification_duration_seconds               of the last run
//   assay_backup_result{outcome="passed"}                    1 for the last run's outcome, else 0
//   assay_backup_age_seconds                                 of the backup, when the last run
//   started assay_backup_info{backup=,against=,run=}                 1: what the last run verified
//   and of each engine, of the last run that had it:
//   assay_backup_engine_last_success_timestamp_seconds{engine="postgres"}
//   assay_backup_engine_restore_duration_seconds{engine=}
//   assay_backup_engine_size_bytes{engine=}
//   assay_backup_engine_result{engine=,outcome=}
//
// What is unknown has no sample: never 0. Source: Prometheus, "Exposition formats", text format
// 0.0.4.
#pragma once

#include "base/text.h"
#include "verify/backup/history.h"

void metrics_append(struct text *out, const struct history *history);

// To a temporary name beside it, synced, renamed; 0644, since the exporter is another user. `path`
// ends in ".prom", else the collector would not read it: ERROR_USAGE.
bool metrics_write(const char *path, const struct history *history, struct error *err) must_use;
