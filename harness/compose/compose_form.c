#include "compose/compose_form.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "compose/compose_key.h"

#include <ctype.h>
#include <string.h>

typedef bool form_item(const struct compose_former *self, struct yaml **item, const char *where,
                       struct error *err);

static bool form_each(const struct compose_former *self, struct yaml *list, const char *where,
                      form_item *form, struct error *err) {
    for (size_t i = 0; i < list->count; i++) {
        autofree_string char *place = memory_format("%s[%zu]", where, i);
        if (!form(self, &list->items[i], place, err))
            return false;
    }
    return true;
}

static void make_absolute(const struct compose_former *self, struct yaml *map, const char *key) {
    struct yaml *path = yaml_get(map, key);
    if (path == NULL || path->type != YAML_TEXT || path->text[0] == '\0')
        return;
    autofree_string char *absolute = compose_path(self->folder, path->text);
    yaml_set_text(path, absolute);
}

static bool form_volume(const struct compose_former *self, struct yaml **item, const char *where,
                        struct error *err) {
    if ((*item)->type == YAML_TEXT && !compose_volume_form(self, *item, where, item, err))
        return false;
    if (!yaml_expect(*item, YAML_MAP, where, err))
        return false;
    const struct yaml *type = yaml_get(*item, "type");
    if (type != NULL && type->type == YAML_TEXT && strcmp(type->text, "bind") == 0)
        make_absolute(self, *item, "source");
    return true;
}

static bool form_named(const struct compose_former *self, struct yaml **item, const char *where,
                       const char *key, struct error *err) {
    if ((*item)->type == YAML_TEXT) {
        struct yaml *map = yaml_new(self->arena, YAML_MAP, (*item)->mark);
        yaml_set(map, key, (*item)->mark, *item);
        *item = map;
    }
    return yaml_expect(*item, YAML_MAP, where, err);
}

static bool form_grant(const struct compose_former *self, struct yaml **item, const char *where,
                       struct error *err) {
    return form_named(self, item, where, "source", err);
}

static bool form_env_file(const struct compose_former *self, struct yaml **item, const char *where,
                          struct error *err) {
    if (!form_named(self, item, where, "path", err))
        return false;
    make_absolute(self, *item, "path");
    return true;
}

static bool form_text(const struct compose_former *self, struct yaml **item, const char *where,
                      struct error *err) {
    (void)self;
    const char *text = NULL;
    return yaml_read_text(*item, where, &text, err);
}

static struct yaml *replace(struct yaml *map, const char *key, struct yaml *value) {
    struct yaml_entry *entry = yaml_entry(map, key);
    value->tag = entry->value->tag;
    entry->value = value;
    return value;
}

// A text of a list that becomes a mapping: its key and value there.
typedef bool form_entry(const struct compose_former *self, const struct yaml *item,
                        const char *where, char **ret_key, struct yaml **ret_value,
                        struct error *err);

// A name that is given twice keeps its last value, as in Compose.
static bool form_map(const struct compose_former *self, struct yaml *service, const char *key,
                     const char *where, form_entry *form, struct error *err) {
    struct yaml *list = yaml_get(service, key);
    struct yaml *map = yaml_new(self->arena, YAML_MAP, list->mark);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml *item = list->items[i];
        autofree_string char *place = memory_format("%s[%zu]", where, i);
        autofree_string char *name = NULL;
        struct yaml *value = NULL;
        if (!form(self, item, place, &name, &value, err))
            return false;
        if (map->count >= YAML_MOST_KEYS)
            return mark_error(item->mark, err, "%s: more than %d of them", where, YAML_MOST_KEYS);
        yaml_set(map, name, item->mark, value);
    }
    replace(service, key, map);
    return true;
}

// K=V -> K: V, and L -> L: null.
static bool form_pair(const struct compose_former *self, const struct yaml *item, const char *where,
                      char **ret_key, struct yaml **ret_value, struct error *err) {
    const char *text = NULL;
    if (!yaml_read_text(item, where, &text, err))
        return false;
    const size_t length = strcspn(text, "=");
    if (length == 0)
        return mark_error(item->mark, err, "%s: \"%s\" has no name before the =", where, text);
    *ret_key = memory_copy_bytes(text, length);
    *ret_value = text[length] == '=' ? yaml_new_text(self->arena, text + length + 1, item->mark)
                                     : yaml_new(self->arena, YAML_NULL, item->mark);
    return true;
}

static bool form_name(const struct compose_former *self, const struct yaml *item, const char *where,
                      char **ret_key, struct yaml **ret_value, struct error *err) {
    const char *name = NULL;
    if (!yaml_read_text(item, where, &name, err))
        return false;
    *ret_key = memory_copy_string(name);
    *ret_value = yaml_new(self->arena, YAML_NULL, item->mark);
    return true;
}

// The engine wants "host:address"; Compose also takes "host=address", which reads better for IPv6.
static bool add_host(const struct compose_former *self, struct yaml *list, const char *host,
                     const struct yaml *address, const char *where, struct error *err) {
    const char *text = NULL;
    if (!yaml_read_text(address, where, &text, err))
        return false;
    autofree_string char *line = memory_format("%s:%s", host, text);
    yaml_add(list, yaml_new_text(self->arena, line, address->mark));
    return true;
}

static bool form_hosts(const struct compose_former *self, struct yaml *service, const char *key,
                       const char *where, struct error *err) {
    const struct yaml *hosts = yaml_get(service, key);
    struct yaml *list = yaml_new(self->arena, YAML_LIST, hosts->mark);
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->type == YAML_MAP) {
            const struct yaml_entry *entry = &hosts->entries[i];
            const struct yaml *value = entry->value;
            const size_t addresses = value->type == YAML_LIST ? value->count : 1;
            for (size_t j = 0; j < addresses; j++)
                if (!add_host(self, list, entry->key,
                              value->type == YAML_LIST ? value->items[j] : value, where, err))
                    return false;
            continue;
        }
        const char *text = NULL;
        if (!yaml_read_text(hosts->items[i], where, &text, err))
            return false;
        const char *separator = strchr(text, '=') != NULL ? strchr(text, '=') : strchr(text, ':');
        if (separator == NULL || separator == text || separator[1] == '\0')
            return mark_error(hosts->items[i]->mark, err, "%s: expected host=address, found \"%s\"",
                              where, text);
        autofree_string char *host = memory_copy_bytes(text, (size_t)(separator - text));
        autofree_string char *line = memory_format("%s:%s", host, separator + 1);
        yaml_add(list, yaml_new_text(self->arena, line, hosts->items[i]->mark));
    }
    replace(service, key, list);
    return true;
}

static void wrap_in_list(const struct compose_former *self, struct yaml *service, const char *key) {
    struct yaml *text = yaml_get(service, key);
    if (text->type != YAML_TEXT)
        return;
    struct yaml *list = yaml_new(self->arena, YAML_LIST, text->mark);
    yaml_add(list, text);
    replace(service, key, list);
    text->tag = YAML_TAG_NONE;
}

static bool form_value(const struct compose_former *self, struct yaml *service,
                       const struct compose_key *key, const char *where, struct error *err) {
    struct yaml *value = yaml_get(service, key->name);
    switch (key->form) {
    case FORM_AS_WRITTEN:
        // A list of anything but mappings holds texts; those that may hold mappings say so when
        // read.
        if (value->type == YAML_LIST && key->merge == MERGE_BY_TEXT && strcmp(key->name, "ports"))
            return form_each(self, value, where, form_text, err);
        return true;
    case FORM_LIST:
        wrap_in_list(self, service, key->name);
        return form_each(self, yaml_get(service, key->name), where, form_text, err);
    case FORM_PAIRS:
        return value->type == YAML_MAP || form_map(self, service, key->name, where, form_pair, err);
    case FORM_NAMES:
        return value->type == YAML_MAP || form_map(self, service, key->name, where, form_name, err);
    case FORM_HOSTS:
        return form_hosts(self, service, key->name, where, err);
    case FORM_VOLUMES:
        return form_each(self, value, where, form_volume, err);
    case FORM_GRANTS:
        return form_each(self, value, where, form_grant, err);
    case FORM_ENV_FILE:
        wrap_in_list(self, service, key->name);
        return form_each(self, yaml_get(service, key->name), where, form_env_file, err);
    case FORM_BUILD:
        return form_named(self, &yaml_entry(service, key->name)->value, where, "context", err);
    }
    return true;
}

static bool check_shape(const struct yaml *value, unsigned shapes, const char *where,
                        struct error *err) {
    static const char *const expected[] = {
        [SHAPE_TEXT] = "a single value",
        [SHAPE_LIST] = "a list",
        [SHAPE_MAP] = "a mapping",
        [SHAPE_TEXT | SHAPE_LIST] = "a single value or a list",
        [SHAPE_TEXT | SHAPE_MAP] = "a single value or a mapping",
        [SHAPE_LIST | SHAPE_MAP] = "a list or a mapping",
    };
    const unsigned shape = value->type == YAML_TEXT   ? SHAPE_TEXT
                           : value->type == YAML_LIST ? SHAPE_LIST
                                                      : SHAPE_MAP;
    if (shapes & shape)
        return true;
    return mark_error(value->mark, err, "%s: expected %s, found %s", where, expected[shapes],
                      yaml_type_name(value->type));
}

static bool form_service(const struct compose_former *self, const char *name, struct yaml *service,
                         struct error *err) {
    for (size_t i = 0; i < service->count; i++) {
        const struct compose_key *key = compose_service_key(service->entries[i].key);
        const struct yaml *value = service->entries[i].value;
        if (key == NULL || value->type == YAML_NULL || value->tag == YAML_TAG_RESET)
            continue;
        autofree_string char *where = memory_format("services.%s.%s", name, key->name);
        if (!check_shape(value, key->shapes, where, err) ||
            !form_value(self, service, key, where, err))
            return false;
    }
    return true;
}

static bool valid_name(const char *name) {
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL)
            return false;
    return *name != '\0';
}

static bool form_section(const struct compose_former *self, struct yaml *root, const char *name,
                         struct error *err) {
    struct yaml *section = yaml_get(root, name);
    if (section == NULL || section->type == YAML_NULL || section->tag == YAML_TAG_RESET)
        return true;
    if (!yaml_expect(section, YAML_MAP, name, err))
        return false;
    for (size_t i = 0; i < section->count; i++) {
        struct yaml_entry *entry = &section->entries[i];
        if (strncmp(entry->key, "x-", 2) == 0)
            continue;
        autofree_string char *where = memory_format("%s.%s", name, entry->key);
        if (!valid_name(entry->key))
            return mark_error(entry->mark, err, "%s: a name is letters, digits, '.', '_' and '-'",
                              where);
        if (entry->value->tag == YAML_TAG_RESET)
            continue;
        if (entry->value->type == YAML_NULL)
            entry->value = yaml_new(self->arena, YAML_MAP, entry->mark);
        if (!yaml_expect(entry->value, YAML_MAP, where, err))
            return false;
        if (strcmp(name, "services") == 0 && !form_service(self, entry->key, entry->value, err))
            return false;
        if (strcmp(name, "secrets") == 0 || strcmp(name, "configs") == 0)
            make_absolute(self, entry->value, "file");
    }
    return true;
}

bool compose_form(const struct compose_former *self, struct yaml *root, struct error *err) {
    static const char *const sections[] = {"services", "networks", "volumes", "secrets", "configs"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        if (!form_section(self, root, sections[i], err))
            return false;
    return yaml_arena_check(self->arena, root->mark, err);
}
