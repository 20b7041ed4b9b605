#include "compose/compose_merge.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "compose/compose_key.h"

#include <string.h>

enum level { LEVEL_ROOT, LEVEL_SERVICES, LEVEL_SERVICE, LEVEL_INSIDE };

static bool merge_map(struct yaml *base, struct yaml *over, enum level level, const char *where,
                      struct error *err);

// What makes two items of a list the same; NULL: nothing does.
static const char *identity(const struct yaml *item, enum compose_merge rule) {
    if (rule == MERGE_BY_TEXT)
        return item->type == YAML_TEXT ? item->text : NULL;
    const struct yaml *key = yaml_get(item, rule == MERGE_BY_PATH ? "path" : "target");
    if (key == NULL && rule == MERGE_BY_TARGET)
        key = yaml_get(item, "source"); // a secret's or config's default target
    return key != NULL && key->type == YAML_TEXT ? key->text : NULL;
}

static void merge_list(struct yaml *base, const struct yaml *over, enum compose_merge rule) {
    for (size_t i = 0; i < over->count; i++) {
        const char *same = rule == MERGE_DEEP ? NULL : identity(over->items[i], rule);
        size_t at = base->count;
        for (size_t j = 0; same != NULL && j < base->count; j++) {
            const char *other = identity(base->items[j], rule);
            if (other != NULL && strcmp(same, other) == 0) {
                at = j;
                break;
            }
        }
        if (at < base->count)
            base->items[at] = over->items[i];
        else
            yaml_add(base, over->items[i]);
    }
}

// Inside a service some keys are replaced although their surroundings are merged.
static enum compose_merge rule_inside(const char *where, const char *key) {
    const char *dot = strrchr(where, '.');
    const char *parent = dot != NULL ? dot + 1 : where;
    const bool test = strcmp(parent, "healthcheck") == 0 && strcmp(key, "test") == 0;
    const bool pool = strcmp(parent, "ipam") == 0 && strcmp(key, "config") == 0;
    return test || pool || strcmp(parent, "ulimits") == 0 ? MERGE_REPLACE : MERGE_DEEP;
}

static enum compose_merge rule_of(enum level level, const char *where, const char *key) {
    if (level == LEVEL_SERVICE) {
        const struct compose_key *known = compose_service_key(key);
        return known != NULL ? known->merge : MERGE_DEEP;
    }
    return level == LEVEL_INSIDE ? rule_inside(where, key) : MERGE_DEEP;
}

static enum level level_below(enum level level, const char *key) {
    if (level == LEVEL_ROOT)
        return strcmp(key, "services") == 0 ? LEVEL_SERVICES : LEVEL_INSIDE;
    return level == LEVEL_SERVICES ? LEVEL_SERVICE : LEVEL_INSIDE;
}

// Takes the two tags out of a value that has nothing below it to act on, and repeated items out of
// lists.
static bool settle(struct yaml *value, enum level level, const char *where, struct error *err) {
    if (value->type != YAML_MAP)
        return true;
    struct yaml empty = {.type = YAML_MAP, .mark = value->mark};
    const struct yaml before = *value;
    *value = empty; // merged anew from nothing, which applies every rule once
    struct yaml over = before;
    const bool merged = merge_map(value, &over, level, where, err);
    for (size_t i = 0; i < over.count; i++)
        free(over.entries[i].key);
    free(over.entries);
    return merged;
}

static bool settle_list(struct yaml *list, enum compose_merge rule) {
    if (rule == MERGE_DEEP || rule == MERGE_REPLACE)
        return true;
    const struct yaml before = *list;
    list->items = NULL;
    list->count = list->capacity = 0;
    merge_list(list, &before, rule);
    free(before.items);
    return true;
}

static bool merge_value(struct yaml_entry *base, struct yaml *over, enum compose_merge rule,
                        enum level below, const char *where, struct error *err) {
    struct yaml *value = base->value;
    if (over->type == YAML_NULL)
        return true;
    if (value->type == YAML_MAP && over->type == YAML_MAP && rule == MERGE_DEEP)
        return merge_map(value, over, below, where, err);
    if (value->type == YAML_LIST && over->type == YAML_LIST && rule != MERGE_REPLACE) {
        merge_list(value, over, rule);
        return true;
    }
    if (value->type != over->type && rule == MERGE_DEEP && value->type != YAML_NULL &&
        (value->type == YAML_MAP || over->type == YAML_MAP))
        return mark_error(over->mark, err,
                          "%s: %s cannot be merged with %s of %s:%d; write !override to replace it",
                          where, yaml_type_name(over->type), yaml_type_name(value->type),
                          value->mark.file, value->mark.line);
    base->value = over;
    return settle(over, below, where, err);
}

static bool add_entry(struct yaml *base, const struct yaml_entry *entry, enum compose_merge rule,
                      enum level below, const char *where, struct error *err) {
    yaml_set(base, entry->key, entry->mark, entry->value);
    entry->value->tag = YAML_TAG_NONE;
    if (entry->value->type == YAML_LIST)
        return settle_list(entry->value, rule);
    return settle(entry->value, below, where, err);
}

static bool merge_map(struct yaml *base, struct yaml *over, enum level level, const char *where,
                      struct error *err) {
    for (size_t i = 0; i < over->count; i++) {
        const struct yaml_entry *entry = &over->entries[i];
        autofree_string char *place = *where == '\0' ? memory_copy_string(entry->key)
                                                     : memory_format("%s.%s", where, entry->key);
        const enum compose_merge rule = rule_of(level, where, entry->key);
        const enum level below = level_below(level, entry->key);
        struct yaml_entry *present = yaml_entry(base, entry->key);
        bool merged = true;
        if (entry->value->tag == YAML_TAG_RESET)
            yaml_remove(base, entry->key);
        else if (present == NULL || entry->value->tag == YAML_TAG_OVERRIDE)
            merged = add_entry(base, entry, rule, below, place, err);
        else
            merged = merge_value(present, entry->value, rule, below, place, err);
        if (!merged)
            return false;
        if (base->count > YAML_MOST_KEYS)
            return mark_error(entry->mark, err, "%s: more than %d keys", where, YAML_MOST_KEYS);
    }
    return true;
}

bool compose_merge(struct yaml *base, struct yaml *over, struct error *err) {
    return merge_map(base, over, LEVEL_ROOT, "", err);
}

bool compose_merge_service(struct yaml *base, struct yaml *over, const char *name,
                           struct error *err) {
    autofree_string char *where = memory_format("services.%s", name);
    return merge_map(base, over, LEVEL_SERVICE, where, err);
}
