#define _GNU_SOURCE
#include "verify/backup/history.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"
#include "verify/backup/civil_time.h"
#include "verify/backup/history_csv.h"
#include "verify/backup/wording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME ".history.lock"
#define LOCK_TIMEOUT_MS 30000
#define MODE 0600
#define LATEST_WALL_MS INT64_C(32503679999999) // the last moment of CIVIL_YEAR_LAST

// ---- reading ------------------------------------------------------------------------------------

// No file: *ret_bytes is NULL.
static bool read_if_there(const char *path, char **ret_bytes, size_t *ret_length,
                          struct error *err) {
    struct error problem = {0};
    if (file_read(path, HISTORY_LIMIT, ret_bytes, ret_length, &problem))
        return true;
    if (problem.code == ENOENT)
        return true;
    if (problem.code == EFBIG)
        error_append(&problem, ": move it away, and a new one will be begun");
    if (err != NULL)
        *err = problem;
    return false;
}

// The line on which the record at `index` begins, from 1; jansson does not tell.
static int line_of_record(const char *bytes, size_t length, size_t index) {
    int line = 1;
    int depth = 0;
    size_t seen = 0;
    bool in_string = false;
    bool is_awaited = true;
    for (size_t i = 0; i < length; i++) {
        const char c = bytes[i];
        line += c == '\n';
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        if (depth == 1 && is_awaited && strchr(" \t\r\n", c) == NULL) {
            if (seen++ == index)
                return line;
            is_awaited = false;
        }
        if (!in_string && c == ',' && depth == 1)
            is_awaited = true;
        depth += in_string ? 0 : (c == '[' || c == '{') - (c == ']' || c == '}');
    }
    return line;
}

static bool read_records(const json_t *array, const char *bytes, size_t length,
                         struct history *history, struct error *err) {
    history->records = memory_new(json_array_size(array) + 1, sizeof *history->records);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!history_record_of_json(json_array_get(array, i), &history->records[i], err))
            return error_prefix(err, "line %d: record %zu", line_of_record(bytes, length, i),
                                i + 1);
        history->count++;
    }
    return true;
}

// The array as it is in the file, and what it says; both are the caller's.
static bool load(const char *path, json_t **ret_array, struct history **ret_history,
                 struct error *err) {
    autofree_string char *bytes = NULL;
    autofree(history) struct history *history = memory_new(1, sizeof *history);
    size_t length = 0;
    if (!read_if_there(path, &bytes, &length, err))
        return false;
    json_error_t wrong;
    json_t *array =
        bytes == NULL ? json_array() : json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &wrong);
    if (array == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "%s: line %d: %s", path, wrong.line, wrong.text);
    const bool is_ours = json_is_array(array) ? read_records(array, bytes, length, history, err)
                                              : error_set(err, ERROR_PROTOCOL, 0,
                                                          "line 1: not an array of verifications");
    if (!is_ours) {
        json_decref(array);
        return error_prefix(err, "%s", path);
    }
    *ret_array = array;
    *ret_history = TAKE(history);
    return true;
}

bool history_read(const char *folder, struct history **ret_history, struct error *err) {
    autofree_string char *path = path_join(folder, HISTORY_JSON);
    json_t *array = NULL;
    if (!load(path, &array, ret_history, err))
        return false;
    json_decref(array);
    return true;
}

void history_free(struct history *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        history_record_done(&self->records[i]);
    free(self->records);
    free(self);
}

enum outcome history_verdict(const struct history *self, const char *path, int64_t until_wall_ms) {
    autofree_string char *name = wording_name(path);
    const struct history_record *last = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const struct history_record *record = &self->records[i];
        if ((record->outcome != OUTCOME_PASSED && record->outcome != OUTCOME_FAILED) ||
            record->started_wall_ms > until_wall_ms || strcmp(record->path, name) != 0)
            continue;
        if (last == NULL || record->started_wall_ms >= last->started_wall_ms)
            last = record;
    }
    return last != NULL ? last->outcome : OUTCOME_NOT_VERIFIED;
}

// ---- appending ----------------------------------------------------------------------------------

struct lock {
    const char *path;
    int fd;
};

static bool try_lock(void *context, struct error *err) {
    const struct lock *lock = context;
    return flock(lock->fd, LOCK_EX | LOCK_NB) == 0 ||
           error_set_errno(err, "%s is held by another verification", lock->path);
}

static bool take_lock(const char *folder, int *ret_fd, struct error *err) {
    autofree_string char *path = path_join(folder, LOCK_NAME);
    autoclose_fd int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, MODE);
    if (fd < 0)
        return error_set_errno(err, "cannot open %s", path);
    struct lock lock = {.path = path, .fd = fd};
    if (!eventually(deadline_in_ms(LOCK_TIMEOUT_MS), try_lock, &lock, err))
        return false;
    *ret_fd = fd;
    fd = -1;
    return true;
}

static bool check_record(const struct history_record *record, struct error *err) {
    if (record->id == NULL || record->id[0] == '\0')
        return error_set(err, ERROR_USAGE, 0,
                         "a verification without an id has no place in the "
                         "history");
    if (record->started_wall_ms < 0 || record->started_wall_ms > LATEST_WALL_MS)
        return error_set(err, ERROR_USAGE, 0,
                         "the clock is wrong: the verification started %lld "
                         "ms after 1970",
                         (long long)record->started_wall_ms);
    return true;
}

static bool check_is_new(const struct history *history, const struct history_record *record,
                         struct error *err) {
    autofree_string char *id = wording_name(record->id);
    for (size_t i = 0; i < history->count; i++)
        if (strcmp(history->records[i].id, id) == 0)
            return error_set(err, ERROR_USAGE, 0, "the verification %s is in the history already",
                             id);
    return true;
}

// A record a line, so that a line says which one is damaged, and a diff which one is new.
static bool write_json(const char *path, const json_t *array, struct error *err) {
    autodone(text) struct text out = {0};
    text_init(&out, HISTORY_LIMIT);
    text_append(&out, "[");
    for (size_t i = 0; i < json_array_size(array); i++) {
        autofree_string char *line =
            json_dumps(json_array_get(array, i), JSON_COMPACT | JSON_ENCODE_ANY);
        text_append(&out, i > 0 ? ",\n" : "\n");
        text_append(&out, line);
    }
    text_append(&out, "\n]\n");
    if (out.overflowed)
        return error_set(err, ERROR_SYSTEM, EFBIG,
                         "%s is full: move it away, and a new one will be begun", path);
    return file_write_atomic(path, text_string(&out), out.length, MODE, err);
}

// What is in the file, byte for byte, then each record that is not.
static bool compose_csv(const char *path, const struct history *history, struct text *out,
                        struct error *err) {
    autofree_string char *bytes = NULL;
    autodone(string_list) struct string_list ids = {0};
    size_t length = 0;
    if (!read_if_there(path, &bytes, &length, err))
        return false;
    if (bytes != NULL && !history_csv_ids(bytes, length, &ids, err))
        return error_prefix(err, "%s", path);
    if (bytes != NULL)
        text_append_bytes(out, bytes, length);
    else
        text_append(out, HISTORY_CSV_HEADER "\r\n");
    for (size_t i = 0; i < history->count; i++)
        if (!string_list_contains(&ids, history->records[i].id))
            history_csv_append(out, &history->records[i]);
    return !out->overflowed ||
           error_set(err, ERROR_SYSTEM, EFBIG,
                     "%s is full: move it away, and a new one will be begun", path);
}

static bool sync_folder(const char *folder, struct error *err) {
    autoclose_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && (fsync(fd) == 0 || errno == EINVAL)) ||
           error_set_errno(err, "cannot sync the folder %s", folder);
}

static bool append_locked(const char *folder, const struct history_record *record,
                          struct error *err) {
    autofree_string char *json_path = path_join(folder, HISTORY_JSON);
    autofree_string char *csv_path = path_join(folder, HISTORY_CSV);
    autofree(history) struct history *history = NULL;
    autodone(text) struct text csv = {0};
    text_init(&csv, HISTORY_LIMIT);
    json_t *array = NULL;
    if (!load(json_path, &array, &history, err))
        return false;
    bool ok = check_is_new(history, record, err) && compose_csv(csv_path, history, &csv, err);
    if (ok) {
        json_array_append_new(array, history_record_to_json(record));
        history_csv_append(&csv, record);
        ok = write_json(json_path, array, err) &&
             file_write_atomic(csv_path, text_string(&csv), csv.length, MODE, err);
    }
    json_decref(array);
    return ok && sync_folder(folder, err);
}

bool history_append(const char *folder, const struct history_record *record, struct error *err) {
    if (!check_record(record, err))
        return false;
    autoclose_fd int lock = -1;
    return take_lock(folder, &lock, err) && append_locked(folder, record, err);
}
