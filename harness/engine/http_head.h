// The head of an HTTP/1.1 response (RFC 9112, sections 4 and 5), for the one conversation that
// libcurl does not carry for us: a hijacked connection. Fed in pieces; at most
// HTTP_HEAD_LIMIT bytes. Internal to engine/.
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_LIMIT 16384

struct http_head {
    char bytes[HTTP_HEAD_LIMIT];
    size_t length;
    bool complete;
    int status;
    int64_t content_length; // -1: none was given
    bool chunked;
};

void http_head_init(struct http_head *self);

// Takes bytes up to the end of the head; *ret_used says how many were the head's, the rest are the
// body's. ERROR_PROTOCOL when it is not HTTP or too long.
bool http_head_feed(struct http_head *self, const void *bytes, size_t length, size_t *ret_used,
                    struct error *err) must_use;
