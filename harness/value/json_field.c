#include "value/json_field.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <sodium.h>
#include <string.h>

bool json_read(const char *bytes, size_t length, json_t **ret_root, struct error *err) {
    json_error_t wrong;
    json_t *root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &wrong);
    if (root == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "line %d, column %d: %s", wrong.line, wrong.column,
                         wrong.text);
    *ret_root = root;
    return true;
}

bool json_field_error(struct json_place place, const char *name, struct error *err,
                      const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *message = memory_format_list(format, arguments);
    va_end(arguments);
    if (name == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "%s: %s",
                         place.where[0] != '\0' ? place.where : "the document", message);
    return error_set(err, ERROR_PROTOCOL, 0, "%s%s%s: %s", place.where,
                     place.where[0] != '\0' ? "." : "", name, message);
}

static json_t *member(struct json_place place, const char *name, struct error *err) {
    json_t *value = json_object_get(place.object, name);
    if (value == NULL)
        json_field_error(place, name, err, "is missing");
    return value;
}

bool json_field_text(struct json_place place, const char *name, const char **ret_text,
                     struct error *err) {
    json_t *value = member(place, name, err);
    if (value == NULL)
        return false;
    if (!json_is_string(value))
        return json_field_error(place, name, err, "is not a text");
    *ret_text = json_string_value(value);
    return true;
}

bool json_field_size(struct json_place place, const char *name, uint64_t *ret_size,
                     struct error *err) {
    json_t *value = member(place, name, err);
    if (value == NULL)
        return false;
    if (!json_is_integer(value))
        return json_field_error(place, name, err, "is not a whole number");
    if (json_integer_value(value) < 0)
        return json_field_error(place, name, err, "is negative");
    *ret_size = (uint64_t)json_integer_value(value);
    return true;
}

bool json_field_hex(struct json_place place, const char *name, uint8_t *ret_bytes, size_t size,
                    struct error *err) {
    const char *text = NULL;
    size_t length = 0;
    if (!json_field_text(place, name, &text, err))
        return false;
    autofree_string char *bytes = memory_new(size + 1, 1); // the caller's is untouched on failure
    if (strlen(text) != 2 * size ||
        sodium_hex2bin((unsigned char *)bytes, size, text, 2 * size, NULL, &length, NULL) != 0 ||
        length != size)
        return json_field_error(place, name, err, "is not %zu hex digits", 2 * size);
    memcpy(ret_bytes, bytes, size);
    return true;
}

bool json_field_list(struct json_place place, const char *name, json_t **ret_list,
                     struct error *err) {
    json_t *value = member(place, name, err);
    if (value == NULL)
        return false;
    if (!json_is_array(value))
        return json_field_error(place, name, err, "is not a list");
    *ret_list = value;
    return true;
}

bool json_field_object(struct json_place place, const char *name, json_t **ret_object,
                       struct error *err) {
    json_t *value = member(place, name, err);
    if (value == NULL)
        return false;
    if (!json_is_object(value))
        return json_field_error(place, name, err, "is not an object");
    *ret_object = value;
    return true;
}

bool json_field_each(struct json_place place, const char *name,
                     bool (*each)(void *context, struct json_place element, struct error *err),
                     void *context, struct error *err) {
    json_t *list = NULL;
    if (!json_field_list(place, name, &list, err))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        autofree_string char *where =
            memory_format("%s%s%s[%zu]", place.where, place.where[0] != '\0' ? "." : "", name, i);
        const struct json_place element = {json_array_get(list, i), where};
        if (!json_is_object(element.object))
            return json_field_error(element, NULL, err, "is not an object");
        if (!each(context, element, err))
            return false;
    }
    return true;
}
