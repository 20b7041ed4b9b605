// Which node of a Redis Cluster holds which of its 16384 slots, and which slot a key belongs to.
// Pure: no connection in here.
//
// Source: Redis cluster specification,
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
#pragma once

#include "base/attributes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REDIS_SLOT_COUNT 16384
#define REDIS_NO_NODE UINT16_MAX

struct redis_slots {
    uint16_t owner[REDIS_SLOT_COUNT]; // index of the node; REDIS_NO_NODE: nobody
};

void redis_slots_clear(struct redis_slots *self);
size_t redis_slots_assigned(const struct redis_slots *self); // how many have an owner
// First and last inclusive; false (and nothing changed) when they are no slots.
bool redis_slots_assign(struct redis_slots *self, int64_t first, int64_t last,
                        uint16_t node) must_use;

// Fills the map from the answer to CLUSTER SLOTS; node_at() gives the index of the node at an
// address, adding it when it is new. An empty or missing host means the one that was asked. On
// failure (the answer is not as specified) the map is as before.
struct redis_reply;
bool redis_slots_learn(struct redis_slots *self, const struct redis_reply *answer,
                       const char *asked_host,
                       uint16_t (*node_at)(void *context, const char *host, uint16_t port),
                       void *context, struct error *err) must_use;

// The slot of a key: CRC-16/XMODEM of the key, or of its hash tag (what stands between the first
// '{' and the next '}' when that is not empty), modulo 16384.
unsigned redis_slot_of(const void *key, size_t length);
uint16_t redis_crc16(const void *bytes, size_t length);

// The share of member `index` of `count` when slots are spread evenly: first and last inclusive.
void redis_slots_share(size_t index, size_t count, unsigned *ret_first, unsigned *ret_last);

// A command: words with lengths of their own, so binary-safe.
struct redis_words {
    const char *const *items;
    const size_t *lengths; // NULL: the items are strings
    size_t count;
};
#define WORDS(...)                                                     \
    ((struct redis_words){.items = (const char *const[]){__VA_ARGS__}, \
                          .lengths = NULL,                             \
                          .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)})

size_t redis_words_length(const struct redis_words *self, size_t index);
// Which word is the (first) key: 1 for most; 0 for a command without one (PING, EVAL with 0 keys).
size_t redis_words_key(const struct redis_words *self);

// "MOVED 3999 127.0.0.1:6381" and "ASK 3999 host:port". An empty host means "where you asked".
struct redis_redirection {
    bool ask; // else moved
    unsigned slot;
    char host[256];
    uint16_t port;
};
// false: the text is no redirection (or a broken one).
bool redis_redirection_parse(const char *text, size_t length,
                             struct redis_redirection *ret_redirection) must_use;
