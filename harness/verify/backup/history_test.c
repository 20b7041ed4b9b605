#define _GNU_SOURCE
#include "verify/backup/history.h"

#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/history_csv.h"
#include "verify/backup/history_sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 4
#define EACH 10

static struct error err;
static struct history *history;
static json_t *json;
static json_t *schema;

static void forget(void) {
    history_free(history);
    json_decref(json);
    json_decref(schema);
    sample_done();
}

TestSuite(history, .fini = forget);

static bool append(const char *id, const char *started, enum outcome outcome) {
    struct history_record record = sample_record(id, started, outcome);
    const bool appended = history_append(sample_folder(), &record, &err);
    history_record_done(&record);
    return appended;
}

static void read_back(void) {
    history_free(TAKE(history));
    cr_assert(history_read(sample_folder(), &history, &err), "%s", err.message);
}

static size_t lines_of(const char *text) {
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

Test(history, without_files_is_empty) {
    read_back();
    cr_expect_eq(history->count, 0);
    cr_expect_not(file_exists(sample_path(HISTORY_JSON)));
}

Test(history, gives_back_what_was_appended) {
    cr_assert(append("r1", "2026-11-22T03:00:01Z", OUTCOME_FAILED), "%s", err.message);
    cr_assert(append("r2", "2026-11-29T03:00:00Z", OUTCOME_NOT_VERIFIED), "%s", err.message);
    read_back();
    cr_assert_eq(history->count, 2);
    const struct history_record *record = &history->records[0];
    cr_expect_str_eq(record->id, "r1");
    cr_expect_eq(record->started_wall_ms, INT64_C(1795316401000));
    cr_expect_eq(record->duration_ms, 61234);
    cr_expect_str_eq(record->path, "/backups/20261122-020000");
    cr_expect_str_eq(record->against, "manifest");
    cr_expect_eq(record->outcome, OUTCOME_FAILED);
    cr_expect_eq(record->seed, UINT64_MAX);
    cr_expect_eq(record->backup_age_s, 3600);
    cr_assert_eq(record->engine_count, 2);
    cr_expect_str_eq(record->engines[0].name, "postgres");
    cr_expect_eq(record->engines[0].outcome, OUTCOME_PASSED);
    cr_expect_eq(record->engines[0].bytes, 1000);
    cr_expect_eq(record->engines[0].restore_ms, 500);
    cr_expect_eq(record->engines[1].outcome, OUTCOME_FAILED);
    cr_expect_eq(record->engines[1].restore_ms, HISTORY_UNKNOWN);
    cr_expect_eq(history->records[1].outcome, OUTCOME_NOT_VERIFIED);
}

Test(history, is_a_line_a_run_in_both_files_for_nobody_else) {
    struct stat status;
    cr_assert(append("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    cr_assert(append("r2", "2026-11-29T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    const char *csv = sample_text(HISTORY_CSV);
    cr_expect_eq(strncmp(csv, HISTORY_CSV_HEADER "\r\n2026-11-22T03:00:00Z,r1,passed,",
                         strlen(HISTORY_CSV_HEADER) + 33),
                 0, "%s", csv);
    cr_expect_eq(lines_of(csv), 3);
    cr_expect_eq(lines_of(sample_text(HISTORY_JSON)), 4);
    cr_assert_eq(stat(sample_path(HISTORY_JSON), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    cr_assert_eq(stat(sample_path(HISTORY_CSV), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
}

Test(history, keeps_a_path_that_is_not_text) {
    struct history_record record = sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED);
    free(record.path);
    record.path = memory_copy_string("/b/\xff\n");
    const bool appended = history_append(sample_folder(), &record, &err);
    history_record_done(&record);
    cr_assert(appended, "%s", err.message);
    read_back();
    cr_expect_str_eq(history->records[0].path, "/b/\\xff\\x0a");
    cr_expect_eq(history_verdict(history, "/b/\xff\n", INT64_MAX), OUTCOME_PASSED);
}

Test(history, refuses_a_record_that_it_has_or_could_not_keep) {
    cr_assert(append("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    const char *before = sample_text(HISTORY_JSON);
    cr_expect_not(append("r1", "2026-11-29T03:00:00Z", OUTCOME_PASSED));
    cr_expect_eq(err.domain, ERROR_USAGE);
    cr_expect_not(append("", "2026-11-29T03:00:00Z", OUTCOME_PASSED));
    struct history_record ancient = {.started_wall_ms = -1};
    ancient.id = sample_own(memory_copy_string("r2"));
    cr_expect_not(history_append(sample_folder(), &ancient, &err));
    cr_expect_eq(err.domain, ERROR_USAGE);
    cr_expect_str_eq(sample_text(HISTORY_JSON), before);
}

// A kill between the two files.
Test(history, catches_up_with_a_line_that_the_spreadsheet_lacks) {
    cr_assert(append("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    const char *before = sample_text(HISTORY_CSV);
    cr_assert(append("r2", "2026-11-29T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    sample_write(HISTORY_CSV, before);
    cr_assert(append("r3", "2026-12-06T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    const char *csv = sample_text(HISTORY_CSV);
    cr_expect_eq(lines_of(csv), 4);
    cr_expect_eq(strncmp(csv, before, strlen(before)), 0);
    cr_expect_lt(strstr(csv, ",r2,"), strstr(csv, ",r3,"));
}

Test(history, that_is_damaged_is_named_with_its_line_and_left_alone) {
    static const struct {
        const char *content;
        const char *wanted;
    } wrong[] = {
        {"", HISTORY_JSON ": line "},
        {"[\n{\"id\":\"r1\",\n", HISTORY_JSON ": line 3: "},
        {"{}\n", HISTORY_JSON ": line 1: not an array"},
        {"[\n1\n]\n", HISTORY_JSON ": line 2: record 1: it is not an object"},
        {"[\n\n{}]\n", HISTORY_JSON ": line 3: record 1: \"id\" is missing or wrong"},
        {"[{\"id\":\"a,\\\"[\",\n\"started\":\"2026-11-22T03:00:00Z\",\"duration_ms\":1,"
         "\"path\":\"/b\",\"against\":\"none\",\"outcome\":\"passed\",\"seed\":\"1\","
         "\"backup_age_s\":null,\"engines\":[]},\n{\"id\":\"r2\",\"started\":\"yesterday\"}\n\n]\n",
         HISTORY_JSON ": line 3: record 2: \"started\" is missing or wrong"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sample_write(HISTORY_JSON, wrong[i].content);
        cr_expect_not(append("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED), "%zu", i);
        cr_expect_eq(err.domain, ERROR_PROTOCOL);
        cr_expect_not_null(strstr(err.message, wrong[i].wanted), "%s, not %s", err.message,
                           wrong[i].wanted);
        cr_expect_str_eq(sample_text(HISTORY_JSON), wrong[i].content);
        cr_expect_not(file_exists(sample_path(HISTORY_CSV)));
    }
}

Test(history, refuses_each_member_that_is_wrong) {
    static const char *const wrong[] = {
        "\"id\":7",
        "\"started\":\"2026-02-30T03:00:00Z\"",
        "\"duration_ms\":1.5",
        "\"path\":null",
        "\"against\":[]",
        "\"outcome\":\"fine\"",
        "\"seed\":12",
        "\"seed\":\"18446744073709551616\"",
        "\"backup_age_s\":-2",
        "\"engines\":{}",
        "\"engines\":[{}]",
        "\"engines\":[{\"name\":\"a\",\"outcome\":\"passed\",\"bytes\":\"1\",\"restore_ms\":1}]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct history_record record = sample_record("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED);
        struct history_record read;
        json_t *good = history_record_to_json(&record);
        history_record_done(&record);
        char *object = sample_own(memory_format("{%s}", wrong[i]));
        json_t *bad = json_loads(object, 0, NULL);
        json_object_update(good, bad);
        json_decref(bad);
        const bool accepted = history_record_of_json(good, &read, &err);
        json_decref(good);
        cr_expect_not(accepted, "%s", wrong[i]);
        cr_expect_eq(err.domain, ERROR_PROTOCOL, "%s", wrong[i]);
    }
}

Test(history, with_a_damaged_spreadsheet_writes_neither_file) {
    cr_assert(append("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    const char *before = sample_text(HISTORY_JSON);
    const char *damaged = sample_own(memory_format("%sgarbage", sample_text(HISTORY_CSV)));
    sample_write(HISTORY_CSV, damaged);
    cr_expect_not(append("r2", "2026-11-29T03:00:00Z", OUTCOME_PASSED));
    cr_expect_not_null(strstr(err.message, HISTORY_CSV ": line 3: "), "%s", err.message);
    cr_expect_str_eq(sample_text(HISTORY_CSV), damaged);
    cr_expect_str_eq(sample_text(HISTORY_JSON), before);
}

Test(history, keeps_members_of_a_later_version) {
    cr_assert(append("r1", "2026-11-22T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    const char *text = sample_text(HISTORY_JSON);
    sample_write(HISTORY_JSON,
                 sample_own(memory_format("[{\"colour\":\"blue\",%s", strchr(text, '{') + 1)));
    cr_assert(append("r2", "2026-11-29T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    cr_expect_not_null(strstr(sample_text(HISTORY_JSON), "\"colour\":\"blue\""));
}

static void append_some(int writer) {
    bool fine = true;
    for (int i = 0; i < EACH; i++) {
        char id[32];
        snprintf(id, sizeof id, "w%d-%d", writer, i);
        fine &= append(id, "2026-11-22T03:00:00Z", OUTCOME_PASSED);
    }
    _exit(fine ? 0 : 1);
}

Test(history, loses_nothing_when_many_append_at_once, .timeout = 120) {
    pid_t children[WRITERS];
    int status;
    sample_folder();
    for (int i = 0; i < WRITERS; i++)
        if ((children[i] = fork()) == 0)
            append_some(i);
    for (int i = 0; i < WRITERS; i++) {
        cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
        cr_expect_eq(status, 0, "writer %d", i);
    }
    read_back();
    cr_expect_eq(history->count, WRITERS * EACH);
    cr_expect_eq(lines_of(sample_text(HISTORY_CSV)), 1 + WRITERS * EACH);
}

Test(history, takes_the_last_run_that_came_to_a_verdict) {
    struct history_record records[4] = {
        sample_record("r1", "2026-11-01T03:00:00Z", OUTCOME_PASSED),
        sample_record("r2", "2026-11-15T03:00:00Z", OUTCOME_PASSED),
        sample_record("r3", "2026-11-08T03:00:00Z", OUTCOME_FAILED), // appended late
        sample_record("r4", "2026-11-22T03:00:00Z", OUTCOME_NOT_VERIFIED),
    };
    const struct history *sample = sample_history(records, 4);
    const char *path = records[0].path;
    cr_expect_eq(history_verdict(sample, path, INT64_MAX), OUTCOME_PASSED);
    cr_expect_eq(history_verdict(sample, path, records[2].started_wall_ms), OUTCOME_FAILED);
    cr_expect_eq(history_verdict(sample, path, records[2].started_wall_ms - 1), OUTCOME_PASSED);
    cr_expect_eq(history_verdict(sample, path, records[0].started_wall_ms - 1),
                 OUTCOME_NOT_VERIFIED);
    cr_expect_eq(history_verdict(sample, "/backups", INT64_MAX), OUTCOME_NOT_VERIFIED);
}

// ---- the schema ---------------------------------------------------------------------------------

static bool has_type(const json_t *types, const json_t *value) {
    const char *name = json_is_object(value)    ? "object"
                       : json_is_array(value)   ? "array"
                       : json_is_string(value)  ? "string"
                       : json_is_integer(value) ? "integer"
                                                : "null";
    bool fits =
        types == NULL || (json_is_string(types) && strcmp(json_string_value(types), name) == 0);
    for (size_t i = 0; i < json_array_size(types); i++)
        fits |= strcmp(json_string_value(json_array_get(types, i)), name) == 0;
    return fits;
}

// As much of JSON Schema as ours uses, and one rule more: a member that it does not name is wrong.
static bool fits(json_t *rule, json_t *value) {
    const char *reference = json_string_value(json_object_get(rule, "$ref"));
    if (reference != NULL)
        rule = json_object_get(json_object_get(schema, "$defs"), reference + strlen("#/$defs/"));
    bool ok = rule != NULL && has_type(json_object_get(rule, "type"), value);
    json_t *allowed = json_object_get(rule, "enum");
    bool listed = allowed == NULL;
    size_t i;
    json_t *item;
    const char *key;
    json_array_foreach (allowed, i, item)
        listed |= json_equal(item, value) != 0;
    json_array_foreach (json_object_get(rule, "required"), i, item)
        ok &= json_object_get(value, json_string_value(item)) != NULL;
    json_object_foreach (value, key, item)
        ok &= fits(json_object_get(json_object_get(rule, "properties"), key), item);
    if (json_is_array(value))
        json_array_foreach (value, i, item)
            ok &= fits(json_object_get(rule, "items"), item);
    return ok && listed;
}

static bool file_fits(void) {
    json_decref(json);
    json = json_load_file(sample_path(HISTORY_JSON), 0, NULL);
    cr_assert_not_null(json);
    return fits(schema, json);
}

Test(history, fits_its_schema_and_what_is_wrong_does_not) {
    schema = json_load_file(HISTORY_SCHEMA, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(schema);
    cr_assert(append("r1", "2026-11-22T03:00:00Z", OUTCOME_NOT_VERIFIED), "%s", err.message);
    cr_assert(append("r2", "2026-11-22T03:00:00Z", OUTCOME_PASSED), "%s", err.message);
    cr_expect(file_fits());
    json_object_set_new(json_array_get(json, 0), "outcome", json_string("fine"));
    cr_expect_not(fits(schema, json));
    cr_assert(file_fits());
    json_object_set_new(json_array_get(json, 1), "other", json_null());
    cr_expect_not(fits(schema, json));
    cr_assert(file_fits());
    json_object_del(json_array_get(json_object_get(json_array_get(json, 0), "engines"), 0), "name");
    cr_expect_not(fits(schema, json));
}
