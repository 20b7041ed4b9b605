// For tests of clients: a server on 127.0.0.1 that breaks its protocol in one chosen way.
#pragma once

#include "client/endpoint.h"

#include <stddef.h>

enum tcp_fake_fault {
    TCP_FAKE_SILENT,  // accepts, then not a word
    TCP_FAKE_CLOSES,  // accepts, then closes at once
    TCP_FAKE_GARBAGE, // says something of no known protocol, then waits
    TCP_FAKE_ENDLESS, // garbage without an end, for as long as anybody reads
    TCP_FAKE_TRICKLE, // a byte of garbage every 20 ms: never silent, never done
};

struct tcp_fake;

// `said`, NUL-terminated, is what GARBAGE, ENDLESS (again and again) and TRICKLE (likewise) send;
// NULL: something of no protocol at all. Ends the test on failure.
struct tcp_fake *tcp_fake_new(enum tcp_fake_fault fault, const char *said);
void tcp_fake_free(struct tcp_fake *self);

// Its endpoint, with a user, a database, a password, 400 ms to connect and 400 ms for a request.
const struct endpoint *tcp_fake_endpoint(const struct tcp_fake *self);
// What was said to it so far, the first 4 KiB; returns how much that is.
size_t tcp_fake_heard(struct tcp_fake *self, char *buffer, size_t size);
// A port of 127.0.0.1 where nobody listens, held until the fake is freed.
const struct endpoint *tcp_fake_dead_endpoint(const struct tcp_fake *self);
