// The members of JSON objects that others wrote: each is there, has its type and fits, or the error
// names it: "artifacts[2].files[0].size: is not a whole number". Members that nobody asks for are
// allowed, so that a newer program may say more.
//
// Errors are ERROR_PROTOCOL. What is returned is borrowed from the JSON.
#pragma once

#include "base/attributes.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An object and where it stands, for people: "artifacts[2]"; "" for the whole document.
struct json_place {
    const json_t *object;
    const char *where;
};

// Malformed: "line 3, column 7: …"; a name that stands twice in one object is malformed too.
bool json_read(const char *bytes, size_t length, json_t **ret_root, struct error *err) must_use;

bool json_field_text(struct json_place place, const char *name, const char **ret_text,
                     struct error *err) must_use;
// 0 … 2^63-1.
bool json_field_size(struct json_place place, const char *name, uint64_t *ret_size,
                     struct error *err) must_use;
// Exactly `size` bytes as 2*size hex digits of either case.
bool json_field_hex(struct json_place place, const char *name, uint8_t *ret_bytes, size_t size,
                    struct error *err) must_use;
bool json_field_list(struct json_place place, const char *name, json_t **ret_list,
                     struct error *err) must_use;
bool json_field_object(struct json_place place, const char *name, json_t **ret_object,
                       struct error *err) must_use;

// An error about a member (NULL: about the object itself); returns false.
bool json_field_error(struct json_place place, const char *name, struct error *err,
                      const char *format, ...) printf_like(4, 5);

// Calls each() for every object of the list; an element that is no object is an error.
// Its place is "NAME[3]" below this one's.
bool json_field_each(struct json_place place, const char *name,
                     bool (*each)(void *context, struct json_place element, struct error *err),
                     void *context, struct error *err) must_use;
