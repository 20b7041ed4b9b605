#include "compose/compose.h"

#include "base/file.h"
#include "base/memory.h"
#include "compose/compose_form.h"
#include "compose/compose_loader.h"
#include "compose/compose_merge.h"
#include "compose/dotenv.h"
#include "compose/interpolate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The files that include each other on the way to the present one.
struct including {
    const char *path;
    const struct including *up;
};

struct scope {
    struct compose_loader *loader;
    const char *folder; // absolute: project folder
    const struct variables *variables;
    const struct including *up;
};

void compose_find(const char *folder, struct string_list *paths) {
    static const char *const names[][2] = {
        {"compose.yaml", "compose.override.yaml"},
        {"compose.yml", "compose.override.yml"},
        {"docker-compose.yaml", "docker-compose.override.yaml"},
        {"docker-compose.yml", "docker-compose.override.yml"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        autofree_string char *path = path_join(folder, names[i][0]);
        if (!file_exists(path))
            continue;
        string_list_add(paths, path);
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            autofree_string char *override = path_join(folder, names[j][1]);
            if (file_exists(override)) {
                string_list_add(paths, override);
                return;
            }
        }
        return;
    }
}

static bool load_dotenv(const char *path, const char *shown, struct compose_loader *loader,
                        struct variables *variables, struct error *err) {
    string_list_add(loader->files, shown);
    const struct dotenv_options options = {.file = loader->files->items[loader->files->count - 1],
                                           .warnings = loader->warnings};
    variables->own_first = true; // within the file, what stands further up is what counts
    const bool loaded = dotenv_load(variables, path, &options, err);
    variables->own_first = false;
    return loaded;
}

static bool load_file(const struct scope *scope, struct compose_file *file, struct yaml *model,
                      struct error *err);

// include: [{path, project_directory, env_file}]
static bool texts_of(const struct yaml *value, const char *where, struct string_list *texts,
                     struct error *err) {
    const char *text = NULL;
    const size_t count = value->type == YAML_LIST ? value->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct yaml *item = value->type == YAML_LIST ? value->items[i] : value;
        if (!yaml_read_text(item, where, &text, err))
            return false;
        string_list_add(texts, text);
    }
    return true;
}

static bool read_include(const struct yaml *item, struct string_list *paths,
                         struct string_list *env_files, const char **ret_folder,
                         struct error *err) {
    if (item->type != YAML_MAP)
        return texts_of(item, "include", paths, err);
    static const char *const names[] = {"path", "env_file", "project_directory"};
    for (size_t i = 0; i < item->count; i++) {
        const struct yaml_entry *entry = &item->entries[i];
        bool read = true;
        if (strcmp(entry->key, names[0]) == 0)
            read = texts_of(entry->value, "include.path", paths, err);
        else if (strcmp(entry->key, names[1]) == 0)
            read = texts_of(entry->value, "include.env_file", env_files, err);
        else if (strcmp(entry->key, names[2]) == 0)
            read = yaml_read_text(entry->value, "include.project_directory", ret_folder, err);
        else
            read = mark_error(entry->mark, err, "include: unknown key \"%s\"", entry->key);
        if (!read)
            return false;
    }
    if (paths->count == 0)
        return mark_error(item->mark, err, "include: path is missing");
    return true;
}

static bool include_env(const struct scope *scope, const char *folder, const char *by,
                        const struct string_list *env_files, struct variables *variables,
                        struct error *err) {
    for (size_t i = 0; i < env_files->count; i++) {
        autofree_string char *path = compose_path(scope->folder, env_files->items[i]);
        autofree_string char *shown = compose_shown(by, env_files->items[i]);
        if (!load_dotenv(path, shown, scope->loader, variables, err))
            return false;
    }
    autofree_string char *path = path_join(folder, ".env");
    return env_files->count > 0 || !file_exists(path) ||
           load_dotenv(path, path, scope->loader, variables, err);
}

static bool include_item(const struct scope *scope, const struct compose_file *by,
                         const struct yaml *item, struct yaml *model, struct error *err) {
    autodone(string_list) struct string_list paths = {0};
    autodone(string_list) struct string_list env_files = {0};
    const char *given_folder = NULL;
    if (!read_include(item, &paths, &env_files, &given_folder, err))
        return false;
    autofree_string char *first = compose_path(scope->folder, paths.items[0]);
    autofree_string char *folder = given_folder != NULL ? compose_path(scope->folder, given_folder)
                                                        : compose_path(first, "..");
    autodone(variables) struct variables variables = {.outer = scope->variables};
    if (!include_env(scope, folder, by->shown, &env_files, &variables, err))
        return false;
    const struct scope inner = {scope->loader, folder, &variables, scope->up};
    for (size_t i = 0; i < paths.count; i++) {
        autofree_string char *path = compose_path(scope->folder, paths.items[i]);
        for (const struct including *up = scope->up; up != NULL; up = up->up)
            if (strcmp(up->path, path) == 0)
                return mark_error(item->mark, err, "%s includes itself", paths.items[i]);
        autofree_string char *shown = compose_shown(by->shown, paths.items[i]);
        autofree(compose_file) struct compose_file *file = NULL;
        if (!compose_file_read(scope->loader, path, shown, folder, &file, err))
            return error_append(err, " (included by %s:%d:%d)", item->mark.file, item->mark.line,
                                item->mark.column);
        if (!compose_file_prepare(scope->loader, file, &variables, err) ||
            !load_file(&inner, file, model, err))
            return false;
    }
    return true;
}

// What the files bring in lies beneath the file that includes them, as in docker compose.
static bool load_file(const struct scope *scope, struct compose_file *file, struct yaml *model,
                      struct error *err) {
    const struct including here = {file->path, scope->up};
    struct scope inner = *scope;
    inner.up = &here;
    const struct yaml *include = yaml_get(file->root, "include");
    if (include != NULL && include->type != YAML_NULL) {
        if (!yaml_expect(include, YAML_LIST, "include", err))
            return false;
        struct yaml *below = yaml_new(scope->loader->arena, YAML_MAP, file->root->mark);
        for (size_t i = 0; i < include->count; i++)
            if (!include_item(&inner, file, include->items[i], below, err))
                return false;
        yaml_remove(file->root, "include");
        yaml_remove(below, "name");
        if (!compose_merge(below, file->root, err))
            return false;
        file->root = below;
    }
    return compose_extend(scope->loader, file, scope->variables, err) &&
           compose_merge(model, file->root, err);
}

// docker compose: lower case; letters, digits, '-' and '_'; a letter or digit first.
static bool valid_project_name(const char *name) {
    if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name))
        return false;
    for (; *name != '\0'; name++)
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '-' &&
            *name != '_')
            return false;
    return true;
}

static char *name_from_folder(const char *folder) {
    const char *base = strrchr(folder, '/') != NULL ? strrchr(folder, '/') + 1 : folder;
    char *name = memory_new(strlen(base) + sizeof "project", 1);
    size_t length = 0;
    for (; *base != '\0'; base++) {
        const char letter = (char)tolower((unsigned char)*base);
        name[length] = letter;
        name[length + 1] = '\0';
        length += (size_t)valid_project_name(name);
        name[length] = '\0';
    }
    if (length == 0)
        snprintf(name, sizeof "project", "project");
    return name;
}

static bool find_name(struct compose *self, struct compose_file *const *files, size_t count,
                      struct compose_loader *loader, struct error *err) {
    self->name = name_from_folder(self->folder);
    for (size_t i = 0; i < count; i++) {
        const struct yaml *name = yaml_get(files[i]->root, "name");
        const char *text = NULL;
        if (name == NULL || name->type == YAML_NULL)
            continue;
        if (!yaml_read_text(name, "name", &text, err))
            return false;
        autofree_string char *value = NULL;
        if (!interpolate(text, &self->variables, name->mark, loader->warnings, &value, err))
            return false;
        if (!valid_project_name(value))
            return mark_error(name->mark, err,
                              "name: \"%s\" may hold lower-case letters, digits, '-' and '_', and "
                              "begins with a letter or digit",
                              value);
        free(self->name);
        self->name = TAKE(value);
    }
    const char *given = variables_get(&self->variables, "COMPOSE_PROJECT_NAME");
    if (given != NULL && valid_project_name(given)) {
        free(self->name);
        self->name = memory_copy_string(given);
    }
    variables_set(&self->variables, "COMPOSE_PROJECT_NAME", self->name);
    return true;
}

static bool load_all(struct compose *self, const struct string_list *paths, const char *current,
                     struct compose_loader *loader, struct compose_file **files,
                     struct error *err) {
    for (size_t i = 0; i < paths->count; i++) {
        autofree_string char *path = compose_path(current, paths->items[i]);
        if (!compose_file_read(loader, path, paths->items[i], self->folder, &files[i], err))
            return false;
    }
    autofree_string char *dotenv = path_join(self->folder, ".env");
    autofree_string char *shown = compose_shown(paths->items[0], ".env");
    if (file_exists(dotenv) && !load_dotenv(dotenv, shown, loader, &self->variables, err))
        return false;
    if (!find_name(self, files, paths->count, loader, err))
        return false;
    self->root = yaml_new(&self->arena, YAML_MAP, files[0]->root->mark);
    const struct scope scope = {loader, self->folder, &self->variables, NULL};
    for (size_t i = 0; i < paths->count; i++)
        if (!compose_file_prepare(loader, files[i], &self->variables, err) ||
            !load_file(&scope, files[i], self->root, err))
            return false;
    return yaml_arena_check(&self->arena, self->root->mark, err);
}

static bool list_paths(const struct compose_sources *sources, struct string_list *paths,
                       struct error *err) {
    for (size_t i = 0; sources->files != NULL && sources->files[i] != NULL; i++)
        string_list_add(paths, sources->files[i]);
    const char *folder = sources->folder != NULL ? sources->folder : ".";
    if (paths->count == 0)
        compose_find(folder, paths);
    if (paths->count == 0)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s: no compose.yaml, compose.yml or docker-compose.yaml here; name one "
                         "with --compose FILE",
                         folder);
    for (size_t i = 0; i < paths->count; i++) { // "./compose.yaml" reads worse than "compose.yaml"
        char *path = paths->items[i];
        while (strncmp(path, "./", 2) == 0 && sources->files == NULL)
            memmove(path, path + 2, strlen(path + 2) + 1);
    }
    return true;
}

bool compose_load(const struct compose_sources *sources, struct string_list *files,
                  struct string_list *warnings, struct compose *ret_compose, struct error *err) {
    autodone(string_list) struct string_list paths = {0};
    if (!list_paths(sources, &paths, err))
        return false;
    autofree_string char *current = getcwd(NULL, 0);
    if (current == NULL)
        return error_set_errno(err, "cannot tell the current folder");
    autodone(compose) struct compose compose = {0};
    autofree_string char *first = compose_path(current, paths.items[0]);
    compose.folder = sources->folder != NULL ? compose_path(current, sources->folder)
                                             : compose_path(first, "..");
    for (size_t i = 0; i < paths.count; i++)
        string_list_take(&compose.main_files, compose_path(current, paths.items[i]));
    struct compose_loader loader = {&compose.arena, files, warnings, NULL, 0};
    struct compose_file **main_files = memory_new(paths.count, sizeof *main_files);
    const bool loaded = load_all(&compose, &paths, current, &loader, main_files, err);
    for (size_t i = 0; i < paths.count; i++)
        compose_file_free(main_files[i]);
    for (size_t i = 0; i < loader.extended_count; i++)
        compose_file_free(loader.extended[i]);
    free(main_files);
    free(loader.extended);
    if (!loaded)
        return false;
    *ret_compose = compose;
    compose = (struct compose){0};
    return true;
}

void compose_done(struct compose *self) {
    if (self == NULL)
        return;
    yaml_arena_done(&self->arena);
    variables_done(&self->variables);
    string_list_done(&self->main_files);
    free(self->name);
    free(self->folder);
    *self = (struct compose){0};
}

struct yaml_entry *compose_section(const struct compose *self, const char *section,
                                   const char *name) {
    return yaml_entry(yaml_get(self->root, section), name);
}
