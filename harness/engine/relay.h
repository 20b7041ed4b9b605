// A unix socket whose connections go to a port inside a container, where no network leads to it. So
// a server that listens on its own 127.0.0.1 only, on whatever engine, wherever that is, can be
// spoken to with its own client library; and nobody else can, for the socket lies in a folder that
// only this user may enter.
//
//   client library <-> unix socket <-> (thread) socket in the container's network <-> port
//   client library <-> unix socket <-> (thread) exec over the engine's API <-> bash <-> port
//
// The first way is gone where near_container.h finds it. The other always does: each connection
// runs `bash` there, which opens the port (/dev/tcp, Bash manual, "Redirections") and passes bytes
// on in both directions, as do the engine and its pipes.
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "engine/engine.h"

#include <stdint.h>

struct relay;

#define RELAY_CONNECTIONS 16 // at once; more wait until one has ended

// `folder` is a 0700 folder of the caller's. The socket is "server.sock" in a folder of its own
// (that ending tells libmongoc what it is; it takes no upper case), and by a link ".s.PGSQL.PORT",
// as libpq looks for it. The engine may have closed and reopened connections since: nothing is
// asked of it before a client connects. A client whose port does not answer is hung up on;
// relay_problem says why.
struct relay_options {
    bool by_engine; // never the first way
};
#define relay_open(engine, container, port, folder, ret_relay, err, ...)                         \
    relay_open_with(engine, container, port, folder, &(const struct relay_options){__VA_ARGS__}, \
                    ret_relay, err)
bool relay_open_with(struct engine *engine, const char *container, uint16_t port,
                     const char *folder, const struct relay_options *options,
                     struct relay **ret_relay, struct error *err) must_use;
// Hangs up on every client, and on who comes later: whoever waits for a server is told. May be
// NULL.
void relay_hang_up(struct relay *self);
// The same, and removes the socket, its link and its folder.
void relay_close(struct relay *self);

const char *relay_path(const struct relay *self); // of the socket
// What the last connection that failed said; "" when none has. Copied to buffer.
const char *relay_problem(struct relay *self, char *buffer, size_t size);
// For a client that was hung up on: puts that before its error. Returns false.
bool relay_explain(struct relay *self, struct error *err);

DEFINE_AUTOFREE(relay, relay_close);
