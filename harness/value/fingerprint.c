#include "value/fingerprint.h"

#include "base/check.h"
#include "base/memory.h"

#include <string.h>

struct fingerprint *fingerprint_new(const char *engine) {
    struct fingerprint *self = memory_new(1, sizeof *self);
    self->engine = memory_copy_string(engine);
    return self;
}

static void object_done(struct fingerprint_object *self) {
    for (size_t i = 0; i < self->attribute_count; i++) {
        free(self->attributes[i].name);
        free(self->attributes[i].value);
    }
    free(self->attributes);
    free(self->kind);
    free(self->name);
    row_content_done(&self->content);
}

void fingerprint_free(struct fingerprint *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->object_count; i++)
        object_done(&self->objects[i]);
    free(self->objects);
    free(self->engine);
    free(self);
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return items;
    *capacity = *capacity > 0 ? *capacity * 2 : 8;
    return memory_resize(items, *capacity, size);
}

// jansson refuses what is not UTF-8, and so would everybody who reads the manifest.
static char *readable(const char *bytes) {
    json_t *accepted = json_string(bytes);
    if (accepted != NULL) {
        json_decref(accepted);
        return memory_copy_string(bytes);
    }
    struct text text = {.limit = 4 * strlen(bytes)};
    for (; *bytes != '\0'; bytes++) {
        if ((unsigned char)*bytes < 0x80)
            text_append_char(&text, *bytes);
        else
            text_appendf(&text, "\\x%02x", (unsigned char)*bytes);
    }
    return text_take(&text);
}

struct fingerprint_object *fingerprint_add(struct fingerprint *self, const char *kind,
                                           const char *name) {
    self->objects =
        grown(self->objects, self->object_count, &self->object_capacity, sizeof *self->objects);
    struct fingerprint_object *object = &self->objects[self->object_count++];
    *object = (struct fingerprint_object){.kind = readable(kind), .name = readable(name)};
    return object;
}

void fingerprint_attribute_add(struct fingerprint_object *self, const char *name,
                               const char *value) {
    self->attributes = grown(self->attributes, self->attribute_count, &self->attribute_capacity,
                             sizeof *self->attributes);
    self->attributes[self->attribute_count++] =
        (struct fingerprint_attribute){readable(name), readable(value)};
}

void fingerprint_content_take(struct fingerprint_object *self, struct row_content *content) {
    check(!self->has_content);
    self->content = *content;
    self->has_content = true;
    *content = (struct row_content){0};
}

static int compare_objects(const void *left, const void *right) {
    const struct fingerprint_object *a = left, *b = right;
    const int by_kind = strcmp(a->kind, b->kind);
    return by_kind != 0 ? by_kind : strcmp(a->name, b->name);
}

static int compare_attributes(const void *left, const void *right) {
    const struct fingerprint_attribute *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static bool sort_attributes(struct fingerprint_object *self, struct error *err) {
    if (self->attribute_count > 0)
        qsort(self->attributes, self->attribute_count, sizeof *self->attributes,
              compare_attributes);
    for (size_t i = 1; i < self->attribute_count; i++)
        if (compare_attributes(&self->attributes[i - 1], &self->attributes[i]) == 0)
            return error_set(err, ERROR_PROTOCOL, 0, "%s %s: the attribute \"%s\" stands twice",
                             self->kind, self->name, self->attributes[i].name);
    return true;
}

bool fingerprint_sort(struct fingerprint *self, struct error *err) {
    if (self->object_count > 0)
        qsort(self->objects, self->object_count, sizeof *self->objects, compare_objects);
    for (size_t i = 0; i < self->object_count; i++) {
        if (i > 0 && compare_objects(&self->objects[i - 1], &self->objects[i]) == 0)
            return error_set(err, ERROR_PROTOCOL, 0, "the %s \"%s\" stands twice",
                             self->objects[i].kind, self->objects[i].name);
        if (!sort_attributes(&self->objects[i], err))
            return false;
    }
    return true;
}

const struct fingerprint_object *fingerprint_find(const struct fingerprint *self, const char *kind,
                                                  const char *name) {
    autofree_string char *wanted_kind = readable(kind);
    autofree_string char *wanted_name = readable(name);
    const struct fingerprint_object wanted = {.kind = wanted_kind, .name = wanted_name};
    return self->object_count == 0 ? NULL
                                   : bsearch(&wanted, self->objects, self->object_count,
                                             sizeof *self->objects, compare_objects);
}
