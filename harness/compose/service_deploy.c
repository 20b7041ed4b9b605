// `deploy` and `scale`: limits are honoured, one container of each service is made: part of
// plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"

#include <string.h>

static bool check_count(struct service_reader *self, const struct yaml *value) {
    long long count = 1;
    if (value == NULL || value->type == YAML_NULL)
        return true;
    if (!yaml_read_integer(value, self->where, 0, 1000000, &count, self->err))
        return false;
    if (count == 0)
        return service_fail(self, value,
                            "0 containers: leave the service out by a profile instead");
    if (count > 1)
        return service_fail(self, value, "%lld containers of one service are not supported yet",
                            count);
    return true;
}

// The old key (mem_limit) and the new one (deploy.resources.limits.memory) may both stand there, as
// long as they agree.
static bool set_agreeing(struct service_reader *self, const struct yaml *value, const char *field,
                         const char *old_key, json_int_t number) {
    json_t *host_config = self->service->host_config;
    const json_t *present = json_object_get(host_config, field);
    if (present != NULL && json_integer_value(present) != number)
        return service_fail(self, value, "differs from %s", old_key);
    json_object_set_new(host_config, field, json_integer(number));
    return true;
}

static bool read_limits(struct service_reader *self, const struct yaml *limits) {
    const struct yaml *cpus = yaml_get(limits, "cpus");
    const struct yaml *memory = yaml_get(limits, "memory");
    const struct yaml *pids = yaml_get(limits, "pids");
    double cpu_count = 0;
    long long bytes = 0;
    long long processes = 0;
    if (cpus != NULL &&
        (!yaml_read_number(cpus, self->where, &cpu_count, self->err) ||
         (cpu_count > 1e6 && !service_fail(self, cpus, "too many processors")) ||
         !set_agreeing(self, cpus, "NanoCpus", "cpus", (json_int_t)(cpu_count * 1e9 + 0.5))))
        return false;
    if (memory != NULL && (!yaml_read_bytes(memory, self->where, &bytes, self->err) ||
                           !set_agreeing(self, memory, "Memory", "mem_limit", bytes)))
        return false;
    return pids == NULL ||
           (yaml_read_integer(pids, self->where, -1, INT64_MAX, &processes, self->err) &&
            set_agreeing(self, pids, "PidsLimit", "pids_limit", processes));
}

static bool read_reservations(struct service_reader *self, const struct yaml *reservations) {
    const struct yaml *devices = yaml_get(reservations, "devices");
    const struct yaml *memory = yaml_get(reservations, "memory");
    long long bytes = 0;
    if (devices != NULL && devices->type != YAML_NULL)
        return service_fail(
            self, devices,
            "devices: not supported: a throwaway stack is given no devices of this machine");
    if (yaml_get(reservations, "generic_resources") != NULL)
        service_warn(self, reservations, "generic_resources are not honoured");
    return memory == NULL ||
           (yaml_read_bytes(memory, self->where, &bytes, self->err) &&
            set_agreeing(self, memory, "MemoryReservation", "mem_reservation", bytes));
}

static bool read_part(struct service_reader *self, const struct yaml *resources, const char *key,
                      bool (*read)(struct service_reader *, const struct yaml *)) {
    const struct yaml *part = yaml_get(resources, key);
    if (part == NULL || part->type == YAML_NULL)
        return true;
    free(self->where);
    self->where = memory_format("services.%s.deploy.resources.%s", self->service->name, key);
    return yaml_expect(part, YAML_MAP, self->where, self->err) && read(self, part);
}

bool service_read_deploy(struct service_reader *self) {
    if (!check_count(self, service_key(self, "scale")))
        return false;
    const struct yaml *deploy = service_key(self, "deploy");
    if (deploy == NULL)
        return true;
    // restart_policy: a throwaway does not restart. The rest speaks to a cluster's scheduler.
    static const char *const known[] = {
        "replicas",  "resources",     "restart_policy",  "mode", "endpoint_mode", "labels",
        "placement", "update_config", "rollback_config", NULL};
    for (size_t i = 0; i < deploy->count; i++) {
        const struct yaml_entry *entry = &deploy->entries[i];
        size_t j = 0;
        while (known[j] != NULL && strcmp(known[j], entry->key) != 0)
            j++;
        if (known[j] == NULL && strncmp(entry->key, "x-", 2) != 0)
            mark_warning(entry->mark, &self->plan->warnings, "%s: unknown key \"%s\", left out",
                         self->where, entry->key);
    }
    if (!check_count(self, yaml_get(deploy, "replicas")))
        return false;
    const struct yaml *resources = yaml_get(deploy, "resources");
    return resources == NULL || resources->type == YAML_NULL ||
           (yaml_expect(resources, YAML_MAP, self->where, self->err) &&
            read_part(self, resources, "limits", read_limits) &&
            read_part(self, resources, "reservations", read_reservations));
}
