// One Compose file: part of compose_loader.h.
#include "compose/compose_loader.h"

#include "base/memory.h"
#include "compose/compose_form.h"
#include "compose/interpolate.h"
#include "compose/suggestion.h"
#include "compose/yaml_document.h"

#include <string.h>

enum { MOST_FILES = 1000 };

static void check_sections(const struct compose_loader *loader, const struct yaml *root) {
    static const char *const known[] = {"services", "networks", "volumes", "secrets", "configs",
                                        "include",  "name",     "version", "models",  NULL};
    for (size_t i = 0; i < root->count; i++) {
        const struct yaml_entry *entry = &root->entries[i];
        bool found = strncmp(entry->key, "x-", 2) == 0;
        for (size_t j = 0; known[j] != NULL && !found; j++)
            found = strcmp(entry->key, known[j]) == 0;
        const char *near = found ? NULL : suggestion_of(entry->key, known);
        if (near != NULL)
            mark_warning(entry->mark, loader->warnings,
                         "unknown key \"%s\", left out; did you mean \"%s\"?", entry->key, near);
        else if (!found)
            mark_warning(entry->mark, loader->warnings, "unknown key \"%s\", left out", entry->key);
    }
}

bool compose_file_read(struct compose_loader *loader, const char *path, const char *shown,
                       const char *folder, struct compose_file **ret_file, struct error *err) {
    if (loader->files->count >= MOST_FILES)
        return mark_error((struct mark){.file = shown}, err, "more than %d files are read",
                          MOST_FILES);
    string_list_add(loader->files, shown);
    autofree(compose_file) struct compose_file *file = memory_new(1, sizeof *file);
    file->shown = loader->files->items[loader->files->count - 1];
    file->path = memory_copy_string(path);
    autofree_string char *own_folder = compose_path(path, "..");
    file->folder = memory_copy_string(folder != NULL ? folder : own_folder);
    if (!yaml_document_load(loader->arena, path, file->shown, &file->root, err))
        return false;
    if (file->root->type == YAML_NULL)
        return mark_error((struct mark){.file = file->shown}, err, "the file is empty");
    if (file->root->type != YAML_MAP)
        return mark_error(file->root->mark, err,
                          "expected a mapping with services: in it, found %s",
                          yaml_type_name(file->root->type));
    check_sections(loader, file->root);
    *ret_file = TAKE(file);
    return true;
}

bool compose_file_prepare(struct compose_loader *loader, struct compose_file *file,
                          const struct variables *variables, struct error *err) {
    const struct compose_former former = {loader->arena, file->folder, loader->warnings};
    return interpolate_tree(file->root, variables, loader->warnings, err) &&
           compose_form(&former, file->root, err);
}

void compose_file_free(struct compose_file *self) {
    if (self == NULL)
        return;
    free(self->path);
    free(self->folder);
    free(self);
}

char *compose_shown(const char *by, const char *path) {
    const char *slash = strrchr(by, '/');
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    if (path[0] == '/' || slash == NULL)
        return memory_copy_string(path);
    return memory_format("%.*s/%s", (int)(slash - by), by, path);
}
