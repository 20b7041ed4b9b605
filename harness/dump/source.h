// The bytes of one backup file, decompressed on the way and proven to end well.
//
//   file ──> SHA-256 of what is on the disk ──> decoder ──> whoever reads
//
// The compression comes from the first bytes, never from the name: gzip, zstd, xz, bzip2, LZ4
// frame, or none. Files of several members (gzip, xz, zstd, bzip2, lz4) are read to the last.
// Memory is bounded whatever the file declares: windows above SOURCE_WINDOW_LIMIT are refused.
//
// The end is only the end when everything that the compression offers as a check holds: CRC-32 and
// length of gzip, the block checks and index of xz, CRC of bzip2, the content checksum of zstd and
// LZ4 where the frame has one, and when nothing but zero padding follows. A file that stops early,
// or goes on, is ERROR_PROTOCOL, with the offset in the file: "at byte 1234: gzip: the data end
// before the stream does".
//
// Sources: RFC 1952 (gzip), RFC 8878 (zstd), the .xz file format 1.1, the LZ4 frame format 1.6.
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/sha256.h"

#include <stdatomic.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_WINDOW_LIMIT ((size_t)64 * 1024 * 1024)
#define SOURCE_HEAD ((size_t)4096) // what source_peek can show at most

struct source;

struct source_facts {
    const char *compression;     // "gzip", "zstd", "xz", "bzip2", "lz4", "none"
    bool has_checksum;           // the compression itself would notice a flipped bit
    uint64_t file_bytes;         // read from the disk so far; all of them at the end
    uint64_t bytes;              // handed out so far, decompressed
    uint8_t sha256[SHA256_SIZE]; // of the file; zeroed until the end was reached
};

// Opens for reading only (O_NOFOLLOW: a link is refused, with its target in the message; so is
// what is no regular file).
bool source_open(const char *path, struct source **ret_source, struct error *err) must_use;
// The same over an open regular file, from its beginning; `name` stands in messages. The descriptor
// is duplicated, and shares its offset with the caller's.
bool source_open_fd(int fd, const char *name, struct source **ret_source,
                    struct error *err) must_use;
// The same over bytes in memory, borrowed: for tests and fuzzers.
bool source_open_bytes(const void *bytes, size_t length, struct source **ret_source,
                       struct error *err) must_use;
void source_close(struct source *self);

// For a file that takes long: every read asks `cancel` first, and adds the bytes that it took from
// the disk to `counter`. Either may be NULL; both are borrowed.
void source_watch(struct source *self, const struct cancel *cancel, atomic_ullong *counter);

// The next decompressed bytes without taking them: at least `wanted` (up to SOURCE_HEAD) unless the
// source is shorter. Borrowed until the next call.
bool source_peek(struct source *self, size_t wanted, const uint8_t **ret_bytes, size_t *ret_length,
                 struct error *err) must_use;

// At least one byte; *ret_length is 0 at the proven end, and from then on.
bool source_read(struct source *self, void *bytes, size_t size, size_t *ret_length,
                 struct error *err) must_use;
// Exactly `size` bytes, or ERROR_PROTOCOL: "… ends within `what`".
bool source_read_all(struct source *self, void *bytes, size_t size, const char *what,
                     struct error *err) must_use;
bool source_skip(struct source *self, uint64_t length, const char *what,
                 struct error *err) must_use;
// Reads on to the end and forgets what comes: for whoever has seen enough of a format that may be
// followed by anything.
bool source_drain(struct source *self, struct error *err) must_use;

// Reads the rest of the file without decoding it, so that its SHA-256 stands even where its content
// is damaged; nothing can be read afterwards.
bool source_hash_rest(struct source *self, struct error *err) must_use;

uint64_t source_offset(const struct source *self); // decompressed bytes taken so far
const struct source_facts *source_facts(const struct source *self);

// An error about what was read: "at byte 1234 of PATH: …"; returns false.
bool source_error(const struct source *self, struct error *err, const char *format, ...)
    printf_like(3, 4);

DEFINE_AUTOFREE(source, source_close);
