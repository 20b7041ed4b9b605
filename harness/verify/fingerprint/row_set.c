#include "verify/fingerprint/row_set.h"

#include "base/memory.h"

#include <stdlib.h>

struct row_set_slot {
    uint64_t high, low;
};

// Where it is, or would be put.
static struct row_set_slot *slot_of(const struct row_set *self, uint64_t high, uint64_t low) {
    for (size_t at = (size_t)low;; at++) {
        struct row_set_slot *slot = &self->slots[at & (self->capacity - 1)];
        if ((slot->high == high && slot->low == low) || (slot->high == 0 && slot->low == 0))
            return slot;
    }
}

static void grow(struct row_set *self) {
    struct row_set larger = {.capacity = self->capacity > 0 ? 2 * self->capacity : 64,
                             .count = self->count};
    larger.slots = memory_new(larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < self->capacity; i++) {
        const struct row_set_slot *slot = &self->slots[i];
        if (slot->high != 0 || slot->low != 0)
            *slot_of(&larger, slot->high, slot->low) = *slot;
    }
    row_set_done(self);
    *self = larger;
}

bool row_set_add(struct row_set *self, const struct row_sum *row) {
    if (self->count >= self->capacity / 4 * 3)
        grow(self);
    struct row_set_slot *slot = slot_of(self, row->high, row->low);
    if (slot->high == row->high && slot->low == row->low)
        return false;
    *slot = (struct row_set_slot){row->high, row->low};
    self->count++;
    return true;
}

void row_set_done(struct row_set *self) {
    free(self->slots);
    *self = (struct row_set){.capacity = 0};
}
