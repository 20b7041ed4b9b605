#include "dump/ustar.h"

#include <string.h>

enum field { NAME = 0, SIZE = 124, CHECKSUM = 148, TYPE = 156, MAGIC = 257, PREFIX = 345 };

static bool is_zero(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

// Digits in base 8, ended by a space, a zero or the field; or a number in base 256.
static bool read_number(const uint8_t *field, size_t length, uint64_t *ret_number) {
    uint64_t number = 0;
    if (field[0] == 0x80) {
        for (size_t i = 1; i < length; i++) {
            if (number >> 55 != 0)
                return false;
            number = number << 8 | field[i];
        }
        *ret_number = number;
        return true;
    }
    size_t at = 0;
    while (at < length && field[at] == ' ')
        at++;
    const size_t first = at;
    for (; at < length && field[at] >= '0' && field[at] <= '7'; at++)
        number = number << 3 | (uint64_t)(field[at] - '0');
    *ret_number = number;
    return at > first && (at == length || field[at] == ' ' || field[at] == '\0');
}

// The sum of all bytes, the field of the sum itself taken for spaces.
static bool sum_holds(const uint8_t block[USTAR_BLOCK]) {
    uint64_t sum = 0;
    uint64_t said;
    for (size_t i = 0; i < USTAR_BLOCK; i++)
        sum += i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : block[i];
    return read_number(block + CHECKSUM, 8, &said) && said == sum;
}

bool ustar_recognises(const uint8_t *head, size_t length, const char *first_name) {
    return length >= USTAR_BLOCK && memcmp(head + MAGIC, "ustar", 5) == 0 &&
           memcmp(head + NAME, first_name, strlen(first_name) + 1) == 0;
}

static bool read_end(struct source *source, struct error *err) {
    uint8_t block[USTAR_BLOCK];
    if (!source_read_all(source, block, sizeof block, "the end of the tar", err))
        return false;
    if (!is_zero(block, sizeof block))
        return source_error(source, err, "one block of zeros within the tar");
    for (;;) {
        size_t length = 0;
        if (!source_read(source, block, sizeof block, &length, err))
            return false;
        if (length == 0)
            return source_offset(source) % USTAR_BLOCK == 0 ||
                   source_error(source, err, "the tar ends within a block");
        if (!is_zero(block, length))
            return source_error(source, err, "something follows the end of the tar");
    }
}

bool ustar_next(struct source *source, struct ustar_member *ret_member, bool *ret_ended,
                struct error *err) {
    uint8_t block[USTAR_BLOCK];
    struct ustar_member member = {0};
    if (!source_read_all(source, block, sizeof block, "a header of the tar", err))
        return false;
    if (is_zero(block, sizeof block)) {
        *ret_ended = true;
        return read_end(source, err);
    }
    if (memcmp(block + MAGIC, "ustar", 5) != 0)
        return source_error(source, err, "no header of a tar stands where one is expected");
    if (!sum_holds(block))
        return source_error(source, err, "the checksum of a header of the tar does not hold");
    if (block[TYPE] != '0' && block[TYPE] != '\0')
        return source_error(source, err, "a member that is no plain file (type %u)", block[TYPE]);
    if (block[PREFIX] != '\0' || !read_number(block + SIZE, 12, &member.size))
        return source_error(source, err, "a header of the tar with an impossible name or size");
    memcpy(member.name, block + NAME, USTAR_NAME_SIZE - 1);
    *ret_member = member;
    *ret_ended = false;
    return true;
}

bool ustar_skip_padding(struct source *source, uint64_t size, struct error *err) {
    uint8_t bytes[USTAR_BLOCK];
    const size_t length = (USTAR_BLOCK - size % USTAR_BLOCK) % USTAR_BLOCK;
    if (length > 0 && !source_read_all(source, bytes, length, "a block of the tar", err))
        return false;
    return is_zero(bytes, length) ||
           source_error(source, err, "something stands where a block is filled up with zeros");
}
