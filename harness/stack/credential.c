#define _GNU_SOURCE
#include "stack/credential.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENT_LIMIT ((size_t)1024 * 1024)

struct credential {
    char *key;
    char *path;
    struct secret *value;
    bool is_config;
};

struct credentials {
    char *folder;
    struct credential *items;
    size_t count;
};

static bool read_exactly(const char *path, struct secret **ret_value, struct error *err) {
    char *bytes = NULL;
    size_t length = 0;
    if (!file_read(path, CONTENT_LIMIT, &bytes, &length, err))
        return false;
    *ret_value = secret_from_bytes(bytes, length);
    explicit_bzero(bytes, length);
    free(bytes);
    return true;
}

// Where the content comes from is a property of the plan; here it only has to be fetched.
static bool fetch(const struct plan_content *content, struct secret **ret_value,
                  struct error *err) {
    if (content->generate) {
        *ret_value = secret_generate();
        return true;
    }
    if (content->content != NULL) {
        *ret_value = secret_from_bytes(content->content, strlen(content->content));
        return true;
    }
    if (content->environment != NULL) {
        const char *value = getenv(content->environment);
        check(value != NULL); // without it there would be no plan
        *ret_value = secret_from_bytes(value, strlen(value));
        return true;
    }
    return read_exactly(content->file, ret_value, err) ||
           error_prefix(err, "%s:%d: \"%s\"", content->mark.file, content->mark.line, content->key);
}

static bool make_one(struct credentials *self, const struct plan_content *content, bool is_config,
                     struct error *err) {
    autofree(secret) struct secret *value = NULL;
    if (!fetch(content, &value, err))
        return false;
    autofree_string char *path =
        memory_format("%s/%s%s", self->folder, is_config ? "config-" : "", content->key);
    if (!secret_write_file(value, path, err))
        return false;
    if (!is_config) { // a password is the file's content without the newline editors put last
        secret_free(TAKE(value));
        if (!secret_read_file(path, &value, err))
            return false;
    }
    self->items = memory_resize(self->items, self->count + 1, sizeof *self->items);
    self->items[self->count++] = (struct credential){.key = memory_copy_string(content->key),
                                                     .path = TAKE(path),
                                                     .value = TAKE(value),
                                                     .is_config = is_config};
    return true;
}

bool credentials_make(const struct plan *plan, const char *folder, struct credentials **ret_made,
                      struct error *err) {
    if (!folder_make(folder, 0700, err))
        return false;
    autofree(credentials) struct credentials *self = memory_new(1, sizeof *self);
    self->folder = memory_copy_string(folder);
    for (size_t i = 0; i < plan->secret_count; i++)
        if (!make_one(self, &plan->secrets[i], false, err))
            return false;
    for (size_t i = 0; i < plan->config_count; i++)
        if (!make_one(self, &plan->configs[i], true, err))
            return false;
    *ret_made = TAKE(self);
    return true;
}

void credentials_free(struct credentials *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].key);
        free(self->items[i].path);
        secret_free(self->items[i].value);
    }
    free(self->items);
    free(self->folder);
    free(self);
}

static const struct credential *find(const struct credentials *self, const char *key,
                                     bool is_config) {
    for (size_t i = 0; key != NULL && i < self->count; i++)
        if (self->items[i].is_config == is_config && strcmp(self->items[i].key, key) == 0)
            return &self->items[i];
    return NULL;
}

const struct secret *credentials_secret(const struct credentials *self, const char *key) {
    const struct credential *found = find(self, key, false);
    return found != NULL ? found->value : NULL;
}

const char *credentials_path(const struct credentials *self, const char *key) {
    const struct credential *found = find(self, key, false);
    return found != NULL ? found->path : NULL;
}

// Only root can give a file away; anybody else makes it readable inside the container instead
// (the run's folder is 0700, so on the host nobody else reaches it).
static bool give_away(const char *path, const struct plan_mount *mount, struct error *err) {
    mode_t mode = mount->mode != 0 ? mount->mode : 0600;
    if (geteuid() == 0) {
        if (chown(path, mount->owner, mount->group) != 0)
            return error_set_errno(err, "cannot give %s to user %u", path, (unsigned)mount->owner);
    } else if (mount->owner != 0 && mount->owner != geteuid()) {
        mode |= 0444;
    }
    return chmod(path, mode) == 0 || error_set_errno(err, "cannot set the mode of %s", path);
}

bool credentials_file_for(struct credentials *self, const struct plan_service *service,
                          const struct plan_mount *mount, char **ret_path, struct error *err) {
    const bool is_config = mount->type == MOUNT_CONFIG;
    const struct credential *found = find(self, mount->source, is_config);
    if (found == NULL)
        return error_set(err, ERROR_CONFIGURATION, 0, "%s:%d: there is no %s \"%s\"",
                         mount->mark.file, mount->mark.line, is_config ? "config" : "secret",
                         mount->source);
    const bool ordinary = !is_config && mount->owner == 0 && mount->group == 0 &&
                          (mount->mode == 0 || mount->mode == 0600);
    if (ordinary) {
        *ret_path = memory_copy_string(found->path);
        return true;
    }
    autofree_string char *path =
        memory_format("%s/%s%s-for-%s-%zu", self->folder, is_config ? "config-" : "", found->key,
                      service->name, (size_t)(mount - service->mounts));
    struct plan_mount wish = *mount;
    if (is_config && wish.mode == 0)
        wish.mode = 0444;
    autofree(secret) struct secret *content = NULL;
    if (!file_exists(path) &&
        (!read_exactly(found->path, &content, err) || !secret_write_file(content, path, err) ||
         !give_away(path, &wish, err)))
        return false;
    *ret_path = TAKE(path);
    return true;
}
