// engine_locate(): which engine the docker command would use (see engine.h).
#include "base/memory.h"
#include "engine/docker_config.h"
#include "engine/engine.h"

#include <string.h>

#define DEFAULT_HOST "unix:///var/run/docker.sock"

// NULL when unset or empty: the docker command takes both alike.
static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool is_unix(const char *host) {
    return strncmp(host, "unix://", 7) == 0;
}

static void from_environment(const char *host, const struct docker_config *config,
                             struct engine_location *location) {
    const bool verify = environment("DOCKER_TLS_VERIFY") != NULL;
    const bool tls = verify || environment("DOCKER_TLS") != NULL;
    const char *folder = environment("DOCKER_CERT_PATH");
    *location = (struct engine_location){
        // A bare "host:port" is what older tools put there.
        .host = strstr(host, "://") != NULL ? memory_copy_string(host)
                                            : memory_format("tcp://%s", host),
        .certificates = tls && !is_unix(host)
                            ? memory_copy_string(folder != NULL ? folder : config->folder)
                            : NULL,
        .verify_peer = verify,
        .origin = memory_copy_string("DOCKER_HOST"),
    };
}

static void default_location(struct engine_location *location) {
    *location = (struct engine_location){
        .host = memory_copy_string(DEFAULT_HOST),
        .origin = memory_copy_string("default"),
    };
}

bool engine_locate(struct engine_location *ret_location, struct error *err) {
    autodone(docker_config) struct docker_config config = {0};
    const char *host = environment("DOCKER_HOST");
    const bool configured = docker_config_load(&config, err);
    if (host != NULL) {
        // The address is settled: a broken config.json does not matter.
        if (!configured)
            error_clear(err);
        from_environment(host, &config, ret_location);
        return true;
    }
    if (!configured)
        return false;
    const char *context = environment("DOCKER_CONTEXT");
    if (context == NULL)
        context = json_string_value(json_object_get(config.json, "currentContext"));
    if (context == NULL || context[0] == '\0' || strcmp(context, "default") == 0) {
        default_location(ret_location);
        return true;
    }
    struct engine_location location = {0};
    if (!docker_config_context(&config, context, &location.host, &location.certificates,
                               &location.verify_peer, err))
        return false;
    location.origin = memory_format("context \"%s\"", context);
    *ret_location = location;
    return true;
}

void engine_location_done(struct engine_location *self) {
    if (self == NULL)
        return;
    free(self->host);
    free(self->certificates);
    free(self->origin);
    *self = (struct engine_location){0};
}
