#include "value/chance.h"

uint64_t chance_next(struct chance *self) {
    uint64_t z = self->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

size_t chance_below(struct chance *self, size_t bound) {
    return (size_t)(chance_next(self) % bound);
}
