// Numbers as backups hold them, whatever the machine's own order.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Of `size` bytes, at most eight.
static inline uint64_t little_endian(const uint8_t *bytes, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static inline uint64_t big_endian(const uint8_t *bytes, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

// As a signed number of so many bytes.
static inline int64_t sign_extend(uint64_t value, size_t size) {
    const uint64_t sign = UINT64_C(1) << (8 * size - 1);
    return (int64_t)((value ^ sign) - sign);
}
