#include "base/memory.h"
#include "value/fingerprint.h"

#include <string.h>

static json_t *sum_to_json(const struct row_sum *sum) {
    char text[ROW_SUM_TEXT_SIZE];
    return json_string(row_sum_format(sum, text));
}

static json_t *content_to_json(const struct row_content *self) {
    json_t *buckets = json_array();
    for (size_t i = 0; i < self->filled; i++) {
        json_t *bucket = json_array();
        json_array_append_new(bucket, json_integer(self->buckets[i].index));
        json_array_append_new(bucket, json_integer((json_int_t)self->buckets[i].sum.rows));
        json_array_append_new(bucket, sum_to_json(&self->buckets[i].sum));
        json_array_append_new(buckets, bucket);
    }
    json_t *content = json_object();
    json_object_set_new(content, "rows", json_integer((json_int_t)self->total.rows));
    json_object_set_new(content, "sum", sum_to_json(&self->total));
    json_object_set_new(content, "bucket_count", json_integer(self->bucket_count));
    json_object_set_new(content, "buckets", buckets);
    return content;
}

static json_t *object_to_json(const struct fingerprint_object *self) {
    json_t *attributes = json_object();
    for (size_t i = 0; i < self->attribute_count; i++)
        json_object_set_new(attributes, self->attributes[i].name,
                            json_string(self->attributes[i].value));
    json_t *object = json_object();
    json_object_set_new(object, "kind", json_string(self->kind));
    json_object_set_new(object, "name", json_string(self->name));
    json_object_set_new(object, "attributes", attributes);
    if (self->has_content)
        json_object_set_new(object, "content", content_to_json(&self->content));
    return object;
}

json_t *fingerprint_to_json(const struct fingerprint *self) {
    json_t *objects = json_array();
    for (size_t i = 0; i < self->object_count; i++)
        json_array_append_new(objects, object_to_json(&self->objects[i]));
    json_t *root = json_object();
    json_object_set_new(root, "engine", json_string(self->engine));
    json_object_set_new(root, "objects", objects);
    return root;
}

// [index, rows, sum]
static bool read_bucket(const json_t *bucket, struct row_bucket *ret_bucket) {
    const json_t *index = json_array_get(bucket, 0);
    const json_t *rows = json_array_get(bucket, 1);
    const json_t *sum = json_array_get(bucket, 2);
    if (!json_is_integer(index) || !json_is_integer(rows) || !json_is_string(sum) ||
        json_integer_value(index) < 0 || json_integer_value(index) >= ROW_HASH_BUCKETS_MAX ||
        json_integer_value(rows) <= 0)
        return false;
    ret_bucket->index = (uint32_t)json_integer_value(index);
    ret_bucket->sum.rows = (uint64_t)json_integer_value(rows);
    return row_sum_parse(json_string_value(sum), &ret_bucket->sum);
}

static bool read_buckets(struct json_place place, struct row_content *content, struct error *err) {
    json_t *list = NULL;
    struct row_sum all = {0};
    if (!json_field_list(place, "buckets", &list, err))
        return false;
    if (json_array_size(list) > content->bucket_count)
        return json_field_error(place, "buckets", err, "are more than bucket_count says");
    content->buckets = memory_new(json_array_size(list) + 1, sizeof *content->buckets);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct row_bucket *bucket = &content->buckets[i];
        if (!read_bucket(json_array_get(list, i), bucket) || bucket->index >= content->bucket_count)
            return json_field_error(place, "buckets", err,
                                    "the one at %zu is not [index, rows, sum]", i);
        if (i > 0 && bucket[-1].index >= bucket->index)
            return json_field_error(place, "buckets", err, "the one at %zu is out of order", i);
        row_sum_add(&all, &bucket->sum);
        content->filled++;
    }
    if (content->bucket_count > 0 && !row_sum_equal(&all, &content->total))
        return json_field_error(place, "buckets", err, "do not add up to the total");
    return true;
}

static bool read_content(struct json_place place, struct row_content *content, struct error *err) {
    uint64_t bucket_count = 0;
    const char *sum = NULL;
    if (!json_field_size(place, "rows", &content->total.rows, err) ||
        !json_field_text(place, "sum", &sum, err) ||
        !json_field_size(place, "bucket_count", &bucket_count, err))
        return false;
    if (!row_sum_parse(sum, &content->total))
        return json_field_error(place, "sum", err, "is not %d hex digits", ROW_SUM_TEXT_SIZE - 1);
    if (bucket_count > ROW_HASH_BUCKETS_MAX || (bucket_count & (bucket_count - 1)) != 0)
        return json_field_error(place, "bucket_count", err, "is not a power of two up to %d",
                                ROW_HASH_BUCKETS_MAX);
    content->bucket_count = (uint32_t)bucket_count;
    return read_buckets(place, content, err);
}

static bool read_attributes(struct json_place place, struct fingerprint_object *object,
                            struct error *err) {
    json_t *attributes = NULL;
    if (!json_field_object(place, "attributes", &attributes, err))
        return false;
    autofree_string char *where = memory_format("%s.attributes", place.where);
    const struct json_place below = {attributes, where};
    const char *name, *value;
    json_t *member;
    json_object_foreach (attributes, name, member) {
        if (!json_field_text(below, name, &value, err))
            return false;
        fingerprint_attribute_add(object, name, value);
    }
    return true;
}

static bool read_object(void *context, struct json_place place, struct error *err) {
    struct fingerprint *self = context;
    const char *kind = NULL, *name = NULL;
    json_t *content = NULL;
    if (!json_field_text(place, "kind", &kind, err) || !json_field_text(place, "name", &name, err))
        return false;
    struct fingerprint_object *object = fingerprint_add(self, kind, name);
    if (!read_attributes(place, object, err))
        return false;
    if (json_object_get(place.object, "content") == NULL)
        return true;
    if (!json_field_object(place, "content", &content, err))
        return false;
    autofree_string char *where = memory_format("%s.content", place.where);
    autodone(row_content) struct row_content read = {0};
    if (!read_content((struct json_place){content, where}, &read, err))
        return false;
    fingerprint_content_take(object, &read);
    return true;
}

bool fingerprint_from_json(struct json_place place, struct fingerprint **ret_fingerprint,
                           struct error *err) {
    const char *engine = NULL;
    if (!json_field_text(place, "engine", &engine, err))
        return false;
    autofree(fingerprint) struct fingerprint *self = fingerprint_new(engine);
    if (!json_field_each(place, "objects", read_object, self, err))
        return false;
    if (!fingerprint_sort(self, err))
        return error_prefix(err, "%s", place.where[0] != '\0' ? place.where : "the fingerprint");
    *ret_fingerprint = TAKE(self);
    return true;
}
