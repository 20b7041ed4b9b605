#include "value/row_hunt.h"

#include "base/memory.h"
#include "value/row_findings.h"

#include <stdlib.h>
#include <string.h>

static void add(struct row_hunt *self, const struct fingerprint_object *object,
                const struct row_difference *difference, const uint8_t key[ROW_HASH_KEY_SIZE]) {
    // Sums in other buckets than ours do not say where to look.
    const bool looks = difference->bucket_count > 0 && self->noted < ROW_HUNT_OBJECTS;
    self->items = memory_resize(self->items, self->count + 1, sizeof *self->items);
    self->items[self->count++] = (struct row_hunt_object){
        memory_copy_string(object->kind), memory_copy_string(object->name),
        looks ? row_notes_new(key, difference, object->content.bucket_count, 0) : NULL, false};
    self->noted += looks ? 1 : 0;
}

struct row_hunt *row_hunt_new(const struct fingerprint *expected, const struct fingerprint *actual,
                              const uint8_t key[ROW_HASH_KEY_SIZE]) {
    autofree(row_hunt) struct row_hunt *self = memory_new(1, sizeof *self);
    for (size_t i = 0; i < expected->object_count; i++) {
        const struct fingerprint_object *before = &expected->objects[i];
        const struct fingerprint_object *after =
            fingerprint_find(actual, before->kind, before->name);
        autodone(row_difference) struct row_difference difference = {0};
        if (before->has_content && after != NULL && after->has_content &&
            !row_content_equal(&before->content, &after->content, &difference))
            add(self, before, &difference, key);
    }
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].notes != NULL)
            self->items[i].notes->bytes_limit = ROW_NOTES_BYTES / self->noted;
    return self->count > 0 ? TAKE(self) : NULL;
}

void row_hunt_free(struct row_hunt *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].kind);
        free(self->items[i].name);
        row_notes_free(self->items[i].notes);
    }
    free(self->items);
    free(self);
}

bool row_hunt_reads(struct row_hunt *self, const char *kind, const char *name,
                    struct row_notes **ret_notes) {
    *ret_notes = NULL;
    for (size_t i = 0; self != NULL && i < self->count; i++)
        if (strcmp(self->items[i].kind, kind) == 0 && strcmp(self->items[i].name, name) == 0) {
            *ret_notes = self->items[i].notes;
            self->items[i].is_read = true;
        }
    return self == NULL || *ret_notes != NULL;
}

void row_hunt_say(struct row_hunt *self, struct row_hunt *other, size_t i,
                  const struct fingerprint *expected, const struct fingerprint *actual,
                  struct text *text) {
    const struct row_hunt_object *object = &self->items[i];
    const struct fingerprint_object *before =
        fingerprint_find(expected, object->kind, object->name);
    const struct fingerprint_object *after = fingerprint_find(actual, object->kind, object->name);
    if (object->notes == NULL || !object->is_read)
        text_append(text, "\n    its rows were not looked at again");
    else if (other == NULL)
        row_findings_by_sums(&before->content, &after->content, object->notes, text);
    else if (other->items[i].is_read)
        row_findings_by_rows(other->items[i].notes, object->notes, text);
    else
        text_append(text, "\n    its rows were not there any more when they were to be read again");
}
