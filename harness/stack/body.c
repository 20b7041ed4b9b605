#define _GNU_SOURCE
#include "stack/body.h"

#include "base/memory.h"
#include "stack/copy_tree.h"
#include "stack/subnet.h"

#include <stdio.h>
#include <string.h>

static json_t *endpoint_settings(const struct body_site *site, const struct plan_service *service,
                                 size_t index) {
    const struct plan_attachment *attachment = &service->attachments[index];
    const struct ground_network *network = &site->ground->networks[attachment->network];
    json_t *aliases = json_pack("[s]", service->name);
    for (char **alias = attachment->aliases; alias != NULL && *alias != NULL; alias++)
        if (strcmp(*alias, service->name) != 0)
            json_array_append_new(aliases, json_string(*alias));
    json_t *settings = json_pack("{s:o}", "Aliases", aliases);
    if (attachment->has_address && network->address != 0) {
        char address[SUBNET_TEXT_SIZE];
        subnet_format_address(network->address + attachment->address_offset, address);
        json_object_set_new(settings, "IPAMConfig", json_pack("{s:s}", "IPv4Address", address));
    }
    return settings;
}

json_t *body_for_attachment(const struct body_site *site, const struct plan_service *service,
                            size_t attachment, const char *container) {
    return json_pack("{s:s, s:o}", "Container", container, "EndpointConfig",
                     endpoint_settings(site, service, attachment));
}

static void add_networks(const struct body_site *site, const struct plan_service *service,
                         json_t *body, json_t *host_config) {
    if (service->attachment_count == 0) {
        json_object_set_new(host_config, "NetworkMode", json_string("none"));
        return;
    }
    const char *name = site->ground->networks[service->attachments[0].network].name;
    json_object_set_new(host_config, "NetworkMode", json_string(name));
    json_object_set_new(
        body, "NetworkingConfig",
        json_pack("{s:{s:o}}", "EndpointsConfig", name, endpoint_settings(site, service, 0)));
}

static json_t *mount_of(const char *type, const char *source, const struct plan_mount *mount) {
    json_t *body = json_pack("{s:s, s:s, s:b}", "Type", type, "Target", mount->target, "ReadOnly",
                             mount->read_only);
    if (source != NULL)
        json_object_set_new(body, "Source", json_string(source));
    return body;
}

static json_t *tmpfs_of(const struct plan_mount *mount) {
    json_t *body = mount_of("tmpfs", NULL, mount);
    json_t *options = json_object();
    if (mount->size_bytes > 0)
        json_object_set_new(options, "SizeBytes", json_integer(mount->size_bytes));
    if (mount->mode != 0)
        json_object_set_new(options, "Mode", json_integer((json_int_t)mount->mode));
    json_object_set_new(body, "TmpfsOptions", options);
    return body;
}

// A volume of the file becomes the run's own, fresh one; one without a name stays anonymous.
static json_t *volume_of(const struct body_site *site, const struct plan_mount *mount) {
    for (size_t i = 0; mount->source != NULL && i < site->plan->volume_count; i++)
        if (strcmp(site->plan->volumes[i].key, mount->source) == 0)
            return mount_of("volume", site->ground->volumes[i], mount);
    return mount_of("volume", NULL, mount);
}

// Read-only: the user's own file or folder. Writable: a copy, so that nothing of theirs changes.
static bool bind_of(const struct body_site *site, const struct plan_service *service, size_t index,
                    json_t **ret_mount, struct error *err) {
    const struct plan_mount *mount = &service->mounts[index];
    if (mount->read_only) {
        *ret_mount = mount_of("bind", mount->source, mount);
        return true;
    }
    autofree_string char *copy =
        memory_format("%s/%s-%zu", site->binds_folder, service->name, index);
    if (!copy_tree(mount->source, copy, err))
        return error_prefix(err, "%s:%d: service \"%s\", mount %s", mount->mark.file,
                            mount->mark.line, service->name, mount->target);
    *ret_mount = mount_of("bind", copy, mount);
    return true;
}

static bool add_mounts(const struct body_site *site, const struct plan_service *service,
                       json_t *host_config, struct error *err) {
    json_t *mounts = json_array();
    json_object_set_new(host_config, "Mounts", mounts);
    for (size_t i = 0; i < service->mount_count; i++) {
        const struct plan_mount *mount = &service->mounts[i];
        json_t *body = NULL;
        autofree_string char *path = NULL;
        switch (mount->type) {
        case MOUNT_VOLUME:
            body = volume_of(site, mount);
            break;
        case MOUNT_TMPFS:
            body = tmpfs_of(mount);
            break;
        case MOUNT_BIND:
            if (!bind_of(site, service, i, &body, err))
                return false;
            break;
        case MOUNT_SECRET:
        case MOUNT_CONFIG:
            if (!credentials_file_for(site->credentials, service, mount, &path, err))
                return false;
            body = mount_of("bind", path, mount);
            json_object_set_new(body, "ReadOnly", json_true());
            break;
        }
        json_array_append_new(mounts, body);
    }
    return true;
}

static void add_labels(const struct body_site *site, const struct plan_service *service,
                       json_t *body) {
    json_t *labels = run_labels(site->run, site->role);
    json_object_set_new(labels, "io.assay.service", json_string(service->name));
    json_object_set_new(labels, "io.assay.project", json_string(site->plan->name));
    json_t *own = json_object_get(body, "Labels");
    if (json_is_object(own))
        json_object_update_missing(labels, own);
    json_object_set_new(body, "Labels", labels);
}

// Port 0 on the loopback: the engine finds a free one, and nobody outside this host can reach it.
static void add_published_port(const struct plan_service *service, json_t *body,
                               json_t *host_config) {
    char port[16];
    snprintf(port, sizeof port, "%u/tcp", (unsigned)service->port);
    json_t *exposed = json_object_get(body, "ExposedPorts");
    if (exposed == NULL) {
        json_object_set_new(body, "ExposedPorts", json_object());
        exposed = json_object_get(body, "ExposedPorts");
    }
    json_object_set_new(exposed, port, json_object());
    json_object_set_new(host_config, "PortBindings",
                        json_pack("{s:[{s:s, s:s}]}", port, "HostIp", "127.0.0.1", "HostPort", ""));
}

bool body_make(const struct body_site *site, const struct plan_service *service, const char *image,
               json_t **ret_body, struct error *err) {
    json_t *body = json_deep_copy(service->config);
    json_t *host_config = json_deep_copy(service->host_config);
    json_object_set_new(body, "Image", json_string(image));
    json_object_set_new(body, "HostConfig", host_config);
    json_object_set_new(host_config, "RestartPolicy", json_pack("{s:s}", "Name", "no"));
    json_object_set_new(host_config, "LogConfig",
                        json_pack("{s:s, s:{}}", "Type", "json-file", "Config"));
    if (site->no_way_out && json_object_get(host_config, "Dns") == NULL)
        json_object_set_new(host_config, "Dns", json_pack("[s]", "127.0.0.1"));
    add_labels(site, service, body);
    add_networks(site, service, body, host_config);
    if (site->publish && service->port != 0)
        add_published_port(service, body, host_config);
    if (!add_mounts(site, service, host_config, err)) {
        json_decref(body);
        return false;
    }
    *ret_body = body;
    return true;
}
