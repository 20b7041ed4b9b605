// Inside of plan.c: what reads one merged service into a struct plan_service, key by key.
#pragma once

#include "compose/compose.h"
#include "compose/plan.h"
#include "compose/settings.h"

struct service_reader {
    struct plan *plan;
    const struct compose *compose;
    const struct settings *settings; // NULL: none
    struct plan_service *service;
    struct yaml *tree;
    struct mark mark;  // of the service's name
    char *where;       // "services.db.ports": of the key last asked for
    struct error *err; // every function below that returns false has set it
};

// The value of a key, NULL when it is absent or null; self->where is then about it.
const struct yaml *service_key(struct service_reader *self, const char *key);
bool service_fail(struct service_reader *self, const struct yaml *value, const char *format, ...)
    printf_like(3, 4); // "…: services.db.ports: …"
void service_warn(struct service_reader *self, const struct yaml *value, const char *format, ...)
    printf_like(3, 4);

// One after the other, in this order.
bool service_read_fates(struct service_reader *self) must_use; // unknown, left out and refused keys
bool service_read_assay(struct service_reader *self) must_use; // x-assay and assay.yaml
bool service_read_config(struct service_reader *self) must_use; // body: Cmd, User, Labels, …
bool service_read_environment(struct service_reader *self) must_use;
bool service_read_health(struct service_reader *self) must_use;
bool service_read_host(struct service_reader *self) must_use;   // HostConfig: limits, rights, …
bool service_read_deploy(struct service_reader *self) must_use; // after host: may not contradict it
bool service_read_ports(struct service_reader *self) must_use; // and where it is asked, after assay
bool service_read_mounts(struct service_reader *self) must_use;
bool service_read_login(struct service_reader *self) must_use; // after environment and mounts
bool service_read_networks(struct service_reader *self) must_use;

// Adds what a service refers to, once; false with an error where the file declares no such thing.
bool plan_use_network(struct service_reader *self, const char *key, const struct yaml *by,
                      size_t *ret_index) must_use;
bool plan_use_volume(struct service_reader *self, const char *key, const struct yaml *by) must_use;
bool plan_use_content(struct service_reader *self, const char *section, const char *key,
                      const struct yaml *by) must_use; // section: "secrets" or "configs"

// After every service was read: dependencies, aliases of links, the order, cycles.
bool plan_connect(struct plan *plan, const struct compose *compose, struct error *err) must_use;

// The services that are enabled, in the order of the file; those that depend on nothing enabled are
// errors.
struct plan_selection {
    const char *const *profiles; // NULL-terminated, or NULL
    const char *const *services;
    const struct settings *settings;
};
bool plan_select(const struct compose *compose, const struct plan_selection *selection,
                 struct string_list *warnings, struct string_list *ret_names,
                 struct error *err) must_use;
