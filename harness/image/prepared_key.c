#include "image/prepared_key.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "image/prepared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *label_of(const json_t *image, const char *label) {
    return json_string_value(
        json_object_get(json_object_get(json_object_get(image, "Config"), "Labels"), label));
}

static bool is_within(const char *path, const char *folder) {
    const size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0') &&
           strstr(path, "/../") == NULL;
}

static bool needs_others(const struct plan_service *service) {
    for (size_t i = 0; i < service->dependency_count; i++)
        if (service->dependencies[i].required)
            return true;
    return false;
}

static char *mount_obstacle(const struct plan *plan, const struct plan_service *service) {
    for (size_t i = 0; i < service->mount_count; i++) {
        const struct plan_mount *mount = &service->mounts[i];
        if (mount->type == MOUNT_VOLUME)
            return memory_format("it keeps data in a volume (%s), which no image holds",
                                 mount->target);
        if (mount->type == MOUNT_BIND && !is_within(mount->source, plan->folder))
            return memory_format("it mounts %s, which is outside the project", mount->source);
    }
    return NULL;
}

char *prepared_obstacle(const struct plan *plan, const struct plan_service *service,
                        const json_t *image) {
    if (!service->prepare)
        return memory_copy_string("it does not ask for it (x-assay: {prepare: true})");
    if (label_of(image, "io.assay.recipe") == NULL)
        return memory_copy_string("its image is not one of assay's recipes, so nothing says that "
                                  "it takes new credentials at each start");
    if (label_of(image, "io.assay.prepared") != NULL)
        return memory_copy_string("its image is a prepared one already");
    if (json_object_size(json_object_get(json_object_get(image, "Config"), "Volumes")) > 0)
        return memory_copy_string("its image declares a VOLUME, which no image holds");
    if (service->initialise)
        return memory_copy_string("its keys are made for each run");
    if (service->form || service->group != NULL)
        return memory_copy_string("its identity within its group is made for each run");
    if (needs_others(service))
        return memory_copy_string("it needs other services to get ready");
    return mount_obstacle(plan, service);
}

static void add_json(struct digest *digest, const char *name, const json_t *value) {
    autofree_string char *text =
        value != NULL ? json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    digest_add_string(digest, name, text);
}

static void add_number(struct digest *digest, const char *name, long long value) {
    autofree_string char *text = memory_format("%lld", value);
    digest_add_string(digest, name, text);
}

static const struct plan_content *content_of(const struct plan *plan,
                                             const struct plan_mount *mount) {
    for (size_t i = 0; mount->type == MOUNT_CONFIG && i < plan->config_count; i++)
        if (strcmp(plan->configs[i].key, mount->source) == 0)
            return &plan->configs[i];
    return NULL;
}

// What a first boot reads: mounted files by content. Secrets by name only: the template's differ
// from the run's anyway.
static bool add_content(struct digest *digest, const struct plan *plan,
                        const struct plan_mount *mount, struct error *err) {
    if (mount->type == MOUNT_BIND) {
        struct stat status;
        if (stat(mount->source, &status) != 0)
            return error_set_errno(err, "cannot look at %s", mount->source);
        return S_ISDIR(status.st_mode) ? digest_add_folder(digest, mount->source, err)
                                       : digest_add_file(digest, "content", mount->source, err);
    }
    const struct plan_content *content = content_of(plan, mount);
    if (content == NULL)
        return true;
    const char *variable = content->environment != NULL ? getenv(content->environment) : NULL;
    digest_add_string(digest, "content", content->content != NULL ? content->content : variable);
    return content->file == NULL || content->generate ||
           digest_add_file(digest, "content", content->file, err);
}

static bool add_mount(struct digest *digest, const struct plan *plan,
                      const struct plan_mount *mount, struct error *err) {
    add_number(digest, "mount", mount->type);
    digest_add_string(digest, "target", mount->target);
    add_number(digest, "read_only", mount->read_only);
    add_number(digest, "owner", mount->owner);
    add_number(digest, "group", mount->group);
    add_number(digest, "mode", mount->mode);
    add_number(digest, "size", mount->size_bytes);
    // A bind mount's path differs between checkouts: its content counts.
    digest_add_string(digest, "source", mount->type == MOUNT_BIND ? NULL : mount->source);
    return add_content(digest, plan, mount, err);
}

bool prepared_key(const struct plan *plan, const struct plan_service *service, const json_t *image,
                  char ret_key[DIGEST_HEX_SIZE], struct error *err) {
    struct digest digest;
    digest_init(&digest);
    digest_add_string(&digest, "format", PREPARED_FORMAT);
    digest_add_string(&digest, "image", json_string_value(json_object_get(image, "Id")));
    add_json(&digest, "config", service->config);
    add_json(&digest, "host_config", service->host_config);
    digest_add_string(&digest, "kind", service->kind != NULL ? service->kind->name : NULL);
    add_number(&digest, "port", service->port);
    digest_add_string(&digest, "user", service->user);
    digest_add_string(&digest, "database", service->database);
    digest_add_string(&digest, "password", service->password);
    digest_add_string(&digest, "path", service->path);
    add_number(&digest, "mounts", (long long)service->mount_count);
    for (size_t i = 0; i < service->mount_count; i++)
        if (!add_mount(&digest, plan, &service->mounts[i], err))
            return error_prefix(err, "the settings of %s", service->name);
    digest_end(&digest, ret_key);
    return true;
}
