// What the history keeps of one verification of a backup.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "value/result.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_UNKNOWN (-1) // of sizes, durations and ages

struct history_engine {
    char *name; // "postgres"
    enum outcome outcome;
    int64_t bytes;      // of its artifacts on the disk; HISTORY_UNKNOWN
    int64_t restore_ms; // HISTORY_UNKNOWN: nothing was restored
};

struct history_record {
    char *id;                // of the run, unique in the history
    int64_t started_wall_ms; // kept to the second
    int64_t duration_ms;
    char *path;    // of the backup, absolute
    char *against; // what it was compared with: "manifest", "live", "none"
    enum outcome outcome;
    uint64_t seed;        // of the negative controls
    int64_t backup_age_s; // when the run started; HISTORY_UNKNOWN
    struct history_engine *engines;
    size_t engine_count;
};

// The strings and the engines are the record's own: memory_copy_string, history_record_add.
// One an engine; the new one is not verified, its numbers are unknown.
struct history_engine *history_record_add(struct history_record *self, const char *name);
// NULL: it has none of that name.
const struct history_engine *history_record_engine(const struct history_record *self,
                                                   const char *name);
void history_record_done(struct history_record *self);

int64_t history_record_bytes(const struct history_record *self); // of all engines; or unknown

const char *history_outcome_key(enum outcome outcome); // "passed", "not_verified"
bool history_outcome_of(const char *key, enum outcome *ret_outcome);

// "2026-11-22T03:00:00Z" and nothing else.
bool history_time_of(const char *text, int64_t *ret_wall_ms);

// One member of history.json, described by history.schema.json; the caller's. Names that are not
// UTF-8 are escaped as wording_name() does.
json_t *history_record_to_json(const struct history_record *self);
// ERROR_PROTOCOL: what is missing or wrong, by its name. Members that we do not know are no error.
bool history_record_of_json(const json_t *json, struct history_record *ret_record,
                            struct error *err) must_use;

DEFINE_AUTODONE(history_record, history_record_done);
