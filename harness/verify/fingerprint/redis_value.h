// One key of a Redis server and all that it holds, in a form that does not depend on how the server
// stores it: a sum of rows (value/row_hash.h), read page by page, so that memory stays bounded
// whatever the key holds (but for the hashes of a set's members or a hash's fields, and the names
// of a vector set's elements).
//
//   redis_value_ask ──> a command ──> its answer ──> redis_value_take ──> until `complete`
//
// The commands of many keys can travel together. Rows by the type of the key:
//   string    offset, bytes                     in pieces of REDIS_VALUE_PIECE
//   list      position, element
//   set       member
//   hash      "value", field, value; "expires", field, time where a field expires
//   zset      member, score                     the 8 bytes of the number, not its digits; -0 is 0
//   stream    "entry", id, field, value …; "last-generated-id", "entries-added",
//             "max-deleted-entry-id"; "group", name, last-delivered-id, entries-read;
//             "consumer", group, name; "pending", group, id, consumer, deliveries
//   vectorset what VINFO says of its making; "vector", element, what VEMB RAW says; "attributes",
//             element, JSON; the graph, which a restore makes anew, is left out
//   others    what DUMP says, without its last ten bytes (version and checksum): a module's own
// Of a stream's pending entries and consumers the times are left out: the server says how long ago.
//
// Sources: the manual's pages of the commands; https://redis.io/docs/latest/develop/reference/
// protocol-spec/ (RESP2).
#pragma once

#include "client/redis_cluster.h"
#include "value/row_hash.h"
#include "verify/fingerprint/row_set.h"

#define REDIS_VALUE_PIECE 65536 // bytes of a string at a time
#define REDIS_VALUE_PAGE 100 // elements at a time; the server may send more of a small set or hash

#define REDIS_VALUE_LASTING (-1) // it does not expire

struct redis_bytes {
    char *bytes;
    size_t length;
};
struct redis_bytes_list {
    struct redis_bytes *items; // owned
    size_t count;
    size_t capacity;
};
void redis_bytes_list_add(struct redis_bytes_list *self, const char *bytes, size_t length);
void redis_bytes_list_done(struct redis_bytes_list *self);

// A command; the words are borrowed.
struct redis_request {
    const char **items;
    size_t *lengths;
    size_t count;
    size_t capacity;
};

struct redis_value {
    struct redis_bytes key;
    char *type_name; // as TYPE says it: "string"; NULL: not asked yet
    struct row_sum sum;
    int64_t expires_ms; // since 1970; REDIS_VALUE_LASTING
    bool fields_expire; // of a hash: one of its fields does
    bool complete;
    bool gone; // it went, or became another type, while it was read: there is nothing to say of it

    // While it is read.
    const struct redis_type *type;
    struct row_hash *rows; // borrowed
    bool ask_fields;       // the server knows of fields that expire
    bool content_read;
    uint64_t taken; // bytes or elements
    char from[48], to[48];
    struct row_set seen;            // SSCAN and HSCAN may send an element twice
    struct redis_bytes_list fields; // whose expiry is to be asked for
    int step;                       // of a stream or vector set
    struct redis_bytes_list names;  // of its groups, or its elements
    size_t name;                    // the present one
    struct redis_request request;
};

// `rows` makes the rows' hashes, one row at a time: many values may share it.
void redis_value_init(struct redis_value *self, struct row_hash *rows, bool ask_fields,
                      const char *key, size_t length);
void redis_value_done(struct redis_value *self);

// The next command; borrowed until the next call for this value.
struct redis_words redis_value_ask(struct redis_value *self);
// The answer, which may be an error reply. ERROR_PROTOCOL: not what the command answers.
bool redis_value_take(struct redis_value *self, const struct redis_reply *reply,
                      struct error *err) must_use;

// The value of a name in a map, which RESP2 sends as names and values in turn; NULL: not there.
const struct redis_reply *redis_map_at(const struct redis_reply *map, const char *name);

// ---- for redis_value*.c

struct redis_type {
    const char *name;
    void (*ask)(struct redis_value *self);
    bool (*take)(struct redis_value *self, const struct redis_reply *reply, struct error *err);
};
extern const struct redis_type REDIS_TYPE_STREAM, REDIS_TYPE_VECTORS;

void redis_value_word(struct redis_value *self, const char *word);
void redis_value_word_bytes(struct redis_value *self, const struct redis_bytes *bytes);
// Ends a row that was begun on `rows`, and adds it.
void redis_value_end_row(struct redis_value *self);
// A value of the present row: text, number or nothing.
void redis_value_put(struct redis_value *self, const struct redis_reply *reply);
void redis_value_put_word(struct redis_value *self, const char *word);
bool redis_value_misunderstood(const struct redis_value *self, struct error *err);
