// The collections that an archive's prelude lists, and how far each was read. Bounded: an archive
// that lists more than COLLECTION_NAMES bytes of names is not read (and not called broken).
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLLECTION_NAMES ((size_t)16 * 1024 * 1024)

enum collection_state {
    COLLECTION_NOT_SEEN = 0,
    COLLECTION_OPEN,
    COLLECTION_ENDED,
};

struct collection {
    char *name;
    uint64_t crc; // of its documents so far
    enum collection_state state;
    bool is_time_series;
};

struct collection_table;

struct collection_table *collection_table_new(void) must_use;
void collection_table_free(struct collection_table *self);

// The name must be new. ERROR_UNAVAILABLE: too many.
bool collection_table_add(struct collection_table *self, const char *name, bool is_time_series,
                          struct error *err) must_use;
// Borrowed until the next is added; NULL: not there.
struct collection *collection_table_find(const struct collection_table *self, const char *name);
const struct collection *collection_table_first_not_ended(const struct collection_table *self);

DEFINE_AUTOFREE(collection_table, collection_table_free);
