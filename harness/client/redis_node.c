#define _GNU_SOURCE
#include "client/redis_node.h"

#include "base/secret_reveal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

// hiredis allocates what an array's header announces, before a single element has come.
#define MOST_ELEMENTS (16 * 1024 * 1024)
// No status line, error or length is anywhere near this long.
#define LONGEST_LINE (64 * 1024)

void redis_node_init(struct redis_node *self, const struct endpoint *endpoint) {
    *self = (struct redis_node){.context = NULL};
    endpoint_copy(&self->endpoint, endpoint);
}

void redis_node_disconnect(struct redis_node *self) {
    if (self->context != NULL)
        redisFree(self->context);
    self->context = NULL;
    self->awaited = 0;
}

void redis_node_done(struct redis_node *self) {
    redis_node_disconnect(self);
    endpoint_done(&self->endpoint);
}

static bool fail(struct redis_node *self, struct error *err, enum error_domain domain,
                 const char *what) {
    endpoint_fail(&self->endpoint, err, domain, 0, NULL, "%s", what);
    redis_node_disconnect(self);
    return false;
}

static bool driver_failed(struct redis_node *self, struct error *err) {
    const int kind = self->context->err;
    const bool nonsense = kind == REDIS_ERR_PROTOCOL || kind == REDIS_ERR_OOM;
    const char *said = self->context->errstr[0] != '\0' ? self->context->errstr : "connection lost";
    char what[sizeof self->context->errstr]; // fail() frees the context
    snprintf(what, sizeof what, "%s", kind == REDIS_ERR_OOM ? "an answer that is too large" : said);
    return fail(self, err, nonsense ? ERROR_PROTOCOL : ERROR_UNAVAILABLE, what);
}

static bool wait_for_socket(struct redis_node *self, short events, struct deadline deadline,
                            const char *doing, struct error *err) {
    struct pollfd socket = {.fd = self->context->fd, .events = events};
    for (;;) {
        const int ready = poll(&socket, 1, (int)deadline_left_ms(deadline));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, "%s: poll", self->endpoint.service);
        if (deadline_passed(deadline)) {
            char what[64];
            snprintf(what, sizeof what, "%s: no answer in time", doing);
            return fail(self, err, ERROR_TIMEOUT, what);
        }
    }
}

static bool finish_connect(struct redis_node *self, struct deadline deadline, struct error *err) {
    if (!wait_for_socket(self, POLLOUT, deadline, "connect", err))
        return false;
    int failure = 0;
    socklen_t length = sizeof failure;
    if (getsockopt(self->context->fd, SOL_SOCKET, SO_ERROR, &failure, &length) != 0)
        failure = errno;
    return failure == 0 || fail(self, err, ERROR_UNAVAILABLE, strerror(failure));
}

static bool log_in(struct redis_node *self, struct deadline deadline, struct error *err) {
    if (self->endpoint.password == NULL)
        return true;
    const char *const with_user[] = {"AUTH", self->endpoint.user,
                                     secret_reveal(self->endpoint.password)};
    const char *const without[] = {"AUTH", with_user[2]};
    const bool named = self->endpoint.user != NULL;
    const struct redis_words command = {.items = named ? with_user : without,
                                        .count = named ? 3 : 2};
    redisReply *reply = NULL;
    if (!redis_node_ask(self, command, deadline, &reply, err)) {
        redis_node_disconnect(self);
        return false;
    }
    freeReplyObject(reply);
    return true;
}

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static void *create_array(const redisReadTask *task, element_count elements) {
    const struct redis_node *self = task->privdata;
    const redisReplyObjectFunctions *original = self->original_build;
    return elements > MOST_ELEMENTS ? NULL : original->createArray(task, elements);
}

// NULL from createArray is REDIS_ERR_OOM, which ends the connection.
static void limit_arrays(struct redis_node *self) {
    redisReader *reader = self->context->reader;
    self->original_build = reader->fn;
    self->build = *reader->fn;
    self->build.createArray = create_array;
    reader->fn = &self->build;
    reader->privdata = self;
}

bool redis_node_connect(struct redis_node *self, struct deadline deadline, struct error *err) {
    if (self->context != NULL && self->context->err == 0)
        return true;
    redis_node_disconnect(self);
    deadline = deadline_earlier(deadline, deadline_in_ms(self->endpoint.connect_timeout_ms));
    self->context = endpoint_is_local(&self->endpoint)
                        ? redisConnectUnixNonBlock(self->endpoint.host)
                        : redisConnectNonBlock(self->endpoint.host, self->endpoint.port);
    if (self->context == NULL)
        return endpoint_fail(&self->endpoint, err, ERROR_UNAVAILABLE, 0, NULL,
                             "hiredis could not make a connection");
    if (self->context->err != 0)
        return driver_failed(self, err);
    limit_arrays(self);
    return finish_connect(self, deadline, err) && log_in(self, deadline, err);
}

void redis_node_queue(struct redis_node *self, struct redis_words command) {
    // hiredis' prototypes lack const; it does not write to them.
    const char **items = (const char **)(uintptr_t)command.items;
    redisAppendCommandArgv(self->context, (int)command.count, items, command.lengths);
    self->awaited++;
}

void redis_node_push(struct redis_node *self) {
    int done = 0;
    (void)redisBufferWrite(self->context, &done); // a failure shows at receive
}

static bool line_never_ends(const redisReader *reader) {
    return reader->len - reader->pos > LONGEST_LINE &&
           memmem(reader->buf + reader->pos, LONGEST_LINE, "\r\n", 2) == NULL;
}

// Sends what is queued, reads what is there: one turn of waiting.
static bool exchange(struct redis_node *self, struct deadline deadline, struct error *err) {
    int done = 0;
    if (self->context->err != 0 || redisBufferWrite(self->context, &done) != REDIS_OK)
        return driver_failed(self, err);
    const short events = done ? POLLIN : POLLIN | POLLOUT;
    if (!wait_for_socket(self, events, deadline, "request", err))
        return false;
    if (redisBufferRead(self->context) != REDIS_OK)
        return driver_failed(self, err);
    if (line_never_ends(self->context->reader))
        return fail(self, err, ERROR_PROTOCOL, "a line of the answer does not end");
    // Somebody who keeps talking nonsense never lets poll() time out.
    return !deadline_passed(deadline) ||
           fail(self, err, ERROR_TIMEOUT, "request: not finished in time");
}

bool redis_node_receive(struct redis_node *self, struct deadline deadline, redisReply **ret_reply,
                        struct error *err) {
    for (;;) {
        void *reply = NULL;
        if (redisGetReplyFromReader(self->context, &reply) != REDIS_OK)
            return driver_failed(self, err);
        if (reply != NULL) {
            self->awaited--;
            *ret_reply = reply;
            return true;
        }
        if (!exchange(self, deadline, err))
            return false;
    }
}

bool redis_node_refused(const struct redis_node *self, const redisReply *reply, struct error *err) {
    char word[ERROR_REFERENCE_SIZE];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(reply->str, " "), reply->str);
    return endpoint_fail(&self->endpoint, err, ERROR_SERVICE, (int)redis_error_of(reply->str), word,
                         "%s", reply->str);
}

bool redis_node_ask(struct redis_node *self, struct redis_words command, struct deadline deadline,
                    redisReply **ret_reply, struct error *err) {
    redisReply *reply = NULL;
    redis_node_queue(self, command);
    if (!redis_node_receive(self, deadline, &reply, err))
        return false;
    if (reply->type == REDIS_REPLY_ERROR) {
        redis_node_refused(self, reply, err);
        freeReplyObject(reply);
        return false;
    }
    *ret_reply = reply;
    return true;
}
