// The small parts of an RDB file: lengths, strings in all their encodings, times. What the opcodes
// (redis_rdb.c) and the objects (rdb_object.c) are made of.
//
//   00LLLLLL                a length of 6 bits
//   01LLLLLL LLLLLLLL       14 bits
//   10000000, 10000001      32 or 64 bits follow, big-endian
//   11EEEEEE                a string that is a number (0, 1, 2), or compressed (3)
#pragma once

#include "dump/cursor.h"
#include "dump/lzf.h"

// What is kept of a string so that it can be looked into. Redis' own packed containers are 8 KiB
// at most unless somebody raised that; of longer ones only the length is held against the file.
#define RDB_KEPT ((size_t)1024 * 1024)

struct rdb_reader {
    struct cursor cursor;
    struct crc64 kind;
    uint64_t length; // of the last string, decompressed
    uint8_t *kept;   // its beginning, as much as was asked for
    size_t kept_length;
    size_t kept_capacity;
    size_t wanted;
    struct lzf lzf;
};

struct rdb_reader *rdb_reader_new(struct source *source) must_use; // borrows the source
void rdb_reader_free(struct rdb_reader *self);

bool rdb_read_length(struct rdb_reader *self, const char *what, uint64_t *ret_length,
                     struct error *err) must_use;
// Into self->length and self->kept (at most `keep` bytes of it, at most RDB_KEPT).
bool rdb_read_string(struct rdb_reader *self, const char *what, size_t keep,
                     struct error *err) must_use;
bool rdb_skip(struct rdb_reader *self, uint64_t length, const char *what,
              struct error *err) must_use;
bool rdb_read_byte(struct rdb_reader *self, const char *what, uint8_t *ret_byte,
                   struct error *err) must_use;

// The last string for people: without control characters, at most 64 bytes; the caller's.
char *rdb_shown(const struct rdb_reader *self) must_use;
bool rdb_kept_is(const struct rdb_reader *self, const char *text);

DEFINE_AUTOFREE(rdb_reader, rdb_reader_free);
