#include "verify/fingerprint/bson_id.h"

#include <string.h>

#define HEAD 4 // the document's length
#define TAIL 1 // NUL

// What is left of a document before its end.
struct rest {
    const uint8_t *at;
    size_t length;
};

static bool skip(struct rest *self, size_t length) {
    if (length > self->length)
        return false;
    self->at += length;
    self->length -= length;
    return true;
}

static bool skip_string(struct rest *self) {
    const uint8_t *end = memchr(self->at, '\0', self->length);
    return end != NULL && skip(self, (size_t)(end - self->at) + 1);
}

static uint32_t number(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

// `more` bytes follow those that are announced; `counted` of these are the announcement itself.
static bool skip_announced(struct rest *self, size_t counted, size_t more) {
    if (self->length < 4)
        return false;
    const size_t announced = number(self->at);
    return announced >= counted && skip(self, 4) && skip(self, announced - counted) &&
           skip(self, more);
}

static bool skip_value(struct rest *self, uint8_t type) {
    switch (type) {
    case 0x01: // double
    case 0x09: // date
    case 0x11: // timestamp
    case 0x12: // int64
        return skip(self, 8);
    case 0x02: // string
    case 0x0d: // code
    case 0x0e: // symbol
        return skip_announced(self, 0, 0);
    case 0x03: // document
    case 0x04: // array
    case 0x0f: // code with scope
        return skip_announced(self, 4, 0);
    case 0x05: // binary: its subtype
        return skip_announced(self, 0, 1);
    case 0x06: // undefined
    case 0x0a: // null
    case 0x7f: // above all keys
    case 0xff: // below all keys
        return true;
    case 0x07: // object id
        return skip(self, 12);
    case 0x08: // boolean
        return skip(self, 1);
    case 0x0b: // regular expression: pattern, options
        return skip_string(self) && skip_string(self);
    case 0x0c: // pointer: collection, object id
        return skip_announced(self, 0, 12);
    case 0x10: // int32
        return skip(self, 4);
    case 0x13: // decimal
        return skip(self, 16);
    default:
        return false;
    }
}

bool bson_next(const void *document, size_t length, size_t *place, struct bson_element *ret_element,
               struct error *err) {
    const uint8_t *bytes = document;
    if (length < HEAD + TAIL || number(bytes) != length || bytes[length - TAIL] != '\0')
        return error_set(err, ERROR_PROTOCOL, 0, "a document that is no BSON");
    const size_t at = *place > 0 ? *place : HEAD;
    struct rest rest = {bytes + at, length - at - TAIL};
    const struct rest element = rest;
    if (rest.length == 0) {
        *ret_element = (struct bson_element){.bytes = NULL};
        return true;
    }
    if (!skip(&rest, 1) || !skip_string(&rest) || !skip_value(&rest, element.at[0]))
        return error_set(err, ERROR_PROTOCOL, 0, "a document that is no BSON");
    *ret_element = (struct bson_element){element.at, element.length - rest.length,
                                         (const char *)element.at + 1};
    *place = length - TAIL - rest.length;
    return true;
}

bool bson_id(const void *document, size_t length, const uint8_t **ret_element, size_t *ret_length,
             struct error *err) {
    struct bson_element element = {.bytes = NULL};
    size_t place = 0;
    do {
        if (!bson_next(document, length, &place, &element, err))
            return false;
    } while (element.bytes != NULL && strcmp(element.name, "_id") != 0);
    *ret_element = element.bytes;
    *ret_length = element.length;
    return true;
}
