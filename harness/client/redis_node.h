// One connection to one Redis server: the ground of redis_cluster, for redis_*.c only.
//
// Never blocks in the driver: hiredis is used without blocking, the waiting is ours.
#pragma once

#include "base/clock.h"
#include "client/redis_cluster.h"

#include <hiredis/hiredis.h>

struct redis_node {
    struct endpoint endpoint; // its own; user and password may be NULL
    redisContext *context;    // NULL: not connected
    size_t awaited;           // replies that are still to come
    // What hiredis builds replies with, and the same with a limit on the size of an array.
    const redisReplyObjectFunctions *original_build;
    redisReplyObjectFunctions build;
};

void redis_node_init(struct redis_node *self, const struct endpoint *endpoint);
void redis_node_done(struct redis_node *self);
void redis_node_disconnect(struct redis_node *self);

// Connects and logs in if need be.
bool redis_node_connect(struct redis_node *self, struct deadline deadline,
                        struct error *err) must_use;
// Queues a command; what fits goes out at the next push or receive.
void redis_node_queue(struct redis_node *self, struct redis_words command);
void redis_node_push(struct redis_node *self);
// The next reply, which may be an error reply; the caller's. Disconnects on failure.
bool redis_node_receive(struct redis_node *self, struct deadline deadline, redisReply **ret_reply,
                        struct error *err) must_use;
// Queue and receive; an error reply is a failure (and leaves the connection as it is).
bool redis_node_ask(struct redis_node *self, struct redis_words command, struct deadline deadline,
                    redisReply **ret_reply, struct error *err) must_use;

// Sets err from an error reply; false.
bool redis_node_refused(const struct redis_node *self, const redisReply *reply, struct error *err);

DEFINE_AUTODONE(redis_node, redis_node_done);

static inline const struct redis_reply *redis_reply_of(const redisReply *reply) {
    return (const struct redis_reply *)reply;
}
