#include "base/memory.h"
#include "value/fingerprint.h"

#include <inttypes.h>
#include <string.h>

#define SHOWN_BEFORE 40 // bytes of a long value before the first that differs

void differences_add(struct differences *self, enum difference_kind kind, const char *format, ...) {
    if (self->count >= (self->limit > 0 ? self->limit : DIFFERENCES_LIMIT)) {
        self->more++;
        return;
    }
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 8;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
    }
    va_list arguments;
    va_start(arguments, format);
    self->items[self->count++] = (struct difference){kind, memory_format_list(format, arguments)};
    va_end(arguments);
}

void differences_format(const struct differences *self, struct text *text) {
    for (size_t i = 0; i < self->count; i++)
        text_appendf(text, "%s\n", self->items[i].text);
    if (self->more > 0)
        text_appendf(text, "and %zu more\n", self->more);
}

void differences_done(struct differences *self) {
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].text);
    free(self->items);
    *self = (struct differences){0};
}

// Back to the first byte of a UTF-8 character.
static size_t character_at(const char *value, size_t at) {
    while (at > 0 && ((unsigned char)value[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static char *shown(const char *value, size_t same) {
    const size_t length = strlen(value);
    if (length <= DIFFERENCE_VALUE_SHOWN)
        return memory_copy_string(value);
    size_t from = same > SHOWN_BEFORE ? same - SHOWN_BEFORE : 0;
    if (length - from < DIFFERENCE_VALUE_SHOWN)
        from = length - DIFFERENCE_VALUE_SHOWN;
    from = character_at(value, from);
    const size_t end = character_at(
        value, length - from > DIFFERENCE_VALUE_SHOWN ? from + DIFFERENCE_VALUE_SHOWN : length);
    return memory_format("%s%.*s%s", from > 0 ? "…" : "", (int)(end - from), value + from,
                         end < length ? "…" : "");
}

static void add_altered(struct differences *differences, const char *name, const char *before,
                        const char *after) {
    size_t same = 0;
    while (before[same] != '\0' && before[same] == after[same])
        same++;
    autofree_string char *old = shown(before, same);
    autofree_string char *new = shown(after, same);
    differences_add(differences, DIFFERENCE_ATTRIBUTE_ALTERED, "%s: %s → %s", name, old, new);
}

static void compare_attributes(const struct fingerprint_object *expected,
                               const struct fingerprint_object *actual,
                               struct differences *differences) {
    size_t left = 0, right = 0;
    while (left < expected->attribute_count || right < actual->attribute_count) {
        const struct fingerprint_attribute *before =
            left < expected->attribute_count ? &expected->attributes[left] : NULL;
        const struct fingerprint_attribute *after =
            right < actual->attribute_count ? &actual->attributes[right] : NULL;
        const int order = before == NULL  ? 1
                          : after == NULL ? -1
                                          : strcmp(before->name, after->name);
        if (order == 0 && before != NULL && after != NULL &&
            strcmp(before->value, after->value) != 0) {
            add_altered(differences, before->name, before->value, after->value);
        } else if (order < 0 && before != NULL) {
            autofree_string char *value = shown(before->value, 0);
            differences_add(differences, DIFFERENCE_ATTRIBUTE_MISSING, "%s: %s is missing",
                            before->name, value);
        } else if (order > 0 && after != NULL) {
            autofree_string char *value = shown(after->value, 0);
            differences_add(differences, DIFFERENCE_ATTRIBUTE_EXTRA, "%s: %s is extra", after->name,
                            value);
        }
        left += order <= 0 ? 1 : 0;
        right += order >= 0 ? 1 : 0;
    }
}

static void append_rows(struct text *text, uint64_t rows, const char *what) {
    if (rows > 0)
        text_appendf(text, "%s%" PRIu64 " %s %s", text->length > 0 ? ", " : "", rows,
                     rows == 1 ? "row" : "rows", what);
}

static void add_rows(struct differences *differences, const struct fingerprint_object *expected,
                     const struct fingerprint_object *actual,
                     const struct row_difference *difference) {
    autodone(text) struct text words = {0};
    append_rows(&words, difference->missing, "missing");
    append_rows(&words, difference->extra, "extra");
    if (difference->altered_buckets > 0)
        text_appendf(&words, "%srows altered in %" PRIu32 " of %" PRIu32 " buckets",
                     words.length > 0 ? ", " : "", difference->altered_buckets,
                     expected->content.bucket_count);
    if (words.length == 0)
        text_append(&words, "rows altered");
    differences_add(differences, DIFFERENCE_ROWS, "%s %s: %s (%" PRIu64 " of %" PRIu64 ")",
                    expected->kind, expected->name, text_string(&words), actual->content.total.rows,
                    expected->content.total.rows);
}

static void compare_content(const struct fingerprint_object *expected,
                            const struct fingerprint_object *actual,
                            struct differences *differences) {
    if (!expected->has_content && !actual->has_content)
        return;
    if (!expected->has_content || !actual->has_content) {
        differences_add(differences, DIFFERENCE_NOT_COMPARED, "%s %s: %s rows were not read",
                        expected->kind, expected->name,
                        expected->has_content ? "the restored" : "the original");
        return;
    }
    autodone(row_difference) struct row_difference difference = {0};
    if (!row_content_equal(&expected->content, &actual->content, &difference))
        add_rows(differences, expected, actual, &difference);
}

static int order_of(const struct fingerprint_object *left, const struct fingerprint_object *right) {
    const int by_kind = strcmp(left->kind, right->kind);
    return by_kind != 0 ? by_kind : strcmp(left->name, right->name);
}

bool fingerprint_equal(const struct fingerprint *expected, const struct fingerprint *actual,
                       struct differences *ret_differences) {
    const size_t found = ret_differences->count + ret_differences->more;
    size_t left = 0, right = 0;
    if (strcmp(expected->engine, actual->engine) != 0)
        differences_add(ret_differences, DIFFERENCE_ENGINE, "engine: %s → %s", expected->engine,
                        actual->engine);
    while (left < expected->object_count || right < actual->object_count) {
        const struct fingerprint_object *before =
            left < expected->object_count ? &expected->objects[left] : NULL;
        const struct fingerprint_object *after =
            right < actual->object_count ? &actual->objects[right] : NULL;
        const int order = before == NULL ? 1 : after == NULL ? -1 : order_of(before, after);
        if (order < 0 && before != NULL) {
            differences_add(ret_differences, DIFFERENCE_OBJECT_MISSING, "%s %s: is missing",
                            before->kind, before->name);
        } else if (order > 0 && after != NULL) {
            differences_add(ret_differences, DIFFERENCE_OBJECT_EXTRA, "%s %s: is extra",
                            after->kind, after->name);
        } else if (before != NULL && after != NULL) {
            compare_attributes(before, after, ret_differences);
            compare_content(before, after, ret_differences);
        }
        left += order <= 0 ? 1 : 0;
        right += order >= 0 ? 1 : 0;
    }
    return ret_differences->count + ret_differences->more == found;
}
