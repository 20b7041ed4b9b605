#include "client/http.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/secret_reveal.h"
#include "base/string_list.h"
#include "base/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BODY_EXCERPT 200 // bytes of an error's body in a message
#define PATH_EXCERPT 200

// Grows by copying and wiping, where realloc would leave the old bytes behind: replies may hold
// credentials.
struct body {
    char *bytes; // NUL-terminated; NULL while empty
    size_t length;
    size_t capacity;
    size_t limit;
    bool over_limit;
};

struct http_reply {
    struct http *http; // whose it is
    char *request;     // "GET /health"
    int status;
    bool reused;
    struct body body;
    struct string_list headers; // "Name: value", of the last response
    size_t headers_length;
    bool headers_over_limit;
    json_t *json; // of body, once asked for
};

struct http {
    CURL *curl;
    char *base; // "http://10.0.0.2:8200"
    struct endpoint endpoint;
    struct http_reply reply;
};

static void body_clear(struct body *self) {
    if (self->bytes != NULL)
        sodium_memzero(self->bytes, self->capacity);
    free(self->bytes);
    *self = (struct body){0};
}

static bool body_append(struct body *self, const char *bytes, size_t length) {
    if (length > self->limit - self->length) {
        self->over_limit = true;
        return false;
    }
    if (self->length + length + 1 > self->capacity) {
        const size_t capacity = 2 * (self->length + length + 1);
        char *larger = memory_new(capacity, 1);
        if (self->bytes != NULL) {
            memcpy(larger, self->bytes, self->length);
            sodium_memzero(self->bytes, self->capacity);
        }
        free(self->bytes);
        self->bytes = larger;
        self->capacity = capacity;
    }
    memcpy(self->bytes + self->length, bytes, length);
    self->length += length;
    self->bytes[self->length] = '\0';
    return true;
}

static void reply_clear(struct http_reply *self) {
    free(self->request);
    self->request = NULL;
    body_clear(&self->body);
    string_list_done(&self->headers);
    json_decref(self->json);
    self->json = NULL;
    self->status = 0;
    self->reused = false;
    self->headers_length = 0;
    self->headers_over_limit = false;
}

bool http_open(const struct endpoint *endpoint, struct http **ret_http, struct error *err) {
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return endpoint_fail(endpoint, err, ERROR_SYSTEM, ENOMEM, NULL, "libcurl does not start");
    struct http *self = memory_new(1, sizeof *self);
    self->curl = curl;
    endpoint_copy(&self->endpoint, endpoint);
    const bool ipv6 = strchr(endpoint->host, ':') != NULL;
    self->base = memory_format(ipv6 ? "http://[%s]:%u" : "http://%s:%u", endpoint->host,
                               (unsigned)endpoint->port);
    self->reply.http = self;
    *ret_http = self;
    return true;
}

void http_close(struct http *self) {
    if (self == NULL)
        return;
    curl_easy_cleanup(self->curl);
    reply_clear(&self->reply);
    endpoint_done(&self->endpoint);
    free(self->base);
    free(self);
}

const struct endpoint *http_endpoint(const struct http *self) {
    return &self->endpoint;
}

bool http_fail(const struct http_reply *reply, struct error *err, enum error_domain domain,
               int code, const char *reference, const char *format, ...) {
    char message[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return endpoint_fail(&reply->http->endpoint, err, domain, code, reference, "%s: %s",
                         reply->request, message);
}

// ---- a request ----------------------------------------------------------------------------------

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    struct http_reply *reply = context;
    return body_append(&reply->body, bytes, size * count) ? size * count : 0;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
    struct http_reply *reply = context;
    size_t length = size * count;
    reply->headers_length += length;
    if (reply->headers_length > HTTP_HEADERS_LIMIT) {
        reply->headers_over_limit = true;
        return 0;
    }
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        string_list_done(&reply->headers); // of an earlier response: 100 Continue, a redirect
    while (length > 0 && (bytes[length - 1] == '\r' || bytes[length - 1] == '\n'))
        length--;
    string_list_take(&reply->headers, memory_copy_bytes(bytes, length));
    return size * count;
}

// A header whose value is a secret: no copy of it stays with us.
static struct curl_slist *add_secret(struct curl_slist *list, const char *name,
                                     const struct secret *secret) {
    const size_t size = strlen(name) + secret_length(secret) + 1;
    char *line = memory_new(size, 1);
    snprintf(line, size, "%s%s", name, secret_reveal(secret));
    list = curl_slist_append(list, line);
    sodium_memzero(line, size);
    free(line);
    return list;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value) {
    char *line = memory_format("%s: %s", name, value);
    list = curl_slist_append(list, line);
    free(line);
    return list;
}

static struct curl_slist *headers_of(const struct http_options *options, bool has_body) {
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); // no 100-continue
    if (options->json != NULL)
        list = curl_slist_append(list, "Content-Type: application/json");
    else if (has_body)
        list = add_header(list, "Content-Type",
                          options->content_type != NULL ? options->content_type
                                                        : "application/octet-stream");
    else
        list = curl_slist_append(list, "Content-Type:");
    if (options->accept != NULL)
        list = add_header(list, "Accept", options->accept);
    else
        list = curl_slist_append(list, "Accept:");
    if (options->bearer != NULL)
        list = add_secret(list, "Authorization: Bearer ", options->bearer);
    if (options->token != NULL)
        list = add_secret(list, "X-Vault-Token: ", options->token);
    for (size_t i = 0; options->headers != NULL && options->headers[i] != NULL; i++)
        list = curl_slist_append(list, options->headers[i]);
    if (list == NULL)
        memory_is_out();
    return list;
}

static void headers_free(struct curl_slist *list) {
    for (struct curl_slist *item = list; item != NULL; item = item->next)
        sodium_memzero(item->data, strlen(item->data));
    curl_slist_free_all(list);
}

static void set_method(CURL *curl, const char *method, const void *body, size_t length) {
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (body != NULL || (strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0)) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body != NULL ? body : "");
    }
    if (strcmp(method, "GET") != 0 || body != NULL)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static int timeout_of(const struct http *self, const struct http_options *options) {
    return options->timeout_ms > 0 ? options->timeout_ms
                                   : endpoint_request_timeout_ms(&self->endpoint);
}

static void set_options(struct http *self, const char *url, const struct http_options *options) {
    CURL *curl = self->curl;
    curl_easy_reset(curl); // keeps the connection
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); // also not that of the environment
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "assay/" ASSAY_VERSION);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_of(self, options));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)endpoint_connect_timeout_ms(&self->endpoint));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &self->reply);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &self->reply);
    // curl sends our headers along to wherever it is redirected: not with a token.
    if (options->redirects > 0 && options->token == NULL) {
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)options->redirects);
        curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http");
    }
    if (options->user != NULL)
        curl_easy_setopt(curl, CURLOPT_USERNAME, options->user);
    if (options->password != NULL)
        curl_easy_setopt(curl, CURLOPT_PASSWORD, secret_reveal(options->password));
}

static bool timed_out(const struct http *self, int timeout_ms, struct error *err) {
    curl_off_t connected_us = 0;
    curl_easy_getinfo(self->curl, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    if (connected_us == 0)
        return http_fail(&self->reply, err, ERROR_TIMEOUT, 0, NULL, "no connection in time");
    return http_fail(&self->reply, err, ERROR_TIMEOUT, 0, NULL,
                     "connected, but no complete reply within %d ms", timeout_ms);
}

static bool unavailable(const struct http *self, CURLcode code, struct error *err) {
    long number = 0;
    curl_easy_getinfo(self->curl, CURLINFO_OS_ERRNO, &number);
    return http_fail(&self->reply, err, ERROR_UNAVAILABLE, 0, NULL, "%s",
                     number != 0 ? strerror((int)number) : curl_easy_strerror(code));
}

static bool request_failed(const struct http *self, CURLcode code, int timeout_ms,
                           struct error *err) {
    const struct http_reply *reply = &self->reply;
    if (reply->body.over_limit)
        return http_fail(reply, err, ERROR_PROTOCOL, 0, NULL, "a reply of more than %zu bytes",
                         reply->body.limit);
    if (reply->headers_over_limit)
        return http_fail(reply, err, ERROR_PROTOCOL, 0, NULL, "headers of more than %zu bytes",
                         HTTP_HEADERS_LIMIT);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return timed_out(self, timeout_ms, err);
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_SEND_ERROR:
        return unavailable(self, code, err);
    case CURLE_GOT_NOTHING:
        return http_fail(reply, err, ERROR_UNAVAILABLE, 0, NULL,
                         "it closed the connection without an answer");
    case CURLE_RECV_ERROR: // before the first byte of an answer it is a server that went away
        if (reply->headers_length == 0)
            return unavailable(self, code, err);
        return http_fail(reply, err, ERROR_PROTOCOL, 0, NULL, "the reply broke off");
    case CURLE_PARTIAL_FILE:
        return http_fail(reply, err, ERROR_PROTOCOL, 0, NULL, "the reply was cut short");
    case CURLE_UNSUPPORTED_PROTOCOL: // "HTTP/0.9": no status line
    case CURLE_WEIRD_SERVER_REPLY:
        return http_fail(reply, err, ERROR_PROTOCOL, 0, NULL, "what it answers is not HTTP/1.1");
    default:
        return http_fail(reply, err, ERROR_PROTOCOL, 0, NULL, "%s", curl_easy_strerror(code));
    }
}

static bool perform(struct http *self, const char *method, const char *path, const void *body,
                    size_t length, const struct http_options *options, struct error *err) {
    char *url = memory_format("%s%s", self->base, path);
    struct curl_slist *headers = headers_of(options, body != NULL);
    set_options(self, url, options);
    set_method(self->curl, method, body, length);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, headers);
    const CURLcode code = curl_easy_perform(self->curl);
    headers_free(headers);
    free(url);
    if (code != CURLE_OK)
        return request_failed(self, code, timeout_of(self, options), err);

    long status = 0, connects = 0;
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(self->curl, CURLINFO_NUM_CONNECTS, &connects);
    self->reply.status = (int)status;
    self->reply.reused = connects == 0;
    return true;
}

bool http_request_with(struct http *self, const char *method, const char *path,
                       const struct http_reply **ret_reply, struct error *err,
                       const struct http_options *options) {
    check(path[0] == '/');
    reply_clear(&self->reply);
    self->reply.request = memory_format("%s %.*s", method, PATH_EXCERPT, path);
    self->reply.body.limit = options->limit_bytes > 0 ? options->limit_bytes : HTTP_REPLY_LIMIT;
    const void *body = options->body;
    size_t length = options->body_length;
    char *json = NULL;
    if (options->json != NULL) {
        json = json_dumps(options->json, JSON_COMPACT | JSON_ENCODE_ANY);
        check(json != NULL);
        body = json;
        length = strlen(json);
    } else if (body != NULL && length == 0) {
        length = strlen(body);
    }
    const bool done = perform(self, method, path, body, length, options, err);
    if (json != NULL) {
        sodium_memzero(json, length);
        free(json);
    }
    if (done)
        *ret_reply = &self->reply;
    return done;
}

// ---- a reply ------------------------------------------------------------------------------------

int http_status(const struct http_reply *reply) {
    return reply->status;
}

const char *http_body(const struct http_reply *reply) {
    return reply->body.bytes != NULL ? reply->body.bytes : "";
}

size_t http_body_length(const struct http_reply *reply) {
    return reply->body.length;
}

const char *http_header(const struct http_reply *reply, const char *name) {
    const size_t length = strlen(name);
    for (size_t i = reply->headers.count; i > 0; i--) {
        const char *line = reply->headers.items[i - 1];
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        return line + strspn(line, " \t");
    }
    return NULL;
}

bool http_connection_reused(const struct http_reply *reply) {
    return reply->reused;
}

bool http_json(const struct http_reply *reply, const json_t **ret_json, struct error *err) {
    struct http_reply *own = &reply->http->reply; // the same, ours to change
    if (own->json == NULL) {
        json_error_t why;
        own->json = json_loadb(http_body(reply), reply->body.length, JSON_DECODE_ANY, &why);
        if (own->json == NULL) // the text of `why` quotes the body: not for messages
            return http_fail(reply, err, ERROR_PROTOCOL, 0, NULL,
                             "status %d with %zu bytes that are not JSON (line %d, column %d)",
                             reply->status, reply->body.length, why.line, why.column);
    }
    *ret_json = own->json;
    return true;
}

enum service_error http_service_error(int status) {
    switch (status) {
    case 401:
        return SERVICE_ERROR_LOGIN;
    case 403:
        return SERVICE_ERROR_DENIED;
    case 404:
    case 410:
        return SERVICE_ERROR_NOT_FOUND;
    case 405:
    case 501:
        return SERVICE_ERROR_UNSUPPORTED;
    case 409:
    case 412:
        return SERVICE_ERROR_CONFLICT;
    case 413:
        return SERVICE_ERROR_TOO_LARGE;
    case 429:
        return SERVICE_ERROR_LIMIT;
    case 502:
    case 503:
    case 504:
        return SERVICE_ERROR_NOT_READY;
    default:
        return SERVICE_ERROR_OTHER;
    }
}

bool http_expect(const struct http_reply *reply, int status, struct error *err) {
    if (reply->status == status)
        return true;
    char reference[ERROR_REFERENCE_SIZE];
    snprintf(reference, sizeof reference, "%d", reply->status);
    // The body of a success may be anybody's data; that of an error is there to be read.
    const char *excerpt = reply->status >= 400 ? http_body(reply) : "";
    return http_fail(reply, err, ERROR_SERVICE, http_service_error(reply->status), reference,
                     "answered %d, expected %d%s%.*s", reply->status, status,
                     excerpt[0] != '\0' ? ": " : "", BODY_EXCERPT, excerpt);
}

// ---- wiping -------------------------------------------------------------------------------------

void http_wipe_json(json_t *json) {
    size_t i;
    const char *key;
    json_t *item;
    if (json_is_string(json)) // jansson has no other way to the bytes that it will free
        sodium_memzero((void *)(uintptr_t)json_string_value(json), json_string_length(json));
    json_array_foreach (json, i, item)
        http_wipe_json(item);
    json_object_foreach (json, key, item)
        http_wipe_json(item);
}

void http_wipe(struct http *self) {
    http_wipe_json(self->reply.json);
    json_decref(self->reply.json);
    self->reply.json = NULL;
    body_clear(&self->reply.body);
}

static char *escape(const char *string, const char *also) {
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    struct text escaped = {0};
    for (; *string != '\0'; string++) {
        if (strchr(unreserved, *string) != NULL || strchr(also, *string) != NULL)
            text_append_char(&escaped, *string);
        else
            text_appendf(&escaped, "%%%02X", (unsigned)(unsigned char)*string);
    }
    return text_take(&escaped);
}

char *http_escape(const char *string) {
    return escape(string, "");
}

char *http_escape_path(const char *path) {
    return escape(path, "/");
}

// ---- for the table of kinds ---------------------------------------------------------------------

bool http_ready(const struct kind_members *members, const struct kind_options *options,
                struct error *err) {
    const char *path = options != NULL && options->path != NULL ? options->path : "/";
    for (size_t i = 0; i < members->count; i++) {
        autofree(http) struct http *http = NULL;
        const struct http_reply *reply;
        if (!http_open(&members->endpoints[i], &http, err) || !http_get(http, path, &reply, err))
            return false;
        if ((reply->status < 200 || reply->status > 299) && !http_expect(reply, 200, err))
            return false;
    }
    return true;
}

bool http_identify(const struct endpoint *endpoint, char *buffer, size_t size, struct error *err) {
    autofree(http) struct http *http = NULL;
    const struct http_reply *reply;
    if (!http_open(endpoint, &http, err) || !http_get(http, "/", &reply, err))
        return false;
    const char *server = http_header(reply, "Server");
    snprintf(buffer, size, "%s", server != NULL ? server : "HTTP server");
    return true;
}
