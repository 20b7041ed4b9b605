#include "compose/settings.h"

#include "base/memory.h"
#include "compose/suggestion.h"
#include "compose/yaml_document.h"

#include <string.h>

// A path relative to the settings file, as one that can be opened from here.
static char *beside(const struct settings *self, const char *path) {
    const char *slash = strrchr(self->file, '/');
    if (path[0] == '/' || slash == NULL)
        return memory_copy_string(path);
    return memory_format("%.*s/%s", (int)(slash - self->file), self->file, path);
}

static bool read_texts(struct settings *self, const struct yaml *value, const char *where,
                       bool paths, struct string_list *texts, struct error *err) {
    if (value->type == YAML_MAP)
        return yaml_expect(value, YAML_LIST, where, err);
    const size_t count = value->type == YAML_LIST ? value->count : 1;
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        if (!yaml_read_text(value->type == YAML_LIST ? value->items[i] : value, where, &text, err))
            return false;
        string_list_take(texts, paths ? beside(self, text) : memory_copy_string(text));
    }
    return true;
}

static bool read_compose(struct settings *self, struct yaml *value, struct error *err) {
    return read_texts(self, value, "compose", true, &self->compose, err);
}

static bool read_profiles(struct settings *self, struct yaml *value, struct error *err) {
    return read_texts(self, value, "profiles", false, &self->profiles, err);
}

static bool read_suites(struct settings *self, struct yaml *value, struct error *err) {
    return read_texts(self, value, "suites", true, &self->suites, err);
}

static bool read_services(struct settings *self, struct yaml *value, struct error *err) {
    if (!yaml_expect(value, YAML_MAP, "services", err))
        return false;
    for (size_t i = 0; i < value->count; i++) {
        autofree_string char *where = memory_format("services.%s", value->entries[i].key);
        if (!yaml_expect(value->entries[i].value, YAML_MAP, where, err))
            return false;
    }
    self->services = value;
    return true;
}

static bool read_backup(struct settings *self, struct yaml *value, struct error *err) {
    self->backup = value;
    return yaml_expect(value, YAML_MAP, "backup", err);
}

// The one place where a new section is added.
static const struct {
    const char *name;
    bool (*read)(struct settings *self, struct yaml *value, struct error *err);
} sections[] = {
    {"backup", read_backup},     {"compose", read_compose}, {"profiles", read_profiles},
    {"services", read_services}, {"suites", read_suites},
};

enum { SECTION_COUNT = sizeof sections / sizeof sections[0] };

static const char *section_at(const void *context, size_t i) {
    (void)context;
    return i < SECTION_COUNT ? sections[i].name : NULL;
}

static bool read_section(struct settings *self, const struct yaml_entry *entry, struct error *err) {
    if (strncmp(entry->key, "x-", 2) == 0)
        return true;
    for (size_t i = 0; i < SECTION_COUNT; i++)
        if (strcmp(entry->key, sections[i].name) == 0)
            return entry->value->type == YAML_NULL || sections[i].read(self, entry->value, err);
    const char *near = suggestion(entry->key, section_at, NULL);
    mark_error(entry->mark, err, "unknown key \"%s\"", entry->key);
    if (near != NULL)
        return error_append(err, "; did you mean \"%s\"?", near);
    return error_append(err, "; known are backup, compose, profiles, services and suites");
}

bool settings_load(const char *path, struct settings **ret_settings, struct error *err) {
    autofree(settings) struct settings *self = memory_new(1, sizeof *self);
    self->file = memory_copy_string(path);
    struct yaml *root = NULL;
    if (!yaml_document_load(&self->arena, path, self->file, &root, err))
        return false;
    if (root->type != YAML_NULL && root->type != YAML_MAP)
        return mark_error(root->mark, err, "expected a mapping, found %s",
                          yaml_type_name(root->type));
    for (size_t i = 0; i < root->count; i++)
        if (!read_section(self, &root->entries[i], err))
            return false;
    *ret_settings = TAKE(self);
    return true;
}

void settings_free(struct settings *self) {
    if (self == NULL)
        return;
    yaml_arena_done(&self->arena);
    string_list_done(&self->compose);
    string_list_done(&self->profiles);
    string_list_done(&self->suites);
    free(self->file);
    free(self);
}
