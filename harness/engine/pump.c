#define _GNU_SOURCE
#include "engine/pump.h"

#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PIECE ((size_t)64 * 1024)

// In one direction.
struct flow {
    int from, to;
    char *bytes;
    size_t sent, length; // of the piece that is on its way
};

static bool is_for_later(ssize_t length) {
    return length < 0 && (errno == EAGAIN || errno == EINTR);
}

// false: this side has ended.
static bool take(struct flow *self) {
    const ssize_t length = recv(self->from, self->bytes, PIECE, MSG_DONTWAIT);
    self->sent = 0;
    self->length = length > 0 ? (size_t)length : 0;
    return length > 0 || is_for_later(length);
}

// false: the other side has.
static bool give(struct flow *self) {
    const ssize_t length = send(self->to, self->bytes + self->sent, self->length - self->sent,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    self->sent += length > 0 ? (size_t)length : 0;
    return length > 0 || is_for_later(length);
}

static bool is_waiting(const struct flow *self) {
    return self->sent < self->length;
}

// The next piece is taken when the last one has been given.
static bool step(struct flow *self) {
    return (is_waiting(self) || take(self)) && (!is_waiting(self) || give(self));
}

static int poll_both(const struct flow flows[2], struct pollfd polled[2]) {
    for (int i = 0; i < 2; i++) {
        const struct flow *in = &flows[i], *out = &flows[1 - i];
        const int events = (is_waiting(in) ? 0 : POLLIN) | (is_waiting(out) ? POLLOUT : 0);
        // One of which nothing is wanted would only say, over and over, that it has hung up.
        polled[i] = (struct pollfd){.fd = events != 0 ? in->from : -1, .events = (short)events};
    }
    return poll(polled, 2, -1);
}

void pump(int one, int other) {
    char *bytes = memory_resize(NULL, 2, PIECE); // not zeroed
    struct flow flows[2] = {{one, other, bytes, 0, 0}, {other, one, bytes + PIECE, 0, 0}};
    struct pollfd polled[2];
    bool going = true;
    while (going) {
        if (poll_both(flows, polled) < 0 && errno != EINTR)
            break;
        for (int i = 0; i < 2 && going; i++)
            if (polled[is_waiting(&flows[i]) ? 1 - i : i].revents != 0)
                going = step(&flows[i]);
    }
    free(bytes);
}
