#define _GNU_SOURCE // TCP_USER_TIMEOUT
#include "client/rabbitmq_internal.h"

#include "base/memory.h"
#include "base/secret_reveal.h"

#include <amqp_tcp_socket.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEARTBEAT_S 30
#define FRAME_SIZE 131072
#define CLOSE_TIMEOUT_MS 1000

struct timeval rabbitmq_timeval(int64_t ms) {
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

struct deadline rabbitmq_deadline(const struct rabbitmq *self) {
    return deadline_in_ms(endpoint_request_timeout_ms(&self->endpoint));
}

void rabbitmq_copy_short_string(char *to, size_t size, amqp_bytes_t from) {
    snprintf(to, size, "%.*s", (int)from.len, (const char *)from.bytes);
}

static void read_product(struct rabbitmq *self) {
    const amqp_table_t *table = amqp_get_server_properties(self->state);
    char product[32] = "AMQP server", version[24] = "";
    for (int i = 0; table != NULL && i < table->num_entries; i++) {
        const amqp_table_entry_t *entry = &table->entries[i];
        const amqp_bytes_t value = entry->value.value.bytes;
        if (entry->value.kind != AMQP_FIELD_KIND_UTF8)
            continue;
        if (entry->key.len == 7 && memcmp(entry->key.bytes, "product", 7) == 0)
            snprintf(product, sizeof product, "%.*s", (int)value.len, (const char *)value.bytes);
        if (entry->key.len == 7 && memcmp(entry->key.bytes, "version", 7) == 0)
            snprintf(version, sizeof version, "%.*s", (int)value.len, (const char *)value.bytes);
    }
    snprintf(self->product, sizeof self->product, "%s %s", product, version);
}

// librabbitmq waits for ever to send to a server that does not read: let the kernel give up.
static void bound_sending(const struct rabbitmq *self) {
#ifdef TCP_USER_TIMEOUT
    const unsigned timeout_ms = (unsigned)endpoint_request_timeout_ms(&self->endpoint);
    (void)setsockopt(amqp_get_sockfd(self->state), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                     sizeof timeout_ms);
#else
    (void)self;
#endif
}

static bool connect_to(struct rabbitmq *self, struct error *err) {
    amqp_socket_t *socket = amqp_tcp_socket_new(self->state);
    if (socket == NULL)
        memory_is_out();
    const struct timeval connect = rabbitmq_timeval(endpoint_connect_timeout_ms(&self->endpoint));
    const int status =
        amqp_socket_open_noblock(socket, self->endpoint.host, self->endpoint.port, &connect);
    if (status != AMQP_STATUS_OK)
        return rabbitmq_library_failed(self, err, "connect", status, 0);
    bound_sending(self);
    return true;
}

static bool login(struct rabbitmq *self, struct error *err) {
    const struct endpoint *endpoint = &self->endpoint;
    const struct timeval request = rabbitmq_timeval(endpoint_request_timeout_ms(endpoint));
    amqp_set_handshake_timeout(self->state, &request);
    amqp_set_rpc_timeout(self->state, &request);
    // librabbitmq does not ask by itself to be told that a consumer's queue is gone.
    amqp_table_entry_t capability = {
        .key = amqp_cstring_bytes("consumer_cancel_notify"),
        .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}};
    amqp_table_entry_t capabilities = {
        .key = amqp_cstring_bytes("capabilities"),
        .value = {.kind = AMQP_FIELD_KIND_TABLE, .value = {.table = {1, &capability}}}};
    const amqp_table_t properties = {.num_entries = 1, .entries = &capabilities};
    const char *password = secret_reveal(endpoint->password);
    const amqp_rpc_reply_t reply = amqp_login_with_properties(
        self->state, endpoint->database != NULL ? endpoint->database : "/", 0, FRAME_SIZE,
        HEARTBEAT_S, &properties, AMQP_SASL_METHOD_PLAIN,
        endpoint->user != NULL ? endpoint->user : "", password != NULL ? password : "");
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
        read_product(self);
        return true;
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        return rabbitmq_closed_by_server(self, 0, &reply.reply, "log in", true, err);
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
        return rabbitmq_library_failed(self, err, "log in", reply.library_error, errno);
    default:
        return rabbitmq_library_failed(self, err, "log in", AMQP_STATUS_CONNECTION_CLOSED, 0);
    }
}

bool rabbitmq_open(const struct endpoint *endpoint, struct rabbitmq **ret_rabbitmq,
                   struct error *err) {
    struct rabbitmq *self = memory_new(1, sizeof *self);
    endpoint_copy(&self->endpoint, endpoint);
    self->state = amqp_new_connection();
    if (self->state == NULL)
        memory_is_out();
    if (!connect_to(self, err) || !login(self, err)) {
        self->broken = true;
        rabbitmq_close(self);
        return false;
    }
    *ret_rabbitmq = self;
    return true;
}

static void channel_free(struct rabbitmq_channel *self) {
    while (self->first != NULL) {
        struct delivery *next = self->first->next;
        rabbitmq_delivery_free(self->first);
        self->first = next;
    }
    rabbitmq_delivery_free(self->incoming);
    rabbitmq_delivery_free(self->got);
    rabbitmq_delivery_free(self->current);
    free(self->outcomes);
    free(self);
}

void rabbitmq_close(struct rabbitmq *self) {
    if (self == NULL)
        return;
    if (!self->broken) {
        const struct timeval patience = rabbitmq_timeval(CLOSE_TIMEOUT_MS);
        amqp_set_rpc_timeout(self->state, &patience);
        amqp_connection_close(self->state, AMQP_REPLY_SUCCESS);
    }
    amqp_destroy_connection(self->state);
    while (self->channels != NULL) {
        struct rabbitmq_channel *next = self->channels->next;
        channel_free(self->channels);
        self->channels = next;
    }
    endpoint_done(&self->endpoint);
    free(self);
}

const char *rabbitmq_product(const struct rabbitmq *self) {
    return self->product;
}

bool rabbitmq_channel_open(struct rabbitmq *self, struct rabbitmq_channel **ret_channel,
                           struct error *err) {
    struct rabbitmq_channel *channel = memory_new(1, sizeof *channel);
    channel->connection = self;
    channel->id = ++self->last_id; // numbers are not used again: nothing late is mistaken
    channel->open = true;
    if (!rabbitmq_check_open(channel, "open a channel", err)) {
        free(channel);
        return false;
    }
    amqp_channel_open(self->state, channel->id);
    if (!rabbitmq_answered(channel, amqp_get_rpc_reply(self->state), "open a channel", err)) {
        free(channel);
        return false;
    }
    channel->next = self->channels;
    self->channels = channel;
    *ret_channel = channel;
    return true;
}

void rabbitmq_channel_close(struct rabbitmq_channel *self) {
    if (self == NULL)
        return;
    struct rabbitmq *connection = self->connection;
    if (self->open && !connection->broken)
        (void)rabbitmq_answered(self,
                                amqp_channel_close(connection->state, self->id, AMQP_REPLY_SUCCESS),
                                "close a channel", NULL);
    struct rabbitmq_channel **link = &connection->channels;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    channel_free(self);
}

bool rabbitmq_channel_is_open(const struct rabbitmq_channel *self) {
    return self->open && !self->connection->broken;
}

// ---- for the table of kinds ---------------------------------------------------------------------

static bool publish_and_consume(struct rabbitmq *rabbitmq, struct error *err) {
    struct rabbitmq_channel *channel;
    struct rabbitmq_queue queue;
    const struct rabbitmq_message *message;
    if (!rabbitmq_channel_open(rabbitmq, &channel, err) ||
        !rabbitmq_declare_queue(channel, "", &queue, err, .exclusive = true) ||
        !rabbitmq_confirm(channel, err) ||
        !rabbitmq_publish(channel, "", queue.name, "ready", 5, err, .mandatory = true) ||
        !rabbitmq_consume(channel, queue.name, err, .without_ack = true) ||
        !rabbitmq_receive(channel, 0, &message, err))
        return false;
    if (message->length == 5 && memcmp(message->body, "ready", 5) == 0)
        return true;
    return rabbitmq_nonsense(rabbitmq, "it delivered another message than was published", err);
}

bool rabbitmq_ready(const struct kind_members *members,
                    const struct kind_options *options unused_parameter, struct error *err) {
    for (size_t i = 0; i < members->count; i++) {
        autofree(rabbitmq) struct rabbitmq *rabbitmq = NULL;
        if (!rabbitmq_open(&members->endpoints[i], &rabbitmq, err) ||
            !publish_and_consume(rabbitmq, err))
            return false;
    }
    return true;
}

bool rabbitmq_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                       struct error *err) {
    autofree(rabbitmq) struct rabbitmq *rabbitmq = NULL;
    if (!rabbitmq_open(endpoint, &rabbitmq, err))
        return false;
    snprintf(buffer, size, "%s", rabbitmq->product);
    return true;
}
