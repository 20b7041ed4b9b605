// What must show in a file without any manifest depends on its format. Where a format cannot tell,
// that is said, with the reason.
#include "base/file.h"
#include "base/memory.h"
#include "dump/dump.h"
#include "dump/little_endian.h"
#include "verify/drill/corruption_ways.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TAR_BLOCK ((size_t)512) // two of zeros end a tar, more may follow (POSIX.1-2017, pax)
#define RDB_SUM ((size_t)8)     // CRC-64 at the end; zero: none (redis.io, RDB files)

// The site's own file, which is sound.
struct alone {
    struct dump_facts facts;
    struct source_facts source;
    int fd;
    uint64_t size;
};

static void alone_done(struct alone *self) {
    dump_facts_done(&self->facts);
    if (self->fd >= 0)
        close(self->fd);
}
DEFINE_AUTODONE(alone, alone_done);

static bool look(const struct corruption_site *site, struct alone *ret_alone, struct error *err) {
    autofree_string char *path = path_join(site->backup, site->artifact);
    struct stat status;
    struct error problem = {0};
    if (!dump_read(path, &ret_alone->facts, &ret_alone->source, &problem))
        return error_set(err, ERROR_PROTOCOL, 0, "it is not whole to begin with: %s",
                         problem.message);
    ret_alone->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (ret_alone->fd < 0 || fstat(ret_alone->fd, &status) != 0)
        return error_set_errno(err, "cannot open %s", path);
    ret_alone->size = (uint64_t)status.st_size;
    return true;
}

static bool is(const struct alone *self, const char *format) {
    return self->facts.format != NULL && strcmp(self->facts.format->name, format) == 0;
}

static bool is_compressed(const struct alone *self) {
    return strcmp(self->source.compression, "none") != 0;
}

// false, too, where they cannot be read: then nothing is excused.
static bool read_at(const struct alone *self, uint64_t at, void *bytes, size_t length) {
    return at <= self->size && length <= self->size - at &&
           pread(self->fd, bytes, length, (off_t)at) == (ssize_t)length;
}

static bool zeros_end_at(const struct alone *self, uint64_t end, size_t length) {
    uint8_t bytes[2 * TAR_BLOCK];
    if (end < length || !read_at(self, end - length, bytes, length))
        return false;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

// ---- why something need not show; NULL: it must

static const char *excuse_none(const struct alone *self, uint64_t size) {
    (void)self, (void)size;
    return NULL;
}

static bool bson_ends_at(const struct alone *self, uint64_t end) {
    uint8_t bytes[4];
    uint64_t at = 0, length = 1;
    while (at < end && length > 0 && read_at(self, at, bytes, sizeof bytes))
        at += length = little_endian(bytes, sizeof bytes);
    return at == end;
}

// Of a file that is cut to `end` bytes.
static const char *excuse_cut(const struct alone *self, uint64_t end) {
    if (end == self->size || is_compressed(self)) // nothing is cut off: no excuse is needed
        return NULL;
    if (is(self, "mongo-bson") && bson_ends_at(self, end))
        return "a document ends there, and BSON has no end mark";
    if (is(self, "volume") && end % TAR_BLOCK == 0 && zeros_end_at(self, end, 2 * TAR_BLOCK))
        return "only zeros would be missing that follow the end of the tar";
    return NULL;
}

static bool is_summed(const struct alone *self) {
    return is_compressed(self) ? self->source.has_checksum
                               : is(self, "redis-rdb") && !zeros_end_at(self, self->size, RDB_SUM);
}

static const char *excuse_bit(const struct alone *self, uint64_t size) {
    (void)size;
    return is_summed(self) ? NULL : "the file has no checksum of what it holds";
}

// A run of zeros breaks what is built of lengths, and no script holds any; but it may lie within
// one value where values may be anything. (pg_dump compresses its custom format unless told not to;
// what of mongodump's archive has no checksum is small.)
static const char *excuse_zeros(const struct alone *self, uint64_t size) {
    static const char *const opaque[] = {"mongo-bson", "postgres-tar", "postgres-directory",
                                         "redis-rdb", "volume"};
    (void)size;
    if (is_summed(self))
        return NULL;
    if (is_compressed(self))
        return "its compression has no checksum";
    for (size_t i = 0; i < sizeof opaque / sizeof *opaque; i++)
        if (is(self, opaque[i]))
            return "zeros may be what it holds, and it has no checksum";
    return NULL;
}

static const char *excuse_padding(const struct alone *self, uint64_t size) {
    (void)size;
    return is_compressed(self) || is(self, "volume") || is(self, "postgres-tar")
               ? "zeros that follow the end of what is compressed, or of a tar, are padding"
               : NULL;
}

static const char *excuse_unknown(const struct alone *self, uint64_t size) {
    (void)self, (void)size;
    return "nothing says any more that it is a dump: as all that is unknown, it is not verified";
}

// ---- the ways

static uint64_t whole(uint64_t size) {
    return size;
}
static bool shows(const struct corruption_site *site,
                  const char *(*excuse)(const struct alone *self, uint64_t end),
                  uint64_t (*end)(uint64_t size), struct error *err) {
    autodone(alone) struct alone alone = {.fd = -1};
    if (!look(site, &alone, err))
        return false;
    const char *reason = excuse(&alone, end(alone.size));
    return reason == NULL || error_set(err, ERROR_UNAVAILABLE, 0, "%s", reason);
}

#define ALONE(name, excuse, end)                                                       \
    bool corruption_alone_##name(const struct corruption_site *site, const char *copy, \
                                 struct error *err) {                                  \
        return shows(site, excuse, end, err) && corruption_##name(site, copy, err);    \
    }
ALONE(emptied, excuse_unknown, whole)
ALONE(gzip_of_nothing, excuse_unknown, whole)
ALONE(zeros_all_over, excuse_unknown, whole)
ALONE(cut_to_half, excuse_cut, corruption_half)
ALONE(cut_by_one_byte, excuse_cut, corruption_all_but_one)
ALONE(cut_by_512, excuse_cut, corruption_all_but_512)
ALONE(flipped_in_the_middle, excuse_bit, whole)
ALONE(flipped_last, excuse_bit, whole)
ALONE(zeros_in_the_middle, excuse_zeros, whole)
ALONE(zeros_at_the_end, excuse_zeros, whole)
ALONE(byte_appended, excuse_none, whole)
ALONE(zeros_appended, excuse_padding, whole)
