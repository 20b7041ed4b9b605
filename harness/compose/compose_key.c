#include "compose/compose_key.h"

#include "compose/suggestion.h"

#include <string.h>

#define TEXT SHAPE_TEXT
#define LIST SHAPE_LIST
#define MAP SHAPE_MAP

static const char devices_note[] = "a throwaway stack is given no devices of this machine";
static const char own_note[] = "a throwaway service keeps to itself";
static const char outside_note[] = "a throwaway stack reaches nothing outside itself";
static const char model_note[] = "assay runs no models";
static const char windows_note[] = "it is for Windows";

static const struct compose_key keys[] = {
    {"annotations", MAP | LIST, FORM_PAIRS, MERGE_DEEP, KEY_WARNED, "containers get none"},
    {"attach", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_IGNORED, NULL},
    {"blkio_config", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "block I/O is not limited"},
    {"build", TEXT | MAP, FORM_BUILD, MERGE_DEEP, KEY_HONOURED, NULL},
    {"cap_add", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"cap_drop", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"cgroup", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"cgroup_parent", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "the engine's own is used"},
    {"command", TEXT | LIST, FORM_AS_WRITTEN, MERGE_REPLACE, KEY_HONOURED, NULL},
    {"configs", LIST, FORM_GRANTS, MERGE_BY_TARGET, KEY_HONOURED, NULL},
    {"container_name", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"cpu_count", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, windows_note},
    {"cpu_percent", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, windows_note},
    {"cpu_period", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"cpu_quota", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"cpu_rt_period", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "few kernels offer it"},
    {"cpu_rt_runtime", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "few kernels offer it"},
    {"cpu_shares", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"cpus", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"cpuset", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"credential_spec", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_REFUSED, windows_note},
    {"depends_on", LIST | MAP, FORM_NAMES, MERGE_DEEP, KEY_HONOURED, NULL},
    {"deploy", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"develop", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_IGNORED, NULL},
    {"device_cgroup_rules", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_REFUSED, devices_note},
    {"devices", LIST, FORM_AS_WRITTEN, MERGE_BY_TARGET, KEY_REFUSED, devices_note},
    {"dns", TEXT | LIST, FORM_LIST, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"dns_opt", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"dns_search", TEXT | LIST, FORM_LIST, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"domainname", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"entrypoint", TEXT | LIST, FORM_AS_WRITTEN, MERGE_REPLACE, KEY_HONOURED, NULL},
    {"env_file", TEXT | LIST, FORM_ENV_FILE, MERGE_BY_PATH, KEY_HONOURED, NULL},
    {"environment", LIST | MAP, FORM_PAIRS, MERGE_DEEP, KEY_HONOURED, NULL},
    {"expose", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"extends", TEXT | MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"external_links", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_REFUSED, outside_note},
    {"extra_hosts", LIST | MAP, FORM_HOSTS, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"gpus", TEXT | LIST, FORM_AS_WRITTEN, MERGE_DEEP, KEY_REFUSED, devices_note},
    {"group_add", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"healthcheck", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"hostname", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"image", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"init", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"ipc", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"isolation", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, windows_note},
    {"label_file", TEXT | LIST, FORM_LIST, MERGE_BY_TEXT, KEY_WARNED, "its labels are not set"},
    {"labels", LIST | MAP, FORM_PAIRS, MERGE_DEEP, KEY_HONOURED, NULL},
    {"links", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"logging", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED,
     "json-file is used, so that logs can be read"},
    {"mac_address", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "the engine chooses one"},
    {"mem_limit", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"mem_reservation", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"mem_swappiness", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "cgroup v2 has no such"},
    {"memswap_limit", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"models", LIST | MAP, FORM_NAMES, MERGE_DEEP, KEY_REFUSED, model_note},
    {"network_mode", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"networks", LIST | MAP, FORM_NAMES, MERGE_DEEP, KEY_HONOURED, NULL},
    {"oom_kill_disable", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "cgroup v2 has no such"},
    {"oom_score_adj", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"pid", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_REFUSED, own_note},
    {"pids_limit", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"platform", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"ports", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"post_start", LIST, FORM_AS_WRITTEN, MERGE_DEEP, KEY_REFUSED,
     "hooks are not run yet; let the service's own command do it"},
    {"pre_start", LIST, FORM_AS_WRITTEN, MERGE_DEEP, KEY_REFUSED,
     "hooks are not run yet; make it a service with service_completed_successfully"},
    {"pre_stop", LIST, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED,
     "a throwaway is not stopped gently"},
    {"privileged", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"profiles", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"provider", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_REFUSED, outside_note},
    {"pull_policy", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED,
     "an image is pulled when it is not there"},
    {"pull_refresh_after", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED,
     "an image is pulled when it is not there"},
    {"read_only", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"restart", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_IGNORED, NULL},
    {"runtime", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"scale", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"secrets", LIST, FORM_GRANTS, MERGE_BY_TARGET, KEY_HONOURED, NULL},
    {"security_opt", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"shm_size", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"stdin_open", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"stop_grace_period", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"stop_signal", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"storage_opt", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "few storage drivers offer it"},
    {"sysctls", LIST | MAP, FORM_PAIRS, MERGE_DEEP, KEY_HONOURED, NULL},
    {"tmpfs", TEXT | LIST, FORM_LIST, MERGE_BY_TEXT, KEY_HONOURED, NULL},
    {"tty", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"ulimits", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"use_api_socket", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"user", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"userns_mode", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_WARNED, "the engine's own is used"},
    {"uts", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_REFUSED, own_note},
    {"volumes", LIST, FORM_VOLUMES, MERGE_BY_TARGET, KEY_HONOURED, NULL},
    {"volumes_from", LIST, FORM_AS_WRITTEN, MERGE_BY_TEXT, KEY_REFUSED,
     "name the volumes under volumes: instead"},
    {"working_dir", TEXT, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
    {"x-assay", MAP, FORM_AS_WRITTEN, MERGE_DEEP, KEY_HONOURED, NULL},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

const struct compose_key *compose_service_key(const char *name) {
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

const struct compose_key *compose_service_keys(size_t *ret_count) {
    *ret_count = KEY_COUNT;
    return keys;
}

static const char *key_at(const void *context, size_t i) {
    (void)context;
    return i < KEY_COUNT ? keys[i].name : NULL;
}

const char *compose_service_key_like(const char *name) {
    return suggestion(name, key_at, NULL);
}
