// What the classic builder is given besides the Dockerfile: the recipe's folder as a tar, the
// host's CA bundle beside it as host-ca.crt, and the build arguments.
//
// host-ca.crt is for builder stages behind a company's proxy, whose certificate only the host
// knows. It is not part of a recipe's digest: what it lets in is the same.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/string_list.h"

#include <stdbool.h>

struct build_context {
    int fd;                       // the tar
    struct string_list arguments; // "BASE=…", "HTTP_PROXY=…"
};

// `base` may be NULL (no BASE); dockerfile replaces or adds the Dockerfile's text, NULL: the
// folder's own. ERROR_UNAVAILABLE when the Dockerfile wants host-ca.crt and the host has none.
bool build_context_open(const char *folder, const char *dockerfile, const char *base,
                        struct build_context *ret_context, struct error *err) must_use;
void build_context_done(struct build_context *self);

// SSL_CERT_FILE, or where Debian, Fedora, Alpine and macOS keep it; the caller's; NULL: none.
char *host_ca_bundle(void) must_use;

// Adds NAME=value for each proxy and package index that the environment names. The engine keeps
// arguments other than proxies in the history of what it builds, so that an index address with a
// password in it is left out.
void build_arguments_from_environment(struct string_list *arguments);

DEFINE_AUTODONE(build_context, build_context_done);
