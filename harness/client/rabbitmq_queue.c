#include "client/rabbitmq_internal.h"

bool rabbitmq_declare_queue_with(struct rabbitmq_channel *self, const char *name,
                                 struct rabbitmq_queue *ret_queue, struct error *err,
                                 const struct rabbitmq_queue_options *options) {
    if (!rabbitmq_check_open(self, "declare a queue", err))
        return false;
    struct arguments arguments = {.count = 0};
    rabbitmq_add_number(&arguments, "x-message-ttl", options->message_ttl_ms);
    rabbitmq_add_number(&arguments, "x-expires", options->expires_ms);
    rabbitmq_add_number(&arguments, "x-max-length", options->max_length);
    rabbitmq_add_string(&arguments, "x-overflow", options->overflow);
    rabbitmq_add_string(&arguments, "x-dead-letter-exchange", options->dead_letter_exchange);
    rabbitmq_add_string(&arguments, "x-dead-letter-routing-key", options->dead_letter_key);
    rabbitmq_add_number(&arguments, "x-max-priority", options->max_priority);
    rabbitmq_add_string(&arguments, "x-queue-type", options->type);
    const amqp_queue_declare_ok_t *declared = amqp_queue_declare(
        self->connection->state, self->id, amqp_cstring_bytes(name), options->passive,
        options->durable, options->exclusive, options->auto_delete, rabbitmq_table(&arguments));
    if (!rabbitmq_last_answered(self, "declare a queue", err))
        return false;
    if (ret_queue != NULL) {
        rabbitmq_copy_short_string(ret_queue->name, sizeof ret_queue->name, declared->queue);
        ret_queue->messages = declared->message_count;
        ret_queue->consumers = declared->consumer_count;
    }
    return true;
}

bool rabbitmq_declare_exchange_with(struct rabbitmq_channel *self, const char *name,
                                    const char *type, struct error *err,
                                    const struct rabbitmq_exchange_options *options) {
    if (!rabbitmq_check_open(self, "declare an exchange", err))
        return false;
    struct arguments arguments = {.count = 0};
    rabbitmq_add_string(&arguments, "alternate-exchange", options->alternate_exchange);
    amqp_exchange_declare(self->connection->state, self->id, amqp_cstring_bytes(name),
                          amqp_cstring_bytes(type), options->passive, options->durable,
                          options->auto_delete, options->internal, rabbitmq_table(&arguments));
    return rabbitmq_last_answered(self, "declare an exchange", err);
}

bool rabbitmq_bind(struct rabbitmq_channel *self, const char *queue, const char *exchange,
                   const char *routing_key, struct error *err) {
    if (!rabbitmq_check_open(self, "bind", err))
        return false;
    amqp_queue_bind(self->connection->state, self->id, amqp_cstring_bytes(queue),
                    amqp_cstring_bytes(exchange), amqp_cstring_bytes(routing_key),
                    amqp_empty_table);
    return rabbitmq_last_answered(self, "bind", err);
}

bool rabbitmq_unbind(struct rabbitmq_channel *self, const char *queue, const char *exchange,
                     const char *routing_key, struct error *err) {
    if (!rabbitmq_check_open(self, "unbind", err))
        return false;
    amqp_queue_unbind(self->connection->state, self->id, amqp_cstring_bytes(queue),
                      amqp_cstring_bytes(exchange), amqp_cstring_bytes(routing_key),
                      amqp_empty_table);
    return rabbitmq_last_answered(self, "unbind", err);
}

bool rabbitmq_purge(struct rabbitmq_channel *self, const char *queue, uint32_t *ret_count,
                    struct error *err) {
    if (!rabbitmq_check_open(self, "purge", err))
        return false;
    const amqp_queue_purge_ok_t *purged =
        amqp_queue_purge(self->connection->state, self->id, amqp_cstring_bytes(queue));
    if (!rabbitmq_last_answered(self, "purge", err))
        return false;
    if (ret_count != NULL)
        *ret_count = purged->message_count;
    return true;
}

bool rabbitmq_delete_queue(struct rabbitmq_channel *self, const char *queue, struct error *err) {
    if (!rabbitmq_check_open(self, "delete a queue", err))
        return false;
    amqp_queue_delete(self->connection->state, self->id, amqp_cstring_bytes(queue), 0, 0);
    return rabbitmq_last_answered(self, "delete a queue", err);
}

bool rabbitmq_delete_exchange(struct rabbitmq_channel *self, const char *exchange,
                              struct error *err) {
    if (!rabbitmq_check_open(self, "delete an exchange", err))
        return false;
    amqp_exchange_delete(self->connection->state, self->id, amqp_cstring_bytes(exchange), 0);
    return rabbitmq_last_answered(self, "delete an exchange", err);
}

// ---- transactions -------------------------------------------------------------------------------

bool rabbitmq_transaction_begin(struct rabbitmq_channel *self, struct error *err) {
    if (!rabbitmq_check_open(self, "begin", err))
        return false;
    amqp_tx_select(self->connection->state, self->id);
    return rabbitmq_last_answered(self, "begin", err);
}

bool rabbitmq_transaction_commit(struct rabbitmq_channel *self, struct error *err) {
    if (!rabbitmq_check_open(self, "commit", err))
        return false;
    amqp_tx_commit(self->connection->state, self->id);
    return rabbitmq_last_answered(self, "commit", err);
}

bool rabbitmq_transaction_rollback(struct rabbitmq_channel *self, struct error *err) {
    if (!rabbitmq_check_open(self, "roll back", err))
        return false;
    amqp_tx_rollback(self->connection->state, self->id);
    return rabbitmq_last_answered(self, "roll back", err);
}
