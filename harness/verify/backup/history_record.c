#include "verify/backup/history_record.h"

#include "base/clock.h"
#include "base/memory.h"
#include "verify/backup/civil_time.h"
#include "verify/backup/wording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const OUTCOME_KEYS[] = {
    [OUTCOME_NOT_VERIFIED] = "not_verified",
    [OUTCOME_PASSED] = "passed",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_NOT_APPLICABLE] = "not_applicable",
};
#define OUTCOME_COUNT (sizeof OUTCOME_KEYS / sizeof *OUTCOME_KEYS)

struct history_engine *history_record_add(struct history_record *self, const char *name) {
    self->engines = memory_resize(self->engines, self->engine_count + 1, sizeof *self->engines);
    struct history_engine *engine = &self->engines[self->engine_count++];
    *engine = (struct history_engine){.name = memory_copy_string(name),
                                      .outcome = OUTCOME_NOT_VERIFIED,
                                      .bytes = HISTORY_UNKNOWN,
                                      .restore_ms = HISTORY_UNKNOWN};
    return engine;
}

const struct history_engine *history_record_engine(const struct history_record *self,
                                                   const char *name) {
    for (size_t i = 0; i < self->engine_count; i++)
        if (strcmp(self->engines[i].name, name) == 0)
            return &self->engines[i];
    return NULL;
}

void history_record_done(struct history_record *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->engine_count; i++)
        free(self->engines[i].name);
    free(self->engines);
    free(self->id);
    free(self->path);
    free(self->against);
    *self = (struct history_record){0};
}

int64_t history_record_bytes(const struct history_record *self) {
    int64_t bytes = 0;
    for (size_t i = 0; i < self->engine_count; i++) {
        if (self->engines[i].bytes < 0)
            return HISTORY_UNKNOWN;
        bytes += self->engines[i].bytes;
    }
    return self->engine_count > 0 ? bytes : HISTORY_UNKNOWN;
}

const char *history_outcome_key(enum outcome outcome) {
    return OUTCOME_KEYS[outcome];
}

bool history_outcome_of(const char *key, enum outcome *ret_outcome) {
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        if (strcmp(key, OUTCOME_KEYS[i]) == 0) {
            *ret_outcome = (enum outcome)i;
            return true;
        }
    return false;
}

bool history_time_of(const char *text, int64_t *ret_wall_ms) {
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    const struct civil_time time = {.year = (int)strtol(text, NULL, 10),
                                    .month = (int)strtol(text + 5, NULL, 10),
                                    .day = (int)strtol(text + 8, NULL, 10),
                                    .has_time = true,
                                    .hour = (int)strtol(text + 11, NULL, 10),
                                    .minute = (int)strtol(text + 14, NULL, 10),
                                    .second = (int)strtol(text + 17, NULL, 10)};
    if (!civil_is_valid(&time))
        return false;
    *ret_wall_ms = civil_to_utc(&time);
    return true;
}

// ---- to JSON ------------------------------------------------------------------------------------

static json_t *json_of_number(int64_t number) {
    return number < 0 ? json_null() : json_integer((json_int_t)number);
}

json_t *history_record_to_json(const struct history_record *self) {
    json_t *engines = json_array();
    for (size_t i = 0; i < self->engine_count; i++) {
        const struct history_engine *engine = &self->engines[i];
        json_array_append_new(engines,
                              json_pack("{s:o, s:s, s:o, s:o}", "name", wording_json(engine->name),
                                        "outcome", history_outcome_key(engine->outcome), "bytes",
                                        json_of_number(engine->bytes), "restore_ms",
                                        json_of_number(engine->restore_ms)));
    }
    char started[CLOCK_TEXT_SIZE];
    // The seed has 64 bits, a number in JSON has 53 of them for most readers.
    return json_pack("{s:o, s:s, s:I, s:o, s:o, s:s, s:o, s:o, s:o}", "id", wording_json(self->id),
                     "started", clock_format_utc(self->started_wall_ms, started), "duration_ms",
                     (json_int_t)(self->duration_ms > 0 ? self->duration_ms : 0), "path",
                     wording_json(self->path), "against", wording_json(self->against), "outcome",
                     history_outcome_key(self->outcome), "seed",
                     json_sprintf("%" PRIu64, self->seed), "backup_age_s",
                     json_of_number(self->backup_age_s), "engines", engines);
}

// ---- from JSON ----------------------------------------------------------------------------------

static bool wrong(struct error *err, const char *member) {
    return error_set(err, ERROR_PROTOCOL, 0, "\"%s\" is missing or wrong", member);
}

static bool read_string(const json_t *json, const char *member, char **ret_string,
                        struct error *err) {
    const char *string = json_string_value(json_object_get(json, member));
    if (string == NULL)
        return wrong(err, member);
    *ret_string = memory_copy_string(string);
    return true;
}

// null is unknown.
static bool read_number(const json_t *json, const char *member, int64_t *ret_number,
                        struct error *err) {
    const json_t *value = json_object_get(json, member);
    if (json_is_null(value)) {
        *ret_number = HISTORY_UNKNOWN;
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong(err, member);
    *ret_number = (int64_t)json_integer_value(value);
    return true;
}

static bool read_outcome(const json_t *json, enum outcome *ret_outcome, struct error *err) {
    const char *key = json_string_value(json_object_get(json, "outcome"));
    return (key != NULL && history_outcome_of(key, ret_outcome)) || wrong(err, "outcome");
}

static bool read_started(const json_t *json, int64_t *ret_wall_ms, struct error *err) {
    const char *text = json_string_value(json_object_get(json, "started"));
    return (text != NULL && history_time_of(text, ret_wall_ms)) || wrong(err, "started");
}

static bool read_seed(const json_t *json, uint64_t *ret_seed, struct error *err) {
    const char *text = json_string_value(json_object_get(json, "seed"));
    if (text == NULL || text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
        return wrong(err, "seed");
    errno = 0;
    *ret_seed = strtoull(text, NULL, 10);
    return errno == 0 || wrong(err, "seed");
}

static bool read_engine(const json_t *json, struct history_record *record, struct error *err) {
    const char *name = json_string_value(json_object_get(json, "name"));
    if (name == NULL)
        return wrong(err, "name");
    struct history_engine *engine = history_record_add(record, name);
    return read_outcome(json, &engine->outcome, err) &&
           read_number(json, "bytes", &engine->bytes, err) &&
           read_number(json, "restore_ms", &engine->restore_ms, err);
}

static bool read_engines(const json_t *json, struct history_record *record, struct error *err) {
    const json_t *engines = json_object_get(json, "engines");
    if (!json_is_array(engines))
        return wrong(err, "engines");
    for (size_t i = 0; i < json_array_size(engines); i++)
        if (!read_engine(json_array_get(engines, i), record, err))
            return error_prefix(err, "engine %zu", i + 1);
    return true;
}

bool history_record_of_json(const json_t *json, struct history_record *ret_record,
                            struct error *err) {
    autodone(history_record) struct history_record record = {0};
    if (!json_is_object(json))
        return error_set(err, ERROR_PROTOCOL, 0, "it is not an object");
    if (!read_string(json, "id", &record.id, err) ||
        !read_started(json, &record.started_wall_ms, err) ||
        !read_number(json, "duration_ms", &record.duration_ms, err) ||
        !read_string(json, "path", &record.path, err) ||
        !read_string(json, "against", &record.against, err) ||
        !read_outcome(json, &record.outcome, err) || !read_seed(json, &record.seed, err) ||
        !read_number(json, "backup_age_s", &record.backup_age_s, err) ||
        !read_engines(json, &record, err))
        return false;
    *ret_record = record;
    record = (struct history_record){0};
    return true;
}
