// A real registry for tests: `docker-registry serve` on a free port of 127.0.0.1, which an engine
// asks over plain HTTP without being told to. It ends with the test, also with one that crashes.
// For test files only.
//
// Source: docs.docker.com/reference/cli/dockerd/#insecure-registries (127.0.0.0/8), the
// configuration file of Docker Distribution 2.8, and `POST /images/{name}/push` of the Docker
// Engine API.
#pragma once

#include "engine/engine.h"

#include <sys/types.h>

// Who may push and pull where the registry asks.
#define REGISTRY_USER "reader"
#define REGISTRY_PASSWORD "open-sesame"
#define REGISTRY_AUTH "cmVhZGVyOm9wZW4tc2VzYW1l" // base64 of user:password, as in `auths`

struct registry_fixture {
    struct engine *engine; // borrowed
    char *folder;          // storage, configuration, log, and the user's Docker configuration
    char name[32];         // "127.0.0.1:40123"; "": it never ran
    pid_t pid;             // 0: it does not run
};

// Skips the test, saying so, where docker-registry is not installed or the engine is elsewhere.
// First in .init: what is made before is not removed, since .fini is not run after a skip.
void registry_fixture_require(void);
// Starts it with its files in a folder of its own in `folder`. The user's Docker configuration is
// none from then on.
void registry_fixture_open(struct registry_fixture *self, struct engine *engine, const char *folder,
                           bool asks_who);
void registry_fixture_stop(struct registry_fixture *self);  // nothing listens there any more
void registry_fixture_pause(struct registry_fixture *self); // connections are taken, none answered
// Stops it and removes every image of it from the engine. For .fini: also after a test that failed
// or was skipped.
void registry_fixture_close(struct registry_fixture *self);

#define REGISTRY_LAYERS 2
#define REGISTRY_LAYER_BYTES ((size_t)2 * 1024 * 1024)
// Fills the registry with an image of its own, of two layers that no other image shares, which is
// not in the engine then. Its reference, "127.0.0.1:40123/NAME:1", is the caller's.
char *registry_fixture_image(struct registry_fixture *self, const char *name);
// "127.0.0.1:40123/TAIL", whatever it has; the caller's.
char *registry_fixture_reference(const struct registry_fixture *self, const char *tail);

// The user's Docker configuration; "%s" in `format` is the registry.
void registry_fixture_configure(const struct registry_fixture *self, const char *format);
// A credential helper docker-credential-NAME in front of the PATH that knows this password.
void registry_fixture_helper(const struct registry_fixture *self, const char *name,
                             const char *password);
