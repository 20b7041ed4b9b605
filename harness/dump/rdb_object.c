#include "dump/rdb_object.h"

#include "dump/little_endian.h"
#include "dump/packed.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct type {
    const char *name;
    bool (*read)(struct rdb_reader *self, const struct type *type, struct error *err);
    unsigned parts;     // strings an entry, or entries a group
    enum packed packed; // of packed types
};

static bool read_count(struct rdb_reader *self, const struct type *type, uint64_t *ret_count,
                       struct error *err) {
    return rdb_read_length(self, type->name, ret_count, err);
}

// ---- one string after the other

static bool read_strings(struct rdb_reader *self, const struct type *type, struct error *err) {
    uint64_t count;
    if (!read_count(self, type, &count, err))
        return false;
    for (; count > 0; count--)
        for (unsigned part = 0; part < type->parts; part++)
            if (!rdb_read_string(self, type->name, 0, err))
                return false;
    return true;
}

static bool read_one_string(struct rdb_reader *self, const struct type *type, struct error *err) {
    return rdb_read_string(self, type->name, 0, err);
}

// ---- sorted sets

static bool not_a_number(struct rdb_reader *self, struct error *err) {
    return cursor_error(&self->cursor, err, "a score of a sorted set is not a number");
}

// As text, with its length before it; 253 to 255 are not a number and the infinities.
static bool read_text_score(struct rdb_reader *self, struct error *err) {
    uint8_t length;
    char text[256];
    char *end;
    if (!rdb_read_byte(self, "a score", &length, err))
        return false;
    if (length >= 253)
        return length != 253 || not_a_number(self, err);
    if (!cursor_read(&self->cursor, text, length, "a score", err))
        return false;
    text[length] = '\0';
    return (!isnan(strtod(text, &end)) && end == text + length && length > 0) ||
           not_a_number(self, err);
}

static bool read_binary_score(struct rdb_reader *self, struct error *err) {
    uint8_t bytes[8];
    double score;
    if (!cursor_read(&self->cursor, bytes, sizeof bytes, "a score", err))
        return false;
    const uint64_t bits = little_endian(bytes, sizeof bytes);
    memcpy(&score, &bits, sizeof score);
    return !isnan(score) || not_a_number(self, err);
}

static bool read_scores(struct rdb_reader *self, const struct type *type,
                        bool (*read_score)(struct rdb_reader *, struct error *),
                        struct error *err) {
    uint64_t count;
    if (!read_count(self, type, &count, err))
        return false;
    for (; count > 0; count--)
        if (!rdb_read_string(self, type->name, 0, err) || !read_score(self, err))
            return false;
    return true;
}

static bool read_text_scores(struct rdb_reader *self, const struct type *type, struct error *err) {
    return read_scores(self, type, read_text_score, err);
}

static bool read_binary_scores(struct rdb_reader *self, const struct type *type,
                               struct error *err) {
    return read_scores(self, type, read_binary_score, err);
}

// ---- packed containers

static bool read_packed_as(struct rdb_reader *self, const char *name, enum packed packed,
                           unsigned group, struct error *err) {
    if (!rdb_read_string(self, name, RDB_KEPT, err))
        return false;
    if (self->kept_length < self->length)
        return true; // longer than what is looked into
    const char *problem = packed_problem(packed, self->kept, self->kept_length, group);
    return problem == NULL || cursor_error(&self->cursor, err, "%s: %s", name, problem);
}

static bool read_packed(struct rdb_reader *self, const struct type *type, struct error *err) {
    return read_packed_as(self, type->name, type->packed, type->parts, err);
}

static bool read_packed_with_expiry(struct rdb_reader *self, const struct type *type,
                                    struct error *err) {
    return rdb_skip(self, 8, "the next expiry of a hash", err) && read_packed(self, type, err);
}

static bool read_ziplists(struct rdb_reader *self, const struct type *type, struct error *err) {
    uint64_t count;
    if (!read_count(self, type, &count, err))
        return false;
    for (; count > 0; count--)
        if (!read_packed(self, type, err))
            return false;
    return true;
}

#define CONTAINER_PLAIN 1
#define CONTAINER_PACKED 2

static bool read_list_nodes(struct rdb_reader *self, const struct type *type, struct error *err) {
    uint64_t count, container;
    if (!read_count(self, type, &count, err))
        return false;
    for (; count > 0; count--) {
        if (!rdb_read_length(self, "a list's node", &container, err))
            return false;
        if (container != CONTAINER_PLAIN && container != CONTAINER_PACKED)
            return cursor_error(&self->cursor, err,
                                "a node of a list is of the unknown kind %" PRIu64, container);
        if (container == CONTAINER_PLAIN ? !rdb_read_string(self, type->name, 0, err)
                                         : !read_packed(self, type, err))
            return false;
    }
    return true;
}

// ---- hashes whose fields expire: a time before each field

static bool read_expiring(struct rdb_reader *self, const struct type *type, struct error *err) {
    uint64_t count, time;
    if (!read_count(self, type, &count, err))
        return false;
    for (; count > 0; count--)
        if (!rdb_read_length(self, "a field's expiry", &time, err) ||
            !rdb_read_string(self, type->name, 0, err) ||
            !rdb_read_string(self, type->name, 0, err))
            return false;
    return true;
}

static bool read_expiring_with_next(struct rdb_reader *self, const struct type *type,
                                    struct error *err) {
    return rdb_skip(self, 8, "the next expiry of a hash", err) && read_expiring(self, type, err);
}

// ---- streams

#define STREAM_ID 16

// So many lengths that only have to be there: identifiers and counters.
static bool read_lengths(struct rdb_reader *self, unsigned count, const char *what,
                         struct error *err) {
    uint64_t length;
    for (; count > 0; count--)
        if (!rdb_read_length(self, what, &length, err))
            return false;
    return true;
}

static bool read_stream_nodes(struct rdb_reader *self, const struct type *type, uint64_t *ret_nodes,
                              struct error *err) {
    if (!read_count(self, type, ret_nodes, err))
        return false;
    for (uint64_t left = *ret_nodes; left > 0; left--) {
        if (!rdb_read_string(self, "a stream's identifier", 0, err))
            return false;
        if (self->length != STREAM_ID)
            return cursor_error(&self->cursor, err, "a stream's identifier has %" PRIu64 " bytes",
                                self->length);
        if (!read_packed_as(self, type->name, PACKED_STREAM, 1, err))
            return false;
    }
    return true;
}

// What was delivered and not confirmed: of a group with times and counts, of a consumer without.
static bool read_pending(struct rdb_reader *self, bool with_delivery, struct error *err) {
    static const char WHAT[] = "a stream's pending entries";
    uint64_t count;
    if (!rdb_read_length(self, WHAT, &count, err))
        return false;
    for (; count > 0; count--)
        if (!rdb_skip(self, STREAM_ID + (with_delivery ? 8 : 0), WHAT, err) ||
            (with_delivery && !read_lengths(self, 1, WHAT, err)))
            return false;
    return true;
}

static bool read_consumers(struct rdb_reader *self, unsigned times, struct error *err) {
    uint64_t count;
    if (!rdb_read_length(self, "a stream's consumers", &count, err))
        return false;
    for (; count > 0; count--)
        if (!rdb_read_string(self, "a stream's consumer", 0, err) ||
            !rdb_skip(self, 8 * times, "a stream's consumer", err) ||
            !read_pending(self, false, err))
            return false;
    return true;
}

// type->parts: the format's version, 1 to 3.
static bool read_stream(struct rdb_reader *self, const struct type *type, struct error *err) {
    const bool second = type->parts >= 2;
    uint64_t nodes, entries, groups;
    if (!read_stream_nodes(self, type, &nodes, err) ||
        !rdb_read_length(self, "a stream's length", &entries, err))
        return false;
    if (entries > 0 && nodes == 0)
        return cursor_error(&self->cursor, err, "a stream of %" PRIu64 " entries holds none",
                            entries);
    // The last identifier; then the first, the last deleted, and how many there ever were.
    if (!read_lengths(self, second ? 7 : 2, "a stream's identifiers", err) ||
        !rdb_read_length(self, "a stream's groups", &groups, err))
        return false;
    for (; groups > 0; groups--)
        if (!rdb_read_string(self, "a stream's group", 0, err) ||
            !read_lengths(self, second ? 3 : 2, "a stream's group", err) ||
            !read_pending(self, true, err) || !read_consumers(self, type->parts >= 3 ? 2 : 1, err))
            return false;
    return true;
}

// ---- modules

enum { PART_END, PART_SIGNED, PART_UNSIGNED, PART_FLOAT, PART_DOUBLE, PART_STRING };

bool rdb_read_module_parts(struct rdb_reader *self, struct error *err) {
    static const char WHAT[] = "a module's value";
    for (;;) {
        uint64_t part, number;
        if (!rdb_read_length(self, WHAT, &part, err))
            return false;
        if (part == PART_END)
            return true;
        if (part > PART_STRING)
            return cursor_error(&self->cursor, err, "%s has a part of the unknown kind %" PRIu64,
                                WHAT, part);
        if (part == PART_STRING  ? !rdb_read_string(self, WHAT, 0, err)
            : part >= PART_FLOAT ? !rdb_skip(self, part == PART_FLOAT ? 4 : 8, WHAT, err)
                                 : !rdb_read_length(self, WHAT, &number, err))
            return false;
    }
}

static bool read_module(struct rdb_reader *self, const struct type *type, struct error *err) {
    uint64_t id;
    return rdb_read_length(self, type->name, &id, err) && rdb_read_module_parts(self, err);
}

// ---- the types
// 6 was a module's value before Redis 4 was released, 8 never was; both have no readable form.

static const struct type TYPES[] = {
    [0] = {"a string", read_one_string, 1, 0},
    [1] = {"a list", read_strings, 1, 0},
    [2] = {"a set", read_strings, 1, 0},
    [3] = {"a sorted set", read_text_scores, 1, 0},
    [4] = {"a hash", read_strings, 2, 0},
    [5] = {"a sorted set", read_binary_scores, 1, 0},
    [7] = {"a module's value", read_module, 1, 0},
    [9] = {"a hash", read_packed, 1, PACKED_ZIPMAP},
    [10] = {"a list", read_packed, 1, PACKED_ZIPLIST},
    [11] = {"a set", read_packed, 1, PACKED_INTSET},
    [12] = {"a sorted set", read_packed, 2, PACKED_ZIPLIST},
    [13] = {"a hash", read_packed, 2, PACKED_ZIPLIST},
    [14] = {"a list", read_ziplists, 1, PACKED_ZIPLIST},
    [15] = {"a stream", read_stream, 1, PACKED_STREAM},
    [16] = {"a hash", read_packed, 2, PACKED_LISTPACK},
    [17] = {"a sorted set", read_packed, 2, PACKED_LISTPACK},
    [18] = {"a list", read_list_nodes, 1, PACKED_LISTPACK},
    [19] = {"a stream", read_stream, 2, PACKED_STREAM},
    [20] = {"a set", read_packed, 1, PACKED_LISTPACK},
    [21] = {"a stream", read_stream, 3, PACKED_STREAM},
    [22] = {"a hash", read_expiring, 1, 0}, // 22, 23: before Redis 7.4 was released
    [23] = {"a hash", read_packed, 3, PACKED_LISTPACK},
    [24] = {"a hash", read_expiring_with_next, 1, 0},
    [25] = {"a hash", read_packed_with_expiry, 3, PACKED_LISTPACK},
};

bool rdb_object_is_known(uint8_t type) {
    return type < sizeof TYPES / sizeof TYPES[0] && TYPES[type].read != NULL;
}

bool rdb_read_object(struct rdb_reader *self, uint8_t type, struct error *err) {
    return TYPES[type].read(self, &TYPES[type], err);
}
