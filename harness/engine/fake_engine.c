#define _GNU_SOURCE // pipe2, accept4, memmem
#include "engine/fake_engine.h"

#include "base/cancel.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS 16
#define PING                                                                          \
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nDate: Sun, 22 Nov 2026 15:00:00 GMT\r\n" \
    "Content-Length: 2\r\n\r\nOK"

struct connection {
    int fd; // -1: free
    struct text received;
    bool hung; // says and hears nothing more
    bool echoing;
};

struct fake_engine {
    struct fake_exchange *script;
    int listener;
    char host[128];
    char folder[64]; // of the unix socket; "" for TCP
    struct cancel stop;
    pthread_t thread;
    bool running;
    struct connection connections[CONNECTIONS];
    pthread_mutex_t mutex;
    size_t answered;      // under mutex
    struct text received; // under mutex
    struct text surprise; // under mutex
};

// ---- talking

static bool send_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t put = send(fd, bytes, length, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        length -= (size_t)put;
    }
    return true;
}

static void hang_up(struct connection *connection, bool reset) {
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(connection->fd);
    text_done(&connection->received);
    *connection = (struct connection){.fd = -1};
}

static bool send_pieces(struct fake_engine *self, int fd, const struct fake_exchange *exchange) {
    for (size_t i = 0; i < FAKE_PIECES && exchange->pieces[i].bytes != NULL; i++) {
        const struct fake_piece *piece = &exchange->pieces[i];
        const size_t length = piece->length > 0 ? piece->length : strlen(piece->bytes);
        const size_t times = piece->times > 0 ? piece->times : 1;
        if (piece->delay_ms > 0)
            pause_ms(piece->delay_ms, &self->stop);
        for (size_t n = 0; n < times && !cancel_requested(&self->stop); n++) {
            if (!send_all(fd, piece->bytes, length))
                return false;
        }
    }
    return true;
}

// The length of a whole request at the start of what was received; 0 when it is not all there.
static size_t whole_request(const struct text *received) {
    const char *bytes = text_string(received);
    const char *end = memmem(bytes, received->length, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    const size_t head = (size_t)(end - bytes) + 4;
    const char *chunked = strcasestr(bytes, "Transfer-Encoding: chunked");
    if (chunked != NULL && chunked < end) {
        const char *last = memmem(end, received->length - head + 4, "\r\n0\r\n\r\n", 7);
        return last != NULL ? (size_t)(last - bytes) + 7 : 0;
    }
    const char *length = strcasestr(bytes, "Content-Length:");
    const size_t body = length != NULL && length < end ? (size_t)strtoul(length + 15, NULL, 10) : 0;
    return received->length >= head + body ? head + body : 0;
}

static bool begins_with(const struct text *text, const char *prefix) {
    return strncmp(text_string(text), prefix, strlen(prefix)) == 0;
}

static void answer(struct fake_engine *self, struct connection *connection, size_t length) {
    pthread_mutex_lock(&self->mutex);
    const struct fake_exchange *exchange = &self->script[self->answered];
    const bool expected =
        exchange->expect != NULL && begins_with(&connection->received, exchange->expect);
    const bool ping = !expected && begins_with(&connection->received, "GET /_ping");
    if (expected) {
        self->answered++;
        text_append_bytes(&self->received, connection->received.bytes, length);
    } else if (!ping && self->surprise.length == 0) {
        text_appendf(&self->surprise, "expected %s, not %.*s",
                     exchange->expect != NULL ? exchange->expect : "nothing",
                     (int)strcspn(connection->received.bytes, "\r\n"), connection->received.bytes);
    }
    pthread_mutex_unlock(&self->mutex);

    const size_t rest = connection->received.length - length;
    text_keep_last(&connection->received, rest);
    if (ping) {
        send_all(connection->fd, PING, sizeof PING - 1);
        return;
    }
    if (!expected || !send_pieces(self, connection->fd, exchange) ||
        exchange->ending == FAKE_CLOSE || exchange->ending == FAKE_RESET)
        hang_up(connection, expected && exchange->ending == FAKE_RESET);
    else
        connection->hung = exchange->ending == FAKE_HANG;
    connection->echoing = expected && exchange->ending == FAKE_ECHO;
}

static void echo(struct connection *connection) {
    struct text *input = &connection->received;
    if (input->length == 0)
        return;
    const unsigned char header[8] = {1,
                                     0,
                                     0,
                                     0,
                                     (unsigned char)(input->length >> 24),
                                     (unsigned char)(input->length >> 16),
                                     (unsigned char)(input->length >> 8),
                                     (unsigned char)input->length};
    send_all(connection->fd, (const char *)header, sizeof header);
    send_all(connection->fd, input->bytes, input->length);
    text_clear(input);
}

static void hear(struct fake_engine *self, struct connection *connection) {
    char piece[16 * 1024];
    const ssize_t got = recv(connection->fd, piece, sizeof piece, 0);
    if (got <= 0) {
        hang_up(connection, false);
        return;
    }
    text_append_bytes(&connection->received, piece, (size_t)got);
    if (!connection->echoing) {
        const size_t length = whole_request(&connection->received);
        if (length > 0)
            answer(self, connection, length);
    }
    if (connection->fd >= 0 && connection->echoing)
        echo(connection);
}

// ---- the thread

static void welcome(struct fake_engine *self) {
    const int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < CONNECTIONS; i++) {
        if (self->connections[i].fd < 0) {
            self->connections[i].fd = fd;
            return;
        }
    }
    if (fd >= 0)
        close(fd);
}

static void *serve(void *context) {
    struct fake_engine *self = context;
    while (!cancel_requested(&self->stop)) {
        struct pollfd ready[CONNECTIONS + 2];
        for (size_t i = 0; i < CONNECTIONS; i++) {
            const struct connection *connection = &self->connections[i];
            ready[i] =
                (struct pollfd){.fd = connection->hung ? -1 : connection->fd, .events = POLLIN};
        }
        ready[CONNECTIONS] = (struct pollfd){.fd = self->listener, .events = POLLIN};
        ready[CONNECTIONS + 1] = (struct pollfd){.fd = self->stop.pipe_read, .events = POLLIN};
        poll(ready, CONNECTIONS + 2, -1);
        for (size_t i = 0; i < CONNECTIONS; i++) {
            if (ready[i].fd >= 0 && ready[i].revents != 0)
                hear(self, &self->connections[i]);
        }
        if (ready[CONNECTIONS].revents != 0)
            welcome(self);
    }
    return NULL;
}

// ---- life

static bool listen_on(struct fake_engine *self, const struct sockaddr *address, socklen_t length,
                      struct error *err) {
    self->listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (self->listener < 0 || bind(self->listener, address, length) != 0 ||
        listen(self->listener, CONNECTIONS) != 0)
        return error_set_errno(err, "cannot listen for the fake engine");
    return true;
}

static bool listen_unix(struct fake_engine *self, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(self->folder, sizeof self->folder, "/tmp/assay-fake-engine-XXXXXX");
    if (mkdtemp(self->folder) == NULL)
        return error_set_errno(err, "cannot make a temporary folder");
    snprintf(address.sun_path, sizeof address.sun_path, "%s/docker.sock", self->folder);
    snprintf(self->host, sizeof self->host, "unix://%s", address.sun_path);
    return listen_on(self, (const struct sockaddr *)&address, sizeof address, err);
}

static bool listen_tcp(struct fake_engine *self, struct error *err) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (!listen_on(self, (const struct sockaddr *)&address, length, err))
        return false;
    getsockname(self->listener, (struct sockaddr *)&address, &length);
    snprintf(self->host, sizeof self->host, "tcp://127.0.0.1:%d", ntohs(address.sin_port));
    return true;
}

bool fake_engine_open(const struct fake_exchange *script, const struct fake_options *options,
                      struct fake_engine **ret_engine, struct error *err) {
    struct fake_engine *self = memory_new(1, sizeof *self);
    size_t count = 0;
    while (script[count].expect != NULL)
        count++;
    self->script = memory_new(count + 1, sizeof *script); // ends with a zeroed one
    memcpy(self->script, script, count * sizeof *script);
    self->listener = -1;
    for (size_t i = 0; i < CONNECTIONS; i++)
        self->connections[i].fd = -1;
    pthread_mutex_init(&self->mutex, NULL);
    const bool listening = cancel_init(&self->stop, err) &&
                           (options->tcp ? listen_tcp(self, err) : listen_unix(self, err));
    self->running = listening && pthread_create(&self->thread, NULL, serve, self) == 0;
    if (!self->running) {
        fake_engine_close(self);
        return false;
    }
    *ret_engine = self;
    return true;
}

void fake_engine_close(struct fake_engine *self) {
    if (self == NULL)
        return;
    if (self->running) {
        cancel_request(&self->stop);
        pthread_join(self->thread, NULL);
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (self->connections[i].fd >= 0)
            hang_up(&self->connections[i], false);
    }
    if (self->listener >= 0)
        close(self->listener);
    if (self->folder[0] != '\0' && !file_remove_tree(self->folder, NULL))
        fprintf(stderr, "cannot remove %s\n", self->folder);
    cancel_done(&self->stop);
    pthread_mutex_destroy(&self->mutex);
    text_done(&self->received);
    text_done(&self->surprise);
    free(self->script);
    free(self);
}

const char *fake_engine_host(const struct fake_engine *self) {
    return self->host;
}

size_t fake_engine_answered(struct fake_engine *self) {
    pthread_mutex_lock(&self->mutex);
    const size_t answered = self->answered;
    pthread_mutex_unlock(&self->mutex);
    return answered;
}

const char *fake_engine_surprise(struct fake_engine *self) {
    pthread_mutex_lock(&self->mutex);
    const char *surprise = text_string(&self->surprise);
    pthread_mutex_unlock(&self->mutex);
    return surprise;
}

const char *fake_engine_received(struct fake_engine *self) {
    pthread_mutex_lock(&self->mutex);
    const char *received = text_string(&self->received);
    pthread_mutex_unlock(&self->mutex);
    return received;
}
