#include "dump/collection_table.h"

#include "base/memory.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

struct collection_table {
    struct collection *items; // in the order of the prelude
    size_t count;
    size_t *slots; // a power of two of them, at least half of them empty: 1 + index; 0: empty
    size_t slot_count;
    size_t name_bytes;
    // Names come from a file: with a key of our own nobody can choose them to collide.
    uint8_t key[crypto_shorthash_KEYBYTES];
};

struct collection_table *collection_table_new(void) {
    struct collection_table *self = memory_new(1, sizeof *self);
    self->slot_count = 64;
    self->slots = memory_new(self->slot_count, sizeof self->slots[0]);
    crypto_shorthash_keygen(self->key);
    return self;
}

void collection_table_free(struct collection_table *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].name);
    free(self->items);
    free(self->slots);
    free(self);
}

// Where the name is, or where it would go.
static size_t *slot_of(const struct collection_table *self, const char *name) {
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "the size of a short hash");
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name, strlen(name), self->key);
    for (size_t at = hash;; at++) {
        size_t *slot = &self->slots[at & (self->slot_count - 1)];
        if (*slot == 0 || strcmp(self->items[*slot - 1].name, name) == 0)
            return slot;
    }
}

static void grow(struct collection_table *self) {
    const size_t slot_count = self->slot_count * 2;
    self->items = memory_resize(self->items, slot_count / 2, sizeof self->items[0]);
    free(self->slots);
    self->slots = memory_new(slot_count, sizeof self->slots[0]);
    self->slot_count = slot_count;
    for (size_t i = 0; i < self->count; i++)
        *slot_of(self, self->items[i].name) = i + 1;
}

bool collection_table_add(struct collection_table *self, const char *name, bool is_time_series,
                          struct error *err) {
    self->name_bytes += strlen(name) + sizeof(struct collection);
    if (self->name_bytes > COLLECTION_NAMES)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "the archive lists more collections than can be held (%zu were read)",
                         self->count);
    if (self->items == NULL || self->count >= self->slot_count / 2)
        grow(self);
    self->items[self->count] =
        (struct collection){.name = memory_copy_string(name), .is_time_series = is_time_series};
    *slot_of(self, name) = ++self->count;
    return true;
}

struct collection *collection_table_find(const struct collection_table *self, const char *name) {
    const size_t *slot = slot_of(self, name);
    return *slot != 0 ? &self->items[*slot - 1] : NULL;
}

const struct collection *collection_table_first_not_ended(const struct collection_table *self) {
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].state != COLLECTION_ENDED)
            return &self->items[i];
    return NULL;
}
