// RabbitMQ by AMQP 0-9-1 (the specification and RabbitMQ's extensions: rabbitmq.com/amqp-0-9-1-
// reference, /docs/confirms): a connection with any number of channels, used by one thread.
//
// Every wait is bounded by the endpoint's request_timeout_ms, so that a paused or silent server is
// an ERROR_TIMEOUT on time; after one, or after ERROR_UNAVAILABLE, the connection is of no more
// use. A service error closes the channel it happened on (that is AMQP's way): open another.
//
// Errors, all beginning "<service> (<host>:<port>): ":
//   ERROR_UNAVAILABLE  refused, reset, closed
//   ERROR_TIMEOUT      no answer in time
//   ERROR_PROTOCOL     not AMQP, a frame that makes no sense, a body over the limit
//   ERROR_SERVICE      reference is the AMQP reply code:
//       311 TOO_LARGE
//       312 NOT_FOUND   mandatory, and no queue to route to
//       320 NOT_READY   the server shuts down
//       403 LOGIN while logging in, then DENIED
//       404 NOT_FOUND   no such queue, exchange
//       405 CONFLICT    another connection's exclusive queue
//       406 CONFLICT    declared with other arguments than it has; a tag that is not open
//       506 LIMIT
//       530 NOT_FOUND   no such vhost; otherwise DENIED
//       540 UNSUPPORTED, 541 NOT_READY, any other OTHER
#pragma once

#include "client/endpoint.h"
#include "client/kind.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdint.h>

#define RABBITMQ_BODY_LIMIT ((size_t)128 * 1024 * 1024) // RabbitMQ's own largest message before 4.0

struct rabbitmq;
struct rabbitmq_channel;

// Connects and logs in (PLAIN) to the vhost `database`, NULL: "/".
bool rabbitmq_open(const struct endpoint *endpoint, struct rabbitmq **ret_rabbitmq,
                   struct error *err) must_use;
void rabbitmq_close(struct rabbitmq *self); // with its channels

// A channel belongs to its connection; borrowed until either is closed.
bool rabbitmq_channel_open(struct rabbitmq *self, struct rabbitmq_channel **ret_channel,
                           struct error *err) must_use;
// Closing returns what was delivered and not acknowledged to its queue.
void rabbitmq_channel_close(struct rabbitmq_channel *self);
bool rabbitmq_channel_is_open(const struct rabbitmq_channel *self);

// "RabbitMQ 4.0.5", as the server introduced itself; borrowed.
const char *rabbitmq_product(const struct rabbitmq *self);

// ---- queues and exchanges -----------------------------------------------------------------------

struct rabbitmq_queue_options {
    bool durable;
    bool exclusive;       // seen by this connection only, gone with it
    bool auto_delete;     // gone with its last consumer
    bool passive;         // do not create: NOT_FOUND when it is not there
    int message_ttl_ms;   // x-message-ttl; 0: none
    int expires_ms;       // x-expires: gone when unused so long; 0: never
    int max_length;       // x-max-length; 0: none
    const char *overflow; // x-overflow: "reject-publish", "drop-head"; NULL: the default
    const char
        *dead_letter_exchange;   // x-dead-letter-exchange; "" is the default exchange; NULL: none
    const char *dead_letter_key; // x-dead-letter-routing-key; NULL: the message's own
    int max_priority;            // x-max-priority; 0: none
    const char *type;            // x-queue-type: "quorum", "stream"; NULL: the default
};
struct rabbitmq_queue {
    char name[256]; // as given, or made by the server for name ""
    uint32_t messages;
    uint32_t consumers;
};
// ret_queue may be NULL.
bool rabbitmq_declare_queue_with(struct rabbitmq_channel *self, const char *name,
                                 struct rabbitmq_queue *ret_queue, struct error *err,
                                 const struct rabbitmq_queue_options *options) must_use;
#define rabbitmq_declare_queue(self, name, ret_queue, err, ...) \
    rabbitmq_declare_queue_with(                                \
        (self), (name), (ret_queue), (err),                     \
        &(const struct rabbitmq_queue_options){.durable = false, __VA_ARGS__})

struct rabbitmq_exchange_options {
    bool durable;
    bool auto_delete;
    bool passive;
    bool internal;
    const char *alternate_exchange; // for what it cannot route; NULL: none
};
// type: "direct", "fanout", "topic", "headers".
bool rabbitmq_declare_exchange_with(struct rabbitmq_channel *self, const char *name,
                                    const char *type, struct error *err,
                                    const struct rabbitmq_exchange_options *options) must_use;
#define rabbitmq_declare_exchange(self, name, type, err, ...) \
    rabbitmq_declare_exchange_with(                           \
        (self), (name), (type), (err),                        \
        &(const struct rabbitmq_exchange_options){.durable = false, __VA_ARGS__})

bool rabbitmq_bind(struct rabbitmq_channel *self, const char *queue, const char *exchange,
                   const char *routing_key, struct error *err) must_use;
bool rabbitmq_unbind(struct rabbitmq_channel *self, const char *queue, const char *exchange,
                     const char *routing_key, struct error *err) must_use;
// ret_count (of messages removed) may be NULL.
bool rabbitmq_purge(struct rabbitmq_channel *self, const char *queue, uint32_t *ret_count,
                    struct error *err) must_use;
bool rabbitmq_delete_queue(struct rabbitmq_channel *self, const char *queue,
                           struct error *err) must_use;
bool rabbitmq_delete_exchange(struct rabbitmq_channel *self, const char *exchange,
                              struct error *err) must_use;

// ---- publishing ---------------------------------------------------------------------------------

// From now on the server confirms each publish on this channel, and rabbitmq_publish waits for it.
bool rabbitmq_confirm(struct rabbitmq_channel *self, struct error *err) must_use;

// Properties of a message (basic class); NULL and 0 are "not set".
struct rabbitmq_properties {
    const char *content_type;
    const char *content_encoding;
    const char *correlation_id;
    const char *reply_to;
    const char *expiration; // milliseconds, as a string: that is how AMQP has it
    const char *message_id;
    const char *type;
    const char *app_id;
    uint64_t timestamp; // seconds since 1970
    int priority;       // 1 to 255
    bool persistent;    // delivery mode 2
    // One header of type string, for sending; those of a message that came: rabbitmq_header().
    const char *header_name;
    const char *header_value;
};

enum rabbitmq_outcome {
    RABBITMQ_SENT,     // no confirms on this channel: nobody knows
    RABBITMQ_ACKED,    // the server has taken responsibility (basic.ack)
    RABBITMQ_NACKED,   // the server refused (basic.nack): a full queue with reject-publish
    RABBITMQ_RETURNED, // mandatory, and no queue to route to (basic.return, then basic.ack)
};
struct rabbitmq_publish_options {
    struct rabbitmq_properties properties;
    bool mandatory;   // come back when it cannot be routed: needs rabbitmq_confirm to be seen
    bool do_not_wait; // with confirms: leave the outcome to rabbitmq_wait_confirms
    // NULL: NACKED is an error (LIMIT, "nack") and RETURNED is one (NOT_FOUND, "312").
    enum rabbitmq_outcome *ret_outcome;
};
bool rabbitmq_publish_with(struct rabbitmq_channel *self, const char *exchange,
                           const char *routing_key, const void *body, size_t length,
                           struct error *err,
                           const struct rabbitmq_publish_options *options) must_use;
#define rabbitmq_publish(self, exchange, routing_key, body, length, err, ...) \
    rabbitmq_publish_with(                                                    \
        (self), (exchange), (routing_key), (body), (length), (err),           \
        &(const struct rabbitmq_publish_options){.mandatory = false, __VA_ARGS__})

struct rabbitmq_confirms {
    uint64_t acked, nacked, returned; // returned ones are acked as well
};
// Waits until everything published on the channel is confirmed; counts since the last call.
bool rabbitmq_wait_confirms(struct rabbitmq_channel *self, struct rabbitmq_confirms *ret_confirms,
                            struct error *err) must_use;

// ---- receiving ----------------------------------------------------------------------------------

// A message that came; borrowed from the channel until the next one is received on it.
struct rabbitmq_message {
    uint64_t tag; // for ack, nack, reject
    bool redelivered;
    char exchange[256];
    char routing_key[256];
    const char *body; // NUL-terminated, may hold NULs
    size_t length;
    uint32_t left_in_queue;                // from rabbitmq_get only
    struct rabbitmq_properties properties; // borrowed strings
};

// A header of type string ("x-first-death-reason"); NULL: there is none. Borrowed as the message
// is.
const char *rabbitmq_header(const struct rabbitmq_message *message, const char *name);

// Asks once: *ret_message is NULL when the queue is empty.
bool rabbitmq_get(struct rabbitmq_channel *self, const char *queue, bool without_ack,
                  const struct rabbitmq_message **ret_message, struct error *err) must_use;

// At most so many unacknowledged deliveries at a time, per consumer.
bool rabbitmq_prefetch(struct rabbitmq_channel *self, uint16_t count, struct error *err) must_use;

struct rabbitmq_consume_options {
    bool without_ack;
    bool exclusive; // the only consumer: 403 when there is another
    char *ret_tag;  // for rabbitmq_cancel, RABBITMQ_TAG_SIZE bytes; NULL: not wanted
};
#define RABBITMQ_TAG_SIZE 256
bool rabbitmq_consume_with(struct rabbitmq_channel *self, const char *queue, struct error *err,
                           const struct rabbitmq_consume_options *options) must_use;
#define rabbitmq_consume(self, queue, err, ...) \
    rabbitmq_consume_with(                      \
        (self), (queue), (err),                 \
        &(const struct rabbitmq_consume_options){.exclusive = false, __VA_ARGS__})
bool rabbitmq_cancel(struct rabbitmq_channel *self, const char *consumer_tag,
                     struct error *err) must_use;

// The next delivery on this channel. NOT_FOUND when its queue was deleted meanwhile. None within
// the time is ERROR_TIMEOUT, and that one leaves the connection as it was. timeout_ms 0: the
// endpoint's.
bool rabbitmq_receive(struct rabbitmq_channel *self, int timeout_ms,
                      const struct rabbitmq_message **ret_message, struct error *err) must_use;

// Not answered by the server: a tag that is not open shows as 406 on a later call.
bool rabbitmq_ack(struct rabbitmq_channel *self, uint64_t tag, struct error *err) must_use;
bool rabbitmq_ack_up_to(struct rabbitmq_channel *self, uint64_t tag, struct error *err) must_use;
bool rabbitmq_requeue(struct rabbitmq_channel *self, uint64_t tag, struct error *err) must_use;
bool rabbitmq_reject(struct rabbitmq_channel *self, uint64_t tag,
                     struct error *err) must_use; // dropped or dead-lettered

// ---- transactions -------------------------------------------------------------------------------

bool rabbitmq_transaction_begin(struct rabbitmq_channel *self,
                                struct error *err) must_use; // tx.select
bool rabbitmq_transaction_commit(struct rabbitmq_channel *self, struct error *err) must_use;
bool rabbitmq_transaction_rollback(struct rabbitmq_channel *self, struct error *err) must_use;

// ---- for the table of kinds ---------------------------------------------------------------------

// Logs in, publishes to an exclusive queue with a confirm and reads it back.
bool rabbitmq_ready(const struct kind_members *members, const struct kind_options *options,
                    struct error *err) must_use;
bool rabbitmq_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                       struct error *err) must_use;

DEFINE_AUTOFREE(rabbitmq, rabbitmq_close);
