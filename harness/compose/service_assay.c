// `x-assay` of a service, under what assay.yaml says of it: part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/suggestion.h"

#include <string.h>

static bool take_text(struct service_reader *self, const struct yaml *value, char **field) {
    const char *text = NULL;
    if (!yaml_read_text(value, self->where, &text, self->err))
        return false;
    free(*field);
    *field = memory_copy_string(text);
    return true;
}

static bool take_flag(struct service_reader *self, const struct yaml *value, bool *field) {
    return yaml_read_bool(value, self->where, field, self->err);
}

static bool read_kind(struct service_reader *self, const struct yaml *value) {
    const char *name = NULL;
    if (!yaml_read_text(value, self->where, &name, self->err))
        return false;
    self->service->kind = kind_by_name(name);
    if (self->service->kind != NULL || strcmp(name, "none") == 0)
        return true;
    autodone(text) struct text names = {0};
    for (const struct kind *kind = kind_table(); kind->name != NULL; kind++)
        text_appendf(&names, "%s%s", names.length > 0 ? ", " : "", kind->name);
    return service_fail(self, value, "unknown kind \"%s\"; known are %s and none", name,
                        text_string(&names));
}

static bool read_port(struct service_reader *self, const struct yaml *value) {
    long long port = 0;
    if (!yaml_read_integer(value, self->where, 1, 65535, &port, self->err))
        return false;
    self->service->port = (uint16_t)port;
    return true;
}

static bool read_user(struct service_reader *self, const struct yaml *value) {
    return take_text(self, value, &self->service->user);
}

static bool read_database(struct service_reader *self, const struct yaml *value) {
    return take_text(self, value, &self->service->database);
}

static bool read_password(struct service_reader *self, const struct yaml *value) {
    return take_text(self, value, &self->service->password) &&
           plan_use_content(self, "secrets", self->service->password, value);
}

static bool read_root_password(struct service_reader *self, const struct yaml *value) {
    return take_text(self, value, &self->service->root_password) &&
           plan_use_content(self, "secrets", self->service->root_password, value);
}

static bool read_path(struct service_reader *self, const struct yaml *value) {
    if (!take_text(self, value, &self->service->path))
        return false;
    return self->service->path[0] == '/' ||
           service_fail(self, value, "a path begins with /, found \"%s\"", self->service->path);
}

static bool read_group(struct service_reader *self, const struct yaml *value) {
    return take_text(self, value, &self->service->group);
}

static bool read_form(struct service_reader *self, const struct yaml *value) {
    return take_flag(self, value, &self->service->form);
}

static bool read_initialise(struct service_reader *self, const struct yaml *value) {
    return take_flag(self, value, &self->service->initialise);
}

static bool read_prepare(struct service_reader *self, const struct yaml *value) {
    return take_flag(self, value, &self->service->prepare);
}

static bool read_substitute(struct service_reader *self, const struct yaml *value) {
    return take_text(self, value, &self->service->substitute);
}

static bool read_ready_timeout(struct service_reader *self, const struct yaml *value) {
    long long ns = 0;
    if (!yaml_read_duration(value, self->where, &ns, self->err))
        return false;
    if (ns < 1000000 || ns > 24 * 3600 * 1000000000LL)
        return service_fail(self, value, "\"%s\" is not between 1ms and 24h", value->text);
    self->service->ready_timeout_ms = (int)(ns / 1000000);
    return true;
}

// The one place where a new key is added. `kind` comes first: others are judged by it.
static const struct {
    const char *name;
    bool (*read)(struct service_reader *self, const struct yaml *value);
} keys[] = {
    {"kind", read_kind},
    {"port", read_port},
    {"user", read_user},
    {"database", read_database},
    {"vhost", read_database},
    {"password", read_password},
    {"root_password", read_root_password},
    {"path", read_path},
    {"group", read_group},
    {"form", read_form},
    {"initialise", read_initialise},
    {"prepare", read_prepare},
    {"substitute", read_substitute},
    {"ready_timeout", read_ready_timeout},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static const char *key_at(const void *context, size_t i) {
    (void)context;
    return i < KEY_COUNT ? keys[i].name : NULL;
}

// Ours, so that a typing error here is an error and not a warning.
static bool check_known(struct service_reader *self, const struct yaml *own) {
    for (size_t i = 0; own != NULL && i < own->count; i++) {
        const struct yaml_entry *entry = &own->entries[i];
        size_t j = 0;
        while (j < KEY_COUNT && strcmp(keys[j].name, entry->key) != 0)
            j++;
        if (j < KEY_COUNT)
            continue;
        const char *near = suggestion(entry->key, key_at, NULL);
        mark_error(entry->mark, self->err, "%s: unknown key \"%s\"", self->where, entry->key);
        return near != NULL ? error_append(self->err, "; did you mean \"%s\"?", near) : false;
    }
    return true;
}

static bool check_sense(struct service_reader *self, const struct yaml *by) {
    const struct kind *kind = self->service->kind;
    const char *name = kind != NULL ? kind->name : "none";
    if (self->service->form && strcmp(name, "redis_cluster") != 0)
        return service_fail(self, by, "form is for redis_cluster, and this is %s", name);
    if (self->service->initialise && strcmp(name, "openbao") != 0)
        return service_fail(self, by, "initialise is for openbao, and this is %s", name);
    if (self->service->path != NULL && strcmp(name, "http") != 0)
        return service_fail(self, by, "path is for http, and this is %s", name);
    return true;
}

static bool read_all(struct service_reader *self, const struct yaml *own,
                     const struct yaml *settings) {
    autofree_string char *where = memory_copy_string(self->where);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct yaml *value = yaml_get(settings, keys[i].name);
        if (value == NULL)
            value = yaml_get(own, keys[i].name);
        if (value == NULL || value->type == YAML_NULL)
            continue;
        free(self->where);
        self->where = memory_format("%s.%s", where, keys[i].name);
        if (!keys[i].read(self, value))
            return false;
    }
    free(self->where);
    self->where = TAKE(where);
    return true;
}

bool service_read_assay(struct service_reader *self) {
    struct plan_service *service = self->service;
    const struct yaml *settings =
        self->settings != NULL ? yaml_get(self->settings->services, service->name) : NULL;
    const struct yaml *own = service_key(self, "x-assay");
    service->kind = kind_by_image(service->image);
    if (!check_known(self, own) || !check_known(self, settings) || !read_all(self, own, settings))
        return false;
    return check_sense(self, settings != NULL ? settings : own != NULL ? own : self->tree);
}
