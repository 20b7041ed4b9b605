// Redis' packed containers, as they stand inside an RDB file: small lists, sets and maps in one
// piece of memory. Every length is held against the piece, every back link against what it links.
// Source: Redis' listpack.c, ziplist.c, zipmap.c, intset.c, t_stream.c (formats only).
#pragma once

#include <stddef.h>
#include <stdint.h>

enum packed {
    PACKED_LISTPACK = 0,
    PACKED_ZIPLIST, // before Redis 7
    PACKED_ZIPMAP,  // before Redis 2.6
    PACKED_INTSET,
    PACKED_STREAM, // a listpack with entries of a stream
};

// NULL, or what is wrong with it. Its entries must come in groups of `group` (1: any number).
const char *packed_problem(enum packed kind, const uint8_t *bytes, size_t length, unsigned group);
