// `volumes`, `tmpfs`, `secrets`, `configs`: part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>
#include <sys/stat.h>

static struct plan_mount *add_mount(struct service_reader *self, enum mount_type type,
                                    const char *source, const char *target, struct mark mark) {
    struct plan_service *service = self->service;
    service->mounts =
        memory_resize(service->mounts, service->mount_count + 1, sizeof *service->mounts);
    struct plan_mount *mount = &service->mounts[service->mount_count++];
    *mount = (struct plan_mount){.type = type,
                                 .source = memory_copy_string(source),
                                 .target = memory_copy_string(target),
                                 .mark = mark};
    return mount;
}

static bool check_target(struct service_reader *self, const struct yaml *item, const char *target) {
    if (target[0] != '/')
        return service_fail(self, item, "the path in the container is not absolute: \"%s\"",
                            target);
    for (size_t i = 0; i < self->service->mount_count; i++)
        if (strcmp(self->service->mounts[i].target, target) == 0)
            return service_fail(self, item, "%s is mounted twice", target);
    return true;
}

// A text inside an item, or `fallback` when it is not there.
static bool text_in(struct service_reader *self, const struct yaml *item, const char *key,
                    const char *fallback, const char **ret_text) {
    const struct yaml *value = yaml_get(item, key);
    *ret_text = fallback;
    return value == NULL || value->type == YAML_NULL ||
           yaml_read_text(value, self->where, ret_text, self->err);
}

static bool flag_in(struct service_reader *self, const struct yaml *item, const char *key,
                    bool *ret_flag) {
    const struct yaml *value = yaml_get(item, key);
    return value == NULL || value->type == YAML_NULL ||
           yaml_read_bool(value, self->where, ret_flag, self->err);
}

static void warn_unknown(struct service_reader *self, const struct yaml *item,
                         const char *const *known) {
    for (size_t i = 0; i < item->count; i++) {
        const struct yaml_entry *entry = &item->entries[i];
        size_t j = 0;
        while (known[j] != NULL && strcmp(known[j], entry->key) != 0)
            j++;
        if (known[j] == NULL && strncmp(entry->key, "x-", 2) != 0)
            mark_warning(entry->mark, &self->plan->warnings, "%s: unknown key \"%s\", left out",
                         self->where, entry->key);
    }
}

// Read-only or not, a socket takes commands: an engine's would let a service out of its container.
static bool is_socket(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static bool is_of_the_machine(const char *path) {
    static const char *const folders[] = {"/run", "/var/run",        "/proc",
                                          "/sys", "/var/lib/docker", "/dev"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        const size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) == 0 && (path[length] == '\0' || path[length] == '/'))
            return strcmp(path, "/dev/null") != 0;
    }
    return strcmp(path, "/") == 0;
}

static bool read_bind(struct service_reader *self, const struct yaml *item, const char *source,
                      const char *target, bool read_only) {
    if (source == NULL)
        return service_fail(self, item, "a bind mount needs a source");
    bool create = false;
    const char *propagation = NULL;
    const struct yaml *bind = yaml_get(item, "bind");
    if (!flag_in(self, bind, "create_host_path", &create) ||
        !text_in(self, bind, "propagation", NULL, &propagation))
        return false;
    if (propagation != NULL && strcmp(propagation, "rprivate") != 0 &&
        strcmp(propagation, "private") != 0)
        service_warn(self, item, "propagation is not honoured: mounts stay private");
    if (!file_exists(source)) {
        if (!create)
            return service_fail(self, item, "there is no %s to mount at %s", source, target);
        service_warn(self, item,
                     "there is no %s: %s is an empty volume instead, and nothing is "
                     "made on this machine",
                     source, target);
        add_mount(self, MOUNT_VOLUME, NULL, target, item->mark)->read_only = read_only;
        return true;
    }
    if (is_socket(source))
        return service_fail(self, item, "%s: a service is handed no socket of this machine",
                            source);
    if (is_of_the_machine(source))
        service_warn(self, item, "%s lets this service look into this machine", source);
    add_mount(self, MOUNT_BIND, source, target, item->mark)->read_only = read_only;
    return true;
}

static bool read_volume_mount(struct service_reader *self, const struct yaml *item,
                              const char *source, const char *target, bool read_only) {
    const struct yaml *options = yaml_get(item, "volume");
    const struct yaml *subpath = yaml_get(options, "subpath");
    bool nocopy = false;
    if (subpath != NULL)
        return service_fail(self, subpath, "subpath is not supported yet");
    if (!flag_in(self, options, "nocopy", &nocopy))
        return false;
    if (nocopy)
        service_warn(self, item, "nocopy is not honoured: the image's files are copied in");
    if (source != NULL && !plan_use_volume(self, source, item))
        return false;
    add_mount(self, MOUNT_VOLUME, source, target, item->mark)->read_only = read_only;
    return true;
}

static bool read_tmpfs_mount(struct service_reader *self, const struct yaml *item,
                             const char *target, bool read_only) {
    const struct yaml *options = yaml_get(item, "tmpfs");
    const struct yaml *size = yaml_get(options, "size");
    const struct yaml *mode = yaml_get(options, "mode");
    long long bytes = 0;
    unsigned bits = 0;
    if ((size != NULL && !yaml_read_bytes(size, self->where, &bytes, self->err)) ||
        (mode != NULL && !yaml_read_octal(mode, self->where, &bits, self->err)))
        return false;
    struct plan_mount *mount = add_mount(self, MOUNT_TMPFS, NULL, target, item->mark);
    mount->size_bytes = bytes;
    mount->mode = (mode_t)bits;
    mount->read_only = read_only;
    return true;
}

static bool read_volume(struct service_reader *self, const struct yaml *item) {
    static const char *const known[] = {"type", "source", "target", "read_only", "consistency",
                                        "bind", "volume", "tmpfs",  "image",     NULL};
    const char *type = NULL;
    const char *source = NULL;
    const char *target = NULL;
    bool read_only = false;
    if (!text_in(self, item, "type", NULL, &type) ||
        !text_in(self, item, "source", NULL, &source) ||
        !text_in(self, item, "target", NULL, &target) ||
        !flag_in(self, item, "read_only", &read_only))
        return false;
    if (type == NULL || target == NULL)
        return service_fail(self, item, "%s is missing", type == NULL ? "type" : "target");
    if (!check_target(self, item, target))
        return false;
    warn_unknown(self, item, known);
    if (strcmp(type, "bind") == 0)
        return read_bind(self, item, source, target, read_only);
    if (strcmp(type, "volume") == 0)
        return read_volume_mount(self, item, source, target, read_only);
    if (strcmp(type, "tmpfs") == 0)
        return read_tmpfs_mount(self, item, target, read_only);
    return service_fail(self, item, "mounts of the type \"%s\" are not supported", type);
}

// Short tmpfs keep their options as the kernel reads them ("mode=755,uid=1009"), which only
// HostConfig.Tmpfs takes.
static bool read_tmpfs(struct service_reader *self) {
    const struct yaml *list = service_key(self, "tmpfs");
    if (list == NULL)
        return true;
    json_t *object = json_object();
    json_object_set_new(self->service->host_config, "Tmpfs", object);
    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->items[i]->text;
        const size_t length = strcspn(text, ":");
        autofree_string char *target = memory_copy_bytes(text, length);
        if (!check_target(self, list->items[i], target))
            return false;
        json_object_set_new(object, target,
                            json_string(text[length] == ':' ? text + length + 1 : ""));
    }
    return true;
}

static bool id_in(struct service_reader *self, const struct yaml *item, const char *key,
                  unsigned *ret_id) {
    const struct yaml *value = yaml_get(item, key);
    long long id = 0;
    if (value != NULL && value->type != YAML_NULL &&
        !yaml_read_integer(value, self->where, 0, UINT32_MAX - 1LL, &id, self->err))
        return false;
    *ret_id = (unsigned)id;
    return true;
}

static bool read_grant(struct service_reader *self, const struct yaml *item, const char *section) {
    static const char *const known[] = {"source", "target", "uid", "gid", "mode", NULL};
    const bool secret = strcmp(section, "secrets") == 0;
    const char *source = NULL;
    const char *given_target = NULL;
    unsigned owner = 0;
    unsigned group = 0;
    unsigned mode = 0;
    const struct yaml *mode_value = yaml_get(item, "mode");
    if (!text_in(self, item, "source", NULL, &source) ||
        !text_in(self, item, "target", NULL, &given_target) || !id_in(self, item, "uid", &owner) ||
        !id_in(self, item, "gid", &group) ||
        (mode_value != NULL && !yaml_read_octal(mode_value, self->where, &mode, self->err)))
        return false;
    if (source == NULL)
        return service_fail(self, item, "source is missing");
    warn_unknown(self, item, known);
    const char *folder = secret ? "/run/secrets" : "";
    autofree_string char *target =
        given_target != NULL && given_target[0] == '/'
            ? memory_copy_string(given_target)
            : memory_format("%s/%s", folder, given_target != NULL ? given_target : source);
    if (!check_target(self, item, target) || !plan_use_content(self, section, source, item))
        return false;
    struct plan_mount *mount =
        add_mount(self, secret ? MOUNT_SECRET : MOUNT_CONFIG, source, target, item->mark);
    mount->read_only = true;
    mount->owner = owner;
    mount->group = group;
    mount->mode = (mode_t)mode;
    return true;
}

static bool read_grants(struct service_reader *self, const char *section) {
    const struct yaml *list = service_key(self, section);
    for (size_t i = 0; list != NULL && i < list->count; i++)
        if (!read_grant(self, list->items[i], section))
            return false;
    return true;
}

bool service_read_mounts(struct service_reader *self) {
    const struct yaml *volumes = service_key(self, "volumes");
    for (size_t i = 0; volumes != NULL && i < volumes->count; i++)
        if (!read_volume(self, volumes->items[i]))
            return false;
    return read_tmpfs(self) && read_grants(self, "secrets") && read_grants(self, "configs");
}
