#include "command/keep_records.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "command/command.h"
#include "reports/report_writer.h"
#include "verify/backup/backup_alert.h"
#include "verify/backup/metrics.h"
#include "verify/backup/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool complain(const struct error *problem) {
    report_error(problem);
    return false;
}

// ---- the report's files

static bool write_one(const struct report *report, const struct report_writer *writer,
                      const char *stem, const char *ending) {
    autodone(text) struct text content = {0};
    autofree_string char *path = memory_format("%s%s", stem, ending);
    struct error problem = {0};
    return (writer->compose(report, &(struct report_options){0}, &content, &problem) &&
            file_write_atomic(path, text_string(&content), content.length, 0600, &problem)) ||
           complain(&problem);
}

// An empty file, which held the name, would be taken for a record.
static void forget_name(const char *stem) {
    autofree_string char *path = memory_format("%s.log", stem);
    unlink(path);
}

static bool write_report(const struct report *report, const struct keep_options *options) {
    autofree_string char *stem = NULL;
    struct error problem = {0};
    if (!record_reserve(options->folder, report->started_wall_ms, &stem, &problem))
        return complain(&problem);
    bool written = write_one(report, &writer_terminal, stem, ".log");
    if (!written)
        forget_name(stem);
    written = write_one(report, &writer_json, stem, ".json") && written;
    return write_one(report, &writer_junit, stem, ".xml") && written;
}

// ---- the history

// Failed before not verified before passed: what an engine's artifacts come to together.
static enum outcome worse(enum outcome left, enum outcome right) {
    return left == OUTCOME_FAILED || right == OUTCOME_FAILED               ? OUTCOME_FAILED
           : left == OUTCOME_NOT_VERIFIED || right == OUTCOME_NOT_VERIFIED ? OUTCOME_NOT_VERIFIED
                                                                           : OUTCOME_PASSED;
}

static enum outcome outcome_of(const struct suite_result *suite) {
    const struct tally tally = suite_tally(suite);
    return tally.failed > 0                              ? OUTCOME_FAILED
           : tally.not_verified > 0 || tally.passed == 0 ? OUTCOME_NOT_VERIFIED
                                                         : OUTCOME_PASSED;
}

static void add_restore_time(const struct suite_result *suite, struct history_engine *engine) {
    for (size_t i = 0; i < suite->test_count; i++)
        if (strcmp(suite->tests[i].name, "restores") == 0 && suite->tests[i].duration_us > 0)
            engine->restore_ms = (engine->restore_ms > 0 ? engine->restore_ms : 0) +
                                 suite->tests[i].duration_us / 1000;
}

static int64_t bytes_of(const struct backup *backup, const char *engine) {
    int64_t bytes = 0;
    for (size_t i = 0; i < backup->artifact_count; i++) {
        const struct artifact *artifact = &backup->artifacts[i];
        if (strcmp(dump_engine_name(backup_engine(backup, artifact)), engine) == 0)
            for (size_t j = 0; j < artifact->file_count; j++)
                bytes += (int64_t)backup->files[artifact->files[j]].size;
    }
    return bytes;
}

static void add_engine(struct history_record *record, const struct suite_result *suite,
                       const struct backup *backup) {
    struct history_engine *engine = NULL;
    for (size_t i = 0; i < record->engine_count; i++)
        if (strcmp(record->engines[i].name, suite->subject) == 0)
            engine = &record->engines[i];
    const bool first = engine == NULL;
    if (first)
        engine = history_record_add(record, suite->subject);
    engine->outcome = first ? outcome_of(suite) : worse(engine->outcome, outcome_of(suite));
    engine->bytes = bytes_of(backup, suite->subject);
    add_restore_time(suite, engine);
}

static enum outcome outcome_of_status(int status) {
    return status == EXIT_PASSED   ? OUTCOME_PASSED
           : status == EXIT_FAILED ? OUTCOME_FAILED
                                   : OUTCOME_NOT_VERIFIED;
}

static void fill_record(struct history_record *record, const struct report *report,
                        const struct backup *backup, const struct keep_options *options) {
    char started[CLOCK_TEXT_SIZE];
    clock_format_utc(report->started_wall_ms, started);
    *record = (struct history_record){
        .id = report->run_id != NULL
                  ? memory_copy_string(report->run_id)
                  : memory_format("%s-%08llx", started, (unsigned long long)options->seed),
        .started_wall_ms = report->started_wall_ms,
        .duration_ms = report->duration_us / 1000,
        .path = memory_copy_string(backup->path),
        .against = memory_copy_string("none"),
        .outcome = outcome_of_status(report_exit_status(report)),
        .seed = options->seed,
        .backup_age_s =
            options->taken_wall_ms >= 0 && options->taken_wall_ms <= report->started_wall_ms
                ? (report->started_wall_ms - options->taken_wall_ms) / 1000
                : HISTORY_UNKNOWN,
    };
    for (size_t i = 0; i < report->suite_count; i++)
        if (report->suites[i].subject != NULL)
            add_engine(record, &report->suites[i], backup);
}

static bool write_history(const struct report *report, const struct backup *backup,
                          const struct keep_options *options) {
    autodone(history_record) struct history_record record;
    autofree(history) struct history *history = NULL;
    struct error problem = {0};
    fill_record(&record, report, backup, options);
    if (!history_append(options->folder, &record, &problem))
        return complain(&problem);
    return options->metrics == NULL ||
           (history_read(options->folder, &history, &problem) &&
            metrics_write(options->metrics, history, &problem)) ||
           complain(&problem);
}

// ---- all of it

static void raise_alert(const struct report *report, const struct backup *backup,
                        const struct keep_options *options) {
    struct error problem = {0};
    json_t *alerts =
        backup_alert_json(report, backup->path, clock_wall_ms(),
                          &(struct backup_alert_options){.runbook_url = options->runbook});
    if (!backup_alert_send(options->alert, alerts, &problem))
        report_error(&problem);
    json_decref(alerts);
}

bool keep_records(const struct report *report, const struct backup *backup,
                  const struct keep_options *options) {
    struct error problem = {0};
    size_t removed = 0;
    bool kept = write_report(report, options);
    kept = write_history(report, backup, options) && kept;
    if (options->alert != NULL)
        raise_alert(report, backup, options);
    if (!records_rotate(options->folder, RECORDS_KEPT_DAYS, clock_wall_ms(), &removed, &problem))
        kept = complain(&problem);
    return kept;
}
