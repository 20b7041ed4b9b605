#include "client/endpoint.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONNECT_TIMEOUT_MS 5000
#define DEFAULT_REQUEST_TIMEOUT_MS 30000

bool endpoint_is_local(const struct endpoint *self) {
    return self->host[0] == '/';
}

int endpoint_connect_timeout_ms(const struct endpoint *self) {
    return self->connect_timeout_ms > 0 ? self->connect_timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS;
}

int endpoint_request_timeout_ms(const struct endpoint *self) {
    return self->request_timeout_ms > 0 ? self->request_timeout_ms : DEFAULT_REQUEST_TIMEOUT_MS;
}

void endpoint_copy(struct endpoint *self, const struct endpoint *source) {
    *self = (struct endpoint){
        .service = memory_copy_string(source->service),
        .host = memory_copy_string(source->host),
        .port = source->port,
        .user = memory_copy_string(source->user),
        .database = memory_copy_string(source->database),
        .password = secret_copy(source->password),
        .connect_timeout_ms = endpoint_connect_timeout_ms(source),
        .request_timeout_ms = endpoint_request_timeout_ms(source),
    };
}

// The fields are const because most endpoints borrow; those of a copy are its own.
static void free_const(const void *owned) {
    free((void *)(uintptr_t)owned);
}

void endpoint_done(struct endpoint *self) {
    free_const(self->service);
    free_const(self->host);
    free_const(self->user);
    free_const(self->database);
    secret_free((struct secret *)(uintptr_t)self->password);
    *self = (struct endpoint){0};
}

// Drivers end their messages with line breaks and full stops, and put several lines in one.
static void put_on_one_line(struct text *line, const char *message) {
    size_t used = strlen(message);
    while (used > 0 && strchr(" \t\r\n.", message[used - 1]) != NULL)
        used--;
    for (size_t at = 0; at < used; at++) {
        if (message[at] != '\n') {
            text_append_char(line, (unsigned char)message[at] < ' ' ? ' ' : message[at]);
            continue;
        }
        text_append(line, "; ");
        at += strspn(message + at, " \t\r\n") - 1; // the next line's indentation, too
    }
}

bool endpoint_fail(const struct endpoint *self, struct error *err, enum error_domain domain,
                   int code, const char *reference, const char *format, ...) {
    if (err == NULL)
        return false;
    char message[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    autodone(text) struct text line = {.limit = ERROR_MESSAGE_SIZE};
    put_on_one_line(&line, message);
    const bool withheld = self->password != NULL && secret_length(self->password) > 0 &&
                          secret_occurs_in(self->password, line.bytes, line.length);
    error_set(err, domain, code, "%s (%s:%u): %s",
              self->service != NULL ? self->service : "service", self->host, self->port,
              withheld ? "the message is withheld, it holds the password" : text_string(&line));
    if (reference != NULL)
        snprintf(err->reference, sizeof err->reference, "%s", reference);
    return false;
}
