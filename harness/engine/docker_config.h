// The user's Docker configuration: config.json and the contexts beside it. Internal to engine/.
//
// Source: docs.docker.com/reference/cli/docker/#configuration-files and the layout that
// `docker context create` writes: contexts/meta/<SHA-256 of the name>/meta.json and
// contexts/tls/<the same>/docker/{ca,cert,key}.pem.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <jansson.h>

struct docker_config {
    char *folder; // $DOCKER_CONFIG, else ~/.docker
    json_t *json; // an empty object when there is no config.json
};

// Absent is fine; unreadable or malformed is ERROR_CONFIGURATION with file, line and column.
bool docker_config_load(struct docker_config *ret_config, struct error *err) must_use;
void docker_config_done(struct docker_config *self);

// The address in a context, and its folder of certificates (NULL when it has none).
bool docker_config_context(const struct docker_config *self, const char *name, char **ret_host,
                           char **ret_certificates, bool *ret_verify_peer,
                           struct error *err) must_use;

DEFINE_AUTODONE(docker_config, docker_config_done);
