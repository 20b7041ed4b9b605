#include "client/openbao_internal.h"

#include "base/eventually.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

struct mounted {
    struct openbao *openbao;
    char *path;
};

static bool kv_answers(void *context, struct error *err) {
    const struct mounted *mounted = context;
    return openbao_read(mounted->openbao, mounted->path, NULL, err);
}

// A new mount answers 400 ("upgrading from non-versioned to versioned data") for a moment.
bool openbao_enable_kv(struct openbao *self, const char *mount, struct error *err) {
    struct mounted mounted = {self, memory_format("%s/config", mount)};
    char *path = memory_format("sys/mounts/%s", mount);
    json_t *json = json_pack("{s:s, s:{s:s}}", "type", "kv", "options", "version", "2");
    const int patience_ms = endpoint_request_timeout_ms(http_endpoint(self->http));
    const bool enabled = openbao_send(self, path, json, NULL, err) &&
                         eventually(deadline_in_ms(patience_ms), kv_answers, &mounted, err);
    free(path);
    free(mounted.path);
    return enabled;
}

bool openbao_disable_mount(struct openbao *self, const char *mount, struct error *err) {
    char *path = memory_format("sys/mounts/%s", mount);
    const bool called = openbao_delete(self, path, err);
    free(path);
    return called;
}

bool openbao_kv_put_with(struct openbao *self, const char *mount, const char *path, json_t *data,
                         int *ret_version, struct error *err,
                         const struct openbao_kv_options *options) {
    const int expected = options->check_and_set;
    json_t *json = json_pack("{s:o, s:{}}", "data", data, "options");
    if (expected != 0)
        json_object_set_new(json_object_get(json, "options"), "cas",
                            json_integer(expected == OPENBAO_KV_ABSENT ? 0 : expected));
    char *full = memory_format("%s/data/%s", mount, path);
    const json_t *reply, *version;
    const bool put = openbao_send(self, full, json, &reply, err) &&
                     openbao_find(self, reply, "data", "version", &version, err);
    free(full);
    if (put && ret_version != NULL)
        *ret_version = (int)json_integer_value(version);
    return put;
}

bool openbao_kv_get(struct openbao *self, const char *mount, const char *path, int version,
                    const json_t **ret_data, struct error *err) {
    char query[32] = "";
    if (version > 0)
        snprintf(query, sizeof query, "?version=%d", version);
    char *full = memory_format("%s/data/%s", mount, path);
    const json_t *reply;
    const bool got = openbao_ask(self, "GET", full, query, NULL, 0, err) &&
                     openbao_accepted(self, &reply, err) &&
                     openbao_find(self, reply, "data", "data", ret_data, err);
    free(full);
    return got;
}

static bool change_version(struct openbao *self, const char *what, const char *mount,
                           const char *path, int version, struct error *err) {
    char *full = memory_format("%s/%s/%s", mount, what, path);
    const bool called =
        openbao_send(self, full, json_pack("{s:[i]}", "versions", version), NULL, err);
    free(full);
    return called;
}

bool openbao_kv_delete(struct openbao *self, const char *mount, const char *path, int version,
                       struct error *err) {
    return change_version(self, "delete", mount, path, version, err);
}

bool openbao_kv_undelete(struct openbao *self, const char *mount, const char *path, int version,
                         struct error *err) {
    return change_version(self, "undelete", mount, path, version, err);
}

bool openbao_kv_destroy(struct openbao *self, const char *mount, const char *path, int version,
                        struct error *err) {
    return change_version(self, "destroy", mount, path, version, err);
}

static bool read_metadata(struct openbao *self, const char *mount, const char *path,
                          const json_t **ret_versions, struct openbao_kv_metadata *ret_metadata,
                          struct error *err) {
    char *full = memory_format("%s/metadata/%s", mount, path);
    const json_t *reply, *versions;
    const bool got = openbao_read(self, full, &reply, err) &&
                     openbao_find(self, reply, "data", "versions", &versions, err);
    free(full);
    if (!got)
        return false;
    const json_t *data = json_object_get(reply, "data");
    *ret_metadata = (struct openbao_kv_metadata){
        .current_version = openbao_integer(data, "current_version"),
        .oldest_version = openbao_integer(data, "oldest_version"),
        .max_versions = openbao_integer(data, "max_versions"),
        .check_and_set_required = openbao_boolean(data, "cas_required"),
    };
    *ret_versions = versions;
    return true;
}

bool openbao_kv_metadata(struct openbao *self, const char *mount, const char *path,
                         struct openbao_kv_metadata *ret_metadata, struct error *err) {
    const json_t *versions;
    return read_metadata(self, mount, path, &versions, ret_metadata, err);
}

bool openbao_kv_version_state(struct openbao *self, const char *mount, const char *path,
                              int version, enum openbao_version_state *ret_state,
                              struct error *err) {
    struct openbao_kv_metadata metadata;
    const json_t *versions;
    if (!read_metadata(self, mount, path, &versions, &metadata, err))
        return false;
    char number[16], deleted[64];
    snprintf(number, sizeof number, "%d", version);
    const json_t *state = json_object_get(versions, number);
    openbao_string(state, "deletion_time", deleted, sizeof deleted);
    if (state == NULL)
        *ret_state = OPENBAO_VERSION_NONE;
    else if (openbao_boolean(state, "destroyed"))
        *ret_state = OPENBAO_VERSION_DESTROYED;
    else
        *ret_state = deleted[0] != '\0' ? OPENBAO_VERSION_DELETED : OPENBAO_VERSION_LIVE;
    return true;
}

bool openbao_kv_configure(struct openbao *self, const char *mount, const char *path,
                          const struct openbao_kv_settings *settings, struct error *err) {
    char *full = memory_format("%s/metadata/%s", mount, path);
    json_t *json = json_pack("{s:i, s:b}", "max_versions", settings->max_versions, "cas_required",
                             (int)settings->check_and_set_required);
    const bool called = openbao_send(self, full, json, NULL, err);
    free(full);
    return called;
}

bool openbao_kv_forget(struct openbao *self, const char *mount, const char *path,
                       struct error *err) {
    char *full = memory_format("%s/metadata/%s", mount, path);
    const bool called = openbao_delete(self, full, err);
    free(full);
    return called;
}
