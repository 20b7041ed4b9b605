#include "verify/backup/month.h"

#include "base/clock.h"
#include "base/memory.h"
#include "verify/backup/civil_time.h"
#include "verify/backup/wording.h"

#include <stdlib.h>
#include <string.h>

bool month_parse(const char *text, int *ret_year, int *ret_month, struct error *err) {
    static const char form[] = "dddd-dd";
    bool fits = strlen(text) == sizeof form - 1;
    for (size_t i = 0; fits && i < sizeof form - 1; i++)
        fits = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
    struct civil_time first = {.day = 1};
    if (fits) {
        first.year = (int)strtol(text, NULL, 10);
        first.month = (int)strtol(text + 5, NULL, 10);
    }
    if (!fits || !civil_is_valid(&first))
        return error_set(err, ERROR_USAGE, 0, "\"%.40s\" is not a month such as 2026-11", text);
    *ret_year = first.year;
    *ret_month = first.month;
    return true;
}

// ---- counting -----------------------------------------------------------------------------------

// The runs of the month, in the order of their starts.
struct runs {
    const struct history_record **items;
    size_t count;
};

static int64_t begin_of(int year, int month) {
    const struct civil_time first = {
        .year = month > 12 ? year + 1 : year, .month = month > 12 ? 1 : month, .day = 1};
    return civil_to_utc(&first);
}

static int compare_starts(const void *left, const void *right) {
    const struct history_record *const *l = left;
    const struct history_record *const *r = right;
    if ((*l)->started_wall_ms != (*r)->started_wall_ms)
        return (*l)->started_wall_ms < (*r)->started_wall_ms ? -1 : 1;
    return *l < *r ? -1 : *l > *r; // both of one array
}

static struct runs runs_of(const struct history *history, int64_t begin_ms, int64_t end_ms) {
    struct runs runs = {.items = memory_new(history->count + 1, sizeof *runs.items)};
    for (size_t i = 0; i < history->count; i++)
        if (history->records[i].started_wall_ms >= begin_ms &&
            history->records[i].started_wall_ms < end_ms)
            runs.items[runs.count++] = &history->records[i];
    qsort(runs.items, runs.count, sizeof *runs.items, compare_starts);
    return runs;
}

static void count_outcome(struct tally *tally, enum outcome outcome) {
    tally->passed += outcome == OUTCOME_PASSED;
    tally->failed += outcome == OUTCOME_FAILED;
    tally->not_verified += outcome == OUTCOME_NOT_VERIFIED;
    tally->not_applicable += outcome == OUTCOME_NOT_APPLICABLE;
}

static int compare_numbers(const void *left, const void *right) {
    const int64_t l = *(const int64_t *)left;
    const int64_t r = *(const int64_t *)right;
    return l < r ? -1 : l > r;
}

// HISTORY_UNKNOWN where the run has no such number.
typedef int64_t number_of(const struct history_record *record, const char *engine);

static int64_t duration_of(const struct history_record *record,
                           const char *engine unused_parameter) {
    return record->outcome == OUTCOME_PASSED ? record->duration_ms : HISTORY_UNKNOWN;
}

static int64_t bytes_of(const struct history_record *record, const char *engine unused_parameter) {
    return history_record_bytes(record);
}

static int64_t restore_of_engine(const struct history_record *record, const char *name) {
    const struct history_engine *engine = history_record_engine(record, name);
    return engine != NULL && engine->outcome == OUTCOME_PASSED ? engine->restore_ms
                                                               : HISTORY_UNKNOWN;
}

static int64_t bytes_of_engine(const struct history_record *record, const char *name) {
    const struct history_engine *engine = history_record_engine(record, name);
    return engine != NULL ? engine->bytes : HISTORY_UNKNOWN;
}

static struct month_trend trend_of(const struct runs *runs, number_of *number, const char *engine) {
    struct month_trend trend = {0};
    int64_t *numbers = memory_new(runs->count + 1, sizeof *numbers);
    for (size_t i = 0; i < runs->count; i++) {
        const int64_t value = number(runs->items[i], engine);
        if (value >= 0)
            numbers[trend.count++] = value;
    }
    if (trend.count > 0) {
        trend.first = numbers[0];
        trend.last = numbers[trend.count - 1];
        qsort(numbers, trend.count, sizeof *numbers, compare_numbers);
        trend.median = numbers[(trend.count - 1) / 2];
    }
    free(numbers);
    return trend;
}

// ---- the month ----------------------------------------------------------------------------------

static int compare_engines(const void *left, const void *right) {
    const struct month_engine *l = left;
    const struct month_engine *r = right;
    return strcmp(l->name, r->name);
}

static struct month_engine *engine_named(struct month *self, const char *name) {
    for (size_t i = 0; i < self->engine_count; i++)
        if (strcmp(self->engines[i].name, name) == 0)
            return &self->engines[i];
    self->engines = memory_resize(self->engines, self->engine_count + 1, sizeof *self->engines);
    struct month_engine *engine = &self->engines[self->engine_count++];
    *engine = (struct month_engine){.name = memory_copy_string(name)};
    return engine;
}

static void add_engines(struct month *self, const struct runs *runs) {
    for (size_t i = 0; i < runs->count; i++)
        for (size_t j = 0; j < runs->items[i]->engine_count; j++) {
            const struct history_engine *engine = &runs->items[i]->engines[j];
            count_outcome(&engine_named(self, engine->name)->tally, engine->outcome);
        }
    if (self->engine_count > 0)
        qsort(self->engines, self->engine_count, sizeof *self->engines, compare_engines);
    for (size_t i = 0; i < self->engine_count; i++) {
        struct month_engine *engine = &self->engines[i];
        engine->restore_ms = trend_of(runs, restore_of_engine, engine->name);
        engine->bytes = trend_of(runs, bytes_of_engine, engine->name);
    }
}

static void find_newest_verified(struct month *self, const struct history *history,
                                 int64_t at_wall_ms) {
    const struct history_record *newest = NULL;
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *record = &history->records[i];
        if (record->outcome != OUTCOME_PASSED || record->backup_age_s < 0 ||
            record->started_wall_ms > at_wall_ms ||
            history_verdict(history, record->path, at_wall_ms) != OUTCOME_PASSED)
            continue;
        const int64_t taken = record->started_wall_ms - record->backup_age_s * 1000;
        if (newest != NULL && taken <= self->verified_taken_wall_ms)
            continue;
        newest = record;
        self->verified_taken_wall_ms = taken;
    }
    if (newest == NULL)
        return;
    self->has_verified = true;
    self->verified_path = memory_copy_string(newest->path);
    self->verified_age_s = (at_wall_ms - self->verified_taken_wall_ms) / 1000;
}

struct month *month_new(const struct history *history, int year, int month, int64_t now_wall_ms) {
    struct month *self = memory_new(1, sizeof *self);
    const int64_t end_ms = begin_of(year, month + 1);
    struct runs runs = runs_of(history, begin_of(year, month), end_ms);
    self->year = year;
    self->month = month;
    for (size_t i = 0; i < runs.count; i++)
        count_outcome(&self->tally, runs.items[i]->outcome);
    self->duration_ms = trend_of(&runs, duration_of, NULL);
    self->bytes = trend_of(&runs, bytes_of, NULL);
    add_engines(self, &runs);
    find_newest_verified(self, history, now_wall_ms < end_ms ? now_wall_ms : end_ms - 1);
    free(runs.items);
    return self;
}

void month_free(struct month *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->engine_count; i++)
        free(self->engines[i].name);
    free(self->engines);
    free(self->verified_path);
    free(self);
}

size_t month_runs(const struct month *self) {
    return self->tally.passed + tally_skipped(self->tally) + self->tally.failed;
}

int month_pass_permille(const struct month *self) {
    const size_t runs = month_runs(self);
    return runs > 0 ? (int)(self->tally.passed * 1000 / runs) : -1;
}

// ---- for people ---------------------------------------------------------------------------------

static void append_trend(struct text *out, const char *label, const struct month_trend *trend,
                         void (*append)(struct text *out, int64_t number)) {
    text_appendf(out, "  %-14s ", label);
    if (trend->count == 0) {
        text_append(out, "unknown\n");
        return;
    }
    append(out, trend->first);
    text_append(out, " -> ");
    append(out, trend->last);
    if (trend->first > 0)
        text_appendf(out, " (%+.1f %%)",
                     100 * ((double)trend->last - (double)trend->first) / (double)trend->first);
    text_append(out, ", median ");
    append(out, trend->median);
    text_append_char(out, '\n');
}

static void append_tally(struct text *out, const struct tally *tally) {
    text_appendf(out, "%zu passed, %zu failed, %zu not verified", tally->passed, tally->failed,
                 tally_skipped(*tally));
}

static void append_engine(struct text *out, const struct month_engine *engine) {
    text_append_char(out, '\n');
    wording_append_name(out, engine->name);
    text_append(out, ": ");
    append_tally(out, &engine->tally);
    text_append_char(out, '\n');
    append_trend(out, "restore", &engine->restore_ms, wording_append_duration);
    append_trend(out, "size", &engine->bytes, wording_append_bytes);
}

static void append_verified(const struct month *self, struct text *out) {
    text_append(out, "  newest verified backup: ");
    if (!self->has_verified) {
        text_append(out, "none\n");
        return;
    }
    const struct civil_time taken = civil_of_utc(self->verified_taken_wall_ms);
    char buffer[CIVIL_TEXT_SIZE];
    wording_append_name(out, self->verified_path);
    text_appendf(out, ", taken %s UTC, ", civil_format(&taken, buffer));
    wording_append_age(out, self->verified_age_s);
    text_append(out, " old\n");
}

void month_append_text(const struct month *self, struct text *out) {
    const int permille = month_pass_permille(self);
    text_appendf(out, "Verifications of backups in %04d-%02d\n  %-14s %zu: ", self->year,
                 self->month, "runs", month_runs(self));
    append_tally(out, &self->tally);
    if (permille >= 0)
        text_appendf(out, "\n  %-14s %d.%d %%\n", "pass rate", permille / 10, permille % 10);
    else
        text_appendf(out, "\n  %-14s unknown\n", "pass rate");
    append_trend(out, "duration", &self->duration_ms, wording_append_duration);
    append_trend(out, "size", &self->bytes, wording_append_bytes);
    append_verified(self, out);
    for (size_t i = 0; i < self->engine_count; i++)
        append_engine(out, &self->engines[i]);
}

// ---- for programs -------------------------------------------------------------------------------

static json_t *json_of_trend(const struct month_trend *trend) {
    if (trend->count == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)trend->count, "first",
                     (json_int_t)trend->first, "last", (json_int_t)trend->last, "median",
                     (json_int_t)trend->median);
}

static json_t *json_of_tally(const struct tally *tally) {
    return json_pack("{s:I, s:I, s:I}", "passed", (json_int_t)tally->passed, "failed",
                     (json_int_t)tally->failed, "not_verified", (json_int_t)tally_skipped(*tally));
}

static json_t *json_of_verified(const struct month *self) {
    if (!self->has_verified)
        return json_null();
    char taken[CLOCK_TEXT_SIZE];
    return json_pack("{s:o, s:s, s:I}", "path", wording_json(self->verified_path), "taken",
                     clock_format_utc(self->verified_taken_wall_ms, taken), "age_s",
                     (json_int_t)self->verified_age_s);
}

json_t *month_to_json(const struct month *self) {
    json_t *engines = json_array();
    for (size_t i = 0; i < self->engine_count; i++) {
        const struct month_engine *engine = &self->engines[i];
        json_array_append_new(engines,
                              json_pack("{s:o, s:o, s:o, s:o}", "name", wording_json(engine->name),
                                        "tally", json_of_tally(&engine->tally), "restore_ms",
                                        json_of_trend(&engine->restore_ms), "bytes",
                                        json_of_trend(&engine->bytes)));
    }
    const int permille = month_pass_permille(self);
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "month",
                     json_sprintf("%04d-%02d", self->year, self->month), "runs",
                     (json_int_t)month_runs(self), "tally", json_of_tally(&self->tally),
                     "pass_rate", permille >= 0 ? json_real(permille / 1000.0) : json_null(),
                     "duration_ms", json_of_trend(&self->duration_ms), "bytes",
                     json_of_trend(&self->bytes), "newest_verified", json_of_verified(self),
                     "engines", engines);
}
