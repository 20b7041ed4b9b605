#include "engine/docker_config.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define CONFIG_LIMIT ((size_t)4 * 1024 * 1024)

static char *config_folder(void) {
    const char *chosen = getenv("DOCKER_CONFIG");
    if (chosen != NULL && chosen[0] != '\0')
        return memory_copy_string(chosen);
    const char *home = getenv("HOME");
    return path_join(home != NULL && home[0] != '\0' ? home : "/", ".docker");
}

static bool load_json(const char *path, json_t **ret_json, struct error *err) {
    autofree_string char *bytes = NULL;
    size_t length = 0;
    if (!file_read(path, CONFIG_LIMIT, &bytes, &length, err)) {
        if (err != NULL)
            err->domain = ERROR_CONFIGURATION;
        return false;
    }
    json_error_t where;
    json_t *json = json_loadb(bytes, length, 0, &where);
    sodium_memzero(bytes, length); // config.json may hold passwords
    if (json == NULL)
        return error_set(err, ERROR_CONFIGURATION, 0, "%s:%d:%d: %s", path, where.line,
                         where.column, where.text);
    *ret_json = json;
    return true;
}

bool docker_config_load(struct docker_config *ret_config, struct error *err) {
    autofree_string char *folder = config_folder();
    autofree_string char *path = path_join(folder, "config.json");
    json_t *json = NULL;
    if (!file_exists(path))
        json = json_object();
    else if (!load_json(path, &json, err))
        return false;
    *ret_config = (struct docker_config){.folder = TAKE(folder), .json = json};
    return true;
}

void docker_config_done(struct docker_config *self) {
    if (self == NULL)
        return;
    free(self->folder);
    json_decref(self->json);
    *self = (struct docker_config){0};
}

bool docker_config_context(const struct docker_config *self, const char *name, char **ret_host,
                           char **ret_certificates, bool *ret_verify_peer, struct error *err) {
    unsigned char digest[crypto_hash_sha256_BYTES];
    char identity[2 * sizeof digest + 1];
    crypto_hash_sha256(digest, (const unsigned char *)name, strlen(name));
    sodium_bin2hex(identity, sizeof identity, digest, sizeof digest);

    autofree_string char *path =
        memory_format("%s/contexts/meta/%s/meta.json", self->folder, identity);
    if (!file_exists(path))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "the Docker context \"%s\" does not exist (no %s): choose one of `docker "
                         "context ls` with `docker context use`, or set DOCKER_HOST",
                         name, path);
    json_t *meta = NULL;
    if (!load_json(path, &meta, err))
        return false;
    const json_t *endpoint = json_object_get(json_object_get(meta, "Endpoints"), "docker");
    const char *host = json_string_value(json_object_get(endpoint, "Host"));
    if (host == NULL || host[0] == '\0') {
        json_decref(meta);
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s: the Docker context \"%s\" has no Endpoints.docker.Host", path, name);
    }
    autofree_string char *tls = memory_format("%s/contexts/tls/%s/docker", self->folder, identity);
    *ret_host = memory_copy_string(host);
    *ret_certificates = file_exists(tls) ? TAKE(tls) : NULL;
    *ret_verify_peer = !json_is_true(json_object_get(endpoint, "SkipTLSVerify"));
    json_decref(meta);
    return true;
}
