// The elements of a BSON document in memory, byte for byte, and of them "_id": which document it
// is, of two that differ. It stands first in what a server stores, but need not.
//
// Source: bsonspec.org, version 1.1.
#pragma once

#include "base/attributes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bson_element {
    const uint8_t *bytes; // type, name and value, borrowed; NULL: there are no more
    size_t length;
    const char *name;
};
// *place is 0 at first. ERROR_PROTOCOL: not BSON, up to there.
bool bson_next(const void *document, size_t length, size_t *place, struct bson_element *ret_element,
               struct error *err) must_use;

// *ret_element: type, name and value, borrowed; NULL: the document has none (a measurement of a
// time series). Nothing behind it is looked at. ERROR_PROTOCOL: not BSON, up to there.
bool bson_id(const void *document, size_t length, const uint8_t **ret_element, size_t *ret_length,
             struct error *err) must_use;
