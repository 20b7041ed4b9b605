// The body's own fields, without HostConfig (Engine API, ContainerCreate): part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"
#include "compose/shell_words.h"

#include <string.h>

static bool read_simple(struct service_reader *self) {
    static const struct {
        const char *key;
        const char *field;
        bool flag;
    } fields[] = {
        {"user", "User", false},
        {"working_dir", "WorkingDir", false},
        {"hostname", "Hostname", false},
        {"domainname", "Domainname", false},
        {"stop_signal", "StopSignal", false},
        {"tty", "Tty", true},
        {"stdin_open", "OpenStdin", true},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct yaml *value = service_key(self, fields[i].key);
        const char *text = NULL;
        bool flag = false;
        if (value == NULL)
            continue;
        if (fields[i].flag ? !yaml_read_bool(value, self->where, &flag, self->err)
                           : !yaml_read_text(value, self->where, &text, self->err))
            return false;
        json_object_set_new(self->service->config, fields[i].field,
                            fields[i].flag ? json_boolean(flag) : json_string(text));
    }
    return true;
}

static bool read_words(struct service_reader *self, const struct yaml *value,
                       struct string_list *words) {
    if (value->type == YAML_TEXT) {
        const enum shell_words_result result = shell_words(value->text, words);
        if (result == SHELL_WORDS_OPEN)
            return service_fail(self, value, "a quote is never closed in: %s", value->text);
        if (result == SHELL_WORDS_CUT)
            service_warn(self, value,
                         "no shell reads this, so that what follows ; & | < > or ( is left out, as "
                         "docker compose does; write [sh, -c, \"…\"] for a shell");
        return true;
    }
    for (size_t i = 0; i < value->count; i++) {
        const char *text = NULL;
        if (!yaml_read_text(value->items[i], self->where, &text, self->err))
            return false;
        string_list_add(words, text);
    }
    return true;
}

// An empty command is sent as an empty list: it differs from none, which leaves the image's.
static bool read_command(struct service_reader *self, const char *key, const char *field) {
    const struct yaml *value = service_key(self, key);
    if (value == NULL)
        return true;
    autodone(string_list) struct string_list words = {0};
    if (!read_words(self, value, &words))
        return false;
    json_t *list = json_array();
    for (size_t i = 0; i < words.count; i++)
        json_array_append_new(list, json_string(words.items[i]));
    json_object_set_new(self->service->config, field, list);
    return true;
}

static bool read_labels(struct service_reader *self) {
    const struct yaml *labels = service_key(self, "labels");
    if (labels == NULL)
        return true;
    json_t *object = json_object();
    json_object_set_new(self->service->config, "Labels", object);
    for (size_t i = 0; i < labels->count; i++) {
        const struct yaml_entry *entry = &labels->entries[i];
        const char *text = "";
        if (entry->value->type != YAML_NULL &&
            !yaml_read_text(entry->value, self->where, &text, self->err))
            return false;
        // Another tool must not take our containers for its own.
        if (strncmp(entry->key, "com.docker.compose.", 19) == 0 ||
            strncmp(entry->key, "io.assay.", 9) == 0)
            service_warn(self, entry->value, "the label %s is left out: it is a tool's own",
                         entry->key);
        else
            json_object_set_new(object, entry->key, json_string(text));
    }
    return true;
}

static bool read_stop_timeout(struct service_reader *self) {
    const struct yaml *value = service_key(self, "stop_grace_period");
    long long ns = 0;
    if (value == NULL)
        return true;
    if (!yaml_read_duration(value, self->where, &ns, self->err))
        return false;
    json_object_set_new(self->service->config, "StopTimeout",
                        json_integer(ns / 1000000000 + (ns % 1000000000 != 0)));
    return true;
}

static bool read_image(struct service_reader *self) {
    const struct yaml *build = service_key(self, "build");
    const struct yaml *image = service_key(self, "image");
    const char *reference = NULL;
    if (image == NULL && build != NULL)
        return mark_error(build->mark, self->err,
                          "services.%s.build: build is not supported yet: give an image",
                          self->service->name);
    if (image == NULL)
        return mark_error(self->mark, self->err, "services.%s: an image is missing",
                          self->service->name);
    if (build != NULL)
        mark_warning(build->mark, &self->plan->warnings,
                     "services.%s.build: not supported yet: the image of that name is used",
                     self->service->name);
    if (!yaml_read_text(image, self->where, &reference, self->err))
        return false;
    if (*reference == '\0')
        return service_fail(self, image, "the image's name is empty");
    self->service->image = memory_copy_string(reference);
    const struct yaml *platform = service_key(self, "platform");
    const char *text = NULL;
    if (platform != NULL && !yaml_read_text(platform, self->where, &text, self->err))
        return false;
    self->service->platform = memory_copy_string(text);
    return true;
}

bool service_read_config(struct service_reader *self) {
    return read_image(self) && read_simple(self) && read_command(self, "command", "Cmd") &&
           read_command(self, "entrypoint", "Entrypoint") && read_labels(self) &&
           read_stop_timeout(self);
}
