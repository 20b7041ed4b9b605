#define _GNU_SOURCE // memmem
#include "client/redis_dump.h"

#include "base/clock.h"
#include "base/memory.h"
#include "client/redis_node.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK_LENGTH 40
#define PIECE ((size_t)64 * 1024)

struct stream {
    struct redis_node *node;
    bool (*each)(void *context, const void *bytes, size_t length, struct error *err);
    void *context;
    char buffer[PIECE];
    size_t from, to;
};

static bool fail(const struct stream *self, struct error *err, enum error_domain domain,
                 const char *what) {
    return endpoint_fail(&self->node->endpoint, err, domain, 0, NULL, "SYNC: %s", what);
}

// At least one byte more, behind what is still in the buffer, which has room for it.
static bool receive(struct stream *self, struct error *err) {
    struct pollfd socket = {.fd = self->node->context->fd, .events = POLLIN};
    const struct deadline deadline = deadline_in_ms(self->node->endpoint.request_timeout_ms);
    for (;;) {
        const ssize_t length = read(socket.fd, self->buffer + self->to, PIECE - self->to);
        if (length > 0) {
            self->to += (size_t)length;
            return true;
        }
        if (length == 0)
            return fail(self, err, ERROR_PROTOCOL, "the server hung up before the end");
        if (errno != EAGAIN && errno != EINTR)
            return fail(self, err, ERROR_UNAVAILABLE, strerror(errno));
        if (deadline_passed(deadline))
            return fail(self, err, ERROR_TIMEOUT, "no answer in time");
        poll(&socket, 1, (int)deadline_left_ms(deadline));
    }
}

// The line before the bytes, without its end. The server sends bare line feeds while it works.
static bool read_line(struct stream *self, char *line, size_t size, struct error *err) {
    size_t length = 0;
    for (;;) {
        if (self->from == self->to) {
            self->from = self->to = 0;
            if (!receive(self, err))
                return false;
        }
        const char byte = self->buffer[self->from++];
        if (byte == '\n' && length > 0)
            break;
        if (byte == '\n' || byte == '\r')
            continue;
        if (length + 1 == size)
            return fail(self, err, ERROR_PROTOCOL, "a line that does not end");
        line[length++] = byte;
    }
    line[length] = '\0';
    return true;
}

static bool hand_over(struct stream *self, size_t length, struct error *err) {
    const size_t from = self->from;
    self->from += length;
    return length == 0 || self->each(self->context, self->buffer + from, length, err);
}

static bool read_length(struct stream *self, unsigned long long length, struct error *err) {
    while (length > 0) {
        if (self->from == self->to) {
            self->from = self->to = 0;
            if (!receive(self, err))
                return false;
        }
        const size_t there = self->to - self->from;
        const size_t part = there < length ? there : (size_t)length;
        if (!hand_over(self, part, err))
            return false;
        length -= part;
    }
    return true;
}

// As many bytes as the mark has are held back: the mark may come in pieces.
static bool read_to_mark(struct stream *self, const char *mark, struct error *err) {
    for (;;) {
        const char *found = self->to > self->from ? memmem(self->buffer + self->from,
                                                           self->to - self->from, mark, MARK_LENGTH)
                                                  : NULL;
        if (found != NULL)
            return hand_over(self, (size_t)(found - (self->buffer + self->from)), err);
        if (self->to - self->from >= MARK_LENGTH &&
            !hand_over(self, self->to - self->from - (MARK_LENGTH - 1), err))
            return false;
        memmove(self->buffer, self->buffer + self->from, self->to - self->from);
        self->to -= self->from;
        self->from = 0;
        if (!receive(self, err))
            return false;
    }
}

static bool read_all(struct stream *self, struct error *err) {
    char line[512];
    if (!read_line(self, line, sizeof line, err))
        return false;
    if (line[0] == '-')
        return fail(self, err, ERROR_SERVICE, line + 1);
    if (strncmp(line, "$EOF:", 5) == 0 && strlen(line) == 5 + MARK_LENGTH)
        return read_to_mark(self, line + 5, err);
    char *end = NULL;
    const unsigned long long length = strtoull(line + 1, &end, 10);
    if (line[0] != '$' || line[1] < '0' || line[1] > '9' || *end != '\0')
        return fail(self, err, ERROR_PROTOCOL, "the server answers something else");
    return read_length(self, length, err);
}

static bool send_all(const struct stream *self, const char *text, struct error *err) {
    const size_t length = strlen(text);
    return write(self->node->context->fd, text, length) == (ssize_t)length ||
           fail(self, err, ERROR_UNAVAILABLE, strerror(errno));
}

bool redis_dump(const struct endpoint *endpoint,
                bool (*each)(void *context, const void *bytes, size_t length, struct error *err),
                void *context, struct error *err) {
    struct redis_node node;
    redis_node_init(&node, endpoint);
    struct stream *stream = memory_new(1, sizeof *stream);
    *stream = (struct stream){.node = &node, .each = each, .context = context};
    const bool read =
        redis_node_connect(&node, deadline_in_ms(node.endpoint.request_timeout_ms), err) &&
        send_all(stream, "SYNC\r\n", err) && read_all(stream, err);
    free(stream);
    redis_node_done(&node);
    return read;
}
