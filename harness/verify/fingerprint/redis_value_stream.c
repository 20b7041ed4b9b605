// Streams: entries, then what the server counts, then the groups, and of each its consumers and
// pending entries.
#include "verify/fingerprint/redis_stream_id.h"
#include "verify/fingerprint/redis_value.h"

#include <stdio.h>
#include <string.h>

enum { STEP_ENTRIES, STEP_COUNTS, STEP_GROUPS, STEP_CONSUMERS, STEP_PENDING };

static void ask_after(struct redis_value *self) {
    if (self->from[0] == '\0')
        snprintf(self->from, sizeof self->from, "-");
    snprintf(self->to, sizeof self->to, "%d", REDIS_VALUE_PAGE);
    redis_value_word(self, self->from);
    redis_value_word(self, "+");
}

static void ask_entries(struct redis_value *self) {
    redis_value_word(self, "XRANGE");
    redis_value_word_bytes(self, &self->key);
    ask_after(self);
    redis_value_word(self, "COUNT");
    redis_value_word(self, self->to);
}

static void ask_pending(struct redis_value *self) {
    redis_value_word(self, "XPENDING");
    redis_value_word_bytes(self, &self->key);
    redis_value_word_bytes(self, &self->names.items[self->name]);
    ask_after(self);
    redis_value_word(self, self->to);
}

static void ask_info(struct redis_value *self, const char *of) {
    redis_value_word(self, "XINFO");
    redis_value_word(self, of);
    redis_value_word_bytes(self, &self->key);
}

static void ask(struct redis_value *self) {
    if (self->step == STEP_ENTRIES)
        ask_entries(self);
    else if (self->step == STEP_COUNTS)
        ask_info(self, "STREAM");
    else if (self->step == STEP_GROUPS)
        ask_info(self, "GROUPS");
    else if (self->step == STEP_PENDING)
        ask_pending(self);
    else {
        ask_info(self, "CONSUMERS");
        redis_value_word_bytes(self, &self->names.items[self->name]);
    }
}

static void go_to(struct redis_value *self, int step) {
    self->step = step;
    self->from[0] = '\0';
}

// Of a list of [id, …]: whether a further page can follow, and where it begins.
static bool turn_page(struct redis_value *self, const struct redis_reply *page, bool *ret_more,
                      struct error *err) {
    const size_t count = redis_reply_count(page);
    *ret_more = count >= REDIS_VALUE_PAGE;
    if (!*ret_more)
        return true;
    const struct redis_reply *last = redis_reply_at(page, count - 1);
    return redis_stream_id_after(redis_reply_text(redis_reply_at(last, 0)), self->from,
                                 sizeof self->from) ||
           redis_value_misunderstood(self, err);
}

// [id, [field, value, …]]
static bool take_entries(struct redis_value *self, const struct redis_reply *reply,
                         struct error *err) {
    bool more = false;
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const struct redis_reply *entry = redis_reply_at(reply, i);
        if (redis_reply_count(entry) != 2)
            return redis_value_misunderstood(self, err);
        const struct redis_reply *fields = redis_reply_at(entry, 1);
        row_hash_begin(self->rows);
        redis_value_put_word(self, "entry");
        redis_value_put(self, redis_reply_at(entry, 0));
        for (size_t j = 0; j < redis_reply_count(fields); j++)
            redis_value_put(self, redis_reply_at(fields, j));
        redis_value_end_row(self);
    }
    if (!turn_page(self, reply, &more, err))
        return false;
    if (!more)
        go_to(self, STEP_COUNTS);
    return true;
}

static bool take_counts(struct redis_value *self, const struct redis_reply *reply) {
    static const char *const names[] = {"last-generated-id", "entries-added",
                                        "max-deleted-entry-id"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct redis_reply *value = redis_map_at(reply, names[i]);
        if (value == NULL) // an older server does not count it
            continue;
        row_hash_begin(self->rows);
        redis_value_put_word(self, names[i]);
        redis_value_put(self, value);
        redis_value_end_row(self);
    }
    go_to(self, STEP_GROUPS);
    return true;
}

static bool take_groups(struct redis_value *self, const struct redis_reply *reply,
                        struct error *err) {
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const struct redis_reply *group = redis_reply_at(reply, i);
        const struct redis_reply *name = redis_map_at(group, "name");
        const struct redis_reply *delivered = redis_map_at(group, "last-delivered-id");
        const struct redis_reply *read = redis_map_at(group, "entries-read");
        if (name == NULL || delivered == NULL)
            return redis_value_misunderstood(self, err);
        redis_bytes_list_add(&self->names, redis_reply_text(name), redis_reply_length(name));
        row_hash_begin(self->rows);
        redis_value_put_word(self, "group");
        redis_value_put(self, name);
        redis_value_put(self, delivered);
        if (read != NULL)
            redis_value_put(self, read);
        redis_value_end_row(self);
    }
    go_to(self, STEP_CONSUMERS);
    self->content_read = self->names.count == 0;
    return true;
}

static void begin_group_row(struct redis_value *self, const char *what) {
    const struct redis_bytes *group = &self->names.items[self->name];
    row_hash_begin(self->rows);
    redis_value_put_word(self, what);
    row_hash_value(self->rows, group->bytes, group->length);
}

static bool take_consumers(struct redis_value *self, const struct redis_reply *reply,
                           struct error *err) {
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const struct redis_reply *name = redis_map_at(redis_reply_at(reply, i), "name");
        if (name == NULL)
            return redis_value_misunderstood(self, err);
        begin_group_row(self, "consumer");
        redis_value_put(self, name);
        redis_value_end_row(self);
    }
    go_to(self, STEP_PENDING);
    return true;
}

// [id, consumer, milliseconds since it was delivered, deliveries]
static bool take_pending(struct redis_value *self, const struct redis_reply *reply,
                         struct error *err) {
    bool more = false;
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const struct redis_reply *pending = redis_reply_at(reply, i);
        if (redis_reply_count(pending) != 4)
            return redis_value_misunderstood(self, err);
        begin_group_row(self, "pending");
        redis_value_put(self, redis_reply_at(pending, 0));
        redis_value_put(self, redis_reply_at(pending, 1));
        redis_value_put(self, redis_reply_at(pending, 3));
        redis_value_end_row(self);
    }
    if (!turn_page(self, reply, &more, err))
        return false;
    if (!more) {
        self->name++;
        go_to(self, STEP_CONSUMERS);
        self->content_read = self->name == self->names.count;
    }
    return true;
}

static bool take(struct redis_value *self, const struct redis_reply *reply, struct error *err) {
    if (redis_reply_type(reply) != REDIS_REPLY_IS_ARRAY)
        return redis_value_misunderstood(self, err);
    switch (self->step) {
    case STEP_ENTRIES:
        return take_entries(self, reply, err);
    case STEP_COUNTS:
        return take_counts(self, reply);
    case STEP_GROUPS:
        return take_groups(self, reply, err);
    case STEP_CONSUMERS:
        return take_consumers(self, reply, err);
    default:
        return take_pending(self, reply, err);
    }
}

const struct redis_type REDIS_TYPE_STREAM = {"stream", ask, take};
