#define _GNU_SOURCE // O_TMPFILE
#include "verify/backup/damage.h"

#include "base/file.h"
#include "base/memory.h"
#include "value/chance.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)

// ---- the copy

static int open_nameless(struct error *err) {
    const char *folder = getenv("TMPDIR");
    folder = folder != NULL && folder[0] == '/' ? folder : "/var/tmp";
    int fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        autofree_string char *path = memory_format("%s/assay-damage.XXXXXX", folder);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            unlink(path);
    }
    if (fd < 0)
        error_set_errno(err, "no room for a damaged copy in %s (TMPDIR chooses another folder)",
                        folder);
    return fd;
}

static bool copy(const struct backup_file *file, int to, const struct cancel *cancel,
                 struct error *err) {
    autoclose_fd int from = open(file->absolute, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return error_set_errno(err, "cannot open %s", file->absolute);
    autofree_string char *piece = memory_new(PIECE, 1);
    for (;;) {
        const ssize_t length = read(from, piece, PIECE);
        if (!cancel_check(cancel, err))
            return false;
        if (length < 0)
            return error_set_errno(err, "cannot read %s", file->absolute);
        if (length == 0)
            return true;
        if (!file_write_all(to, piece, (size_t)length))
            return error_set_errno(err, "cannot write a damaged copy of %s", file->path);
    }
}

// ---- ways of damage

struct damaging {
    const struct backup_file *file;
    int fd;
    struct chance *chance;
    char *what; // of damage_result
    size_t what_size;
};

static bool is_bson(const struct backup_file *file) {
    return backup_file_has_format(file, "mongo-bson");
}

// Bare BSON has no end mark: only a cut within a document shows.
static bool cut(struct damaging *self) {
    const uint64_t size = self->file->size;
    const uint64_t most = is_bson(self->file) ? 4 : size - size / 20;
    const uint64_t keep = is_bson(self->file) ? size - 1 - chance_next(self->chance) % most
                                              : chance_next(self->chance) % most;
    snprintf(self->what, self->what_size, "cut to %" PRIu64 " of %" PRIu64 " bytes", keep, size);
    return ftruncate(self->fd, (off_t)keep) == 0;
}

static bool overwrite(struct damaging *self, uint64_t at, const uint8_t *bytes, size_t length) {
    return pwrite(self->fd, bytes, length, (off_t)at) == (ssize_t)length;
}

static bool spoil_head(struct damaging *self) {
    uint8_t noise[8];
    const uint64_t number = chance_next(self->chance) | 0x8080808080808080u;
    memcpy(noise, &number, sizeof noise);
    const size_t length = self->file->size < sizeof noise ? (size_t)self->file->size : sizeof noise;
    snprintf(self->what, self->what_size, "its first %zu bytes overwritten", length);
    return overwrite(self, 0, noise, length);
}

static bool flip_bit(struct damaging *self) {
    const uint64_t at = chance_next(self->chance) % self->file->size;
    const unsigned bit = (unsigned)(chance_next(self->chance) % 8);
    uint8_t byte = 0;
    snprintf(self->what, self->what_size, "bit %u of byte %" PRIu64 " flipped", bit, at);
    if (pread(self->fd, &byte, 1, (off_t)at) != 1)
        return false;
    byte ^= (uint8_t)(1u << bit);
    return overwrite(self, at, &byte, 1);
}

static bool append(struct damaging *self) {
    static const uint8_t more[] = "assay";
    snprintf(self->what, self->what_size, "%zu bytes appended", sizeof more - 1);
    return overwrite(self, self->file->size, more, sizeof more - 1);
}

static bool always(const struct backup_file *file) {
    (void)file;
    return true;
}

// Any bit: the flags of a gzip header, say, are covered by no checksum, those of its data are.
static bool every_bit_counts(const struct backup_file *file) {
    return strcmp(file->source.compression, "xz") == 0 ||
           strcmp(file->source.compression, "bzip2") == 0;
}

static bool ends_where_it_says(const struct backup_file *file) {
    return !is_bson(file) && file->facts.format->engine != DUMP_UNKNOWN &&
           strcmp(file->source.compression, "none") != 0;
}

static const struct way {
    bool (*suits)(const struct backup_file *file);
    bool (*apply)(struct damaging *self);
} WAYS[] = {
    {always, cut},
    {always, spoil_head},
    {every_bit_counts, flip_bit},
    {ends_where_it_says, append},
};
#define WAY_COUNT (sizeof WAYS / sizeof *WAYS)

static bool apply_one(struct damaging *self) {
    for (;;) {
        const struct way *way = &WAYS[chance_next(self->chance) % WAY_COUNT];
        if (way->suits(self->file))
            return way->apply(self);
    }
}

// ---- the control

// The right reason: the content is called damaged, or nothing is recognised in it any more; not
// that the copy could not be read.
static bool is_refused(bool read, const struct dump_facts *facts, const struct error *problem,
                       struct damage_result *result) {
    if (!read) {
        snprintf(result->answer, sizeof result->answer, "%s", problem->message);
        return problem->domain == ERROR_PROTOCOL;
    }
    snprintf(result->answer, sizeof result->answer, "%s",
             facts->format != NULL ? facts->format->title : facts->recognised);
    return facts->format == NULL;
}

bool damage_try(const struct backup_file *file, uint64_t seed, const struct cancel *cancel,
                struct damage_result *ret_result, struct error *err) {
    struct damage_result result = {0};
    autoclose_fd int fd = open_nameless(err);
    if (fd < 0 || !copy(file, fd, cancel, err))
        return false;
    struct chance chance = {seed};
    struct damaging damaging = {file, fd, &chance, result.what, sizeof result.what};
    if (!apply_one(&damaging))
        return error_set_errno(err, "cannot damage a copy of %s", file->path);
    autofree(source) struct source *source = NULL;
    autodone(dump_facts) struct dump_facts facts = {0};
    struct error problem = {0};
    bool read = source_open_fd(fd, "the damaged copy", &source, &problem);
    if (read) {
        source_watch(source, cancel, NULL);
        read = dump_read_source(source, &facts, &problem);
    }
    if (!cancel_check(cancel, err))
        return false;
    result.refused = is_refused(read, &facts, &problem, &result);
    *ret_result = result;
    return true;
}
