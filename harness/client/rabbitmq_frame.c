#include "client/rabbitmq_internal.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>

void rabbitmq_delivery_free(struct delivery *self) {
    if (self == NULL)
        return;
    free(self->body);
    string_list_done(&self->strings);
    string_list_done(&self->headers);
    free(self);
}

static void delivery_complete(struct rabbitmq_channel *self) {
    struct delivery *delivery = TAKE(self->incoming);
    delivery->message.body = delivery->body;
    switch (delivery->method) {
    case AMQP_BASIC_GET_OK_METHOD:
        rabbitmq_delivery_free(self->got);
        self->got = delivery;
        break;
    case AMQP_BASIC_DELIVER_METHOD:
        if (self->first == NULL)
            self->first = delivery;
        else
            self->last->next = delivery;
        self->last = delivery;
        break;
    default: // a return: that it came is all that is kept
        self->returned++;
        self->counts.returned++;
        rabbitmq_delivery_free(delivery);
    }
}

static bool take_header(struct rabbitmq_channel *self, const amqp_frame_t *frame,
                        struct error *err) {
    struct delivery *delivery = self->incoming;
    const uint64_t size = frame->payload.properties.body_size;
    if (delivery == NULL || delivery->body != NULL)
        return rabbitmq_nonsense(self->connection, "a content header without a message", err);
    if (size > RABBITMQ_BODY_LIMIT)
        return rabbitmq_nonsense(self->connection, "a message larger than the limit", err);
    if (frame->payload.properties.class_id == AMQP_BASIC_CLASS)
        rabbitmq_read_properties(delivery, frame->payload.properties.decoded);
    delivery->body = memory_new((size_t)size + 1, 1);
    delivery->message.length = (size_t)size;
    if (size == 0)
        delivery_complete(self);
    return true;
}

static bool take_body(struct rabbitmq_channel *self, const amqp_frame_t *frame, struct error *err) {
    struct delivery *delivery = self->incoming;
    const amqp_bytes_t piece = frame->payload.body_fragment;
    if (delivery == NULL || delivery->body == NULL ||
        piece.len > delivery->message.length - delivery->received)
        return rabbitmq_nonsense(self->connection, "more content than a message has", err);
    if (piece.len > 0)
        memcpy(delivery->body + delivery->received, piece.bytes, piece.len);
    delivery->received += piece.len;
    if (delivery->received == delivery->message.length)
        delivery_complete(self);
    return true;
}

static bool begin_message(struct rabbitmq_channel *self, const amqp_method_t *method,
                          struct error *err) {
    if (self->incoming != NULL)
        return rabbitmq_nonsense(self->connection, "a message within a message", err);
    struct delivery *delivery = memory_new(1, sizeof *delivery);
    struct rabbitmq_message *message = &delivery->message;
    delivery->method = method->id;
    self->incoming = delivery;
    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        message->tag = deliver->delivery_tag;
        message->redelivered = deliver->redelivered;
        rabbitmq_copy_short_string(message->exchange, sizeof message->exchange, deliver->exchange);
        rabbitmq_copy_short_string(message->routing_key, sizeof message->routing_key,
                                   deliver->routing_key);
    } else if (method->id == AMQP_BASIC_GET_OK_METHOD) {
        const amqp_basic_get_ok_t *got = method->decoded;
        message->tag = got->delivery_tag;
        message->redelivered = got->redelivered;
        message->left_in_queue = got->message_count;
        rabbitmq_copy_short_string(message->exchange, sizeof message->exchange, got->exchange);
        rabbitmq_copy_short_string(message->routing_key, sizeof message->routing_key,
                                   got->routing_key);
    }
    return true;
}

static bool settle(struct rabbitmq_channel *self, uint64_t tag, bool multiple, enum confirm outcome,
                   struct error *err) {
    if (tag > self->published || (tag == 0 && !multiple))
        return rabbitmq_nonsense(self->connection, "a confirm of what was not published", err);
    const uint64_t last = tag == 0 ? self->published : tag; // 0: all so far
    for (uint64_t i = multiple ? self->settled + 1 : last; i <= last; i++) {
        if (self->outcomes[i - 1] != CONFIRM_PENDING)
            continue;
        self->outcomes[i - 1] = (unsigned char)outcome;
        *(outcome == CONFIRM_ACKED ? &self->counts.acked : &self->counts.nacked) += 1;
    }
    while (self->settled < self->published && self->outcomes[self->settled] != CONFIRM_PENDING)
        self->settled++;
    return true;
}

static bool take_method(struct rabbitmq_channel *self, const amqp_method_t *method,
                        struct error *err) {
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_GET_OK_METHOD:
    case AMQP_BASIC_RETURN_METHOD:
        return begin_message(self, method, err);
    case AMQP_BASIC_GET_EMPTY_METHOD:
        self->got_empty = true;
        return true;
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = method->decoded;
        return settle(self, ack->delivery_tag, ack->multiple, CONFIRM_ACKED, err);
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *nack = method->decoded;
        return settle(self, nack->delivery_tag, nack->multiple, CONFIRM_NACKED, err);
    }
    case AMQP_BASIC_CANCEL_METHOD:
        self->consumer_cancelled = true;
        return true;
    case AMQP_CHANNEL_CLOSE_METHOD: {
        struct error why = {0};
        rabbitmq_closed_by_server(self->connection, self->id, method, "the channel was closed",
                                  false, &why);
        rabbitmq_channel_lost(self, &why);
        if (err != NULL)
            *err = why;
        return false;
    }
    default: // answers to methods of a channel that is closed
        return true;
    }
}

static struct rabbitmq_channel *channel_by_id(const struct rabbitmq *self, amqp_channel_t id) {
    struct rabbitmq_channel *channel = self->channels;
    while (channel != NULL && channel->id != id)
        channel = channel->next;
    return channel;
}

bool rabbitmq_pump(struct rabbitmq *self, struct deadline deadline, struct error *err) {
    const struct timeval left = rabbitmq_timeval(deadline_left_ms(deadline));
    amqp_frame_t frame;
    if (deadline_passed(deadline)) // also when frames of no interest never end
        return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL, "nothing came in time");
    amqp_maybe_release_buffers(self->state); // all that came before was copied
    errno = 0;
    const int status = amqp_simple_wait_frame_noblock(self->state, &frame, &left);
    if (status == AMQP_STATUS_TIMEOUT)
        return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL, "nothing came in time");
    if (status != AMQP_STATUS_OK)
        return rabbitmq_library_failed(self, err, "wait", status, errno);
    if (frame.channel == 0 && frame.frame_type == AMQP_FRAME_METHOD)
        return rabbitmq_closed_by_server(self, 0, &frame.payload.method, "wait", false, err);
    struct rabbitmq_channel *channel = channel_by_id(self, frame.channel);
    if (channel == NULL) // closed meanwhile
        return true;
    switch (frame.frame_type) {
    case AMQP_FRAME_METHOD:
        return take_method(channel, &frame.payload.method, err);
    case AMQP_FRAME_HEADER:
        return take_header(channel, &frame, err);
    case AMQP_FRAME_BODY:
        return take_body(channel, &frame, err);
    default:
        return true;
    }
}

bool rabbitmq_pump_answer(struct rabbitmq_channel *self, const char *what, struct deadline deadline,
                          struct error *err) {
    struct error why = {0};
    if (rabbitmq_pump(self->connection, deadline, &why))
        return true;
    if (why.domain == ERROR_TIMEOUT)
        return rabbitmq_library_failed(self->connection, err, what, AMQP_STATUS_TIMEOUT, 0);
    if (err != NULL)
        *err = why;
    return false;
}
