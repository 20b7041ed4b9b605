#include "engine/http_head.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "engine/reply.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define SHOWN_BYTES 80

void http_head_init(struct http_head *self) {
    self->length = 0;
    self->complete = false;
    self->status = 0;
    self->content_length = -1;
    self->chunked = false;
}

static bool not_http(const struct http_head *self, const char *complaint, struct error *err) {
    autodone(text) struct text shown = {0};
    reply_append_shown(&shown, self->bytes, self->length, SHOWN_BYTES);
    return error_set(err, ERROR_PROTOCOL, 0, "%s: \"%s\"", complaint, text_string(&shown));
}

// "HTTP/1.1 101 UPGRADED"
static bool parse_status(struct http_head *self, const char *line, size_t length) {
    static const char version[] = "HTTP/1.";
    const size_t prefix = sizeof version - 1;
    if (length < prefix + 5 || memcmp(line, version, prefix) != 0 || line[prefix + 1] != ' ')
        return false;
    const char *digits = line + prefix + 2;
    for (size_t i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)digits[i]))
            return false;
        self->status = self->status * 10 + (digits[i] - '0');
    }
    return self->status >= 100 && (length == prefix + 5 || digits[3] == ' ');
}

static bool value_of(const char *line, size_t length, const char *name, const char **ret_value,
                     size_t *ret_length) {
    size_t from = strlen(name);
    if (length < from || strncasecmp(line, name, from) != 0)
        return false;
    while (from < length && (line[from] == ' ' || line[from] == '\t'))
        from++;
    while (length > from && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    *ret_value = line + from;
    *ret_length = length - from;
    return true;
}

static bool parse_length(struct http_head *self, const char *value, size_t length) {
    int64_t number = 0;
    if (length == 0 || length > 18) // 18 digits fit an int64_t
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)value[i]))
            return false;
        number = number * 10 + (value[i] - '0');
    }
    self->content_length = number;
    return true;
}

static bool parse_field(struct http_head *self, const char *line, size_t length) {
    const char *value = NULL;
    size_t value_length = 0;
    if (memchr(line, ':', length) == NULL)
        return false;
    if (value_of(line, length, "Content-Length:", &value, &value_length))
        return parse_length(self, value, value_length);
    if (value_of(line, length, "Transfer-Encoding:", &value, &value_length))
        self->chunked = value_length == 7 && strncasecmp(value, "chunked", 7) == 0;
    return true;
}

static bool parse(struct http_head *self, struct error *err) {
    const char *at = self->bytes;
    const char *const end = self->bytes + self->length;
    for (size_t line_number = 0; at < end; line_number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)(newline - at);
        if (length > 0 && at[length - 1] == '\r')
            length--;
        if (line_number == 0 && !parse_status(self, at, length))
            return not_http(self, "the answer is not HTTP/1", err);
        if (line_number > 0 && length > 0 && !parse_field(self, at, length))
            return not_http(self, "the answer has a bad header", err);
        at = newline + 1;
    }
    self->complete = true;
    return true;
}

// The bytes end in an empty line: CRLF CRLF, or LF LF of a sloppy peer.
static bool is_at_end(const struct http_head *self) {
    const char *bytes = self->bytes;
    const size_t length = self->length;
    return length >= 2 && bytes[length - 1] == '\n' &&
           (bytes[length - 2] == '\n' ||
            (length >= 3 && bytes[length - 2] == '\r' && bytes[length - 3] == '\n'));
}

bool http_head_feed(struct http_head *self, const void *bytes, size_t length, size_t *ret_used,
                    struct error *err) {
    const char *at = bytes;
    size_t used = 0;
    while (used < length && !self->complete) {
        if (self->length == sizeof self->bytes)
            return not_http(self, "the answer's head does not end", err);
        self->bytes[self->length++] = at[used++];
        // Garbage is told at once, not after 16 KiB of it.
        if (self->length == 5 && memcmp(self->bytes, "HTTP/", 5) != 0)
            return not_http(self, "the answer is not HTTP", err);
        if (is_at_end(self) && !parse(self, err))
            return false;
    }
    *ret_used = used;
    return true;
}
