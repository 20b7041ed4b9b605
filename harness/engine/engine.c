#include "engine/engine.h"

#include "base/memory.h"
#include "engine/engine_private.h"
#include "engine/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// "1.41" as 1041; -1 when it is not a version.
static int version_number(const char *version) {
    int major = 0;
    int minor = 0;
    char rest = '\0';
    if (sscanf(version, "%3d.%3d%c", &major, &minor, &rest) != 2 || major < 0 || minor < 0)
        return -1;
    return major * 1000 + minor;
}

// What a person can do about an engine that cannot be reached.
static const char *advice(const struct engine *self, int os_error) {
    const bool local = engine_is_local(self);
    if (os_error == EACCES || os_error == EPERM)
        return "this user may not use the socket: join its group (often `sudo usermod -aG docker "
               "$USER`, then log in again) or run as root";
    if (local && os_error == ENOENT)
        return "no engine is there: start Docker (often `sudo systemctl start docker`) or set "
               "DOCKER_HOST to the engine that you mean";
    if (local && os_error == ECONNREFUSED)
        return "the socket is there but no engine behind it: start Docker again (often `sudo "
               "systemctl restart docker`)";
    return "check the address (DOCKER_HOST, `docker context ls`) and that the engine is running";
}

static bool explain(struct engine *self, struct error *err) {
    if (err == NULL || err->domain == ERROR_CANCELLED)
        return false;
    // A plain HTTP server may wait for the rest of a TLS greeting; a TLS server knows at once.
    const bool probe = err->domain != ERROR_TIMEOUT || self->transport.tls;
    if (probe && transport_other_dialect_answers(&self->transport))
        return self->transport.tls
                   ? error_set(err, ERROR_PROTOCOL, 0,
                               "the engine at %s speaks plain HTTP, but TLS was asked for: unset "
                               "DOCKER_TLS_VERIFY (or use the engine's TLS port, often 2376)",
                               self->host)
                   : error_set(err, ERROR_PROTOCOL, 0,
                               "the engine at %s speaks TLS, but plain HTTP was asked for: set "
                               "DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder with "
                               "ca.pem, cert.pem and key.pem",
                               self->host);
    error_prefix(err, "the Docker engine at %s cannot be used", self->host);
    if (err->domain == ERROR_UNAVAILABLE)
        error_append(err, "; %s", advice(self, err->code));
    else if (err->domain == ERROR_TIMEOUT)
        error_append(err, "; it accepts connections but does not answer: restart it");
    else if (self->transport.tls)
        error_append(err, "; check that ca.pem, cert.pem and key.pem (DOCKER_CERT_PATH) are those "
                          "made for this engine");
    else
        error_append(err, "; check that this address is a Docker engine's");
    return error_append(err, " (`assay doctor` shows what is here)");
}

// An engine that is there answers this at once; whoever mistook the address should not wait long.
#define PING_IDLE_TIMEOUT_MS 10000

static bool negotiate(struct engine *self, struct error *err) {
    autodone(reply) struct reply reply = {0};
    const struct request ping = {.method = "GET",
                                 .path = "/_ping",
                                 .idle_timeout_ms = self->idle_timeout_ms < PING_IDLE_TIMEOUT_MS
                                                        ? self->idle_timeout_ms
                                                        : PING_IDLE_TIMEOUT_MS};
    if (!request_exchange(self, &ping, &reply, err))
        return explain(self, err);
    const int offered = version_number(reply.api_version);
    if (offered < 0) {
        error_set(err, ERROR_PROTOCOL, 0, "GET /_ping: the answer has no Api-Version");
        return explain(self, err);
    }
    if (offered < version_number(ENGINE_API_OLDEST))
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "the Docker engine at %s speaks API %s, but assay needs %s or newer: "
                         "update it to Docker 20.10 or later",
                         self->host, reply.api_version, ENGINE_API_OLDEST);
    const bool newer = offered > version_number(ENGINE_API_NEWEST);
    snprintf(self->api_version, sizeof self->api_version, "%s",
             newer ? ENGINE_API_NEWEST : reply.api_version);
    return true;
}

bool engine_open(const struct engine_options *options, struct engine **ret_engine,
                 struct error *err) {
    autofree(engine) struct engine *self = memory_new(1, sizeof *self);
    autodone(engine_location) struct engine_location location = {0};
    struct engine_options chosen = *options;
    if (chosen.host == NULL) {
        if (!engine_locate(&location, err))
            return false;
        chosen.host = location.host;
        chosen.certificates = location.certificates;
        chosen.verify_peer = location.verify_peer;
    }
    self->host = memory_copy_string(chosen.host);
    self->cancel = chosen.cancel;
    self->idle_timeout_ms =
        chosen.idle_timeout_ms > 0 ? chosen.idle_timeout_ms : ENGINE_IDLE_TIMEOUT_MS;
    if (!transport_init(&self->transport, &chosen, err) || !negotiate(self, err))
        return false;
    *ret_engine = TAKE(self);
    return true;
}

void engine_close(struct engine *self) {
    if (self == NULL)
        return;
    transport_done(&self->transport);
    free(self->host);
    free(self);
}

const char *engine_host(const struct engine *self) {
    return self->host;
}

const char *engine_api_version(const struct engine *self) {
    return self->api_version;
}

bool engine_is_local(const struct engine *self) {
    return self->transport.socket_path != NULL;
}

static char *copy_of(const json_t *json, const char *key) {
    const char *value = json_string_value(json_object_get(json, key));
    return memory_copy_string(value != NULL ? value : "");
}

static bool is_rootless(const json_t *info) {
    size_t index;
    const json_t *option;
    json_array_foreach (json_object_get(info, "SecurityOptions"), index, option) {
        const char *text = json_string_value(option);
        if (text != NULL && strcmp(text, "name=rootless") == 0)
            return true;
    }
    return false;
}

bool engine_facts(struct engine *self, struct engine_facts *ret_facts, struct error *err) {
    json_t *version = NULL;
    json_t *info = NULL;
    const struct request ask_version = {.method = "GET", .path = "/version"};
    const struct request ask_info = {.method = "GET", .path = "/info"};
    if (!request_json(self, &ask_version, &version, err))
        return false;
    if (!request_json(self, &ask_info, &info, err)) {
        json_decref(version);
        return false;
    }
    *ret_facts = (struct engine_facts){
        .version = copy_of(version, "Version"),
        .operating_system = copy_of(version, "Os"),
        .architecture = copy_of(version, "Arch"),
        .storage_driver = copy_of(info, "Driver"),
        .root_folder = copy_of(info, "DockerRootDir"),
        .memory_bytes = json_integer_value(json_object_get(info, "MemTotal")),
        .processors = (int)json_integer_value(json_object_get(info, "NCPU")),
        .rootless = is_rootless(info),
    };
    json_decref(version);
    json_decref(info);
    return true;
}

void engine_facts_done(struct engine_facts *self) {
    if (self == NULL)
        return;
    free(self->version);
    free(self->operating_system);
    free(self->architecture);
    free(self->storage_driver);
    free(self->root_folder);
    *self = (struct engine_facts){0};
}
