#include "client/redis_slots.h"

#include "client/redis_cluster.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void redis_slots_clear(struct redis_slots *self) {
    for (size_t slot = 0; slot < REDIS_SLOT_COUNT; slot++)
        self->owner[slot] = REDIS_NO_NODE;
}

size_t redis_slots_assigned(const struct redis_slots *self) {
    size_t assigned = 0;
    for (size_t slot = 0; slot < REDIS_SLOT_COUNT; slot++)
        assigned += self->owner[slot] != REDIS_NO_NODE;
    return assigned;
}

bool redis_slots_assign(struct redis_slots *self, int64_t first, int64_t last, uint16_t node) {
    if (first < 0 || last < first || last >= REDIS_SLOT_COUNT)
        return false;
    for (int64_t slot = first; slot <= last; slot++)
        self->owner[slot] = node;
    return true;
}

// One element of CLUSTER SLOTS: first, last, [host, port, id, …] of the master, replicas.
static bool learn_range(struct redis_slots *self, const struct redis_reply *range,
                        const char *asked_host,
                        uint16_t (*node_at)(void *context, const char *host, uint16_t port),
                        void *context) {
    if (redis_reply_count(range) < 3)
        return false;
    const struct redis_reply *first = redis_reply_at(range, 0);
    const struct redis_reply *last = redis_reply_at(range, 1);
    const struct redis_reply *master = redis_reply_at(range, 2);
    if (redis_reply_type(first) != REDIS_REPLY_IS_INTEGER ||
        redis_reply_type(last) != REDIS_REPLY_IS_INTEGER || redis_reply_count(master) < 2)
        return false;
    const char *host = redis_reply_text(redis_reply_at(master, 0));
    const int64_t port = redis_reply_integer(redis_reply_at(master, 1));
    if (port < 1 || port > UINT16_MAX)
        return false;
    const bool unnamed = host[0] == '\0' || strcmp(host, "?") == 0;
    const uint16_t node = node_at(context, unnamed ? asked_host : host, (uint16_t)port);
    return redis_slots_assign(self, redis_reply_integer(first), redis_reply_integer(last), node);
}

bool redis_slots_learn(struct redis_slots *self, const struct redis_reply *answer,
                       const char *asked_host,
                       uint16_t (*node_at)(void *context, const char *host, uint16_t port),
                       void *context, struct error *err) {
    if (redis_reply_type(answer) != REDIS_REPLY_IS_ARRAY)
        return error_set(err, ERROR_PROTOCOL, 0, "CLUSTER SLOTS did not answer with a list");
    struct redis_slots learned;
    redis_slots_clear(&learned);
    for (size_t i = 0; i < redis_reply_count(answer); i++)
        if (!learn_range(&learned, redis_reply_at(answer, i), asked_host, node_at, context))
            return error_set(err, ERROR_PROTOCOL, 0,
                             "CLUSTER SLOTS answered with something that is no range of slots");
    *self = learned;
    return true;
}

// CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection (specification, appendix A).
// By bits, not by a table: keys are short, and this is the definition itself.
uint16_t redis_crc16(const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    unsigned crc = 0;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned)at[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc &= 0xffff;
    }
    return (uint16_t)crc;
}

unsigned redis_slot_of(const void *key, size_t length) {
    const char *hashed = key;
    size_t hashed_length = length;
    const char *open = memchr(key, '{', length);
    if (open != NULL) {
        const size_t rest = length - (size_t)(open + 1 - (const char *)key);
        const char *close = memchr(open + 1, '}', rest);
        if (close != NULL && close > open + 1) {
            hashed = open + 1;
            hashed_length = (size_t)(close - hashed);
        }
    }
    return redis_crc16(hashed, hashed_length) % REDIS_SLOT_COUNT;
}

void redis_slots_share(size_t index, size_t count, unsigned *ret_first, unsigned *ret_last) {
    *ret_first = (unsigned)(index * REDIS_SLOT_COUNT / count);
    *ret_last = (unsigned)((index + 1) * REDIS_SLOT_COUNT / count - 1);
}

size_t redis_words_length(const struct redis_words *self, size_t index) {
    return self->lengths != NULL ? self->lengths[index] : strlen(self->items[index]);
}

static bool word_is(const struct redis_words *self, size_t index, const char *word) {
    return redis_words_length(self, index) == strlen(word) &&
           strncasecmp(self->items[index], word, strlen(word)) == 0;
}

// Commands whose key is not their second word (https://redis.io/docs/latest/commands/, the "key
// specifications" of each).
static const struct {
    const char *command;
    size_t key; // 0: none
} exceptions[] = {
    {"ACL", 0},       {"ASKING", 0},    {"AUTH", 0},        {"BGREWRITEAOF", 0}, {"BGSAVE", 0},
    {"CLIENT", 0},    {"CLUSTER", 0},   {"COMMAND", 0},     {"CONFIG", 0},       {"DBSIZE", 0},
    {"DEBUG", 0},     {"DISCARD", 0},   {"ECHO", 0},        {"EXEC", 0},         {"FLUSHALL", 0},
    {"FLUSHDB", 0},   {"FUNCTION", 0},  {"HELLO", 0},       {"INFO", 0},         {"KEYS", 0},
    {"LASTSAVE", 0},  {"LATENCY", 0},   {"MODULE", 0},      {"MONITOR", 0},      {"MULTI", 0},
    {"PING", 0},      {"PUBLISH", 0},   {"PUBSUB", 0},      {"QUIT", 0},         {"RANDOMKEY", 0},
    {"READONLY", 0},  {"READWRITE", 0}, {"RESET", 0},       {"ROLE", 0},         {"SAVE", 0},
    {"SCAN", 0},      {"SCRIPT", 0},    {"SELECT", 0},      {"SHUTDOWN", 0},     {"SLOWLOG", 0},
    {"SUBSCRIBE", 0}, {"TIME", 0},      {"UNSUBSCRIBE", 0}, {"UNWATCH", 0},      {"WAIT", 0},
    {"BITOP", 2},     {"MEMORY", 2},    {"OBJECT", 2},      {"XGROUP", 2},       {"XINFO", 2},
};

// "EVAL script numkeys key …", "ZUNION numkeys key …": the first key, if there is any.
static size_t key_after_count(const struct redis_words *self, size_t count_at) {
    if (self->count <= count_at + 1 || strtol(self->items[count_at], NULL, 10) < 1)
        return 0;
    return count_at + 1;
}

static size_t key_after_streams(const struct redis_words *self) {
    for (size_t i = 1; i + 1 < self->count; i++)
        if (word_is(self, i, "STREAMS"))
            return i + 1;
    return 0;
}

size_t redis_words_key(const struct redis_words *self) {
    static const char *const count_at_2[] = {"EVAL",  "EVALSHA",  "EVAL_RO", "EVALSHA_RO",
                                             "FCALL", "FCALL_RO", "BLMPOP",  "BZMPOP"};
    static const char *const count_at_1[] = {"LMPOP", "SINTERCARD", "ZDIFF", "ZINTER",
                                             "ZMPOP", "ZINTERCARD", "ZUNION"};
    if (self->count < 2)
        return 0;
    for (size_t i = 0; i < sizeof count_at_2 / sizeof count_at_2[0]; i++)
        if (word_is(self, 0, count_at_2[i]))
            return key_after_count(self, 2);
    for (size_t i = 0; i < sizeof count_at_1 / sizeof count_at_1[0]; i++)
        if (word_is(self, 0, count_at_1[i]))
            return key_after_count(self, 1);
    if (word_is(self, 0, "XREAD") || word_is(self, 0, "XREADGROUP"))
        return key_after_streams(self);
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (word_is(self, 0, exceptions[i].command))
            return exceptions[i].key < self->count ? exceptions[i].key : 0;
    return 1;
}

// "<slot> <host>:<port>"; an IPv6 host has colons of its own, so the last one counts.
static bool parse_target(const char *target, struct redis_redirection *ret_redirection) {
    char *end = NULL;
    const unsigned long slot = strtoul(target, &end, 10);
    const char *colon = strrchr(target, ':');
    if (end == target || *end != ' ' || slot >= REDIS_SLOT_COUNT || colon == NULL || colon < end)
        return false;
    const char *host = end + 1;
    const size_t host_length = (size_t)(colon - host);
    char *port_end = NULL;
    const unsigned long port = strtoul(colon + 1, &port_end, 10);
    if (port_end == colon + 1 || *port_end != '\0' || port < 1 || port > UINT16_MAX ||
        host_length >= sizeof ret_redirection->host)
        return false;
    ret_redirection->slot = (unsigned)slot;
    memcpy(ret_redirection->host, host, host_length);
    ret_redirection->host[host_length] = '\0';
    ret_redirection->port = (uint16_t)port;
    return true;
}

bool redis_redirection_parse(const char *text, size_t length,
                             struct redis_redirection *ret_redirection) {
    char line[512];
    if (length >= sizeof line || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(line, text, length);
    line[length] = '\0';
    const bool ask = strncmp(line, "ASK ", 4) == 0;
    if (!ask && strncmp(line, "MOVED ", 6) != 0)
        return false;
    struct redis_redirection found = {.ask = ask};
    if (!parse_target(line + (ask ? 4 : 6), &found))
        return false;
    *ret_redirection = found;
    return true;
}
