// `extends` (Compose specification, 05-services): part of compose_loader.h.
#include "compose/compose_loader.h"

#include "base/memory.h"
#include "base/text.h"
#include "compose/compose_form.h"
#include "compose/compose_merge.h"
#include "compose/suggestion.h"

#include <string.h>

enum { DEEPEST = 32 };

// The services on the way from the first that extends to the present one.
struct chain {
    const struct compose_file *file;
    const char *service;
    int length;
    const struct chain *up;
};

static void describe(const struct chain *chain, const struct chain *until, struct text *text) {
    if (chain != until && chain->up != NULL)
        describe(chain->up, until, text);
    text_appendf(text, "%s (%s) -> ", chain->service, chain->file->shown);
}

static bool check_cycle(const struct chain *chain, struct mark mark, struct error *err) {
    if (chain->length > DEEPEST)
        return mark_error(mark, err, "services extend each other more than %d times", DEEPEST);
    for (const struct chain *at = chain->up; at != NULL; at = at->up) {
        if (strcmp(at->service, chain->service) != 0 ||
            strcmp(at->file->path, chain->file->path) != 0)
            continue;
        autodone(text) struct text cycle = {.limit = 1024};
        describe(chain->up, at, &cycle);
        return mark_error(mark, err, "services extend each other in a circle: %s%s (%s)",
                          text_string(&cycle), chain->service, chain->file->shown);
    }
    return true;
}

// Each file is read once, however many services extend from it.
static bool open_file(struct compose_loader *loader, const struct compose_file *by,
                      const char *name, const struct variables *variables, struct mark mark,
                      struct compose_file **ret_file, struct error *err) {
    autofree_string char *path = compose_path(by->folder, name);
    if (strcmp(path, by->path) == 0) {
        // The present file, named by itself: the tree at hand, which is being worked on.
        return mark_error(mark, err, "extends: leave out file: to extend a service of this file");
    }
    for (size_t i = 0; i < loader->extended_count; i++) {
        if (strcmp(loader->extended[i]->path, path) == 0) {
            *ret_file = loader->extended[i];
            return true;
        }
    }
    autofree_string char *shown = compose_shown(by->shown, name);
    autofree(compose_file) struct compose_file *file = NULL;
    if (!compose_file_read(loader, path, shown, NULL, &file, err) ||
        !compose_file_prepare(loader, file, variables, err))
        return error_append(err, " (named by extends in %s:%d:%d)", mark.file, mark.line,
                            mark.column);
    loader->extended =
        memory_resize(loader->extended, loader->extended_count + 1, sizeof(struct compose_file *));
    loader->extended[loader->extended_count++] = file;
    *ret_file = TAKE(file);
    return true;
}

static const char *service_at(const void *context, size_t i) {
    const struct yaml *services = context;
    return services != NULL && i < services->count ? services->entries[i].key : NULL;
}

static bool no_such_service(const struct compose_file *file, const char *name, struct mark mark,
                            struct error *err) {
    const char *near = suggestion(name, service_at, yaml_get(file->root, "services"));
    mark_error(mark, err, "extends: there is no service \"%s\" in %s", name, file->shown);
    return near != NULL ? error_append(err, "; did you mean \"%s\"?", near) : false;
}

static bool read_extends(const struct yaml *extends, const char *where, const char **ret_service,
                         const char **ret_file, struct error *err) {
    *ret_file = NULL;
    if (extends->type == YAML_TEXT)
        return yaml_read_text(extends, where, ret_service, err);
    if (!yaml_expect(extends, YAML_MAP, where, err))
        return false;
    const struct yaml *service = yaml_get(extends, "service");
    const struct yaml *file = yaml_get(extends, "file");
    if (service == NULL)
        return mark_error(extends->mark, err, "%s: service is missing", where);
    return yaml_read_text(service, where, ret_service, err) &&
           (file == NULL || yaml_read_text(file, where, ret_file, err));
}

static bool resolve(struct compose_loader *loader, const struct compose_file *file,
                    const char *name, const struct variables *variables, const struct chain *up,
                    struct mark mark, struct error *err) {
    const struct chain chain = {file, name, up != NULL ? up->length + 1 : 1, up};
    struct yaml_entry *entry = yaml_entry(yaml_get(file->root, "services"), name);
    if (entry == NULL)
        return no_such_service(file, name, mark, err);
    struct yaml *service = entry->value;
    const struct yaml *extends = yaml_get(service, "extends");
    if (extends == NULL || extends->type == YAML_NULL)
        return true;
    if (!check_cycle(&chain, mark, err))
        return false;
    autofree_string char *where = memory_format("services.%s.extends", name);
    const char *base_name = NULL;
    const char *base_path = NULL;
    if (!read_extends(extends, where, &base_name, &base_path, err))
        return false;
    struct compose_file *other = NULL;
    if (base_path != NULL &&
        !open_file(loader, file, base_path, variables, extends->mark, &other, err))
        return false;
    const struct compose_file *base_file = other != NULL ? other : file;
    if (!resolve(loader, base_file, base_name, variables, &chain, extends->mark, err))
        return false;
    const struct yaml *base = yaml_get(yaml_get(base_file->root, "services"), base_name);
    struct yaml *merged = yaml_copy(loader->arena, base);
    if (!yaml_arena_check(loader->arena, extends->mark, err))
        return false;
    yaml_remove(service, "extends");
    if (!compose_merge_service(merged, service, name, err))
        return false;
    merged->mark = service->mark;
    entry->value = merged;
    return true;
}

bool compose_extend(struct compose_loader *loader, struct compose_file *file,
                    const struct variables *variables, struct error *err) {
    const struct yaml *services = yaml_get(file->root, "services");
    for (size_t i = 0; services != NULL && i < services->count; i++)
        if (services->entries[i].value->type == YAML_MAP &&
            !resolve(loader, file, services->entries[i].key, variables, NULL,
                     services->entries[i].mark, err))
            return false;
    return true;
}
