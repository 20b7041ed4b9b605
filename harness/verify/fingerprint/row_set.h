// Which rows were there already: a set of their 128-bit hashes (value/row_hash.h). Up to 43 bytes a
// row. Two different rows are taken for one with a probability of 2^-128.
#pragma once

#include "value/row_hash.h"

// Zeroed: empty.
struct row_set {
    struct row_set_slot *slots; // by the hash, then wherever there is room; a zeroed one is free
    size_t capacity;            // a power of two
    size_t count;
};

// false: it was in it already. The number of rows in `row` is not looked at.
bool row_set_add(struct row_set *self, const struct row_sum *row);
void row_set_done(struct row_set *self);

DEFINE_AUTODONE(row_set, row_set_done);
