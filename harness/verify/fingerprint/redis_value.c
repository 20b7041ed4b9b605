#include "verify/fingerprint/redis_value.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_TAIL 10 // RDB version, CRC-64

void redis_bytes_list_add(struct redis_bytes_list *self, const char *bytes, size_t length) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 8;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
    }
    self->items[self->count++] = (struct redis_bytes){memory_copy_bytes(bytes, length), length};
}

void redis_bytes_list_done(struct redis_bytes_list *self) {
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].bytes);
    free(self->items);
    *self = (struct redis_bytes_list){.count = 0};
}

void redis_value_init(struct redis_value *self, struct row_hash *rows, bool ask_fields,
                      const char *key, size_t length) {
    *self = (struct redis_value){.key = {memory_copy_bytes(key, length), length},
                                 .expires_ms = REDIS_VALUE_LASTING,
                                 .rows = rows,
                                 .ask_fields = ask_fields};
}

void redis_value_done(struct redis_value *self) {
    free(self->key.bytes);
    free(self->type_name);
    row_set_done(&self->seen);
    redis_bytes_list_done(&self->fields);
    redis_bytes_list_done(&self->names);
    free(self->request.items);
    free(self->request.lengths);
}

// ---- words, rows

static void add_word(struct redis_request *self, const char *word, size_t length) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 8;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
        self->lengths = memory_resize(self->lengths, self->capacity, sizeof *self->lengths);
    }
    self->items[self->count] = word;
    self->lengths[self->count++] = length;
}

void redis_value_word(struct redis_value *self, const char *word) {
    add_word(&self->request, word, strlen(word));
}

void redis_value_word_bytes(struct redis_value *self, const struct redis_bytes *bytes) {
    add_word(&self->request, bytes->bytes, bytes->length);
}

void redis_value_end_row(struct redis_value *self) {
    struct row_sum row;
    row_hash_end(self->rows, &row);
    row_sum_add(&self->sum, &row);
}

void redis_value_put_word(struct redis_value *self, const char *word) {
    row_hash_value(self->rows, word, strlen(word));
}

static void put_number(struct redis_value *self, int64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    redis_value_put_word(self, text);
}

void redis_value_put(struct redis_value *self, const struct redis_reply *reply) {
    switch (redis_reply_type(reply)) {
    case REDIS_REPLY_IS_TEXT:
        row_hash_value(self->rows, redis_reply_text(reply), redis_reply_length(reply));
        break;
    case REDIS_REPLY_IS_INTEGER:
        put_number(self, redis_reply_integer(reply));
        break;
    default:
        row_hash_null(self->rows);
    }
}

bool redis_value_misunderstood(const struct redis_value *self, struct error *err) {
    return error_set(err, ERROR_PROTOCOL, 0, "redis: an answer to %s that is not understood",
                     self->request.items[0]);
}

const struct redis_reply *redis_map_at(const struct redis_reply *map, const char *name) {
    for (size_t i = 0; i + 1 < redis_reply_count(map); i += 2)
        if (strcmp(redis_reply_text(redis_reply_at(map, i)), name) == 0)
            return redis_reply_at(map, i + 1);
    return NULL;
}

// ---- by position: strings, lists, sorted sets

static void ask_window(struct redis_value *self, const char *command, uint64_t size) {
    snprintf(self->from, sizeof self->from, "%" PRIu64, self->taken);
    snprintf(self->to, sizeof self->to, "%" PRIu64, self->taken + size - 1);
    redis_value_word(self, command);
    redis_value_word_bytes(self, &self->key);
    redis_value_word(self, self->from);
    redis_value_word(self, self->to);
}

static void ask_string(struct redis_value *self) {
    ask_window(self, "GETRANGE", REDIS_VALUE_PIECE);
}

static bool take_string(struct redis_value *self, const struct redis_reply *reply,
                        struct error *err) {
    if (redis_reply_type(reply) != REDIS_REPLY_IS_TEXT)
        return redis_value_misunderstood(self, err);
    if (redis_reply_length(reply) > 0) {
        row_hash_begin(self->rows);
        redis_value_put_word(self, self->from);
        redis_value_put(self, reply);
        redis_value_end_row(self);
    }
    self->taken += redis_reply_length(reply);
    self->content_read = redis_reply_length(reply) < REDIS_VALUE_PIECE;
    return true;
}

static void ask_list(struct redis_value *self) {
    ask_window(self, "LRANGE", REDIS_VALUE_PAGE);
}

static bool take_list(struct redis_value *self, const struct redis_reply *reply,
                      struct error *err) {
    if (redis_reply_type(reply) != REDIS_REPLY_IS_ARRAY)
        return redis_value_misunderstood(self, err);
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        row_hash_begin(self->rows);
        put_number(self, (int64_t)self->taken++);
        redis_value_put(self, redis_reply_at(reply, i));
        redis_value_end_row(self);
    }
    self->content_read = redis_reply_count(reply) < REDIS_VALUE_PAGE;
    return true;
}

static void ask_sorted_set(struct redis_value *self) {
    ask_window(self, "ZRANGE", REDIS_VALUE_PAGE);
    redis_value_word(self, "WITHSCORES");
}

// Servers print the shortest digits that mean the number, older ones seventeen: the same number. A
// small sorted set forgets the sign of -0, a large one does not.
static bool put_score(struct redis_value *self, const char *digits) {
    char *end = NULL;
    const double number = strtod(digits, &end);
    const double score = number == 0 ? 0 : number;
    uint8_t bytes[sizeof score];
    memcpy(bytes, &score, sizeof score);
    row_hash_value(self->rows, bytes, sizeof bytes);
    return end != digits && *end == '\0';
}

static bool take_sorted_set(struct redis_value *self, const struct redis_reply *reply,
                            struct error *err) {
    const size_t count = redis_reply_count(reply);
    if (redis_reply_type(reply) != REDIS_REPLY_IS_ARRAY || count % 2 != 0)
        return redis_value_misunderstood(self, err);
    for (size_t i = 0; i < count; i += 2) {
        row_hash_begin(self->rows);
        redis_value_put(self, redis_reply_at(reply, i));
        if (!put_score(self, redis_reply_text(redis_reply_at(reply, i + 1))))
            return redis_value_misunderstood(self, err);
        redis_value_end_row(self);
    }
    self->taken += count / 2;
    self->content_read = count / 2 < REDIS_VALUE_PAGE;
    return true;
}

// ---- by cursor: sets, hashes

static void ask_cursor(struct redis_value *self, const char *command) {
    if (self->from[0] == '\0')
        snprintf(self->from, sizeof self->from, "0");
    snprintf(self->to, sizeof self->to, "%d", REDIS_VALUE_PAGE);
    redis_value_word(self, command);
    redis_value_word_bytes(self, &self->key);
    redis_value_word(self, self->from);
    redis_value_word(self, "COUNT");
    redis_value_word(self, self->to);
}

// [cursor, [element, …]]; the cursor of the end is 0.
static bool take_cursor(struct redis_value *self, const struct redis_reply *reply,
                        const struct redis_reply **ret_elements, struct error *err) {
    if (redis_reply_count(reply) != 2 ||
        redis_reply_type(redis_reply_at(reply, 1)) != REDIS_REPLY_IS_ARRAY)
        return redis_value_misunderstood(self, err);
    const struct redis_reply *cursor = redis_reply_at(reply, 0);
    if (redis_reply_length(cursor) == 0 || redis_reply_length(cursor) >= sizeof self->from)
        return redis_value_misunderstood(self, err);
    snprintf(self->from, sizeof self->from, "%s", redis_reply_text(cursor));
    *ret_elements = redis_reply_at(reply, 1);
    return true;
}

static bool is_at_end(const struct redis_value *self) {
    return strcmp(self->from, "0") == 0;
}

static bool is_new(struct redis_value *self, const struct redis_reply *element) {
    struct row_sum row;
    row_hash_begin(self->rows);
    redis_value_put(self, element);
    row_hash_end(self->rows, &row);
    return row_set_add(&self->seen, &row);
}

static void ask_set(struct redis_value *self) {
    ask_cursor(self, "SSCAN");
}

static bool take_set(struct redis_value *self, const struct redis_reply *reply, struct error *err) {
    const struct redis_reply *members = NULL;
    if (!take_cursor(self, reply, &members, err))
        return false;
    for (size_t i = 0; i < redis_reply_count(members); i++) {
        const struct redis_reply *member = redis_reply_at(members, i);
        if (!is_new(self, member))
            continue;
        row_hash_begin(self->rows);
        redis_value_put(self, member);
        redis_value_end_row(self);
    }
    self->content_read = is_at_end(self);
    return true;
}

static void ask_hash(struct redis_value *self) {
    if (self->fields.count == 0) {
        ask_cursor(self, "HSCAN");
        return;
    }
    snprintf(self->to, sizeof self->to, "%zu", self->fields.count);
    redis_value_word(self, "HPEXPIRETIME");
    redis_value_word_bytes(self, &self->key);
    redis_value_word(self, "FIELDS");
    redis_value_word(self, self->to);
    for (size_t i = 0; i < self->fields.count; i++)
        redis_value_word_bytes(self, &self->fields.items[i]);
}

// Of each field: when it expires; negative: never, or it is gone.
static bool take_times(struct redis_value *self, const struct redis_reply *reply,
                       struct error *err) {
    if (redis_reply_type(reply) == REDIS_REPLY_IS_NULL) { // the key is gone
        redis_bytes_list_done(&self->fields);
        return true;
    }
    if (redis_reply_count(reply) != self->fields.count)
        return redis_value_misunderstood(self, err);
    for (size_t i = 0; i < self->fields.count; i++) {
        const struct redis_bytes *field = &self->fields.items[i];
        if (redis_reply_integer(redis_reply_at(reply, i)) < 0)
            continue;
        self->fields_expire = true;
        row_hash_begin(self->rows);
        redis_value_put_word(self, "expires");
        row_hash_value(self->rows, field->bytes, field->length);
        redis_value_put(self, redis_reply_at(reply, i));
        redis_value_end_row(self);
    }
    redis_bytes_list_done(&self->fields);
    return true;
}

static void take_field(struct redis_value *self, const struct redis_reply *field,
                       const struct redis_reply *value) {
    if (!is_new(self, field))
        return;
    row_hash_begin(self->rows);
    redis_value_put_word(self, "value");
    redis_value_put(self, field);
    redis_value_put(self, value);
    redis_value_end_row(self);
    if (self->ask_fields)
        redis_bytes_list_add(&self->fields, redis_reply_text(field), redis_reply_length(field));
}

static bool take_hash(struct redis_value *self, const struct redis_reply *reply,
                      struct error *err) {
    if (self->fields.count > 0) {
        if (!take_times(self, reply, err))
            return false;
    } else {
        const struct redis_reply *fields = NULL;
        if (!take_cursor(self, reply, &fields, err))
            return false;
        for (size_t i = 0; i + 1 < redis_reply_count(fields); i += 2)
            take_field(self, redis_reply_at(fields, i), redis_reply_at(fields, i + 1));
    }
    self->content_read = self->fields.count == 0 && is_at_end(self);
    return true;
}

// ---- what only its module understands

static void ask_dump(struct redis_value *self) {
    redis_value_word(self, "DUMP");
    redis_value_word_bytes(self, &self->key);
}

static bool take_dump(struct redis_value *self, const struct redis_reply *reply,
                      struct error *err) {
    self->content_read = true;
    if (redis_reply_type(reply) == REDIS_REPLY_IS_NULL) // gone
        return true;
    if (redis_reply_length(reply) <= DUMP_TAIL)
        return redis_value_misunderstood(self, err);
    row_hash_begin(self->rows);
    row_hash_value(self->rows, redis_reply_text(reply), redis_reply_length(reply) - DUMP_TAIL);
    redis_value_end_row(self);
    return true;
}

// ---- from the type to the expiry

static const struct redis_type STRING = {"string", ask_string, take_string};
static const struct redis_type LIST = {"list", ask_list, take_list};
static const struct redis_type SORTED_SET = {"zset", ask_sorted_set, take_sorted_set};
static const struct redis_type SET = {"set", ask_set, take_set};
static const struct redis_type HASH = {"hash", ask_hash, take_hash};
static const struct redis_type *const TYPES[] = {
    &STRING, &LIST, &SORTED_SET, &SET, &HASH, &REDIS_TYPE_STREAM, &REDIS_TYPE_VECTORS};
static const struct redis_type OTHER = {NULL, ask_dump, take_dump};

static const struct redis_type *type_of(const char *name) {
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (strcmp(TYPES[i]->name, name) == 0)
            return TYPES[i];
    return &OTHER;
}

static void go(struct redis_value *self) {
    self->gone = true;
    self->complete = true;
}

static bool take_type(struct redis_value *self, const struct redis_reply *reply,
                      struct error *err) {
    if (redis_reply_length(reply) == 0)
        return redis_value_misunderstood(self, err);
    self->type_name = memory_copy_string(redis_reply_text(reply));
    self->type = type_of(self->type_name);
    if (strcmp(self->type_name, "none") == 0)
        go(self);
    return true;
}

// Asked last: who is there then was there all the time.
static bool take_expiry(struct redis_value *self, const struct redis_reply *reply,
                        struct error *err) {
    if (redis_reply_type(reply) != REDIS_REPLY_IS_INTEGER)
        return redis_value_misunderstood(self, err);
    self->expires_ms = redis_reply_integer(reply);
    if (self->expires_ms < REDIS_VALUE_LASTING)
        go(self);
    self->complete = true;
    return true;
}

struct redis_words redis_value_ask(struct redis_value *self) {
    self->request.count = 0;
    if (self->type != NULL && !self->content_read) {
        self->type->ask(self);
    } else {
        redis_value_word(self, self->type == NULL ? "TYPE" : "PEXPIRETIME");
        redis_value_word_bytes(self, &self->key);
    }
    return (struct redis_words){self->request.items, self->request.lengths, self->request.count};
}

// "WRONGTYPE", "ERR no such key", "NOGROUP": it is no longer what it was.
static bool take_refusal(struct redis_value *self, const struct redis_reply *reply,
                         struct error *err) {
    struct error refusal = {0};
    if (redis_reply_check(reply, &refusal))
        return true;
    if (strcmp(refusal.reference, "WRONGTYPE") == 0 || refusal.code == SERVICE_ERROR_NOT_FOUND) {
        go(self);
        return true;
    }
    if (err != NULL)
        *err = refusal;
    return error_prefix(err, "%s", self->request.items[0]);
}

bool redis_value_take(struct redis_value *self, const struct redis_reply *reply,
                      struct error *err) {
    if (redis_reply_type(reply) == REDIS_REPLY_IS_ERROR)
        return take_refusal(self, reply, err);
    if (self->type == NULL)
        return take_type(self, reply, err);
    return self->content_read ? take_expiry(self, reply, err) : self->type->take(self, reply, err);
}
