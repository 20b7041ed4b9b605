#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *err, enum error_domain domain, int code, const char *format, ...) {
    if (err == NULL)
        return false;
    char message[ERROR_MESSAGE_SIZE]; // the arguments may point into err->message
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    err->domain = domain;
    err->code = code;
    err->reference[0] = '\0';
    memcpy(err->message, message, sizeof message);
    return false;
}

bool error_set_errno(struct error *err, const char *format, ...) {
    const int code = errno;
    if (err == NULL)
        return false;
    char message[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set(err, ERROR_SYSTEM, code, "%s: %s", message, strerror(code));
}

bool error_prefix(struct error *err, const char *format, ...) {
    if (err == NULL)
        return false;
    char context[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    char message[ERROR_MESSAGE_SIZE];
    memcpy(message, err->message, sizeof message);
    const size_t used = (size_t)snprintf(err->message, sizeof err->message, "%s: ", context);
    if (used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - used, "%s", message);
    return false;
}

bool error_append(struct error *err, const char *format, ...) {
    if (err == NULL)
        return false;
    char more[ERROR_MESSAGE_SIZE]; // the arguments may point into err->message
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(more, sizeof more, format, arguments);
    va_end(arguments);
    const size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, "%s", more);
    return false;
}

void error_clear(struct error *err) {
    if (err != NULL)
        *err = (struct error){0};
}

const char *error_domain_name(enum error_domain domain) {
    static const char *const names[] = {
        [ERROR_NONE] = "none",
        [ERROR_USAGE] = "usage",
        [ERROR_SYSTEM] = "system",
        [ERROR_CONFIGURATION] = "configuration",
        [ERROR_ENGINE] = "engine",
        [ERROR_PROTOCOL] = "protocol",
        [ERROR_SERVICE] = "service",
        [ERROR_TIMEOUT] = "timeout",
        [ERROR_UNAVAILABLE] = "unavailable",
        [ERROR_CANCELLED] = "cancelled",
    };
    return (size_t)domain < sizeof names / sizeof names[0] ? names[domain] : "unknown";
}
