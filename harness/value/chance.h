// Numbers that look like chance and that a seed decides: what was made up once can be made up
// again. SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014);
// nothing for secrets.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state; // at first: the seed
};

uint64_t chance_next(struct chance *self);
size_t chance_below(struct chance *self, size_t bound); // 0 … bound - 1
