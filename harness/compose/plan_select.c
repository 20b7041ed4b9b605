// Which services are enabled (Compose specification, 15-profiles): part of plan_reader.h.
#include "compose/plan_reader.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/suggestion.h"

#include <string.h>

struct choice {
    const struct compose *compose;
    const struct yaml *services;
    struct string_list active; // profiles
    struct string_list *warnings;
    struct error *err;
};

static const char *service_at(const void *context, size_t i) {
    const struct yaml *services = context;
    return i < services->count ? services->entries[i].key : NULL;
}

static void add_words(struct string_list *list, const char *words) {
    while (*words != '\0') {
        const size_t length = strcspn(words, ",");
        autofree_string char *word = memory_copy_bytes(words, length);
        if (length > 0)
            string_list_add(list, word);
        words += length + (words[length] == ',');
    }
}

// From the command, else from the environment, else from assay.yaml.
static void find_profiles(struct choice *self, const struct plan_selection *selection) {
    const char *environment = variables_get(&self->compose->variables, "COMPOSE_PROFILES");
    if (selection->profiles != NULL) {
        for (size_t i = 0; selection->profiles[i] != NULL; i++)
            add_words(&self->active, selection->profiles[i]);
    } else if (environment != NULL && *environment != '\0') {
        add_words(&self->active, environment);
    } else if (selection->settings != NULL) {
        for (size_t i = 0; i < selection->settings->profiles.count; i++)
            string_list_add(&self->active, selection->settings->profiles.items[i]);
    }
}

static bool read_profiles(const struct choice *self, const struct yaml_entry *service,
                          struct string_list *profiles) {
    const struct yaml *list = yaml_get(service->value, "profiles");
    autofree_string char *where = memory_format("services.%s.profiles", service->key);
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const char *text = NULL;
        if (!yaml_read_text(list->items[i], where, &text, self->err))
            return false;
        string_list_add(profiles, text);
    }
    return true;
}

static bool is_enabled(const struct choice *self, const struct string_list *profiles) {
    if (profiles->count == 0 || string_list_contains(&self->active, "*"))
        return true;
    for (size_t i = 0; i < profiles->count; i++)
        if (string_list_contains(&self->active, profiles->items[i]))
            return true;
    return false;
}

// A service that is named brings its own profiles with it, as in docker compose.
static bool name_services(struct choice *self, const char *const *names) {
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        const struct yaml_entry *service = yaml_entry(self->services, names[i]);
        if (service != NULL) {
            if (!read_profiles(self, service, &self->active))
                return false;
            continue;
        }
        const char *near = suggestion(names[i], service_at, self->services);
        mark_error((struct mark){.file = self->services->mark.file}, self->err,
                   "there is no service \"%s\"", names[i]);
        return near != NULL ? error_append(self->err, "; did you mean \"%s\"?", near) : false;
    }
    return true;
}

static bool gather_enabled(struct choice *self, struct string_list *enabled,
                           struct string_list *known_profiles) {
    for (size_t i = 0; i < self->services->count; i++) {
        const struct yaml_entry *service = &self->services->entries[i];
        autodone(string_list) struct string_list profiles = {0};
        if (strncmp(service->key, "x-", 2) == 0)
            continue;
        if (!read_profiles(self, service, &profiles))
            return false;
        for (size_t j = 0; j < profiles.count; j++)
            if (!string_list_contains(known_profiles, profiles.items[j]))
                string_list_add(known_profiles, profiles.items[j]);
        if (is_enabled(self, &profiles))
            string_list_add(enabled, service->key);
    }
    return true;
}

static char *join(const struct string_list *names) {
    struct text joined = {0};
    for (size_t i = 0; i < names->count; i++)
        text_appendf(&joined, "%s%s", i > 0 ? ", " : "", names->items[i]);
    return text_take(&joined);
}

static void warn_of_profile(const struct choice *self, const char *profile,
                            const struct string_list *known) {
    const struct mark file = {.file = self->services->mark.file};
    const char *near =
        known->count > 0 ? suggestion_of(profile, (const char *const *)known->items) : NULL;
    autofree_string char *all = known->count > 0 ? join(known) : NULL;
    if (near != NULL)
        mark_warning(file, self->warnings,
                     "no service has the profile \"%s\"; did you mean \"%s\"?", profile, near);
    else
        mark_warning(file, self->warnings, "no service has the profile \"%s\"; there %s%s", profile,
                     all != NULL ? "are: " : "is none", all != NULL ? all : "");
}

// Profiles that no service has are most likely typing errors.
static void warn_of_profiles(const struct choice *self, const struct plan_selection *selection,
                             const struct string_list *known) {
    for (size_t i = 0; selection->profiles != NULL && i < self->active.count; i++) {
        const char *profile = self->active.items[i];
        if (strcmp(profile, "*") != 0 && !string_list_contains(known, profile))
            warn_of_profile(self, profile, known);
    }
}

static void add_with_needs(const struct choice *self, const char *name,
                           const struct string_list *enabled, struct string_list *needed) {
    if (string_list_contains(needed, name) || !string_list_contains(enabled, name))
        return;
    string_list_add(needed, name);
    const struct yaml *service = yaml_get(self->services, name);
    const struct yaml *depends = yaml_get(service, "depends_on");
    for (size_t i = 0; depends != NULL && i < depends->count; i++)
        add_with_needs(self, depends->entries[i].key, enabled, needed);
    const struct yaml *links = yaml_get(service, "links");
    for (size_t i = 0; links != NULL && i < links->count; i++) {
        const char *link = links->items[i]->text;
        autofree_string char *target = memory_copy_bytes(link, strcspn(link, ":"));
        add_with_needs(self, target, enabled, needed);
    }
}

static bool none_enabled(const struct choice *self, const struct string_list *profiles) {
    if (profiles->count == 0)
        return mark_error(self->services->mark, self->err, "there are no services in it");
    autofree_string char *names = join(profiles);
    return mark_error(self->services->mark, self->err,
                      "no service is enabled: choose a profile of %s", names);
}

bool plan_select(const struct compose *compose, const struct plan_selection *selection,
                 struct string_list *warnings, struct string_list *ret_names, struct error *err) {
    struct choice self = {.compose = compose,
                          .services = yaml_get(compose->root, "services"),
                          .warnings = warnings,
                          .err = err};
    if (self.services == NULL || self.services->type != YAML_MAP)
        return mark_error(compose->root->mark, err, "there are no services in it");
    autodone(string_list) struct string_list enabled = {0};
    autodone(string_list) struct string_list profiles = {0};
    find_profiles(&self, selection);
    bool selected =
        name_services(&self, selection->services) && gather_enabled(&self, &enabled, &profiles);
    if (selected)
        warn_of_profiles(&self, selection, &profiles);
    string_list_done(&self.active);
    if (!selected)
        return false;
    autodone(string_list) struct string_list needed = {0};
    for (size_t i = 0; selection->services != NULL && selection->services[i] != NULL; i++)
        add_with_needs(&self, selection->services[i], &enabled, &needed);
    for (size_t i = 0; i < enabled.count; i++) // in the order of the file
        if (selection->services == NULL || string_list_contains(&needed, enabled.items[i]))
            string_list_add(ret_names, enabled.items[i]);
    return ret_names->count > 0 || none_enabled(&self, &profiles);
}
