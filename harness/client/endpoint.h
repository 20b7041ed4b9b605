// Where a service is and who we are to it: what every client is opened with.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

struct endpoint {
    const char *service; // its name in the Compose file: stands in every error message
    // A name, an address, or the absolute path of a unix socket. Then the port matters to
    // PostgreSQL only, which looks for ".s.PGSQL.PORT" beside it (libpq, "Connection Strings"); to
    // libmongoc a path ends in ".sock" and has no upper case.
    const char *host;
    uint16_t port;
    const char *user;              // NULL where the service knows no users
    const char *database;          // or vhost; NULL: the default
    const struct secret *password; // borrowed; NULL: none
    int connect_timeout_ms;        // 0: 5 s
    int request_timeout_ms;        // 0: 30 s
};

// A copy with strings and a password of its own, for a client that outlives its caller's endpoint;
// the timeouts are filled in where they were 0. Done with endpoint_done.
void endpoint_copy(struct endpoint *self, const struct endpoint *source);
void endpoint_done(struct endpoint *self);

// Whether `host` is the path of a unix socket.
bool endpoint_is_local(const struct endpoint *self);

int endpoint_connect_timeout_ms(const struct endpoint *self); // never 0: the default is filled in
int endpoint_request_timeout_ms(const struct endpoint *self);

// Sets err to "postgres (10.0.0.2:5432): …" with the server's own code (NULL: none); returns
// false. Line breaks become "; ", and a text that holds the password is withheld: drivers and
// servers like to quote what they were sent.
bool endpoint_fail(const struct endpoint *self, struct error *err, enum error_domain domain,
                   int code, const char *reference, const char *format, ...) printf_like(6, 7);

// What a service answered, in the words that all of them share: the `code` of an ERROR_SERVICE.
// The server's own code ("23505", "1062", "WRONGPASS", "403") is in err->reference.
// Connection trouble is not here: refused, reset, unreachable are ERROR_UNAVAILABLE, silence is
// ERROR_TIMEOUT, and nonsense is ERROR_PROTOCOL.
enum service_error {
    SERVICE_ERROR_OTHER = 0,
    SERVICE_ERROR_LOGIN,  // wrong user or password
    SERVICE_ERROR_DENIED, // logged in, not allowed
    SERVICE_ERROR_UNIQUE, // duplicate key
    SERVICE_ERROR_NOT_NULL,
    SERVICE_ERROR_FOREIGN_KEY,
    SERVICE_ERROR_CHECK,         // a check constraint or validator
    SERVICE_ERROR_SERIALIZATION, // try the transaction again
    SERVICE_ERROR_DEADLOCK,
    SERVICE_ERROR_SYNTAX,
    SERVICE_ERROR_NOT_FOUND, // no such table, key, queue, path
    SERVICE_ERROR_TOO_LARGE,
    SERVICE_ERROR_CONFLICT, // check-and-set lost, precondition failed
    SERVICE_ERROR_READ_ONLY,
    SERVICE_ERROR_NOT_READY,   // starting, sealed, standby, cluster down
    SERVICE_ERROR_LIMIT,       // too many connections, rate limit
    SERVICE_ERROR_UNSUPPORTED, // the server says that it does not have the feature
};
