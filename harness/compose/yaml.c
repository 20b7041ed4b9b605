#include "compose/yaml.h"

#include "base/memory.h"

#include <string.h>

static void empty(struct yaml *value) {
    for (size_t i = 0; value->entries != NULL && i < value->count; i++)
        free(value->entries[i].key);
    free(value->entries);
    free(value->items);
    free(value->text);
    value->entries = NULL;
    value->items = NULL;
    value->text = NULL;
    value->count = 0;
    value->capacity = 0;
}

void yaml_arena_done(struct yaml_arena *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++) {
        empty(self->values[i]);
        free(self->values[i]);
    }
    free(self->values);
    *self = (struct yaml_arena){0};
}

bool yaml_arena_check(const struct yaml_arena *self, struct mark mark, struct error *err) {
    if (!self->exhausted)
        return true;
    return mark_error(mark, err,
                      "more than %d values once aliases, extends and include are expanded",
                      YAML_MOST_VALUES);
}

struct yaml *yaml_new(struct yaml_arena *arena, enum yaml_type type, struct mark mark) {
    if (arena->count >= YAML_MOST_VALUES)
        arena->exhausted = true;
    if (arena->count == arena->capacity) {
        arena->capacity = arena->capacity > 0 ? arena->capacity * 2 : 64;
        arena->values = memory_resize(arena->values, arena->capacity, sizeof(struct yaml *));
    }
    struct yaml *value = memory_new(1, sizeof *value);
    *value = (struct yaml){.type = type, .mark = mark};
    arena->values[arena->count++] = value;
    return value;
}

struct yaml *yaml_new_text(struct yaml_arena *arena, const char *text, struct mark mark) {
    struct yaml *value = yaml_new(arena, YAML_TEXT, mark);
    value->text = memory_copy_string(text);
    return value;
}

static void *grown(void *block, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return block;
    *capacity = *capacity > 0 ? *capacity * 2 : 4;
    return memory_resize(block, *capacity, size);
}

void yaml_add(struct yaml *list, struct yaml *item) {
    list->items = grown(list->items, list->count, &list->capacity, sizeof(struct yaml *));
    list->items[list->count++] = item;
}

void yaml_set(struct yaml *map, const char *key, struct mark key_mark, struct yaml *value) {
    struct yaml_entry *entry = yaml_entry(map, key);
    if (entry == NULL) {
        map->entries = grown(map->entries, map->count, &map->capacity, sizeof(struct yaml_entry));
        entry = &map->entries[map->count++];
        entry->key = memory_copy_string(key);
    }
    entry->mark = key_mark;
    entry->value = value;
}

void yaml_set_text(struct yaml *value, const char *text) {
    char *copy = memory_copy_string(text); // it may be the value's own
    empty(value);
    value->type = YAML_TEXT;
    value->text = copy;
}

void yaml_remove(struct yaml *map, const char *key) {
    struct yaml_entry *entry = yaml_entry(map, key);
    if (entry == NULL)
        return;
    free(entry->key);
    const size_t after = map->count - (size_t)(entry - map->entries) - 1;
    memmove(entry, entry + 1, after * sizeof *entry);
    map->count--;
}

// Recursion is bounded by YAML_MOST_DEPTH: the reader lets nothing deeper in.
struct yaml *yaml_copy(struct yaml_arena *arena, const struct yaml *value) {
    struct yaml *copy = yaml_new(arena, value->type, value->mark);
    copy->tag = value->tag;
    if (value->type == YAML_TEXT)
        copy->text = memory_copy_string(value->text);
    for (size_t i = 0; i < value->count && !arena->exhausted; i++) {
        const bool map = value->type == YAML_MAP;
        struct yaml *child = yaml_copy(arena, map ? value->entries[i].value : value->items[i]);
        if (map)
            yaml_set(copy, value->entries[i].key, value->entries[i].mark, child);
        else
            yaml_add(copy, child);
    }
    return copy;
}

int yaml_depth(const struct yaml *value) {
    int deepest = 0;
    for (size_t i = 0; i < value->count; i++) {
        const bool map = value->type == YAML_MAP;
        const int depth = yaml_depth(map ? value->entries[i].value : value->items[i]);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

struct yaml_entry *yaml_entry(const struct yaml *map, const char *key) {
    if (map == NULL || map->type != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->entries[i].key, key) == 0)
            return &map->entries[i];
    return NULL;
}

struct yaml *yaml_get(const struct yaml *map, const char *key) {
    const struct yaml_entry *entry = yaml_entry(map, key);
    return entry != NULL ? entry->value : NULL;
}
