// A Redis Cluster: one connection a node, made when first needed, over hiredis (which has no
// cluster client of its own).
//
// Keeps the slot map, follows MOVED (and asks for the map again) and ASK, and tries again on
// TRYAGAIN, CLUSTERDOWN and LOADING until the request timeout ends; every call ends within it, and
// none blocks in the driver. Commands are words with lengths: binary-safe, no format strings.
// Nodes are reached at the addresses that they announce to each other.
//
// A connection that fails is made anew by the next call; a command is sent again only when it
// certainly was not carried out (refused with a redirection, TRYAGAIN, CLUSTERDOWN, LOADING, or
// never sent), so a lost connection in mid-command is the caller's error to see.
//
// err->reference is the first word of the server's error ("WRONGTYPE", "CROSSSLOT").
//
// One thread at a time.
#pragma once

#include "base/cleanup.h"
#include "client/endpoint.h"
#include "client/kind.h"
#include "client/redis_slots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_cluster;
struct redis_reply;

// Any member will do to learn of the others: the first that answers is asked. A member that is
// reached over a unix socket is taken for all there is, be it a node of a cluster or not: what
// others hold is theirs.
bool redis_cluster_open(const struct kind_members *members, struct redis_cluster **ret_cluster,
                        struct error *err) must_use;
void redis_cluster_close(struct redis_cluster *self);

// To the node that holds the command's key (any node when it has none):
//     redis_cluster_command(cluster, WORDS("SET", key, "1"), &reply, err)
// An error reply is ERROR_SERVICE. *ret_reply is borrowed until the next call; may be NULL.
bool redis_cluster_command(struct redis_cluster *self, struct redis_words command,
                           const struct redis_reply **ret_reply, struct error *err) must_use;

// Several at once, split by node, answered in the order asked: *ret_replies is an array of `count`
// replies, borrowed until the next call. An error reply of one command stands in its reply
// (redis_reply_check); the call fails only when an answer is missing. Commands to one node are
// carried out in the order asked, except those that were redirected, which come later.
//
// MULTI and WATCH belong to a connection: send them with redis_cluster_node_command.
bool redis_cluster_pipeline(struct redis_cluster *self, const struct redis_words *commands,
                            size_t count, const struct redis_reply *const **ret_replies,
                            struct error *err) must_use;

// Nodes count from 0, in no order, and keep their number as long as the client lives; nodes found
// later come behind.
size_t redis_cluster_node_count(const struct redis_cluster *self);
const char *redis_cluster_node_name(const struct redis_cluster *self, size_t node); // "host:port"
bool redis_cluster_node_is(const struct redis_cluster *self, size_t node,
                           const struct endpoint *endpoint); // by host and port
// To one node as it is: no redirection is followed, no second try.
bool redis_cluster_node_command(struct redis_cluster *self, size_t node, struct redis_words command,
                                const struct redis_reply **ret_reply, struct error *err) must_use;
// The node that holds a slot by the map as last seen; false: nobody.
bool redis_cluster_owner(const struct redis_cluster *self, unsigned slot, size_t *ret_node);
bool redis_cluster_refresh(struct redis_cluster *self, struct error *err) must_use;
// How often redirections were followed, for tests and reports.
uint64_t redis_cluster_moved_count(const struct redis_cluster *self);
uint64_t redis_cluster_asked_count(const struct redis_cluster *self);

enum redis_reply_type {
    REDIS_REPLY_IS_NULL,
    REDIS_REPLY_IS_TEXT, // a bulk string or a status ("OK")
    REDIS_REPLY_IS_INTEGER,
    REDIS_REPLY_IS_ARRAY,
    REDIS_REPLY_IS_ERROR,
};
enum redis_reply_type redis_reply_type(const struct redis_reply *self);
// Borrowed, NUL-terminated, may hold NUL bytes; of an error its message; "" for other types.
const char *redis_reply_text(const struct redis_reply *self);
size_t redis_reply_length(const struct redis_reply *self);
int64_t redis_reply_integer(const struct redis_reply *self); // 0 for other types
size_t redis_reply_count(const struct redis_reply *self);    // 0 for other types
const struct redis_reply *redis_reply_at(const struct redis_reply *self, size_t index);
// false when the reply is an error, translated.
bool redis_reply_check(const struct redis_reply *self, struct error *err) must_use;

// The first word of an error reply -> enum service_error; pure.
enum service_error redis_error_of(const char *message);

// For kind.c. A single member that says it is no cluster (cluster_enabled:0) counts as ready when
// it answers PING: a stand-alone Redis is of this kind, too.
bool redis_cluster_ready(const struct kind_members *members, const struct kind_options *options,
                         struct error *err) must_use;
// Gives every member its share of the slots and its own epoch, and introduces all to the first.
// Repeatable and cheap once it is done; true when every member knows all the others and the
// cluster works. Refuses (ERROR_SERVICE) members that belong to another cluster already.
bool redis_cluster_form(const struct kind_members *members, struct kind_formed *formed,
                        struct error *err) must_use;
bool redis_cluster_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                            struct error *err) must_use;

DEFINE_AUTOFREE(redis_cluster, redis_cluster_close);
