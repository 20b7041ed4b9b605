#include "client/rabbitmq_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool rabbitmq_library_failed(struct rabbitmq *self, struct error *err, const char *what, int status,
                             int system_error) {
    self->broken = true;
    enum error_domain domain = ERROR_PROTOCOL;
    switch (status) {
    case AMQP_STATUS_TIMEOUT:
    case AMQP_STATUS_HEARTBEAT_TIMEOUT:
        return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL, "%s: no answer in time",
                             what);
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_TCP_ERROR:
        if (system_error == ETIMEDOUT) // TCP_USER_TIMEOUT: it does not read what we send
            return endpoint_fail(&self->endpoint, err, ERROR_TIMEOUT, 0, NULL,
                                 "%s: the server takes nothing", what);
        domain = ERROR_UNAVAILABLE;
        break;
    case AMQP_STATUS_CONNECTION_CLOSED:
    case AMQP_STATUS_SOCKET_CLOSED:
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
        domain = ERROR_UNAVAILABLE;
        break;
    default:
        break;
    }
    return endpoint_fail(&self->endpoint, err, domain, 0, NULL, "%s: %s", what,
                         amqp_error_string2(status));
}

static enum service_error service_error_of(int code, bool logging_in, const char *said) {
    switch (code) {
    case 311:
        return SERVICE_ERROR_TOO_LARGE;
    case 320:
    case 541:
        return SERVICE_ERROR_NOT_READY;
    case 403:
        return logging_in ? SERVICE_ERROR_LOGIN : SERVICE_ERROR_DENIED;
    case 312:
    case 404:
        return SERVICE_ERROR_NOT_FOUND;
    case 405:
    case 406:
        return SERVICE_ERROR_CONFLICT;
    case 506:
        return SERVICE_ERROR_LIMIT;
    case 530:
        return strstr(said, "not found") != NULL ? SERVICE_ERROR_NOT_FOUND : SERVICE_ERROR_DENIED;
    case 540:
        return SERVICE_ERROR_UNSUPPORTED;
    default:
        return SERVICE_ERROR_OTHER;
    }
}

static bool server_refused(const struct rabbitmq *self, struct error *err, const char *what,
                           int code, amqp_bytes_t text, bool logging_in) {
    char said[256], reference[ERROR_REFERENCE_SIZE];
    snprintf(said, sizeof said, "%.*s", (int)text.len, (const char *)text.bytes);
    snprintf(reference, sizeof reference, "%d", code);
    return endpoint_fail(&self->endpoint, err, ERROR_SERVICE,
                         service_error_of(code, logging_in, said), reference, "%s: %s (%d)", what,
                         said, code);
}

bool rabbitmq_closed_by_server(struct rabbitmq *self, amqp_channel_t id,
                               const amqp_method_t *method, const char *what, bool logging_in,
                               struct error *err) {
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = method->decoded;
        amqp_channel_close_ok_t ok = {0};
        amqp_send_method(self->state, id, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
        return server_refused(self, err, what, close->reply_code, close->reply_text, logging_in);
    }
    self->broken = true;
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = method->decoded;
        amqp_connection_close_ok_t ok = {0};
        amqp_send_method(self->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
        return server_refused(self, err, what, close->reply_code, close->reply_text, logging_in);
    }
    return endpoint_fail(&self->endpoint, err, ERROR_PROTOCOL, 0, NULL,
                         "%s: unexpected method 0x%08X", what, (unsigned)method->id);
}

bool rabbitmq_check_open(const struct rabbitmq_channel *self, const char *what, struct error *err) {
    const struct rabbitmq *connection = self->connection;
    if (connection->broken)
        return endpoint_fail(&connection->endpoint, err, ERROR_UNAVAILABLE, 0, NULL,
                             "%s: the connection is closed after an earlier failure", what);
    if (self->open)
        return true;
    if (self->closed_because.domain != ERROR_NONE) {
        if (err != NULL)
            *err = self->closed_because;
        return false;
    }
    return endpoint_fail(&connection->endpoint, err, ERROR_UNAVAILABLE, 0, NULL,
                         "%s: the channel is closed", what);
}

void rabbitmq_channel_lost(struct rabbitmq_channel *self, const struct error *why) {
    self->open = false;
    self->closed_because = *why;
}

bool rabbitmq_answered(struct rabbitmq_channel *self, amqp_rpc_reply_t reply, const char *what,
                       struct error *err) {
    const int system_error = errno;
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return true;
    struct error why = {0};
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
        rabbitmq_closed_by_server(self->connection, self->id, &reply.reply, what, false, &why);
    else if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        rabbitmq_library_failed(self->connection, &why, what, reply.library_error, system_error);
    else
        rabbitmq_library_failed(self->connection, &why, what, AMQP_STATUS_CONNECTION_CLOSED, 0);
    rabbitmq_channel_lost(self, &why);
    if (err != NULL)
        *err = why;
    return false;
}

bool rabbitmq_sent(struct rabbitmq_channel *self, int status, const char *what, struct error *err) {
    return status == AMQP_STATUS_OK ||
           rabbitmq_library_failed(self->connection, err, what, status, errno);
}

bool rabbitmq_last_answered(struct rabbitmq_channel *self, const char *what, struct error *err) {
    return rabbitmq_answered(self, amqp_get_rpc_reply(self->connection->state), what, err);
}

bool rabbitmq_nonsense(struct rabbitmq *self, const char *what, struct error *err) {
    self->broken = true;
    return endpoint_fail(&self->endpoint, err, ERROR_PROTOCOL, 0, NULL, "%s", what);
}
