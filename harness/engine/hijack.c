#include "engine/hijack.h"

#include "base/memory.h"
#include "base/text.h"
#include "engine/engine_private.h"
#include "engine/http_head.h"
#include "engine/reply.h"
#include "engine/request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PIECE_BYTES ((size_t)64 * 1024)
#define PIECES_AT_ONCE 64
#define ERROR_BODY_LIMIT ((size_t)64 * 1024)

// The conversation while it runs.
struct talk {
    struct engine *engine;
    const struct hijack *hijack;
    struct channel *channel;
    curl_socket_t socket;
    char name[160]; // "POST /exec/abc/start"
    struct http_head head;
    struct text refusal; // the body of an answer that is an error
    struct text opening; // the upgrade request
    size_t opening_sent;
    char *input; // a piece of what the source gave; from input_from to input_to is to be sent
    size_t input_from;
    size_t input_to;
    bool input_ended;
    bool closed_sending;
    bool refused_input; // the engine closed before it had read all of it
    bool ended;         // nothing more is to be received
    char *piece;
};

static bool is_agreed(const struct talk *self) {
    return self->head.complete && (self->head.status == 101 || self->head.status == 200);
}

// ---- sending

// What is to be sent now; the input only after the engine has agreed, or it would be taken for
// another request if it refuses.
static size_t next_to_send(const struct talk *self, const char **ret_bytes) {
    if (self->opening_sent < self->opening.length) {
        *ret_bytes = self->opening.bytes + self->opening_sent;
        return self->opening.length - self->opening_sent;
    }
    if (!is_agreed(self))
        return 0;
    *ret_bytes = self->input + self->input_from;
    return self->input_to - self->input_from;
}

static bool source_is_readable(const struct hijack *hijack) {
    if (hijack->source_fd == NULL)
        return true;
    struct pollfd source = {.fd = *hijack->source_fd, .events = POLLIN};
    return poll(&source, 1, 0) > 0;
}

// Pulls the next piece once the last one is gone.
static bool refill(struct talk *self, struct error *err) {
    if (!is_agreed(self) || self->input_ended || self->input_from < self->input_to ||
        !source_is_readable(self->hijack))
        return true;
    const ssize_t length =
        self->hijack->source(self->hijack->source_context, self->input, PIECE_BYTES, err);
    if (length < 0)
        return false;
    self->input_from = 0;
    self->input_to = (size_t)length;
    self->input_ended = length == 0;
    return true;
}

static void note_sent(struct talk *self, size_t length) {
    if (self->opening_sent < self->opening.length)
        self->opening_sent += length;
    else
        self->input_from += length;
}

static void stop_sending(struct talk *self) {
    self->opening_sent = self->opening.length;
    self->input_from = self->input_to;
    self->input_ended = true;
    self->closed_sending = true;
    self->refused_input = true;
}

// The command may end without having read all of its input, and the engine then closes: that is
// the command's business, so a refused byte ends the sending but not the talk.
static bool send_some(struct talk *self, struct error *err) {
    const char *bytes = NULL;
    // Not for ever: in between, others want to be heard, the user's Ctrl-C too.
    for (int piece = 0; piece < PIECES_AT_ONCE; piece++) {
        if (!refill(self, err))
            return false;
        const size_t left = next_to_send(self, &bytes);
        size_t sent = 0;
        const CURLcode code =
            left > 0 ? curl_easy_send(self->channel->easy, bytes, left, &sent) : CURLE_AGAIN;
        if (code == CURLE_AGAIN)
            break;
        if (code != CURLE_OK) {
            stop_sending(self);
            return true;
        }
        note_sent(self, sent);
    }
    if (is_agreed(self) && self->input_ended && !self->closed_sending) {
        shutdown(self->socket, SHUT_WR); // end of file for the command
        self->closed_sending = true;
    }
    return true;
}

// ---- receiving

static bool take(struct talk *self, const char *bytes, size_t length, struct error *err) {
    if (!self->head.complete) {
        size_t used = 0;
        if (!http_head_feed(&self->head, bytes, length, &used, err))
            return error_prefix(err, "%s", self->name);
        bytes += used;
        length -= used;
    }
    if (length == 0)
        return true;
    if (is_agreed(self)) {
        struct error failure = {0};
        if (self->hijack->sink(self->hijack->context, bytes, length, &failure))
            return true;
        self->ended = failure.domain == ERROR_NONE;
        if (!self->ended && err != NULL)
            *err = failure;
        return self->ended || error_prefix(err, "%s", self->name);
    }
    text_append_bytes(&self->refusal, bytes, length);
    return true;
}

static bool has_whole_refusal(const struct talk *self) {
    return self->head.complete && !is_agreed(self) &&
           (self->refusal.overflowed ||
            (self->head.content_length >= 0 &&
             self->refusal.length >= (size_t)self->head.content_length));
}

// Who closes with input unread resets the connection. On a unix socket everything sent before that
// still arrives; over TCP some of it may be lost, so there it stays an error.
static bool is_harmless_reset(const struct talk *self) {
    return self->refused_input && engine_is_local(self->engine);
}

static bool receive_some(struct talk *self, struct error *err) {
    while (!self->ended) {
        size_t got = 0;
        const CURLcode code = curl_easy_recv(self->channel->easy, self->piece, PIECE_BYTES, &got);
        if (code == CURLE_AGAIN)
            return true;
        if (code != CURLE_OK && is_agreed(self) && !is_harmless_reset(self))
            return error_set(err, ERROR_PROTOCOL, 0, "%s: the connection to %s was cut short: %s",
                             self->name, self->engine->host, curl_easy_strerror(code));
        if (code != CURLE_OK || got == 0)
            self->ended = true;
        else if (!take(self, self->piece, got, err))
            return false;
        else if (has_whole_refusal(self))
            self->ended = true;
    }
    return true;
}

// ---- the talk

static bool still_wanted(const struct talk *self, struct error *err) {
    if (cancel_requested(self->engine->cancel))
        return error_set(err, ERROR_CANCELLED, 0, "%s: interrupted", self->name);
    if (deadline_passed(self->hijack->deadline))
        return error_set(err, ERROR_TIMEOUT, 0, "%s: not done within %d ms", self->name,
                         self->hijack->timeout_ms);
    return true;
}

static void wait_for_socket(const struct talk *self) {
    const char *bytes = NULL;
    const bool sending = next_to_send(self, &bytes) > 0;
    const struct cancel *cancel = self->engine->cancel;
    const int *source = sending || self->input_ended ? NULL : self->hijack->source_fd;
    struct pollfd ready[] = {
        {.fd = self->socket, .events = (short)(POLLIN | (sending ? POLLOUT : 0))},
        {.fd = cancel != NULL ? cancel->pipe_read : -1, .events = POLLIN},
        {.fd = source != NULL && is_agreed(self) ? *source : -1, .events = POLLIN},
    };
    const int64_t left_ms = deadline_left_ms(self->hijack->deadline);
    poll(ready, 3, left_ms < 1000 ? (int)left_ms : 1000);
}

static bool converse(struct talk *self, struct error *err) {
    for (;;) {
        if (!still_wanted(self, err))
            return false;
        if (!send_some(self, err) || !receive_some(self, err))
            return false;
        if (!send_some(self, err)) // the answer may have been the agreement
            return false;
        if (self->ended)
            break;
        wait_for_socket(self);
    }
    if (!self->head.complete)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "%s: the engine at %s closed the connection within its answer", self->name,
                         self->engine->host);
    return is_agreed(self) || reply_refused(self->name, self->head.status, &self->refusal, err);
}

static void write_opening(struct talk *self) {
    autofree_string char *body = json_dumps(self->hijack->json, JSON_COMPACT);
    autofree_string char *url = request_url(self->engine, self->hijack->path, NULL);
    const char *authority = strstr(url, "://") + 3;
    const size_t host_length = strcspn(authority, "/");
    text_appendf(&self->opening,
                 "POST %s HTTP/1.1\r\nHost: %.*s\r\nContent-Type: application/json\r\n"
                 "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: %zu\r\n\r\n%s",
                 authority + host_length, (int)host_length, authority, strlen(body), body);
}

// curl reports progress about once a second at worst while it connects.
static int on_connecting(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up) {
    (void)down_total, (void)down, (void)up_total, (void)up;
    const struct talk *self = context;
    return cancel_requested(self->engine->cancel) ? 1 : 0;
}

static bool connect_to_engine(struct talk *self, struct error *err) {
    CURL *easy = self->channel->easy;
    curl_easy_setopt(easy, CURLOPT_URL, self->engine->transport.base_url);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L); // a proxy must not read along
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_connecting);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, self);
    const CURLcode code = curl_easy_perform(easy);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return error_set(err, ERROR_CANCELLED, 0, "%s: interrupted", self->name);
    if (code != CURLE_OK)
        return error_set(err, ERROR_UNAVAILABLE, 0, "%s: cannot connect to %s: %s", self->name,
                         self->engine->host, self->channel->reason);
    curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &self->socket);
    return self->socket != CURL_SOCKET_BAD ||
           error_set(err, ERROR_UNAVAILABLE, 0, "%s: the connection to %s is gone", self->name,
                     self->engine->host);
}

bool hijack_perform(struct engine *engine, const struct hijack *hijack, struct error *err) {
    struct talk *self = memory_new(1, sizeof *self); // large: its head is 16 KiB
    *self = (struct talk){.engine = engine, .hijack = hijack};
    snprintf(self->name, sizeof self->name, "POST %s", hijack->path);
    http_head_init(&self->head);
    text_init(&self->refusal, ERROR_BODY_LIMIT);
    self->piece = memory_new(PIECE_BYTES, 1);
    self->input = memory_new(PIECE_BYTES, 1);
    self->channel = transport_take(&engine->transport);
    write_opening(self);

    const bool done = connect_to_engine(self, err) && converse(self, err);

    transport_give(&engine->transport, self->channel, false); // never HTTP again
    text_done(&self->opening);
    text_done(&self->refusal);
    free(self->piece);
    free(self->input);
    free(self);
    return done;
}
