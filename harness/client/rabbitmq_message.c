#include "client/rabbitmq_internal.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>

// ---- publishing ---------------------------------------------------------------------------------

bool rabbitmq_confirm(struct rabbitmq_channel *self, struct error *err) {
    if (!rabbitmq_check_open(self, "ask for confirms", err))
        return false;
    amqp_confirm_select(self->connection->state, self->id);
    if (!rabbitmq_last_answered(self, "ask for confirms", err))
        return false;
    self->confirms = true;
    return true;
}

static void expect_confirm(struct rabbitmq_channel *self) {
    if (self->published == self->capacity) {
        self->capacity = self->capacity == 0 ? 64 : 2 * self->capacity;
        self->outcomes = memory_resize(self->outcomes, (size_t)self->capacity, 1);
    }
    self->outcomes[self->published++] = CONFIRM_PENDING;
}

static bool judge(const struct rabbitmq_channel *self, enum rabbitmq_outcome outcome,
                  struct error *err) {
    const struct endpoint *endpoint = &self->connection->endpoint;
    if (outcome == RABBITMQ_NACKED)
        return endpoint_fail(endpoint, err, ERROR_SERVICE, SERVICE_ERROR_LIMIT, "nack",
                             "publish: refused with basic.nack");
    if (outcome == RABBITMQ_RETURNED)
        return endpoint_fail(endpoint, err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND, "312",
                             "publish: returned, no queue to route to (312)");
    return true;
}

static bool wait_outcome(struct rabbitmq_channel *self, uint64_t tag, uint64_t returned_before,
                         enum rabbitmq_outcome *ret_outcome, struct error *err) {
    const struct deadline deadline = rabbitmq_deadline(self->connection);
    while (self->outcomes[tag - 1] == CONFIRM_PENDING)
        if (!rabbitmq_pump_answer(self, "publish: confirm", deadline, err))
            return false;
    if (self->outcomes[tag - 1] == CONFIRM_NACKED)
        *ret_outcome = RABBITMQ_NACKED;
    else
        *ret_outcome = self->returned > returned_before ? RABBITMQ_RETURNED : RABBITMQ_ACKED;
    return true;
}

bool rabbitmq_publish_with(struct rabbitmq_channel *self, const char *exchange,
                           const char *routing_key, const void *body, size_t length,
                           struct error *err, const struct rabbitmq_publish_options *options) {
    if (!rabbitmq_check_open(self, "publish", err))
        return false;
    amqp_basic_properties_t properties = {0};
    struct arguments headers = {.count = 0};
    rabbitmq_write_properties(&properties, &headers, &options->properties);
    const uint64_t returned_before = self->returned;
    errno = 0;
    const int status =
        amqp_basic_publish(self->connection->state, self->id, amqp_cstring_bytes(exchange),
                           amqp_cstring_bytes(routing_key), options->mandatory, 0, &properties,
                           (amqp_bytes_t){.len = length, .bytes = (void *)(uintptr_t)body});
    if (!rabbitmq_sent(self, status, "publish", err))
        return false;
    enum rabbitmq_outcome outcome = RABBITMQ_SENT;
    if (self->confirms) {
        expect_confirm(self);
        if (!options->do_not_wait &&
            !wait_outcome(self, self->published, returned_before, &outcome, err))
            return false;
    }
    if (options->ret_outcome == NULL)
        return judge(self, outcome, err);
    *options->ret_outcome = outcome;
    return true;
}

bool rabbitmq_wait_confirms(struct rabbitmq_channel *self, struct rabbitmq_confirms *ret_confirms,
                            struct error *err) {
    if (!rabbitmq_check_open(self, "wait for confirms", err))
        return false;
    const struct deadline deadline = rabbitmq_deadline(self->connection);
    while (self->settled < self->published)
        if (!rabbitmq_pump_answer(self, "wait for confirms", deadline, err))
            return false;
    *ret_confirms = self->counts;
    self->counts = (struct rabbitmq_confirms){0};
    return true;
}

// ---- receiving ----------------------------------------------------------------------------------

const char *rabbitmq_header(const struct rabbitmq_message *message, const char *name) {
    const struct string_list *headers = &((const struct delivery *)message)->headers;
    for (size_t i = 0; i + 1 < headers->count; i += 2)
        if (strcmp(headers->items[i], name) == 0)
            return headers->items[i + 1];
    return NULL;
}

static void lend(struct rabbitmq_channel *self, struct delivery *delivery,
                 const struct rabbitmq_message **ret_message) {
    rabbitmq_delivery_free(self->current);
    self->current = delivery;
    *ret_message = &delivery->message;
}

bool rabbitmq_get(struct rabbitmq_channel *self, const char *queue, bool without_ack,
                  const struct rabbitmq_message **ret_message, struct error *err) {
    if (!rabbitmq_check_open(self, "get", err))
        return false;
    amqp_basic_get_t get = {.queue = amqp_cstring_bytes(queue), .no_ack = without_ack};
    self->got_empty = false;
    errno = 0;
    if (!rabbitmq_sent(
            self, amqp_send_method(self->connection->state, self->id, AMQP_BASIC_GET_METHOD, &get),
            "get", err))
        return false;
    const struct deadline deadline = rabbitmq_deadline(self->connection);
    while (self->got == NULL && !self->got_empty)
        if (!rabbitmq_pump_answer(self, "get", deadline, err))
            return false;
    if (self->got_empty)
        *ret_message = NULL;
    else
        lend(self, TAKE(self->got), ret_message);
    return true;
}

bool rabbitmq_prefetch(struct rabbitmq_channel *self, uint16_t count, struct error *err) {
    if (!rabbitmq_check_open(self, "prefetch", err))
        return false;
    amqp_basic_qos(self->connection->state, self->id, 0, count, 0);
    return rabbitmq_last_answered(self, "prefetch", err);
}

bool rabbitmq_consume_with(struct rabbitmq_channel *self, const char *queue, struct error *err,
                           const struct rabbitmq_consume_options *options) {
    if (!rabbitmq_check_open(self, "consume", err))
        return false;
    const amqp_basic_consume_ok_t *consumer = amqp_basic_consume(
        self->connection->state, self->id, amqp_cstring_bytes(queue), amqp_empty_bytes, 0,
        options->without_ack, options->exclusive, amqp_empty_table);
    if (!rabbitmq_last_answered(self, "consume", err))
        return false;
    self->consumer_cancelled = false;
    if (options->ret_tag != NULL)
        rabbitmq_copy_short_string(options->ret_tag, RABBITMQ_TAG_SIZE, consumer->consumer_tag);
    return true;
}

bool rabbitmq_cancel(struct rabbitmq_channel *self, const char *consumer_tag, struct error *err) {
    if (!rabbitmq_check_open(self, "cancel", err))
        return false;
    amqp_basic_cancel(self->connection->state, self->id, amqp_cstring_bytes(consumer_tag));
    return rabbitmq_last_answered(self, "cancel", err);
}

bool rabbitmq_receive(struct rabbitmq_channel *self, int timeout_ms,
                      const struct rabbitmq_message **ret_message, struct error *err) {
    const struct deadline deadline =
        timeout_ms > 0 ? deadline_in_ms(timeout_ms) : rabbitmq_deadline(self->connection);
    while (self->first == NULL) {
        if (!rabbitmq_check_open(self, "receive", err))
            return false;
        if (self->consumer_cancelled)
            return endpoint_fail(&self->connection->endpoint, err, ERROR_SERVICE,
                                 SERVICE_ERROR_NOT_FOUND, "404",
                                 "receive: the server cancelled the consumer, its queue is gone");
        if (!rabbitmq_pump(self->connection, deadline, err))
            return false;
    }
    struct delivery *delivery = self->first;
    self->first = delivery->next;
    delivery->next = NULL;
    lend(self, delivery, ret_message);
    return true;
}

bool rabbitmq_ack(struct rabbitmq_channel *self, uint64_t tag, struct error *err) {
    errno = 0;
    return rabbitmq_check_open(self, "ack", err) &&
           rabbitmq_sent(self, amqp_basic_ack(self->connection->state, self->id, tag, 0), "ack",
                         err);
}

bool rabbitmq_ack_up_to(struct rabbitmq_channel *self, uint64_t tag, struct error *err) {
    errno = 0;
    return rabbitmq_check_open(self, "ack", err) &&
           rabbitmq_sent(self, amqp_basic_ack(self->connection->state, self->id, tag, 1), "ack",
                         err);
}

bool rabbitmq_requeue(struct rabbitmq_channel *self, uint64_t tag, struct error *err) {
    errno = 0;
    return rabbitmq_check_open(self, "requeue", err) &&
           rabbitmq_sent(self, amqp_basic_nack(self->connection->state, self->id, tag, 0, 1),
                         "requeue", err);
}

bool rabbitmq_reject(struct rabbitmq_channel *self, uint64_t tag, struct error *err) {
    errno = 0;
    return rabbitmq_check_open(self, "reject", err) &&
           rabbitmq_sent(self, amqp_basic_reject(self->connection->state, self->id, tag, 0),
                         "reject", err);
}
