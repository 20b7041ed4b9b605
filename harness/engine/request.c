#include "engine/request.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine_private.h"
#include "engine/reply.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define JSON_LIMIT ((size_t)64 * 1024 * 1024)
#define ERROR_BODY_LIMIT ((size_t)64 * 1024)
#define HEADERS_LIMIT ((size_t)256 * 1024) // curl bounds one header, not all together
#define SLOW_FACTOR 10

// One request while it runs: what curl's callbacks need.
struct exchange {
    struct engine *engine;
    const struct request *request;
    struct channel *channel;
    struct reply reply;
    char name[160]; // "GET /containers/abc/json", for messages
    size_t header_bytes;
    int64_t sent_bytes;
    int idle_timeout_ms;
    struct deadline quiet_until;
    struct deadline total;
    bool stopped;         // a sink asked for the end
    struct error failure; // of a sink, a source, a limit: wins over what curl makes of it
    bool sent;            // at least begun
    bool reprieved;       // cancelled, but waited for until `reprieve`
    struct deadline reprieve;
};

void reply_done(struct reply *self) {
    if (self != NULL)
        text_done(&self->body);
}

char *request_url(const struct engine *engine, const char *path, const char *query) {
    const bool versioned = engine->api_version[0] != '\0';
    return memory_format("%s%s%s%s%s%s", engine->transport.base_url, versioned ? "/v" : "",
                         engine->api_version, path, query != NULL && query[0] != '\0' ? "?" : "",
                         query != NULL ? query : "");
}

// ---- callbacks

static void note_activity(struct exchange *self) {
    self->quiet_until = deadline_in_ms(self->idle_timeout_ms);
}

static int status_of(const struct exchange *self) {
    long status = 0;
    curl_easy_getinfo(self->channel->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool is_success(int status) {
    return status >= 200 && status < 300;
}

// The value of a header line when it is the one named, cut to fit.
static void keep_header(const char *line, size_t length, const char *name, char *value,
                        size_t size) {
    size_t from = strlen(name);
    if (length < from || strncasecmp(line, name, from) != 0)
        return;
    while (from < length && line[from] == ' ')
        from++;
    while (length > from && (unsigned char)line[length - 1] <= ' ')
        length--;
    const size_t kept = length - from < size - 1 ? length - from : size - 1;
    memcpy(value, line + from, kept);
    value[kept] = '\0';
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context) {
    struct exchange *self = context;
    const size_t length = size * count;
    note_activity(self);
    self->header_bytes += length;
    if (self->header_bytes > HEADERS_LIMIT) {
        error_set(&self->failure, ERROR_PROTOCOL, 0, "%s: the reply's headers pass %zu KiB",
                  self->name, HEADERS_LIMIT / 1024);
        return 0;
    }
    char date[64] = "";
    keep_header(bytes, length, "Api-Version:", self->reply.api_version,
                sizeof self->reply.api_version);
    keep_header(bytes, length, "Date:", date, sizeof date);
    if (date[0] != '\0')
        self->reply.date_s = (int64_t)curl_getdate(date, NULL);
    const bool complete = length <= 2 && (bytes[0] == '\r' || bytes[0] == '\n');
    if (complete && is_success(status_of(self)) && self->request->on_reply != NULL)
        self->request->on_reply(self->request->context);
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    struct exchange *self = context;
    const size_t length = size * count;
    const bool success = is_success(status_of(self));
    note_activity(self);
    if (success && self->request->sink != NULL) {
        if (self->request->sink(self->request->context, bytes, length, &self->failure))
            return length;
        self->stopped = self->failure.domain == ERROR_NONE;
        if (!self->stopped)
            error_prefix(&self->failure, "%s", self->name);
        return 0;
    }
    struct text *body = &self->reply.body;
    if (body->limit == 0)
        text_init(body, success ? JSON_LIMIT : ERROR_BODY_LIMIT);
    text_append_bytes(body, bytes, length);
    if (!body->overflowed)
        return length;
    if (success)
        error_set(&self->failure, ERROR_PROTOCOL, 0, "%s: the reply passes %zu MiB", self->name,
                  JSON_LIMIT / 1024 / 1024);
    else
        self->stopped = true; // enough to show
    return 0;
}

static size_t on_send(char *buffer, size_t size, size_t count, void *context) {
    struct exchange *self = context;
    const int fd = *self->request->body_fd;
    note_activity(self);
    for (;;) {
        ssize_t got = pread(fd, buffer, size * count, (off_t)self->sent_bytes);
        if (got < 0 && errno == ESPIPE)
            got = read(fd, buffer, size * count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            error_set_errno(&self->failure, "%s: cannot read what is to be sent", self->name);
            return CURL_READFUNC_ABORT;
        }
        self->sent_bytes += got;
        return (size_t)got;
    }
}

// ---- set up

static void send_file(struct exchange *self, struct curl_slist **headers) {
    CURL *easy = self->channel->easy;
    struct stat status;
    const bool sized = fstat(*self->request->body_fd, &status) == 0 && S_ISREG(status.st_mode);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L); // PUT; CUSTOMREQUEST names what it really is
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_READDATA, self);
    if (sized)
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)status.st_size);
    else
        *headers = curl_slist_append(*headers, "Transfer-Encoding: chunked");
}

// Everything of the request but its URL. `body` is borrowed by curl; NULL: none, or a file.
static void set_up(struct exchange *self, const char *body, struct curl_slist **headers) {
    const struct request *request = self->request;
    CURL *easy = self->channel->easy;
    const bool is_get = strcmp(request->method, "GET") == 0;
    const bool from_file = request->body_fd != NULL;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, is_get ? 0L : 1L);
    if (from_file) {
        send_file(self, headers);
    } else if (!is_get) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body != NULL ? body : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(body != NULL ? strlen(body) : 0));
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    const char *type = request->content_type != NULL ? request->content_type : "application/x-tar";
    autofree_string char *content =
        memory_format("Content-Type: %s", from_file ? type : "application/json");
    if (!is_get)
        *headers = curl_slist_append(*headers, content);
    *headers = curl_slist_append(*headers, "Expect:"); // no round trip before a body
    if (request->registry_auth != NULL) {
        autofree_string char *auth = memory_format("X-Registry-Auth: %s", request->registry_auth);
        *headers = curl_slist_append(*headers, auth);
        sodium_memzero(auth, strlen(auth));
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
}

static void headers_free(struct curl_slist *headers) {
    for (struct curl_slist *at = headers; at != NULL; at = at->next)
        sodium_memzero(at->data, strlen(at->data)); // one of them may hold credentials
    curl_slist_free_all(headers);
}

// ---- running

#define ANSWER_MS 10000

static bool is_cancelled(const struct exchange *self) {
    return cancel_requested(self->engine->cancel) || cancel_requested(self->request->cancel);
}

// What a request that was sent makes, is made whether or not somebody still wants it.
static bool waits_all_the_same(struct exchange *self) {
    if (!self->request->makes || !self->sent)
        return false;
    if (!self->reprieved)
        self->reprieve = deadline_in_ms(ANSWER_MS);
    self->reprieved = true;
    return !deadline_passed(self->reprieve);
}

static bool still_wanted(struct exchange *self) {
    if (is_cancelled(self) && !waits_all_the_same(self))
        return error_set(&self->failure, ERROR_CANCELLED, 0, "%s: interrupted", self->name);
    if (self->request->timeout_ms > 0 && deadline_passed(self->total))
        return error_set(&self->failure, ERROR_TIMEOUT, 0, "%s: not done within %d ms", self->name,
                         self->request->timeout_ms);
    if (self->idle_timeout_ms != REQUEST_NO_IDLE_LIMIT && deadline_passed(self->quiet_until))
        return error_set(&self->failure, ERROR_TIMEOUT, 0,
                         "%s: the engine at %s was silent for %d ms", self->name,
                         self->engine->host, self->idle_timeout_ms);
    return true;
}

static int wait_ms(const struct exchange *self) {
    int64_t ms = 1000;
    if (self->idle_timeout_ms != REQUEST_NO_IDLE_LIMIT && deadline_left_ms(self->quiet_until) < ms)
        ms = deadline_left_ms(self->quiet_until);
    if (self->request->timeout_ms > 0 && deadline_left_ms(self->total) < ms)
        ms = deadline_left_ms(self->total);
    if (self->reprieved && deadline_left_ms(self->reprieve) < ms)
        ms = deadline_left_ms(self->reprieve);
    return (int)ms;
}

static unsigned add_cancel(struct curl_waitfd *waits, unsigned count, const struct cancel *cancel) {
    if (cancel == NULL)
        return count;
    waits[count] = (struct curl_waitfd){.fd = cancel->pipe_read, .events = CURL_WAIT_POLLIN};
    return count + 1;
}

// Until curl is done or the request is no longer wanted.
static CURLcode run(struct exchange *self) {
    CURLM *multi = self->channel->multi;
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    note_activity(self);
    self->total = deadline_in_ms(self->request->timeout_ms);
    curl_multi_add_handle(multi, self->channel->easy);
    while (still_wanted(self)) {
        int running = 0;
        curl_multi_perform(multi, &running);
        self->sent = true;
        if (running == 0) {
            int left = 0;
            const CURLMsg *message = curl_multi_info_read(multi, &left);
            if (message != NULL && message->msg == CURLMSG_DONE)
                result = message->data.result;
            break;
        }
        struct curl_waitfd waits[2];
        unsigned count = 0;
        if (!self->reprieved) {
            count = add_cancel(waits, count, self->engine->cancel);
            count = add_cancel(waits, count, self->request->cancel);
        }
        curl_multi_poll(multi, waits, count, wait_ms(self), NULL);
    }
    curl_multi_remove_handle(multi, self->channel->easy);
    return result;
}

// ---- failures

static bool cannot_connect(const struct exchange *self, struct error *err) {
    long os_error = 0;
    curl_easy_getinfo(self->channel->easy, CURLINFO_OS_ERRNO, &os_error);
    return error_set(err, ERROR_UNAVAILABLE, (int)os_error, "%s: cannot connect to %s: %s",
                     self->name, self->engine->host,
                     os_error != 0 ? strerror((int)os_error) : self->channel->reason);
}

static bool translate(const struct exchange *self, CURLcode code, struct error *err) {
    const char *reason =
        self->channel->reason[0] != '\0' ? self->channel->reason : curl_easy_strerror(code);
    const char *host = self->engine->host;
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return cannot_connect(self, err);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, ERROR_TIMEOUT, 0, "%s: no connection to %s within %d ms", self->name,
                         host, self->engine->transport.connect_timeout_ms);
    case CURLE_GOT_NOTHING:
        return error_set(err, ERROR_PROTOCOL, 0,
                         "%s: the engine at %s closed the connection "
                         "without an answer",
                         self->name, host);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return error_set(err, ERROR_PROTOCOL, 0, "%s: the connection to %s was cut short: %s",
                         self->name, host, reason);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return error_set(err, ERROR_PROTOCOL, 0, "%s: what listens at %s does not speak HTTP: %s",
                         self->name, host, reason);
    default:
        return error_set(err, ERROR_PROTOCOL, 0, "%s: %s: %s", self->name, host, reason);
    }
}

static bool judge(struct exchange *self, CURLcode code, struct error *err) {
    if (self->failure.domain != ERROR_NONE) {
        if (err != NULL)
            *err = self->failure;
        return false;
    }
    if (code != CURLE_OK && !self->stopped)
        return translate(self, code, err);
    self->reply.status = status_of(self);
    if (is_success(self->reply.status) || self->reply.status == 304) // 304: it was so already
        return true;
    return reply_refused(self->name, self->reply.status, &self->reply.body, err);
}

bool request_exchange(struct engine *engine, const struct request *request, struct reply *ret_reply,
                      struct error *err) {
    struct exchange self = {.engine = engine, .request = request};
    const int idle_ms =
        request->idle_timeout_ms != 0 ? request->idle_timeout_ms : engine->idle_timeout_ms;
    self.idle_timeout_ms = request->slow ? idle_ms * SLOW_FACTOR : idle_ms;
    snprintf(self.name, sizeof self.name, "%s %s", request->method, request->path);
    autofree_string char *body = NULL;
    if (request->json != NULL && (body = json_dumps(request->json, JSON_COMPACT)) == NULL)
        return error_set(err, ERROR_USAGE, 0, "%s: the body is not UTF-8 throughout", self.name);
    self.channel = transport_take(&engine->transport);
    autofree_string char *url = request_url(engine, request->path, request->query);
    curl_easy_setopt(self.channel->easy, CURLOPT_URL, url);
    struct curl_slist *headers = NULL;
    set_up(&self, body, &headers);

    const CURLcode code = run(&self);
    const bool done = judge(&self, code, err);

    headers_free(headers);
    transport_give(&engine->transport, self.channel, code == CURLE_OK);
    if (done && ret_reply != NULL)
        *ret_reply = self.reply;
    else
        reply_done(&self.reply);
    return done;
}

bool request_perform(struct engine *engine, const struct request *request, struct error *err) {
    return request_exchange(engine, request, NULL, err);
}

bool request_json(struct engine *engine, const struct request *request, json_t **ret_json,
                  struct error *err) {
    autodone(reply) struct reply reply = {0};
    if (!request_exchange(engine, request, &reply, err))
        return false;
    autofree_string char *name = memory_format("%s %s", request->method, request->path);
    return reply_parse(name, &reply.body, ret_json, err);
}

bool request_json_string(struct engine *engine, const struct request *request, const char *key,
                         char **ret_value, struct error *err) {
    json_t *json = NULL;
    if (!request_json(engine, request, &json, err))
        return false;
    char *value = memory_copy_string(json_string_value(json_object_get(json, key)));
    json_decref(json);
    if (value == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "%s %s: the answer has no \"%s\"", request->method,
                         request->path, key);
    *ret_value = value;
    return true;
}
