// A YAML value as a tree: what yaml_document.h reads, and what the Compose rooms merge and read
// from.
//
// Every value belongs to an arena and lives as long as it. Values are never shared between two
// places (an alias is a copy), so that a value may be changed where it stands.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "compose/mark.h"

#include <stdbool.h>
#include <stddef.h>

enum yaml_type { YAML_NULL, YAML_TEXT, YAML_LIST, YAML_MAP };
enum yaml_tag { YAML_TAG_NONE, YAML_TAG_RESET, YAML_TAG_OVERRIDE }; // Compose's own two tags

struct yaml {
    enum yaml_type type;
    enum yaml_tag tag;
    struct mark mark;
    char *text;                 // YAML_TEXT: numbers and booleans too, as written
    struct yaml_entry *entries; // YAML_MAP, in the order of the file
    struct yaml **items;        // YAML_LIST
    size_t count;
    size_t capacity;
};

struct yaml_entry {
    char *key;
    struct mark mark; // of the key
    struct yaml *value;
};

// More values than any real file has: what keeps aliases of aliases, extends and include bounded.
enum { YAML_MOST_VALUES = 100000, YAML_MOST_KEYS = 2048, YAML_MOST_DEPTH = 48 };

struct yaml_arena {
    struct yaml **values;
    size_t count;
    size_t capacity;
    bool exhausted; // YAML_MOST_VALUES was passed: copies made since then are incomplete
};

void yaml_arena_done(struct yaml_arena *self);
// ERROR_CONFIGURATION when the arena is exhausted.
bool yaml_arena_check(const struct yaml_arena *self, struct mark mark, struct error *err) must_use;

// Always gives a value; passing the limit marks the arena as exhausted, which the next
// yaml_arena_check() reports. Only copying and reading files can grow it by more than a constant.
struct yaml *yaml_new(struct yaml_arena *arena, enum yaml_type type, struct mark mark);
struct yaml *yaml_new_text(struct yaml_arena *arena, const char *text, struct mark mark);
struct yaml *yaml_copy(struct yaml_arena *arena, const struct yaml *value);
int yaml_depth(const struct yaml *value); // 1 for a text

void yaml_add(struct yaml *list, struct yaml *item);
// Replaces the value of the key, or adds it at the end.
void yaml_set(struct yaml *map, const char *key, struct mark key_mark, struct yaml *value);
void yaml_set_text(struct yaml *value, const char *text); // makes it a YAML_TEXT
void yaml_remove(struct yaml *map, const char *key);

// NULL when the value is no map (or NULL), or has no such key.
struct yaml *yaml_get(const struct yaml *map, const char *key);
struct yaml_entry *yaml_entry(const struct yaml *map, const char *key);
const char *yaml_type_name(enum yaml_type type); // "a list": for messages

// Reading with the place (`where`, as in "services.db.ports") in the error.
bool yaml_expect(const struct yaml *value, enum yaml_type type, const char *where,
                 struct error *err) must_use;
bool yaml_read_text(const struct yaml *value, const char *where, const char **ret_text,
                    struct error *err) must_use; // borrowed
bool yaml_read_bool(const struct yaml *value, const char *where, bool *ret_value,
                    struct error *err) must_use;
bool yaml_read_integer(const struct yaml *value, const char *where, long long least, long long most,
                       long long *ret_value, struct error *err) must_use;
bool yaml_read_number(const struct yaml *value, const char *where, double *ret_value,
                      struct error *err) must_use; // finite, not negative
bool yaml_read_octal(const struct yaml *value, const char *where, unsigned *ret_mode,
                     struct error *err) must_use; // a file mode: 0440, "0440", 0o440
bool yaml_read_bytes(const struct yaml *value, const char *where, long long *ret_bytes,
                     struct error *err) must_use; // see quantity.h
bool yaml_read_duration(const struct yaml *value, const char *where, long long *ret_ns,
                        struct error *err) must_use;

DEFINE_AUTODONE(yaml_arena, yaml_arena_done);
