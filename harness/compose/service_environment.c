// `env_file` and `environment` as Env: part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/dotenv.h"

#include <string.h>

static bool read_env_file(struct service_reader *self, const struct yaml *item,
                          struct variables *into) {
    const struct yaml *path = yaml_get(item, "path");
    const struct yaml *required = yaml_get(item, "required");
    const struct yaml *format = yaml_get(item, "format");
    const char *name = NULL;
    const char *format_name = "";
    bool needed = true;
    if (path == NULL)
        return service_fail(self, item, "path is missing");
    if (!yaml_read_text(path, self->where, &name, self->err) ||
        (required != NULL && !yaml_read_bool(required, self->where, &needed, self->err)) ||
        (format != NULL && !yaml_read_text(format, self->where, &format_name, self->err)))
        return false;
    if (*format_name != '\0' && strcmp(format_name, "raw") != 0)
        return service_fail(self, format, "unknown format \"%s\"; known is raw", format_name);
    if (!file_exists(name))
        return needed ? service_fail(self, path, "there is no file %s", name) : true;
    if (!string_list_contains(&self->plan->files, name))
        string_list_add(&self->plan->files, name);
    const struct dotenv_options options = {
        .file = name, .raw = *format_name != '\0', .warnings = &self->plan->warnings};
    return dotenv_load(into, name, &options, self->err) ||
           error_append(self->err, " (named by %s in %s:%d:%d)", self->where, path->mark.file,
                        path->mark.line, path->mark.column);
}

// What a value in an env_file may refer to, besides the project's variables: the service's own.
static bool read_scope(struct service_reader *self, const struct yaml *environment,
                       struct variables *scope) {
    for (size_t i = 0; environment != NULL && i < environment->count; i++) {
        const struct yaml_entry *entry = &environment->entries[i];
        const char *text = NULL;
        if (entry->value->type == YAML_NULL)
            continue;
        if (!yaml_read_text(entry->value, self->where, &text, self->err))
            return false;
        variables_set(scope, entry->key, text);
    }
    return true;
}

// A name alone takes the value around it; where there is none, the name alone removes the variable
// from the image's environment (Engine API: an entry without "=").
static bool add(struct service_reader *self, const struct yaml *by, json_t *list, const char *name,
                const char *value) {
    if (value == NULL)
        value = variables_get(&self->compose->variables, name);
    autofree_string char *line =
        value != NULL ? memory_format("%s=%s", name, value) : memory_copy_string(name);
    json_t *text = json_string(line);
    if (text == NULL) // the process environment is the one place that nobody has looked at
        return service_fail(self, by, "the value of %s is not UTF-8 text", name);
    json_array_append_new(list, text);
    return true;
}

bool service_read_environment(struct service_reader *self) {
    const struct yaml *environment = service_key(self, "environment");
    autodone(variables) struct variables scope = {.outer = &self->compose->variables};
    autodone(variables) struct variables from_files = {.outer = &scope, .own_first = true};
    if (!read_scope(self, environment, &scope))
        return false;
    const struct yaml *files = service_key(self, "env_file");
    for (size_t i = 0; files != NULL && i < files->count; i++)
        if (!read_env_file(self, files->items[i], &from_files))
            return false;
    if (environment == NULL && from_files.names.count == 0)
        return true;
    json_t *list = json_array();
    json_object_set_new(self->service->config, "Env", list);
    for (size_t i = 0; i < from_files.names.count; i++)
        if (yaml_entry(environment, from_files.names.items[i]) == NULL &&
            !add(self, files, list, from_files.names.items[i], from_files.values.items[i]))
            return false;
    (void)service_key(self, "environment"); // what an error is about from here on
    for (size_t i = 0; environment != NULL && i < environment->count; i++) {
        const struct yaml_entry *entry = &environment->entries[i];
        const char *value = entry->value->type == YAML_TEXT ? entry->value->text : NULL;
        if (!add(self, entry->value, list, entry->key, value))
            return false;
    }
    return true;
}
