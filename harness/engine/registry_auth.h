// Credentials for a registry, from the user's Docker configuration: auths, credHelpers, credsStore.
// Internal to engine/.
//
// Source: docs.docker.com/reference/cli/docker/login and the protocol of docker-credential-helpers
// (`docker-credential-X get`: the server's name on standard input, {"Username", "Secret"} on
// standard output).
#pragma once

#include "engine/docker_config.h"

// The registry of an image reference: "docker.io", "registry.example:5000"; the caller's.
char *registry_of(const char *reference) must_use;

// The value of X-Registry-Auth (base64url of JSON), NULL when the user has no credentials there.
// Wipe it after use. A helper that is missing or fails is ERROR_UNAVAILABLE.
bool registry_auth_find(const struct docker_config *config, const char *registry, char **ret_header,
                        struct error *err) must_use;
