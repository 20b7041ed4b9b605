// HostConfig: rights, limits, kernel settings (Engine API, ContainerCreate): part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/compose_form.h"

#include <string.h>

enum value_kind { VALUE_TEXT, VALUE_BOOL, VALUE_INTEGER, VALUE_BYTES, VALUE_LIST };

static bool list_of_texts(struct service_reader *self, const struct yaml *value,
                          json_t **ret_list) {
    json_t *list = json_array();
    for (size_t i = 0; i < value->count; i++) {
        const char *text = NULL;
        if (!yaml_read_text(value->items[i], self->where, &text, self->err)) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, json_string(text));
    }
    *ret_list = list;
    return true;
}

static bool value_of(struct service_reader *self, const struct yaml *value, enum value_kind kind,
                     json_t **ret_json) {
    const char *text = NULL;
    bool flag = false;
    long long number = 0;
    switch (kind) {
    case VALUE_TEXT:
        if (!yaml_read_text(value, self->where, &text, self->err))
            return false;
        *ret_json = json_string(text);
        return true;
    case VALUE_BOOL:
        if (!yaml_read_bool(value, self->where, &flag, self->err))
            return false;
        *ret_json = json_boolean(flag);
        return true;
    case VALUE_INTEGER:
        if (!yaml_read_integer(value, self->where, -1000, INT64_MAX, &number, self->err))
            return false;
        *ret_json = json_integer(number);
        return true;
    case VALUE_BYTES:
        // -1 is the engine's word for "no limit".
        if (strcmp(value->type == YAML_TEXT ? value->text : "", "-1") == 0)
            number = -1;
        else if (!yaml_read_bytes(value, self->where, &number, self->err))
            return false;
        *ret_json = json_integer(number);
        return true;
    case VALUE_LIST:
        return list_of_texts(self, value, ret_json);
    }
    return false;
}

static bool read_simple(struct service_reader *self) {
    static const struct {
        const char *key;
        const char *field;
        enum value_kind kind;
    } fields[] = {
        {"cap_add", "CapAdd", VALUE_LIST},
        {"cap_drop", "CapDrop", VALUE_LIST},
        {"cpu_period", "CpuPeriod", VALUE_INTEGER},
        {"cpu_quota", "CpuQuota", VALUE_INTEGER},
        {"cpu_shares", "CpuShares", VALUE_INTEGER},
        {"cpuset", "CpusetCpus", VALUE_TEXT},
        {"dns", "Dns", VALUE_LIST},
        {"dns_opt", "DnsOptions", VALUE_LIST},
        {"dns_search", "DnsSearch", VALUE_LIST},
        {"extra_hosts", "ExtraHosts", VALUE_LIST},
        {"group_add", "GroupAdd", VALUE_LIST},
        {"init", "Init", VALUE_BOOL},
        {"mem_limit", "Memory", VALUE_BYTES},
        {"mem_reservation", "MemoryReservation", VALUE_BYTES},
        {"memswap_limit", "MemorySwap", VALUE_BYTES},
        {"oom_score_adj", "OomScoreAdj", VALUE_INTEGER},
        {"pids_limit", "PidsLimit", VALUE_INTEGER},
        {"privileged", "Privileged", VALUE_BOOL},
        {"read_only", "ReadonlyRootfs", VALUE_BOOL},
        {"runtime", "Runtime", VALUE_TEXT},
        {"shm_size", "ShmSize", VALUE_BYTES},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct yaml *value = service_key(self, fields[i].key);
        json_t *json = NULL;
        if (value == NULL)
            continue;
        if (!value_of(self, value, fields[i].kind, &json))
            return false;
        json_object_set_new(self->service->host_config, fields[i].field, json);
    }
    return true;
}

static void warn_of_rights(struct service_reader *self) {
    const struct yaml *privileged = service_key(self, "privileged");
    if (json_is_true(json_object_get(self->service->host_config, "Privileged")))
        service_warn(self, privileged, "this service can do anything to this machine");
    const struct yaml *hosts = service_key(self, "extra_hosts");
    for (size_t i = 0; hosts != NULL && i < hosts->count; i++)
        if (strstr(hosts->items[i]->text, ":host-gateway") != NULL)
            service_warn(self, hosts->items[i],
                         "host-gateway lets this service reach this machine");
}

static bool read_cpus(struct service_reader *self) {
    const struct yaml *value = service_key(self, "cpus");
    double cpus = 0;
    if (value == NULL)
        return true;
    if (!yaml_read_number(value, self->where, &cpus, self->err))
        return false;
    if (cpus > 1e6)
        return service_fail(self, value, "%s processors are too many", value->text);
    json_object_set_new(self->service->host_config, "NanoCpus",
                        json_integer((json_int_t)(cpus * 1e9 + 0.5)));
    return true;
}

static bool read_sysctls(struct service_reader *self) {
    const struct yaml *sysctls = service_key(self, "sysctls");
    if (sysctls == NULL)
        return true;
    json_t *object = json_object();
    json_object_set_new(self->service->host_config, "Sysctls", object);
    for (size_t i = 0; i < sysctls->count; i++) {
        const char *text = NULL;
        if (!yaml_read_text(sysctls->entries[i].value, self->where, &text, self->err))
            return false;
        json_object_set_new(object, sysctls->entries[i].key, json_string(text));
    }
    return true;
}

static bool read_limit(struct service_reader *self, const struct yaml *value,
                       long long *ret_limit) {
    return yaml_read_integer(value, self->where, -1, INT64_MAX, ret_limit, self->err);
}

static bool read_ulimits(struct service_reader *self) {
    const struct yaml *ulimits = service_key(self, "ulimits");
    if (ulimits == NULL)
        return true;
    json_t *list = json_array();
    json_object_set_new(self->service->host_config, "Ulimits", list);
    for (size_t i = 0; i < ulimits->count; i++) {
        const struct yaml *value = ulimits->entries[i].value;
        const struct yaml *soft = value->type == YAML_MAP ? yaml_get(value, "soft") : value;
        const struct yaml *hard = value->type == YAML_MAP ? yaml_get(value, "hard") : value;
        long long soft_limit = 0;
        long long hard_limit = 0;
        if (soft == NULL || hard == NULL)
            return service_fail(self, value, "%s: both soft and hard are needed",
                                ulimits->entries[i].key);
        if (!read_limit(self, soft, &soft_limit) || !read_limit(self, hard, &hard_limit))
            return false;
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I}", "Name", ulimits->entries[i].key, "Soft",
                                        (json_int_t)soft_limit, "Hard", (json_int_t)hard_limit));
    }
    return true;
}

// Like `docker run`, the engine is sent the profile itself: it cannot read a file of ours.
static bool add_seccomp(struct service_reader *self, const struct yaml *option, const char *file,
                        json_t *list) {
    autofree_string char *path = compose_path(self->compose->folder, file);
    autofree_string char *bytes = NULL;
    struct error problem = {0};
    json_error_t json_error;
    if (!file_read(path, (size_t)1024 * 1024, &bytes, NULL, &problem))
        return service_fail(self, option, "%s", problem.message);
    json_t *profile = json_loads(bytes, JSON_REJECT_DUPLICATES, &json_error);
    if (profile == NULL)
        return service_fail(self, option, "%s:%d: not JSON: %s", path, json_error.line,
                            json_error.text);
    char *compact = json_dumps(profile, JSON_COMPACT);
    json_decref(profile);
    autofree_string char *text = memory_format("seccomp=%s", compact);
    free(compact);
    json_array_append_new(list, json_string(text));
    return true;
}

static bool read_security(struct service_reader *self) {
    const struct yaml *options = service_key(self, "security_opt");
    if (options == NULL)
        return true;
    json_t *list = json_array();
    json_object_set_new(self->service->host_config, "SecurityOpt", list);
    for (size_t i = 0; i < options->count; i++) {
        const char *text = options->items[i]->text;
        const char *value = text + 8;
        const bool seccomp = strncmp(text, "seccomp=", 8) == 0 || strncmp(text, "seccomp:", 8) == 0;
        if (!seccomp || strcmp(value, "unconfined") == 0 || strcmp(value, "builtin") == 0)
            json_array_append_new(list, json_string(text));
        else if (!add_seccomp(self, options->items[i], value, list))
            return false;
    }
    return true;
}

// Which namespaces a service may ask for without leaving the stack.
static bool read_namespaces(struct service_reader *self) {
    static const struct {
        const char *key;
        const char *field;
        const char *allowed[4];
    } spaces[] = {
        {"ipc", "IpcMode", {"private", "shareable", "none", NULL}},
        {"cgroup", "CgroupnsMode", {"private", NULL}},
    };
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        const struct yaml *value = service_key(self, spaces[i].key);
        const char *text = NULL;
        if (value == NULL)
            continue;
        if (!yaml_read_text(value, self->where, &text, self->err))
            return false;
        size_t j = 0;
        while (spaces[i].allowed[j] != NULL && strcmp(spaces[i].allowed[j], text) != 0)
            j++;
        if (spaces[i].allowed[j] == NULL)
            return service_fail(
                self, value, "\"%s\" is not supported: a throwaway service keeps to itself", text);
        json_object_set_new(self->service->host_config, spaces[i].field, json_string(text));
    }
    const struct yaml *socket = service_key(self, "use_api_socket");
    bool wanted = false;
    if (socket != NULL && !yaml_read_bool(socket, self->where, &wanted, self->err))
        return false;
    if (wanted)
        return service_fail(self, socket, "not supported: a service gets no engine to command");
    return true;
}

static void set_logging(struct service_reader *self) {
    json_object_set_new(self->service->host_config, "LogConfig",
                        json_pack("{s:s, s:{s:s, s:s}}", "Type", "json-file", "Config", "max-size",
                                  "64m", "max-file", "2"));
}

bool service_read_host(struct service_reader *self) {
    if (!read_simple(self) || !read_cpus(self) || !read_sysctls(self) || !read_ulimits(self) ||
        !read_security(self) || !read_namespaces(self))
        return false;
    warn_of_rights(self);
    set_logging(self);
    return true;
}
