// A short-syntax volume as a mapping: part of compose_form.h.
#include "compose/compose_form.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

char *compose_path(const char *folder, const char *path) {
    const char *home = getenv("HOME");
    autofree_string char *whole = NULL;
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && home != NULL)
        whole = memory_format("%s%s", home, path + 1);
    else
        whole = path[0] == '/' ? memory_copy_string(path) : memory_format("%s/%s", folder, path);
    char *clean = memory_new(strlen(whole) + 2, 1);
    size_t length = 0;
    for (const char *at = whole; *at != '\0';) {
        at += strspn(at, "/");
        const size_t part = strcspn(at, "/");
        if (part == 2 && strncmp(at, "..", 2) == 0) {
            while (length > 0 && clean[--length] != '/') {
            }
        } else if (part > 0 && !(part == 1 && *at == '.')) {
            clean[length++] = '/';
            memcpy(clean + length, at, part);
            length += part;
        }
        at += part;
    }
    if (length == 0)
        clean[length++] = '/';
    clean[length] = '\0';
    return clean;
}

static void set(const struct compose_former *self, struct yaml *map, const char *key,
                const char *text) {
    yaml_set(map, key, map->mark, yaml_new_text(self->arena, text, map->mark));
}

static struct yaml *nested(const struct compose_former *self, struct yaml *map, const char *key) {
    struct yaml *inner = yaml_get(map, key);
    if (inner == NULL) {
        inner = yaml_new(self->arena, YAML_MAP, map->mark);
        yaml_set(map, key, map->mark, inner);
    }
    return inner;
}

static bool set_option(const struct compose_former *self, struct yaml *volume, const char *option) {
    static const char *const harmless[] = {"rw", "cached", "delegated", "consistent", NULL};
    static const char *const propagations[] = {"private", "rprivate", "shared", "rshared",
                                               "slave",   "rslave",   NULL};
    for (size_t i = 0; harmless[i] != NULL; i++)
        if (strcmp(option, harmless[i]) == 0)
            return true;
    if (strcmp(option, "ro") == 0)
        set(self, volume, "read_only", "true");
    else if (strcmp(option, "nocopy") == 0)
        set(self, nested(self, volume, "volume"), "nocopy", "true");
    else if (strcmp(option, "z") == 0 || strcmp(option, "Z") == 0)
        set(self, nested(self, volume, "bind"), "selinux", option);
    else {
        for (size_t i = 0; propagations[i] != NULL; i++) {
            if (strcmp(option, propagations[i]) == 0) {
                set(self, nested(self, volume, "bind"), "propagation", option);
                return true;
            }
        }
        return false;
    }
    return true;
}

static bool set_options(const struct compose_former *self, struct yaml *volume, const char *options,
                        const char *where, struct error *err) {
    while (*options != '\0') {
        const size_t length = strcspn(options, ",");
        autofree_string char *option = memory_copy_bytes(options, length);
        if (!set_option(self, volume, option))
            return mark_error(volume->mark, err, "%s: unknown volume option \"%s\"", where, option);
        options += length + (options[length] == ',');
    }
    return true;
}

bool compose_volume_form(const struct compose_former *self, const struct yaml *item,
                         const char *where, struct yaml **ret_volume, struct error *err) {
    autofree_string char *text = memory_copy_string(item->text);
    char *parts[3] = {text, NULL, NULL};
    size_t count = 1;
    for (char *colon = text; (colon = strchr(colon, ':')) != NULL; colon++) {
        if (count == 3)
            return mark_error(item->mark, err, "%s: too many colons in \"%s\"", where, item->text);
        *colon = '\0';
        parts[count++] = colon + 1;
    }
    for (size_t i = 0; i < count; i++)
        if (parts[i][0] == '\0')
            return mark_error(item->mark, err, "%s: an empty part in \"%s\"", where, item->text);
    const char *source = count > 1 ? parts[0] : NULL;
    const char *target = count > 1 ? parts[1] : parts[0];
    struct yaml *volume = yaml_new(self->arena, YAML_MAP, item->mark);
    const bool bind = source != NULL && strchr("./~", source[0]) != NULL;
    set(self, volume, "type", bind ? "bind" : "volume");
    if (source != NULL)
        set(self, volume, "source", source);
    set(self, volume, "target", target);
    // A missing source is made by docker compose for the short syntax; here it is an error all
    // the same, because what a service then sees is an empty folder that nobody meant.
    if (count == 3 && !set_options(self, volume, parts[2], where, err))
        return false;
    *ret_volume = volume;
    return true;
}
