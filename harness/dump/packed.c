#include "dump/packed.h"

#include "dump/little_endian.h"

#include <stdbool.h>

// ---- listpack
//
//   u32 bytes, u16 entries (65535: unknown), entries, 0xff
//   an entry: its encoding and data, then their length backwards, seven bits a byte

#define LISTPACK_HEADER 6
#define UNKNOWN_COUNT 65535

struct listpack {
    const uint8_t *bytes;
    size_t at;
    size_t end; // where 0xff is
};

struct item {
    bool is_number;
    int64_t number;
};

// By the first bits of an entry: how many bytes hold its length, its number, or both.
struct encoding {
    uint8_t mask, bits;
    uint8_t header;      // of a string: bytes before it
    uint8_t number_size; // of a number: bytes after the first
};

static const struct encoding LISTPACK_ENCODINGS[] = {
    {0x80, 0x00, 0, 0}, // 7 bits, unsigned
    {0xc0, 0x80, 1, 0}, // a string, 6 bits of length
    {0xe0, 0xc0, 0, 1}, // 13 bits
    {0xf0, 0xe0, 2, 0}, // a string, 12 bits of length
    {0xff, 0xf0, 5, 0}, // a string, 32 bits of length
    {0xff, 0xf1, 0, 2}, {0xff, 0xf2, 0, 3}, {0xff, 0xf3, 0, 4}, {0xff, 0xf4, 0, 8},
};

static const struct encoding *encoding_of(uint8_t first) {
    for (size_t i = 0; i < sizeof LISTPACK_ENCODINGS / sizeof LISTPACK_ENCODINGS[0]; i++)
        if ((first & LISTPACK_ENCODINGS[i].mask) == LISTPACK_ENCODINGS[i].bits)
            return &LISTPACK_ENCODINGS[i];
    return NULL;
}

static uint64_t string_length(const struct encoding *encoding, const uint8_t *entry) {
    if (encoding->header == 1)
        return entry[0] & 0x3f;
    if (encoding->header == 2)
        return big_endian(entry, 2) & 0xfff;
    return little_endian(entry + 1, 4);
}

static int64_t number_of(const struct encoding *encoding, const uint8_t *entry) {
    if (encoding->number_size == 0)
        return entry[0];
    if (encoding->number_size == 1)
        return (int64_t)((big_endian(entry, 2) & 0x1fff) ^ 0x1000) - 0x1000;
    return sign_extend(little_endian(entry + 1, encoding->number_size), encoding->number_size);
}

// As Redis counts them, not as few as would do: 16383 itself already takes three.
static size_t back_length_size(uint64_t length) {
    if (length <= 127)
        return 1;
    return length < 16383 ? 2 : length < 2097151 ? 3 : length < 268435455 ? 4 : 5;
}

static bool back_length_is(const uint8_t *bytes, size_t size, uint64_t length) {
    for (size_t i = size; i-- > 0; length >>= 7)
        if (bytes[i] != ((length & 0x7f) | (i > 0 ? 0x80 : 0)))
            return false;
    return length == 0;
}

static const char *listpack_begin(struct listpack *self, const uint8_t *bytes, size_t length) {
    if (length < LISTPACK_HEADER + 1)
        return "a listpack is shorter than its header";
    if (little_endian(bytes, 4) != length)
        return "a listpack is not as long as it says";
    if (bytes[length - 1] != 0xff)
        return "a listpack does not end in its end mark";
    *self = (struct listpack){.bytes = bytes, .at = LISTPACK_HEADER, .end = length - 1};
    return NULL;
}

static const char *listpack_next(struct listpack *self, struct item *ret_item) {
    const uint8_t *entry = self->bytes + self->at;
    const size_t left = self->end - self->at;
    if (left == 0)
        return "a listpack has fewer entries than it needs";
    const struct encoding *encoding = encoding_of(entry[0]);
    if (encoding == NULL)
        return "an entry of a listpack has an unknown encoding";
    const size_t fixed = encoding->header > 0 ? encoding->header : 1u + encoding->number_size;
    if (fixed > left)
        return "an entry of a listpack reaches beyond its end";
    const uint64_t length = fixed + (encoding->header > 0 ? string_length(encoding, entry) : 0);
    const size_t back = back_length_size(length);
    if (length + back > left)
        return "an entry of a listpack reaches beyond its end";
    if (!back_length_is(entry + length, back, length))
        return "the two lengths of a listpack's entry differ";
    ret_item->is_number = encoding->header == 0;
    ret_item->number = ret_item->is_number ? number_of(encoding, entry) : 0;
    self->at += (size_t)length + back;
    return NULL;
}

static const char *listpack_problem(const uint8_t *bytes, size_t length, unsigned group) {
    struct listpack list;
    struct item item;
    uint64_t count = 0;
    const char *problem = listpack_begin(&list, bytes, length);
    for (; problem == NULL && list.at < list.end; count++)
        problem = listpack_next(&list, &item);
    if (problem != NULL)
        return problem;
    const uint64_t said = little_endian(bytes + 4, 2);
    if (said != UNKNOWN_COUNT && said != count)
        return "a listpack does not have as many entries as it says";
    return count % group == 0 ? NULL : "a listpack's last group of entries is not complete";
}

// ---- a stream's listpack
//
//   entries, deleted, fields, the fields' names, 0; then each entry:
//   flags, milliseconds, sequence, [fields, their names,] values, how many items all this was

#define SAME_FIELDS 2

static const char *number(struct listpack *list, int64_t *ret_number) {
    struct item item = {0};
    const char *problem = listpack_next(list, &item);
    if (problem == NULL && !item.is_number)
        problem = "an entry of a stream has a text where a number belongs";
    *ret_number = item.number;
    return problem;
}

static const char *numbers(struct listpack *list, int64_t *items, size_t count) {
    const char *problem = NULL;
    for (size_t i = 0; i < count && problem == NULL; i++)
        problem = number(list, &items[i]);
    return problem;
}

// Ends at the listpack's end at the latest, whatever the count.
static const char *any(struct listpack *list, int64_t count) {
    struct item item;
    const char *problem = count < 0 ? "an entry of a stream has a negative count" : NULL;
    for (int64_t i = 0; i < count && problem == NULL; i++)
        problem = listpack_next(list, &item);
    return problem;
}

static const char *stream_entry_problem(struct listpack *list, int64_t master_fields) {
    int64_t head[3];
    int64_t fields = master_fields, extra = 3, said;
    const char *problem = numbers(list, head, 3);
    if (problem == NULL && (head[0] & SAME_FIELDS) == 0) {
        problem = number(list, &fields);
        if (problem == NULL)
            problem = any(list, fields);
        if (problem == NULL)
            extra += fields + 1;
    }
    if (problem == NULL)
        problem = any(list, fields);
    if (problem == NULL)
        problem = number(list, &said);
    if (problem == NULL && said != fields + extra)
        problem = "an entry of a stream does not have as many items as it says";
    return problem;
}

static const char *stream_problem(const uint8_t *bytes, size_t length, unsigned group) {
    struct listpack list;
    int64_t head[3], zero = 0;
    const char *problem = listpack_problem(bytes, length, group);
    if (problem == NULL)
        problem = listpack_begin(&list, bytes, length);
    if (problem == NULL)
        problem = numbers(&list, head, 3);
    if (problem == NULL)
        problem = any(&list, head[2]);
    if (problem == NULL)
        problem = number(&list, &zero);
    if (problem == NULL && zero != 0)
        problem = "the first entry of a stream's listpack does not end";
    if (problem == NULL && (head[0] < 0 || head[1] < 0))
        problem = "a stream's listpack has a negative number of entries";
    for (uint64_t i = 0; problem == NULL && i < (uint64_t)head[0] + (uint64_t)head[1]; i++)
        problem = stream_entry_problem(&list, head[2]);
    if (problem == NULL && list.at != list.end)
        problem = "a stream's listpack has more entries than it says";
    return problem;
}

// ---- ziplist
//
//   u32 bytes, u32 offset of the last entry, u16 entries, entries, 0xff
//   an entry: the length of the one before (one byte, or 0xfe and u32), encoding, data

#define ZIPLIST_HEADER 10

static const uint8_t ZIPLIST_NUMBERS[4] = {2, 4, 8, 3}; // of 0xc0, 0xd0, 0xe0, 0xf0

// What follows the length of the one before; 0: wrong or cut.
static uint64_t ziplist_entry_length(const uint8_t *entry, size_t left) {
    if (left == 0)
        return 0;
    switch (entry[0] >> 6) {
    case 0:
        return 1 + (entry[0] & 0x3fu);
    case 1:
        return left < 2 ? 0 : 2 + (big_endian(entry, 2) & 0x3fff);
    case 2:
        return left < 5 || entry[0] != 0x80 ? 0 : 5 + big_endian(entry + 1, 4);
    default:
        if ((entry[0] & 0x0f) == 0)
            return 1u + ZIPLIST_NUMBERS[entry[0] >> 4 & 3];
        if (entry[0] == 0xfe)
            return 2;
        return entry[0] >= 0xf1 && entry[0] <= 0xfd ? 1 : 0;
    }
}

static const char *ziplist_problem(const uint8_t *bytes, size_t length, unsigned group) {
    if (length < ZIPLIST_HEADER + 1)
        return "a ziplist is shorter than its header";
    if (little_endian(bytes, 4) != length)
        return "a ziplist is not as long as it says";
    const size_t end = length - 1;
    if (bytes[end] != 0xff)
        return "a ziplist does not end in its end mark";
    size_t at = ZIPLIST_HEADER, last = ZIPLIST_HEADER;
    uint64_t count = 0, before = 0;
    for (; at < end; count++) {
        const size_t link = bytes[at] == 0xfe ? 5 : 1;
        if (bytes[at] == 0xff || link > end - at)
            return "an entry of a ziplist reaches beyond its end";
        if ((link == 1 ? bytes[at] : little_endian(bytes + at + 1, 4)) != before)
            return "an entry of a ziplist does not know the length of the one before";
        const uint64_t entry = ziplist_entry_length(bytes + at + link, end - at - link);
        if (entry == 0 || entry > end - at - link)
            return "an entry of a ziplist has an unknown encoding, or reaches beyond its end";
        last = at;
        before = link + entry;
        at += (size_t)before;
    }
    const uint64_t said = little_endian(bytes + 8, 2);
    if (little_endian(bytes + 4, 4) != last)
        return "a ziplist does not know its last entry";
    if (said != UNKNOWN_COUNT && said != count)
        return "a ziplist does not have as many entries as it says";
    return count % group == 0 ? NULL : "a ziplist's last group of entries is not complete";
}

// ---- zipmap
//
//   u8 pairs (254: unknown), pairs, 0xff
//   a pair: length, name, length, free (u8), value, free bytes; lengths as u8, or 0xfe and u32

static bool zipmap_length(const uint8_t *bytes, size_t end, size_t *at, uint64_t *ret_length) {
    const size_t size = *at < end && bytes[*at] == 0xfe ? 5 : 1;
    if (*at >= end || bytes[*at] == 0xff || size > end - *at)
        return false;
    *ret_length = size == 1 ? bytes[*at] : little_endian(bytes + *at + 1, 4);
    *at += size;
    return true;
}

static bool zipmap_pair(const uint8_t *bytes, size_t end, size_t *at) {
    uint64_t length;
    if (!zipmap_length(bytes, end, at, &length) || length > end - *at)
        return false;
    *at += (size_t)length;
    if (!zipmap_length(bytes, end, at, &length) || *at >= end)
        return false;
    length += bytes[(*at)++]; // the free bytes
    if (length > end - *at)
        return false;
    *at += (size_t)length;
    return true;
}

static const char *zipmap_problem(const uint8_t *bytes, size_t length, unsigned group) {
    (void)group;
    if (length < 2 || bytes[length - 1] != 0xff)
        return "a zipmap does not end in its end mark";
    size_t at = 1;
    uint64_t count = 0;
    for (; at < length - 1; count++)
        if (!zipmap_pair(bytes, length - 1, &at))
            return "a pair of a zipmap reaches beyond its end";
    if (bytes[0] < 254 && bytes[0] != count)
        return "a zipmap does not have as many pairs as it says";
    return NULL;
}

// ---- intset: u32 size of a number, u32 count, the numbers, rising

static const char *intset_problem(const uint8_t *bytes, size_t length, unsigned group) {
    (void)group;
    if (length < 8)
        return "a set of numbers is shorter than its header";
    const uint64_t size = little_endian(bytes, 4), count = little_endian(bytes + 4, 4);
    if (size != 2 && size != 4 && size != 8)
        return "a set of numbers has numbers of an unknown size";
    if (count == 0 || 8 + size * count != length)
        return "a set of numbers does not have as many as it says";
    int64_t before = INT64_MIN;
    for (uint64_t i = 0; i < count; i++) {
        const int64_t here = sign_extend(little_endian(bytes + 8 + i * size, size), size);
        if (i > 0 && here <= before)
            return "a set of numbers is not in order";
        before = here;
    }
    return NULL;
}

const char *packed_problem(enum packed kind, const uint8_t *bytes, size_t length, unsigned group) {
    static const char *(*const PROBLEM[])(const uint8_t *, size_t, unsigned) = {
        [PACKED_LISTPACK] = listpack_problem, [PACKED_ZIPLIST] = ziplist_problem,
        [PACKED_ZIPMAP] = zipmap_problem,     [PACKED_INTSET] = intset_problem,
        [PACKED_STREAM] = stream_problem,
    };
    return PROBLEM[kind](bytes, length, group);
}
