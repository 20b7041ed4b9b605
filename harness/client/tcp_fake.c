#include "client/tcp_fake.h"

#include "base/check.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_PEERS 64
#define TIMEOUT_MS 400

struct tcp_fake {
    enum tcp_fake_fault fault;
    char *said;
    int listener;
    int bound_only; // bound, never listening: connecting to it is refused
    int stop_read, stop_write;
    pthread_t thread;
    pthread_mutex_t lock; // guards what was heard
    char heard[4096];
    size_t heard_length;
    struct secret *password;
    struct endpoint endpoint;
    struct endpoint dead;
};

static int bind_loopback(uint16_t *ret_port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(fd >= 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    check(bind(fd, (struct sockaddr *)&address, length) == 0);
    check(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void listen_to(struct tcp_fake *self, int peer) {
    char heard[sizeof self->heard];
    const ssize_t length = recv(peer, heard, sizeof heard, MSG_DONTWAIT);
    pthread_mutex_lock(&self->lock);
    const size_t room = sizeof self->heard - self->heard_length;
    const size_t kept = length < 0 ? 0 : (size_t)length < room ? (size_t)length : room;
    memcpy(self->heard + self->heard_length, heard, kept);
    self->heard_length += kept;
    pthread_mutex_unlock(&self->lock);
}

size_t tcp_fake_heard(struct tcp_fake *self, char *buffer, size_t size) {
    pthread_mutex_lock(&self->lock);
    const size_t length = self->heard_length < size ? self->heard_length : size;
    memcpy(buffer, self->heard, length);
    pthread_mutex_unlock(&self->lock);
    return length;
}

// One helping for each peer; false: this one is done with.
static bool serve(struct tcp_fake *self, int peer) {
    listen_to(self, peer);
    if (self->fault == TCP_FAKE_ENDLESS) {
        const size_t length = strlen(self->said);
        for (int i = 0; i < 256; i++)
            if (send(peer, self->said, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                break;
    }
    if (self->fault == TCP_FAKE_TRICKLE)
        return send(peer, self->said, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
    return true;
}

static bool greet(const struct tcp_fake *self, int peer) {
    if (self->fault == TCP_FAKE_GARBAGE)
        (void)!send(peer, self->said, strlen(self->said), MSG_NOSIGNAL);
    return self->fault != TCP_FAKE_CLOSES;
}

static void *run(void *context) {
    struct tcp_fake *self = context;
    int peers[MOST_PEERS];
    size_t count = 0;
    struct pollfd waits[2] = {{.fd = self->stop_read, .events = POLLIN},
                              {.fd = self->listener, .events = POLLIN}};
    const int pace_ms = self->fault == TCP_FAKE_ENDLESS ? 1 : 20;
    while (poll(waits, 2, pace_ms) >= 0 && waits[0].revents == 0) {
        if (waits[1].revents != 0 && count < MOST_PEERS) {
            const int peer = accept(self->listener, NULL, NULL);
            if (peer >= 0 && greet(self, peer))
                peers[count++] = peer;
            else if (peer >= 0)
                close(peer);
        }
        for (size_t i = 0; i < count; i++)
            if (!serve(self, peers[i])) {
                close(peers[i]);
                peers[i--] = peers[--count];
            }
    }
    while (count > 0)
        close(peers[--count]);
    return NULL;
}

struct tcp_fake *tcp_fake_new(enum tcp_fake_fault fault, const char *said) {
    struct tcp_fake *self = memory_new(1, sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    self->fault = fault;
    self->said = memory_copy_string(said != NULL ? said : "\x7fWho is there? \x01\x02\xff\r\n");
    self->password = secret_generate();
    int stop[2];
    check(pipe(stop) == 0);
    self->stop_read = stop[0];
    self->stop_write = stop[1];
    uint16_t port = 0;
    self->listener = bind_loopback(&port);
    check(listen(self->listener, 16) == 0);
    self->endpoint = (struct endpoint){.service = "fake",
                                       .host = "127.0.0.1",
                                       .port = port,
                                       .user = "somebody",
                                       .database = "something",
                                       .password = self->password,
                                       .connect_timeout_ms = TIMEOUT_MS,
                                       .request_timeout_ms = TIMEOUT_MS};
    self->bound_only = bind_loopback(&port);
    self->dead = self->endpoint;
    self->dead.port = port;
    check(pthread_create(&self->thread, NULL, run, self) == 0);
    return self;
}

void tcp_fake_free(struct tcp_fake *self) {
    if (self == NULL)
        return;
    close(self->stop_write);
    pthread_join(self->thread, NULL);
    pthread_mutex_destroy(&self->lock);
    close(self->stop_read);
    close(self->listener);
    close(self->bound_only);
    secret_free(self->password);
    free(self->said);
    free(self);
}

const struct endpoint *tcp_fake_endpoint(const struct tcp_fake *self) {
    return &self->endpoint;
}

const struct endpoint *tcp_fake_dead_endpoint(const struct tcp_fake *self) {
    return &self->dead;
}
