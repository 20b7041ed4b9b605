#include "value/row_notes.h"

#include "base/memory.h"
#include "base/text.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_LIMIT 2048 // documents may name their fields as they like
#define COLUMN_OTHER "another"
#define WORDS_SHOWN 64 // bytes of a key's column
#define BYTES_SHOWN 24

struct row_notes *row_notes_new(const uint8_t key[ROW_HASH_KEY_SIZE],
                                const struct row_difference *difference, uint32_t bucket_count,
                                size_t bytes) {
    struct row_notes *self = memory_new(1, sizeof *self);
    memcpy(self->key, key, sizeof self->key);
    self->buckets = memory_new(difference->bucket_count, sizeof *self->buckets);
    for (size_t i = 0; i < difference->bucket_count; i++)
        self->buckets[i] = difference->buckets[i];
    self->bucket_count = difference->bucket_count;
    self->buckets_in_all = bucket_count;
    self->bytes_limit = bytes > 0 ? bytes : ROW_NOTES_BYTES;
    return self;
}

static void note_done(struct row_note *self) {
    free(self->words);
    free(self->values);
}

void row_notes_free(struct row_notes *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        note_done(&self->items[i]);
    for (size_t i = 0; i < self->column_count; i++)
        free(self->columns[i]);
    free(self->number_column);
    free(self->columns);
    free(self->items);
    free(self->buckets);
    free(self);
}

void row_notes_numbered(struct row_notes *self, const struct row_number_form *form,
                        const char *column) {
    self->form = form;
    free(self->number_column);
    self->number_column = memory_copy_string(column);
}

// ---- a row

static bool is_wanted(const struct row_notes *self, uint32_t bucket) {
    size_t from = 0, to = self->bucket_count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (self->buckets[middle] == bucket)
            return true;
        if (self->buckets[middle] < bucket)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

// One that is written otherwise (0017) would be looked for under another name: then none is.
static void take_number(struct row_notes *self, const struct row_notes_row *row,
                        int64_t *ret_number) {
    uint8_t again[ROW_NUMBER_SIZE];
    size_t width = 0;
    if (row->number == NULL || row->number_length > sizeof again ||
        !self->form->read(row->number, row->number_length, ret_number, &width) ||
        (self->numbered > 0 && width != self->width) ||
        self->form->write(*ret_number, width, again) != row->number_length ||
        memcmp(again, row->number, row->number_length) != 0) {
        self->form = NULL;
        return;
    }
    self->width = width;
    self->least = self->numbered == 0 || *ret_number < self->least ? *ret_number : self->least;
    self->greatest =
        self->numbered == 0 || *ret_number > self->greatest ? *ret_number : self->greatest;
    self->numbered++;
}

static bool is_kept(const struct row_notes *self, const uint64_t key[2]) {
    return self->halved == 0 || key[1] >> (64 - self->halved) == 0;
}

static size_t bytes_of(const struct row_note *note) {
    return sizeof *note + (note->words != NULL ? strlen(note->words) + 1 : 0) +
           note->value_count * sizeof *note->values;
}

void row_notes_halve(struct row_notes *self, unsigned times) {
    size_t kept = 0;
    self->halved = times;
    self->bytes = 0;
    for (size_t i = 0; i < self->count; i++)
        if (is_kept(self, self->items[i].key)) {
            self->bytes += bytes_of(&self->items[i]);
            self->items[kept++] = self->items[i];
        } else {
            note_done(&self->items[i]);
        }
    self->count = kept;
}

// Not by the part of the hash that chose the bucket. Sixty-three times is not enough only for
// a row that is there a hundred thousand times.
static bool make_room(struct row_notes *self) {
    while ((self->count >= ROW_NOTES_LIMIT || self->bytes >= self->bytes_limit) &&
           self->halved < 63)
        row_notes_halve(self, self->halved + 1);
    return self->count < ROW_NOTES_LIMIT && self->bytes < self->bytes_limit;
}

void row_notes_begin(struct row_notes *self, const struct row_notes_row *row) {
    int64_t number = 0;
    if (self->form != NULL)
        take_number(self, row, &number);
    self->wants = is_wanted(self, row->bucket) && make_room(self) && is_kept(self, row->key);
    if (!self->wants)
        return;
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 64;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
    }
    self->items[self->count++] = (struct row_note){.key = {row->key[0], row->key[1]},
                                                   .sum = row->sum,
                                                   .bucket = row->bucket,
                                                   .number = number};
    self->bytes += sizeof *self->items;
}

bool row_notes_wants(const struct row_notes *self) {
    return self != NULL && self->wants;
}

// ---- its key, in words

// UTF-8 that moves no terminal's cursor.
static bool is_text(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x20 || byte == 0x7f ||
            (byte == 0xc2 && i + 1 < length && (unsigned char)bytes[i + 1] < 0xa0))
            return false;
    }
    json_t *accepted = json_stringn(bytes, length);
    json_decref(accepted);
    return accepted != NULL;
}

static void append_bytes(struct text *text, const char *bytes, size_t length) {
    text_append(text, "x'");
    for (size_t i = 0; i < length && i < BYTES_SHOWN; i++)
        text_appendf(text, "%02x", (unsigned char)bytes[i]);
    text_append(text, length > BYTES_SHOWN ? "…'" : "'");
}

static void append_text(struct text *text, const char *bytes, size_t length) {
    size_t shown = length < WORDS_SHOWN ? length : WORDS_SHOWN;
    while (shown < length && ((unsigned char)bytes[shown] & 0xc0) == 0x80)
        shown--;
    text_append_bytes(text, bytes, shown);
    text_append(text, shown < length ? "…" : "");
}

void row_notes_key(struct row_notes *self, const char *column, const void *bytes, size_t length) {
    struct row_note *note = &self->items[self->count - 1];
    struct text text = {.length = 0};
    if (note->words != NULL)
        text_appendf(&text, "%s, ", note->words);
    if (column != NULL)
        text_appendf(&text, "%s=", column);
    (is_text(bytes, length) ? append_text : append_bytes)(&text, bytes, length);
    self->bytes += text.length + 1;
    free(note->words);
    note->words = text_take(&text);
    note->key_columns++;
}

// ---- its values

// Columns come in the same order nearly always.
static size_t column_of(struct row_notes *self, const char *name, size_t expected) {
    if (expected < self->column_count && strcmp(self->columns[expected], name) == 0)
        return expected;
    for (size_t i = 0; i < self->column_count; i++)
        if (strcmp(self->columns[i], name) == 0)
            return i;
    if (self->column_count == COLUMNS_LIMIT)
        return column_of(self, COLUMN_OTHER, 0);
    self->columns = memory_resize(self->columns, self->column_count + 1, sizeof *self->columns);
    self->columns[self->column_count] =
        memory_copy_string(self->column_count == COLUMNS_LIMIT - 1 ? COLUMN_OTHER : name);
    return self->column_count++;
}

void row_notes_value(struct row_notes *self, const char *column, const void *bytes, size_t length) {
    static const uint8_t nothing[1];
    struct row_note *note = &self->items[self->count - 1];
    uint8_t hash[crypto_shorthash_BYTES] = {0};
    if (bytes != NULL)
        crypto_shorthash(hash, length > 0 ? bytes : nothing, length, self->key);
    if ((note->value_count & (note->value_count - 1)) == 0)
        note->values = memory_resize(
            note->values, note->value_count > 0 ? 2 * note->value_count : 1, sizeof *note->values);
    struct row_note_value *value = &note->values[note->value_count];
    memcpy(&value->hash, hash, sizeof value->hash);
    value->column = column_of(self, column, note->value_count);
    note->value_count++;
    self->bytes += sizeof *value;
}
