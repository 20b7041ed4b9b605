// The element "_id" of a BSON document in memory, byte for byte: which document it is, of two that
// differ. It stands first in what a server stores, but need not.
//
// Nothing behind it is looked at. Source: bsonspec.org, version 1.1.
#pragma once

#include "base/attributes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// *ret_element: type, name and value, borrowed; NULL: the document has none (a measurement of a
// time series). ERROR_PROTOCOL: not BSON, up to there.
bool bson_id(const void *document, size_t length, const uint8_t **ret_element, size_t *ret_length,
             struct error *err) must_use;
