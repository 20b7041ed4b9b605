// CRC-64 in the two kinds that backups carry, eight bytes a step.
//
// Source: R. N. Williams, "A painless guide to CRC error detection algorithms"; the two
// polynomials, bit-reversed: that of W. F. Jones (Redis), and that of ECMA-182 (mongodump, xz).
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CRC64_JONES UINT64_C(0x95ac9329ac4bc9b5) // begins with 0, ends as it is
#define CRC64_ECMA UINT64_C(0xc96c5795d7870f42)  // begins with all ones, ends inverted

struct crc64 {
    uint64_t table[8][256];
};

void crc64_init(struct crc64 *self, uint64_t polynomial);

// `crc` is what came out of the bytes before; beginning and inversion are the caller's.
uint64_t crc64_update(const struct crc64 *self, uint64_t crc, const void *bytes, size_t length);
