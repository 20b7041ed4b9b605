// For tests: a Redis server on 127.0.0.1 that answers from a list, one connection at a time: what a
// real one says seldom (a key twice), or only when it is old, or in a cluster.
#pragma once

#include "client/endpoint.h"

// Words with single spaces between them, and what is sent back (RESP2). The last has NULL.
struct redis_fake_answer {
    const char *command;
    const char *reply;
};

struct redis_fake;

// `answers` is borrowed, and may be changed while nobody asks. What is not in it is an unknown
// command, but for what every server of no cluster says to a fingerprint's first questions.
struct redis_fake *redis_fake_new(const struct redis_fake_answer *answers);
void redis_fake_free(struct redis_fake *self);
const struct endpoint *redis_fake_endpoint(const struct redis_fake *self);
