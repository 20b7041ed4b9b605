// Vector sets: what they are made of, then their elements, of each its vector and its attributes.
// Their DUMP is another after a restore. Source: the manual's VINFO, VRANDMEMBER (all of them,
// where it is asked for as many as there are), VEMB, VGETATTR.
#include "verify/fingerprint/redis_value.h"

#include <inttypes.h>
#include <stdio.h>

enum { STEP_MAKING, STEP_NAMES, STEP_VECTOR, STEP_ATTRIBUTES };

static void ask(struct redis_value *self) {
    static const char *const commands[] = {
        [STEP_MAKING] = "VINFO",
        [STEP_NAMES] = "VRANDMEMBER",
        [STEP_VECTOR] = "VEMB",
        [STEP_ATTRIBUTES] = "VGETATTR",
    };
    redis_value_word(self, commands[self->step]);
    redis_value_word_bytes(self, &self->key);
    if (self->step == STEP_NAMES) {
        snprintf(self->from, sizeof self->from, "%" PRIu64, self->taken);
        redis_value_word(self, self->from);
    } else if (self->step != STEP_MAKING) {
        redis_value_word_bytes(self, &self->names.items[self->name]);
    }
    if (self->step == STEP_VECTOR)
        redis_value_word(self, "RAW");
}

static bool take_making(struct redis_value *self, const struct redis_reply *reply,
                        struct error *err) {
    static const char *const names[] = {"quant-type", "hnsw-m", "vector-dim",
                                        "projection-input-dim", "size"};
    row_hash_begin(self->rows);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct redis_reply *value = redis_map_at(reply, names[i]);
        if (value == NULL)
            return redis_value_misunderstood(self, err);
        redis_value_put(self, value);
    }
    redis_value_end_row(self);
    self->taken = (uint64_t)redis_reply_integer(redis_map_at(reply, "size"));
    self->step = STEP_NAMES;
    return true;
}

static bool take_names(struct redis_value *self, const struct redis_reply *reply) {
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const struct redis_reply *name = redis_reply_at(reply, i);
        redis_bytes_list_add(&self->names, redis_reply_text(name), redis_reply_length(name));
    }
    self->content_read = self->names.count == 0;
    self->step = STEP_VECTOR;
    return true;
}

static void begin_row(struct redis_value *self, const char *what) {
    const struct redis_bytes *name = &self->names.items[self->name];
    row_hash_begin(self->rows);
    redis_value_put_word(self, what);
    row_hash_value(self->rows, name->bytes, name->length);
}

// [quantisation, bytes, length of the vector, range]
static bool take_vector(struct redis_value *self, const struct redis_reply *reply) {
    begin_row(self, "vector");
    for (size_t i = 0; i < redis_reply_count(reply); i++)
        redis_value_put(self, redis_reply_at(reply, i));
    redis_value_end_row(self);
    self->step = STEP_ATTRIBUTES;
    return true;
}

static bool take_attributes(struct redis_value *self, const struct redis_reply *reply) {
    if (redis_reply_type(reply) == REDIS_REPLY_IS_TEXT) {
        begin_row(self, "attributes");
        redis_value_put(self, reply);
        redis_value_end_row(self);
    }
    self->step = STEP_VECTOR;
    self->content_read = ++self->name == self->names.count;
    return true;
}

static bool take(struct redis_value *self, const struct redis_reply *reply, struct error *err) {
    if (self->step == STEP_MAKING && redis_reply_type(reply) == REDIS_REPLY_IS_NULL) {
        self->content_read = true; // gone
        return true;
    }
    switch (self->step) {
    case STEP_MAKING:
        return take_making(self, reply, err);
    case STEP_NAMES:
        return take_names(self, reply);
    case STEP_VECTOR:
        return take_vector(self, reply);
    default:
        return take_attributes(self, reply);
    }
}

const struct redis_type REDIS_TYPE_VECTORS = {"vectorset", ask, take};
