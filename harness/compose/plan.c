#define _GNU_SOURCE
#include "compose/plan.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/plan_reader.h"
#include "compose/suggestion.h"

#include <string.h>

// assay.yaml beside the first Compose file, or in the folder where one is looked for.
static bool open_settings(const struct plan_options *options, struct settings **ret_settings,
                          struct error *err) {
    if (options->settings != NULL)
        return settings_load(options->settings, ret_settings, err);
    const char *file = options->files != NULL ? options->files[0] : NULL;
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    autofree_string char *folder = NULL;
    if (slash != NULL)
        folder = memory_copy_bytes(file, slash == file ? 1 : (size_t)(slash - file));
    else if (file == NULL)
        folder = memory_copy_string(options->folder);
    autofree_string char *path =
        folder != NULL ? path_join(folder, "assay.yaml") : memory_copy_string("assay.yaml");
    return !file_exists(path) || settings_load(path, ret_settings, err);
}

static const char *service_at(const void *context, size_t i) {
    const struct yaml *services = context;
    return services != NULL && i < services->count ? services->entries[i].key : NULL;
}

static bool check_settings(const struct settings *settings, const struct compose *compose,
                           struct error *err) {
    const struct yaml *named = settings != NULL ? settings->services : NULL;
    const struct yaml *services = yaml_get(compose->root, "services");
    for (size_t i = 0; named != NULL && i < named->count; i++) {
        if (yaml_entry(services, named->entries[i].key) != NULL)
            continue;
        const char *near = suggestion(named->entries[i].key, service_at, services);
        mark_error(named->entries[i].mark, err, "services.%s: there is no such service in %s",
                   named->entries[i].key, compose->root->mark.file);
        return near != NULL ? error_append(err, "; did you mean \"%s\"?", near) : false;
    }
    return true;
}

static bool read_service(struct plan *plan, const struct compose *compose,
                         const struct settings *settings, const char *name, struct error *err) {
    const struct yaml_entry *entry = compose_section(compose, "services", name);
    struct plan_service *service = &plan->services[plan->service_count++];
    service->name = memory_copy_string(name);
    service->mark = entry->mark;
    service->config = json_object();
    service->host_config = json_object();
    struct service_reader reader = {.plan = plan,
                                    .compose = compose,
                                    .settings = settings,
                                    .service = service,
                                    .tree = entry->value,
                                    .mark = entry->mark,
                                    .err = err};
    static bool (*const steps[])(struct service_reader *) = {
        service_read_fates,       service_read_config, service_read_assay,    service_read_health,
        service_read_environment, service_read_host,   service_read_deploy,   service_read_ports,
        service_read_mounts,      service_read_login,  service_read_networks,
    };
    bool read = true;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && read; i++)
        read = steps[i](&reader);
    free(reader.where);
    return read;
}

static bool build(struct plan *plan, const struct plan_options *options,
                  const struct compose *compose, const struct settings *settings,
                  struct error *err) {
    autodone(string_list) struct string_list names = {0};
    const struct plan_selection selection = {options->profiles, options->services, settings};
    if (!check_settings(settings, compose, err) ||
        !plan_select(compose, &selection, &plan->warnings, &names, err))
        return false;
    plan->services = memory_new(names.count, sizeof *plan->services);
    for (size_t i = 0; i < names.count; i++)
        if (!read_service(plan, compose, settings, names.items[i], err))
            return false;
    return plan_connect(plan, compose, err);
}

static bool fill(struct plan *plan, const struct plan_options *options, struct error *err) {
    autofree(settings) struct settings *settings = NULL;
    if (!open_settings(options, &settings, err))
        return false;
    struct compose_sources sources = {options->files, options->folder};
    if (sources.files == NULL && settings != NULL && settings->compose.count > 0)
        sources.files = (const char *const *)settings->compose.items;
    autodone(compose) struct compose compose = {0};
    if (!compose_load(&sources, &plan->files, &plan->warnings, &compose, err))
        return false;
    plan->name = memory_copy_string(compose.name);
    plan->folder = memory_copy_string(compose.folder);
    for (size_t i = 0; i < compose.main_files.count; i++)
        string_list_add(&plan->compose_files, compose.main_files.items[i]);
    if (!build(plan, options, &compose, settings, err))
        return false;
    if (settings != NULL) {
        string_list_add(&plan->files, settings->file);
        plan->settings = realpath(settings->file, NULL);
        for (size_t i = 0; i < settings->suites.count; i++)
            string_list_add(&plan->suites, settings->suites.items[i]);
    }
    return true;
}

bool plan_load(const struct plan_options *options, struct plan **ret_plan, struct error *err) {
    autofree(plan) struct plan *plan = memory_new(1, sizeof *plan);
    if (fill(plan, options, err)) {
        *ret_plan = TAKE(plan);
        return true;
    }
    for (size_t i = 0; options->warnings != NULL && i < plan->warnings.count; i++)
        string_list_add(options->warnings, plan->warnings.items[i]);
    return false;
}

static void free_service(struct plan_service *self) {
    char *const texts[] = {self->name,     self->image,     self->platform,      self->user,
                           self->database, self->path,      self->root_password, self->password,
                           self->group,    self->substitute};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    json_decref(self->config);
    json_decref(self->host_config);
    for (size_t i = 0; i < self->mount_count; i++) {
        free(self->mounts[i].source);
        free(self->mounts[i].target);
    }
    for (size_t i = 0; i < self->attachment_count; i++) {
        for (char **alias = self->attachments[i].aliases; *alias != NULL; alias++)
            free(*alias);
        free(self->attachments[i].aliases);
    }
    free(self->mounts);
    free(self->attachments);
    free(self->dependencies);
}

static void free_contents(struct plan_content *contents, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(contents[i].key);
        free(contents[i].file);
        free(contents[i].environment);
        free(contents[i].content);
    }
    free(contents);
}

void plan_free(struct plan *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->service_count; i++)
        free_service(&self->services[i]);
    for (size_t i = 0; i < self->network_count; i++)
        free(self->networks[i].key);
    for (size_t i = 0; i < self->volume_count; i++)
        free(self->volumes[i].key);
    free_contents(self->secrets, self->secret_count);
    free_contents(self->configs, self->config_count);
    free(self->services);
    free(self->networks);
    free(self->volumes);
    free(self->name);
    free(self->folder);
    string_list_done(&self->warnings);
    string_list_done(&self->files);
    string_list_done(&self->compose_files);
    string_list_done(&self->suites);
    free(self->settings);
    free(self);
}

const struct plan_service *plan_find(const struct plan *self, const char *name) {
    for (size_t i = 0; i < self->service_count; i++)
        if (strcmp(self->services[i].name, name) == 0)
            return &self->services[i];
    return NULL;
}
