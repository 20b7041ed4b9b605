// HTTP/1.1 to one server: the client of every service that speaks HTTP, and of user applications.
//
// Keep-alive, one request at a time, one thread at a time. Redirects are not followed, proxies of
// the environment are not used, compressed replies are not asked for: what a test sees is what the
// server sent.
//
//     const struct http_reply *reply;
//     must(http_get(http, "/health", &reply, err, .timeout_ms = 500));
//     cr_assert_eq(http_status(reply), 200);
//
// Errors, all beginning "<service> (<host>:<port>): <METHOD> <path>: ":
//   ERROR_UNAVAILABLE  refused, reset, unreachable, closed without a word, name not known
//   ERROR_TIMEOUT      no complete reply in time
//   ERROR_PROTOCOL     not HTTP, cut short, larger than the limit, not JSON where JSON must be
//   ERROR_SERVICE      only from http_expect()
// A reply of any status is a reply, not an error. No message holds a secret or a request's body.
#pragma once

#include "client/endpoint.h"
#include "client/kind.h"

#include "base/cleanup.h"

#include <jansson.h>

#define HTTP_REPLY_LIMIT ((size_t)8 * 1024 * 1024) // of a body, where the options name no other
#define HTTP_HEADERS_LIMIT ((size_t)64 * 1024)     // of all headers of a reply together

struct http;
struct http_reply;

// Does not connect: the first request does. The endpoint is copied; its user and password are sent
// only where the options of a request say so.
bool http_open(const struct endpoint *endpoint, struct http **ret_http, struct error *err) must_use;
void http_close(struct http *self);

struct http_options {
    const json_t *json;          // body, sent as application/json
    const void *body;            // or bytes
    size_t body_length;          // 0: body is a string, or there is none
    const char *content_type;    // of body; NULL: application/octet-stream
    const char *accept;          // NULL: none sent
    const char *const *headers;  // further ones, "Name: value", NULL-terminated
    const struct secret *bearer; // "Authorization: Bearer …"
    const struct secret *token;  // "X-Vault-Token: …"
    const char *user;            // with password: "Authorization: Basic …"
    const struct secret *password;
    int timeout_ms;     // of the whole request; 0: the endpoint's request_timeout_ms
    size_t limit_bytes; // of the reply's body; 0: HTTP_REPLY_LIMIT
    int redirects;      // to follow, at most; 0: none, the 3xx itself is the reply
};

// path begins with '/' and is escaped already (http_escape). *ret_reply is borrowed from the client
// until its next request.
bool http_request_with(struct http *self, const char *method, const char *path,
                       const struct http_reply **ret_reply, struct error *err,
                       const struct http_options *options) must_use;

#define http_request(self, method, path, ret_reply, err, ...)       \
    http_request_with((self), (method), (path), (ret_reply), (err), \
                      &(const struct http_options){.timeout_ms = 0, __VA_ARGS__})
#define http_get(self, path, ret_reply, err, ...) \
    http_request(self, "GET", path, ret_reply, err, __VA_ARGS__)
#define http_post(self, path, ret_reply, err, ...) \
    http_request(self, "POST", path, ret_reply, err, __VA_ARGS__)
#define http_put(self, path, ret_reply, err, ...) \
    http_request(self, "PUT", path, ret_reply, err, __VA_ARGS__)
#define http_delete(self, path, ret_reply, err, ...) \
    http_request(self, "DELETE", path, ret_reply, err, __VA_ARGS__)

int http_status(const struct http_reply *reply);
const char *http_body(const struct http_reply *reply); // NUL-terminated, may hold NULs; never NULL
size_t http_body_length(const struct http_reply *reply);
// The value of the last header of that name, in any case; NULL: none. Borrowed as the reply is.
const char *http_header(const struct http_reply *reply, const char *name);
bool http_connection_reused(const struct http_reply *reply); // keep-alive at work

// The body as JSON (RFC 8259; any value at the top), borrowed as the reply is.
bool http_json(const struct http_reply *reply, const json_t **ret_json, struct error *err) must_use;

// Whether the status is `status`; otherwise an ERROR_SERVICE whose reference is the status and
// whose message ends in the beginning of an error's body. Its code: 401 LOGIN, 403 DENIED, 404 and
// 410 NOT_FOUND, 405 and 501 UNSUPPORTED, 409 and 412 CONFLICT, 413 TOO_LARGE, 429 LIMIT, 502 to
// 504 NOT_READY, any other OTHER.
bool http_expect(const struct http_reply *reply, int status, struct error *err) must_use;
enum service_error http_service_error(int status);

// Overwrites the reply's body and every string of its JSON; for replies that carry a secret.
void http_wipe(struct http *self);
// The same for a value of one's own, before json_decref.
void http_wipe_json(json_t *json);

// For one segment of a path or one value of a query (RFC 3986, 2.3); the caller's.
char *http_escape(const char *string) must_use;
char *http_escape_path(const char *path) must_use; // the same, but for '/'

// Where it is: for errors of the clients that stand on this one. Borrowed.
const struct endpoint *http_endpoint(const struct http *self);
// err as endpoint_fail() sets it, "<METHOD> <path>: " of the reply's request in front.
bool http_fail(const struct http_reply *reply, struct error *err, enum error_domain domain,
               int code, const char *reference, const char *format, ...) printf_like(6, 7);

// For the table of kinds: options->path answers 2xx.
bool http_ready(const struct kind_members *members, const struct kind_options *options,
                struct error *err) must_use;
// The Server header, or "HTTP server" where there is none.
bool http_identify(const struct endpoint *endpoint, char *buffer, size_t size,
                   struct error *err) must_use;

DEFINE_AUTOFREE(http, http_close);
