#include "dump/crc64.h"

#include "dump/little_endian.h"

void crc64_init(struct crc64 *self, uint64_t polynomial) {
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        self->table[0][byte] = crc;
    }
    // table[n]: what a byte does to the CRC when n more bytes follow it.
    for (unsigned byte = 0; byte < 256; byte++)
        for (int n = 1; n < 8; n++) {
            const uint64_t before = self->table[n - 1][byte];
            self->table[n][byte] = before >> 8 ^ self->table[0][before & 0xff];
        }
}

uint64_t crc64_update(const struct crc64 *self, uint64_t crc, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    for (; length >= 8; at += 8, length -= 8) {
        const uint64_t word = crc ^ little_endian(at, 8);
        crc = 0;
        for (int n = 0; n < 8; n++)
            crc ^= self->table[7 - n][word >> 8 * n & 0xff];
    }
    for (; length > 0; at++, length--)
        crc = crc >> 8 ^ self->table[0][(crc ^ *at) & 0xff];
    return crc;
}
