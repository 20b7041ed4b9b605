#include "verify/fingerprint/redis_fake.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct redis_fake {
    const struct redis_fake_answer *answers;
    int listener, peer;
    int stop_read, stop_write;
    pthread_t thread;
    struct text heard;
    struct endpoint endpoint;
};

static const struct redis_fake_answer USUAL[] = {
    {"CLUSTER SLOTS", "-ERR This instance has cluster support disabled\r\n"},
    {"PEXPIRETIME assay", ":-2\r\n"},
    {"FUNCTION LIST WITHCODE", "*0\r\n"},
    {"INFO keyspace", "$0\r\n\r\n"},
    {"SELECT 0", "+OK\r\n"},
    {NULL, "-ERR unknown command\r\n"},
};

static const char *answer_in(const struct redis_fake_answer *answers, const char *command) {
    while (answers->command != NULL && strcmp(answers->command, command) != 0)
        answers++;
    return answers->reply;
}

static void answer(struct redis_fake *self, const char *command) {
    const char *reply = answer_in(self->answers, command);
    if (reply == NULL)
        reply = answer_in(USUAL, command);
    (void)!send(self->peer, reply, strlen(reply), MSG_NOSIGNAL);
}

// "*2\r\n$4\r\nTYPE\r\n$1\r\na\r\n" -> "TYPE a"; how many bytes that were, 0: not all is there yet.
static size_t take_command(const struct redis_fake *self, struct text *command) {
    const char *start = text_string(&self->heard), *at = start;
    const char *end = start + self->heard.length;
    char *after = NULL;
    if (strstr(at, "\r\n") == NULL)
        return 0;
    check(*at == '*');
    size_t words = strtoul(at + 1, &after, 10);
    for (at = after + 2; words > 0; words--) {
        if (at >= end || strstr(at, "\r\n") == NULL)
            return 0;
        const size_t length = strtoul(at + 1, &after, 10);
        if ((size_t)(end - after) < length + 4)
            return 0;
        text_append(command, command->length > 0 ? " " : "");
        text_append_bytes(command, after + 2, length);
        at = after + 2 + length + 2;
    }
    return (size_t)(at - start);
}

static void answer_all(struct redis_fake *self) {
    for (;;) {
        autodone(text) struct text command = {0};
        const size_t length = take_command(self, &command);
        if (length == 0)
            return;
        answer(self, text_string(&command));
        text_keep_last(&self->heard, self->heard.length - length);
    }
}

// false: the peer is gone.
static bool listen_to(struct redis_fake *self) {
    char bytes[4096];
    const ssize_t length = recv(self->peer, bytes, sizeof bytes, 0);
    if (length <= 0)
        return false;
    text_append_bytes(&self->heard, bytes, (size_t)length);
    answer_all(self);
    return true;
}

static void hang_up(struct redis_fake *self) {
    if (self->peer >= 0)
        close(self->peer);
    self->peer = -1;
    text_clear(&self->heard);
}

static void *run(void *context) {
    struct redis_fake *self = context;
    struct pollfd waits[2] = {{.fd = self->stop_read, .events = POLLIN}, {.events = POLLIN}};
    for (;;) {
        waits[1].fd = self->peer >= 0 ? self->peer : self->listener;
        if (poll(waits, 2, -1) < 0 || waits[0].revents != 0)
            break;
        if (self->peer < 0)
            self->peer = accept(self->listener, NULL, NULL);
        else if (!listen_to(self))
            hang_up(self);
    }
    hang_up(self);
    return NULL;
}

static uint16_t listen_on_loopback(int fd) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    check(fd >= 0);
    check(bind(fd, (struct sockaddr *)&address, length) == 0);
    check(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    check(listen(fd, 16) == 0);
    return ntohs(address.sin_port);
}

struct redis_fake *redis_fake_new(const struct redis_fake_answer *answers) {
    struct redis_fake *self = memory_new(1, sizeof *self);
    int stop[2];
    check(pipe(stop) == 0);
    self->answers = answers;
    self->peer = -1;
    self->stop_read = stop[0];
    self->stop_write = stop[1];
    self->listener = socket(AF_INET, SOCK_STREAM, 0);
    self->endpoint = (struct endpoint){.service = "fake",
                                       .host = "127.0.0.1",
                                       .port = listen_on_loopback(self->listener),
                                       .connect_timeout_ms = 2000,
                                       .request_timeout_ms = 2000};
    check(pthread_create(&self->thread, NULL, run, self) == 0);
    return self;
}

void redis_fake_free(struct redis_fake *self) {
    if (self == NULL)
        return;
    close(self->stop_write);
    pthread_join(self->thread, NULL);
    close(self->stop_read);
    close(self->listener);
    text_done(&self->heard);
    free(self);
}

const struct endpoint *redis_fake_endpoint(const struct redis_fake *self) {
    return &self->endpoint;
}
