// A scripted engine for tests of protocol faults: what a real one does only when it is broken.
// For everything else the tests use a real engine (engine_real_test.c).
//
// It listens on a unix socket in a temporary folder, or on a free port of 127.0.0.1, and answers
// the i-th request with the i-th entry of its script. `GET /_ping` is answered as API 1.41 unless
// the script's next entry expects it.
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_piece {
    const char *bytes;
    size_t length; // 0: as a string
    size_t times;  // 0: once
    int delay_ms;  // before it
};

enum fake_ending {
    FAKE_KEEP,  // wait for another request on the connection
    FAKE_CLOSE, // end of file for the client
    FAKE_RESET, // TCP: RST
    FAKE_HANG,  // nothing more, but the connection stays open
    FAKE_ECHO,  // hijacked: what comes in goes back as frames of standard output, to its end
};

#define FAKE_PIECES 6

struct fake_exchange {
    const char *expect; // how the request begins: "POST /v1.41/containers/create"
    struct fake_piece pieces[FAKE_PIECES];
    enum fake_ending ending;
};

struct fake_options {
    bool tcp;
};

struct fake_engine;

// The script ends with an entry without `expect`; it is copied, its strings are borrowed.
bool fake_engine_open(const struct fake_exchange *script, const struct fake_options *options,
                      struct fake_engine **ret_engine, struct error *err) must_use;
void fake_engine_close(struct fake_engine *self);

const char *fake_engine_host(const struct fake_engine *self); // "unix:///tmp/…", "tcp://…"

// How many requests of the script were answered, and the first that did not fit ("" if none did).
// Call when no request is under way.
size_t fake_engine_answered(struct fake_engine *self);
const char *fake_engine_surprise(struct fake_engine *self);
// The heads and bodies of all requests of the script, one after the other.
const char *fake_engine_received(struct fake_engine *self);

#define FAKE_JSON_HEAD "Content-Type: application/json\r\n"
#define FAKE_CHUNKED "HTTP/1.1 200 OK\r\n" FAKE_JSON_HEAD "Transfer-Encoding: chunked\r\n\r\n"
// A reply that ends when the connection does: give it .ending = FAKE_CLOSE.
#define FAKE_REPLY(status, body) \
    "HTTP/1.1 " status "\r\n" FAKE_JSON_HEAD "Connection: close\r\n\r\n" body
