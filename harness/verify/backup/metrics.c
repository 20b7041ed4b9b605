#include "verify/backup/metrics.h"

#include "base/check.h"
#include "base/file.h"
#include "base/string_list.h"
#include "verify/backup/wording.h"

#include <string.h>

static const enum outcome OUTCOMES[] = {OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_NOT_VERIFIED};
#define OUTCOME_COUNT (sizeof OUTCOMES / sizeof *OUTCOMES)

// ---- the text format ----------------------------------------------------------------------------

static void begin(struct text *out, const char *name, const char *help) {
    text_appendf(out, "# HELP assay_backup_%s %s\n# TYPE assay_backup_%s gauge\n", name, help,
                 name);
}

// In a label's value \, " and line feed are escaped; wording_append_name leaves no line feed.
static void append_label(struct text *out, const char *name, const char *value) {
    autodone(text) struct text clean = {0};
    wording_append_name(&clean, value);
    text_appendf(out, "%s=\"", name);
    for (const char *at = text_string(&clean); *at != '\0'; at++) {
        if (*at == '\\' || *at == '"')
            text_append_char(out, '\\');
        text_append_char(out, *at);
    }
    text_append_char(out, '"');
}

// A sample up to its value; `engine` NULL: of the whole run.
static void append_head(struct text *out, const char *name, const char *engine,
                        const char *outcome) {
    text_appendf(out, "assay_backup_%s", name);
    if (engine != NULL || outcome != NULL)
        text_append_char(out, '{');
    if (engine != NULL)
        append_label(out, "engine", engine);
    if (engine != NULL && outcome != NULL)
        text_append_char(out, ',');
    if (outcome != NULL)
        append_label(out, "outcome", outcome);
    if (engine != NULL || outcome != NULL)
        text_append_char(out, '}');
    text_append_char(out, ' ');
}

static void append_whole(struct text *out, const char *name, const char *engine, int64_t value) {
    append_head(out, name, engine, NULL);
    text_appendf(out, "%lld\n", (long long)value);
}

static void append_seconds(struct text *out, const char *name, const char *engine, int64_t ms) {
    append_head(out, name, engine, NULL);
    text_appendf(out, "%lld.%03d\n", (long long)(ms / 1000), (int)(ms % 1000));
}

static void append_outcomes(struct text *out, const char *name, const char *engine,
                            enum outcome outcome) {
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        append_head(out, name, engine, history_outcome_key(OUTCOMES[i]));
        text_appendf(out, "%d\n", outcome == OUTCOMES[i]);
    }
}

// ---- the last ones ------------------------------------------------------------------------------

// The later one of two records, either may be NULL; of the same second the one appended later.
static const struct history_record *later(const struct history_record *earlier,
                                          const struct history_record *record) {
    return earlier == NULL || record->started_wall_ms >= earlier->started_wall_ms ? record
                                                                                  : earlier;
}

static const struct history_record *last_run(const struct history *history, bool passed) {
    const struct history_record *last = NULL;
    for (size_t i = 0; i < history->count; i++)
        if (!passed || history->records[i].outcome == OUTCOME_PASSED)
            last = later(last, &history->records[i]);
    return last;
}

static const struct history_record *last_run_with(const struct history *history, const char *name,
                                                  bool passed) {
    const struct history_record *last = NULL;
    for (size_t i = 0; i < history->count; i++) {
        const struct history_engine *engine = history_record_engine(&history->records[i], name);
        if (engine != NULL && (!passed || engine->outcome == OUTCOME_PASSED))
            last = later(last, &history->records[i]);
    }
    return last;
}

static void list_engines(const struct history *history, struct string_list *ret_names) {
    for (size_t i = 0; i < history->count; i++)
        for (size_t j = 0; j < history->records[i].engine_count; j++)
            if (!string_list_contains(ret_names, history->records[i].engines[j].name))
                string_list_add(ret_names, history->records[i].engines[j].name);
    string_list_sort(ret_names);
}

// ---- the metrics --------------------------------------------------------------------------------

static void append_info(struct text *out, const struct history_record *run) {
    begin(out, "info", "What the last verification verified.");
    text_append(out, "assay_backup_info{");
    append_label(out, "backup", run->path);
    text_append_char(out, ',');
    append_label(out, "against", run->against);
    text_append_char(out, ',');
    append_label(out, "run", run->id);
    text_append(out, "} 1\n");
}

static void append_runs(struct text *out, const struct history *history,
                        const struct history_record *run) {
    const struct history_record *passed = last_run(history, true);
    begin(out, "last_run_timestamp_seconds", "When the last verification started.");
    append_whole(out, "last_run_timestamp_seconds", NULL, run->started_wall_ms / 1000);
    begin(out, "last_success_timestamp_seconds", "When the last verification that passed started.");
    if (passed != NULL)
        append_whole(out, "last_success_timestamp_seconds", NULL, passed->started_wall_ms / 1000);
    begin(out, "verification_duration_seconds", "How long the last verification took.");
    if (run->duration_ms >= 0)
        append_seconds(out, "verification_duration_seconds", NULL, run->duration_ms);
    begin(out, "result", "1 for the outcome of the last verification.");
    append_outcomes(out, "result", NULL, run->outcome);
    begin(out, "age_seconds", "Age of the backup when its last verification started.");
    if (run->backup_age_s >= 0)
        append_whole(out, "age_seconds", NULL, run->backup_age_s);
    append_info(out, run);
}

typedef void append_engine(struct text *out, const struct history *history, const char *name);

static const struct history_engine *last_engine(const struct history *history, const char *name) {
    const struct history_record *run = last_run_with(history, name, false);
    const struct history_engine *engine = run != NULL ? history_record_engine(run, name) : NULL;
    check(engine != NULL); // the name comes from the history
    return engine;
}

static void append_success(struct text *out, const struct history *history, const char *name) {
    const struct history_record *passed = last_run_with(history, name, true);
    if (passed != NULL)
        append_whole(out, "engine_last_success_timestamp_seconds", name,
                     passed->started_wall_ms / 1000);
}

static void append_restore(struct text *out, const struct history *history, const char *name) {
    const struct history_engine *engine = last_engine(history, name);
    if (engine->restore_ms >= 0)
        append_seconds(out, "engine_restore_duration_seconds", name, engine->restore_ms);
}

static void append_size(struct text *out, const struct history *history, const char *name) {
    const struct history_engine *engine = last_engine(history, name);
    if (engine->bytes >= 0)
        append_whole(out, "engine_size_bytes", name, engine->bytes);
}

static void append_result(struct text *out, const struct history *history, const char *name) {
    append_outcomes(out, "engine_result", name, last_engine(history, name)->outcome);
}

static const struct {
    const char *name;
    const char *help;
    append_engine *append;
} ENGINE_METRICS[] = {
    {"engine_last_success_timestamp_seconds",
     "When the last verification that passed for this engine started.", append_success},
    {"engine_restore_duration_seconds", "How long its last restore took.", append_restore},
    {"engine_size_bytes", "Size of its part of the backup verified last.", append_size},
    {"engine_result", "1 for the outcome of its last verification.", append_result},
};

void metrics_append(struct text *out, const struct history *history) {
    const struct history_record *run = last_run(history, false);
    if (run == NULL)
        return;
    append_runs(out, history, run);
    autodone(string_list) struct string_list engines = {0};
    list_engines(history, &engines);
    for (size_t i = 0; i < sizeof ENGINE_METRICS / sizeof *ENGINE_METRICS; i++) {
        begin(out, ENGINE_METRICS[i].name, ENGINE_METRICS[i].help);
        for (size_t j = 0; j < engines.count; j++)
            ENGINE_METRICS[i].append(out, history, engines.items[j]);
    }
}

bool metrics_write(const char *path, const struct history *history, struct error *err) {
    const char *ending = strrchr(path, '.');
    if (ending == NULL || strcmp(ending, ".prom") != 0)
        return error_set(err, ERROR_USAGE, 0,
                         "%s: node_exporter reads only files that end in .prom", path);
    autodone(text) struct text out = {0};
    metrics_append(&out, history);
    return file_write_atomic(path, text_string(&out), out.length, 0644, err);
}
