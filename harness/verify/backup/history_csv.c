#include "verify/backup/history_csv.h"

#include "base/clock.h"
#include "base/memory.h"
#include "verify/backup/wording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum column {
    COLUMN_STARTED,
    COLUMN_ID,
    COLUMN_OUTCOME,
    COLUMN_DURATION,
    COLUMN_PATH,
    COLUMN_AGAINST,
    COLUMN_SEED,
    COLUMN_AGE,
    COLUMN_BYTES,
    COLUMN_ENGINES,
    COLUMN_COUNT,
};

// ---- writing ------------------------------------------------------------------------------------

static void append_field(struct text *out, const char *name) {
    autofree_string char *field = wording_name(name);
    if (strpbrk(field, ",\"") == NULL) {
        text_append(out, field);
        return;
    }
    text_append_char(out, '"');
    for (const char *at = field; *at != '\0'; at++) {
        if (*at == '"')
            text_append_char(out, '"');
        text_append_char(out, *at);
    }
    text_append_char(out, '"');
}

static void append_number(struct text *out, int64_t number) {
    if (number >= 0)
        text_appendf(out, "%" PRId64, number);
}

static void append_engines(struct text *out, const struct history_record *record) {
    autodone(text) struct text engines = {0};
    for (size_t i = 0; i < record->engine_count; i++) {
        const struct history_engine *engine = &record->engines[i];
        text_appendf(&engines, "%s%s=%s/", i > 0 ? " " : "", engine->name,
                     history_outcome_key(engine->outcome));
        append_number(&engines, engine->bytes);
        text_append_char(&engines, '/');
        append_number(&engines, engine->restore_ms);
    }
    append_field(out, text_string(&engines));
}

void history_csv_append(struct text *out, const struct history_record *record) {
    char started[CLOCK_TEXT_SIZE];
    text_appendf(out, "%s,", clock_format_utc(record->started_wall_ms, started));
    append_field(out, record->id);
    text_appendf(out, ",%s,", history_outcome_key(record->outcome));
    append_number(out, record->duration_ms > 0 ? record->duration_ms : 0);
    text_append_char(out, ',');
    append_field(out, record->path);
    text_append_char(out, ',');
    append_field(out, record->against);
    text_appendf(out, ",%" PRIu64 ",", record->seed);
    append_number(out, record->backup_age_s);
    text_append_char(out, ',');
    append_number(out, history_record_bytes(record));
    text_append_char(out, ',');
    append_engines(out, record);
    text_append(out, "\r\n");
}

// ---- reading ------------------------------------------------------------------------------------

struct reader {
    const char *at;
    const char *end;
    int line; // at which `at` stands
};

static bool ends_line(const struct reader *self) {
    return self->at < self->end &&
           (*self->at == '\n' ||
            (*self->at == '\r' && self->end - self->at > 1 && self->at[1] == '\n'));
}

static void take(struct reader *self, struct text *field) {
    self->line += *self->at == '\n';
    text_append_char(field, *self->at++);
}

static bool read_quoted(struct reader *self, struct text *field, struct error *err) {
    self->at++;
    while (self->at < self->end) {
        if (*self->at != '"') {
            take(self, field);
        } else if (self->end - self->at > 1 && self->at[1] == '"') {
            self->at++;
            take(self, field);
        } else {
            self->at++;
            return (self->at < self->end && *self->at == ',') || ends_line(self) ||
                   error_set(err, ERROR_PROTOCOL, 0, "something stands behind a closing quote");
        }
    }
    return error_set(err, ERROR_PROTOCOL, 0, "a quote is not closed");
}

static bool read_field(struct reader *self, struct text *field, struct error *err) {
    if (self->at < self->end && *self->at == '"')
        return read_quoted(self, field, err);
    while (self->at < self->end && *self->at != ',' && !ends_line(self)) {
        if (*self->at == '"' || *self->at == '\0')
            return error_set(err, ERROR_PROTOCOL, 0, "a quote or NUL byte stands within a field");
        take(self, field);
    }
    return self->at < self->end || error_set(err, ERROR_PROTOCOL, 0, "the line is cut short");
}

static bool read_line(struct reader *self, struct string_list *ret_fields, struct error *err) {
    for (;;) {
        struct text field = {0};
        const bool is_read = read_field(self, &field, err);
        string_list_take(ret_fields, text_take(&field));
        if (!is_read)
            return false;
        if (ends_line(self))
            break;
        self->at++; // the comma
    }
    self->at += *self->at == '\r' ? 2 : 1;
    self->line++;
    return true;
}

static bool is_number(const char *field, bool may_be_empty) {
    return strspn(field, "0123456789") == strlen(field) && (may_be_empty || field[0] != '\0');
}

static bool check_record(const struct string_list *fields, struct error *err) {
    int64_t started;
    enum outcome outcome;
    if (fields->count != COLUMN_COUNT)
        return error_set(err, ERROR_PROTOCOL, 0, "%zu fields, not %d", fields->count, COLUMN_COUNT);
    if (!history_time_of(fields->items[COLUMN_STARTED], &started))
        return error_set(err, ERROR_PROTOCOL, 0, "\"started\" is not a time");
    if (fields->items[COLUMN_ID][0] == '\0')
        return error_set(err, ERROR_PROTOCOL, 0, "\"id\" is empty");
    if (!history_outcome_of(fields->items[COLUMN_OUTCOME], &outcome))
        return error_set(err, ERROR_PROTOCOL, 0, "\"outcome\" is none");
    if (!is_number(fields->items[COLUMN_DURATION], false) ||
        !is_number(fields->items[COLUMN_SEED], false) ||
        !is_number(fields->items[COLUMN_AGE], true) ||
        !is_number(fields->items[COLUMN_BYTES], true))
        return error_set(err, ERROR_PROTOCOL, 0, "a number is none");
    return true;
}

static bool check_header(struct reader *self, struct error *err) {
    const size_t length = strlen(HISTORY_CSV_HEADER);
    if ((size_t)(self->end - self->at) > length &&
        strncmp(self->at, HISTORY_CSV_HEADER, length) == 0) {
        self->at += length;
        if (ends_line(self)) {
            self->at += *self->at == '\r' ? 2 : 1;
            self->line++;
            return true;
        }
    }
    return error_set(err, ERROR_PROTOCOL, 0, "line 1: not our header");
}

bool history_csv_ids(const char *bytes, size_t length, struct string_list *ret_ids,
                     struct error *err) {
    struct reader reader = {.at = bytes, .end = bytes + length, .line = 1};
    if (!check_header(&reader, err))
        return false;
    while (reader.at < reader.end) {
        const int line = reader.line;
        autodone(string_list) struct string_list fields = {0};
        if (!read_line(&reader, &fields, err) || !check_record(&fields, err))
            return error_prefix(err, "line %d", line);
        string_list_add(ret_ids, fields.items[COLUMN_ID]);
    }
    return true;
}
