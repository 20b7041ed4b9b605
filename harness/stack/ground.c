#define _GNU_SOURCE
#include "stack/ground.h"

#include "base/memory.h"
#include "engine/network.h"
#include "stack/subnet.h"

#include <stdlib.h>
#include <string.h>

#define SUBNET_TRIES 20

static json_t *network_body(const char *name, const struct plan_network *network,
                            const char *subnet, json_t *labels) {
    json_t *body = json_pack("{s:s, s:s, s:b, s:b, s:o}", "Name", name, "Driver", "bridge",
                             "Internal", network->internal, "CheckDuplicate", 1, "Labels", labels);
    if (subnet != NULL)
        json_object_set_new(
            body, "IPAM",
            json_pack("{s:s, s:[{s:s}]}", "Driver", "default", "Config", "Subnet", subnet));
    return body;
}

static bool create(struct run *run, struct engine *engine, const struct plan_network *network,
                   const char *subnet, struct ground_network *made, struct error *err) {
    json_t *body = network_body(made->name, network, subnet, run_labels(run, "network"));
    const bool ok = network_create(engine, body, &made->id, err);
    json_decref(body);
    return ok;
}

// The engine refuses a subnet that another of its networks has (403, or 400 on newer ones); two
// runs may also choose the same one at the same moment: choose again.
static bool create_with_subnet(struct run *run, struct engine *engine,
                               const struct plan_network *network, struct ground_network *made,
                               struct error *err) {
    for (int tries = 0; tries < SUBNET_TRIES; tries++) {
        struct error last = {0};
        char subnet[SUBNET_TEXT_SIZE];
        if (!subnet_pick_free(network->prefix_length, &made->address, err))
            return false;
        subnet_format(made->address, network->prefix_length, subnet);
        if (create(run, engine, network, subnet, made, &last))
            return true;
        if (last.domain != ERROR_ENGINE || tries + 1 == SUBNET_TRIES) {
            if (err != NULL)
                *err = last;
            return error_prefix(err, "%s:%d: no free subnet for the network \"%s\"",
                                network->mark.file, network->mark.line, network->key);
        }
    }
    return false;
}

static bool make_volume(struct run *run, struct engine *engine, const char *name,
                        struct error *err) {
    json_t *body = json_pack("{s:s, s:o}", "Name", name, "Labels", run_labels(run, "volume"));
    const bool ok = volume_create(engine, body, err);
    json_decref(body);
    return ok;
}

bool ground_make(struct run *run, struct engine *engine, const struct plan *plan,
                 const char *suffix, struct ground *ret_ground, struct error *err) {
    *ret_ground = (struct ground){0};
    ret_ground->networks = memory_new(plan->network_count, sizeof *ret_ground->networks);
    ret_ground->volumes = memory_new(plan->volume_count, sizeof *ret_ground->volumes);
    for (size_t i = 0; i < plan->network_count; i++) {
        const struct plan_network *network = &plan->networks[i];
        struct ground_network *made = &ret_ground->networks[ret_ground->network_count++];
        made->name = memory_format("assay-%s-%s%s", run_id(run), network->key, suffix);
        const bool ok = network->has_subnet ? create_with_subnet(run, engine, network, made, err)
                                            : create(run, engine, network, NULL, made, err);
        if (!ok)
            return false;
    }
    for (size_t i = 0; i < plan->volume_count; i++) {
        char *name = memory_format("assay-%s-%s%s", run_id(run), plan->volumes[i].key, suffix);
        ret_ground->volumes[ret_ground->volume_count++] = name;
        if (!make_volume(run, engine, name, err))
            return false;
    }
    return true;
}

static bool parse_subnet(const char *text, uint32_t *ret_address, int *ret_length) {
    autofree_string char *copy = memory_copy_string(text);
    char *slash = copy != NULL ? strchr(copy, '/') : NULL;
    if (slash == NULL)
        return false;
    *slash = '\0';
    *ret_length = (int)strtol(slash + 1, NULL, 10);
    return subnet_parse_address(copy, ret_address);
}

bool ground_is_within_reach(const struct ground *self, struct engine *engine) {
    json_t *inspect = NULL;
    if (!engine_is_local(engine) || self->network_count == 0 ||
        !network_inspect(engine, self->networks[0].id, &inspect, NULL))
        return false;
    const json_t *ranges = json_object_get(json_object_get(inspect, "IPAM"), "Config");
    const char *subnet = json_string_value(json_object_get(json_array_get(ranges, 0), "Subnet"));
    uint32_t address = 0;
    int length = 0;
    const bool within = subnet != NULL && parse_subnet(subnet, &address, &length) &&
                        subnet_is_on_this_host(address, length);
    json_decref(inspect);
    return within;
}

bool ground_remove(struct ground *self, struct engine *engine, struct error *err) {
    bool ok = true;
    for (size_t i = 0; i < self->network_count; i++)
        if (self->networks[i].id != NULL)
            ok = network_remove(engine, self->networks[i].id, ok ? err : NULL) && ok;
    for (size_t i = 0; i < self->volume_count; i++)
        ok = volume_remove(engine, self->volumes[i], ok ? err : NULL) && ok;
    return ok;
}

void ground_done(struct ground *self) {
    for (size_t i = 0; i < self->network_count; i++) {
        free(self->networks[i].id);
        free(self->networks[i].name);
    }
    for (size_t i = 0; i < self->volume_count; i++)
        free(self->volumes[i]);
    free(self->networks);
    free(self->volumes);
    *self = (struct ground){0};
}
