#define _GNU_SOURCE
#include "base/file.h"
#include "base/memory.h"
#include "verify/drill/corruption_ways.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE ((size_t)1 << 16)
#define BLOCK ((uint64_t)4096) // of a file system: what gets lost at once

// ---- in its place

struct opened {
    int fd;
    uint64_t size;
};

static void opened_done(struct opened *self) {
    if (self->fd >= 0)
        close(self->fd);
}
DEFINE_AUTODONE(opened, opened_done);

static bool open_artifact(const struct corruption_site *site, const char *copy,
                          struct opened *ret_opened, struct error *err) {
    autofree_string char *path = path_join(copy, site->artifact);
    struct stat status;
    ret_opened->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (ret_opened->fd < 0 || fstat(ret_opened->fd, &status) != 0)
        return error_set_errno(err, "cannot open %s", path);
    ret_opened->size = (uint64_t)status.st_size;
    return true;
}

static bool not_altered(const struct corruption_site *site, struct error *err) {
    return error_set_errno(err, "cannot alter the copy of %s", site->artifact);
}

// ---- cut

static bool cut(const struct corruption_site *site, const char *copy,
                uint64_t (*kept)(uint64_t size), struct error *err) {
    autodone(opened) struct opened opened = {.fd = -1};
    if (!open_artifact(site, copy, &opened, err))
        return false;
    if (kept(opened.size) >= opened.size)
        return error_set(err, ERROR_UNAVAILABLE, 0, "it has only %" PRIu64 " bytes", opened.size);
    return ftruncate(opened.fd, (off_t)kept(opened.size)) == 0 || not_altered(site, err);
}

static uint64_t none(uint64_t size) {
    (void)size;
    return 0;
}
static uint64_t one(uint64_t size) {
    (void)size;
    return 1;
}
uint64_t corruption_half(uint64_t size) {
    return size / 2;
}
uint64_t corruption_all_but_one(uint64_t size) {
    return size > 0 ? size - 1 : 0;
}
uint64_t corruption_all_but_512(uint64_t size) {
    return size > 512 ? size - 512 : size;
}

#define CUT(name, kept)                                                          \
    bool corruption_##name(const struct corruption_site *site, const char *copy, \
                           struct error *err) {                                  \
        return cut(site, copy, kept, err);                                       \
    }
CUT(emptied, none)
CUT(cut_to_one_byte, one)
CUT(cut_to_half, corruption_half)
CUT(cut_by_one_byte, corruption_all_but_one)
CUT(cut_by_512, corruption_all_but_512)

// ---- a bit

static bool flip(const struct corruption_site *site, const char *copy,
                 uint64_t (*at)(uint64_t size), struct error *err) {
    autodone(opened) struct opened opened = {.fd = -1};
    uint8_t byte = 0;
    if (!open_artifact(site, copy, &opened, err))
        return false;
    if (opened.size == 0)
        return error_set(err, ERROR_UNAVAILABLE, 0, "it is empty");
    const off_t where = (off_t)at(opened.size);
    if (pread(opened.fd, &byte, 1, where) != 1)
        return not_altered(site, err);
    byte ^= 1;
    return pwrite(opened.fd, &byte, 1, where) == 1 || not_altered(site, err);
}

static uint64_t quarter(uint64_t size) {
    return size / 4;
}

#define FLIP(name, at)                                                           \
    bool corruption_##name(const struct corruption_site *site, const char *copy, \
                           struct error *err) {                                  \
        return flip(site, copy, at, err);                                        \
    }
FLIP(flipped_first, none)
FLIP(flipped_at_a_quarter, quarter)
FLIP(flipped_in_the_middle, corruption_half)
FLIP(flipped_last, corruption_all_but_one)

// ---- zeros

// *ret_any: there was something else.
static bool put_zeros(int fd, uint64_t from, uint64_t length, bool *ret_any) {
    static const uint8_t zeros[BLOCK];
    uint8_t was[BLOCK];
    while (length > 0) {
        const size_t piece = length < BLOCK ? (size_t)length : BLOCK;
        if (pread(fd, was, piece, (off_t)from) != (ssize_t)piece ||
            pwrite(fd, zeros, piece, (off_t)from) != (ssize_t)piece)
            return false;
        *ret_any = *ret_any || memcmp(was, zeros, piece) != 0;
        from += piece;
        length -= piece;
    }
    return true;
}

static bool zero(const struct corruption_site *site, const char *copy,
                 void (*where)(uint64_t size, uint64_t *ret_from, uint64_t *ret_length),
                 struct error *err) {
    autodone(opened) struct opened opened = {.fd = -1};
    uint64_t from = 0, length = 0;
    bool any = false;
    if (!open_artifact(site, copy, &opened, err))
        return false;
    where(opened.size, &from, &length);
    if (!put_zeros(opened.fd, from, length, &any))
        return not_altered(site, err);
    return any || error_set(err, ERROR_UNAVAILABLE, 0, "there are zeros already");
}

// A block, or half of a file that is small.
static uint64_t block_of(uint64_t size) {
    return size >= 2 * BLOCK ? BLOCK : size / 2;
}
static void middle_block(uint64_t size, uint64_t *ret_from, uint64_t *ret_length) {
    *ret_length = block_of(size);
    *ret_from = (size - *ret_length) / 2;
}
static void last_block(uint64_t size, uint64_t *ret_from, uint64_t *ret_length) {
    *ret_length = block_of(size);
    *ret_from = size - *ret_length;
}
static void whole(uint64_t size, uint64_t *ret_from, uint64_t *ret_length) {
    *ret_length = size;
    *ret_from = 0;
}

#define ZERO(name, where)                                                        \
    bool corruption_##name(const struct corruption_site *site, const char *copy, \
                           struct error *err) {                                  \
        return zero(site, copy, where, err);                                     \
    }
ZERO(zeros_in_the_middle, middle_block)
ZERO(zeros_at_the_end, last_block)
ZERO(zeros_all_over, whole)

// ---- appended

static bool append(const struct corruption_site *site, const char *copy, const void *bytes,
                   size_t length, struct error *err) {
    autodone(opened) struct opened opened = {.fd = -1};
    if (!open_artifact(site, copy, &opened, err))
        return false;
    return pwrite(opened.fd, bytes, length, (off_t)opened.size) == (ssize_t)length ||
           not_altered(site, err);
}

bool corruption_byte_appended(const struct corruption_site *site, const char *copy,
                              struct error *err) {
    return append(site, copy, "x", 1, err);
}

bool corruption_newline_appended(const struct corruption_site *site, const char *copy,
                                 struct error *err) {
    return append(site, copy, "\n", 1, err);
}

// What a file system may leave of a file that was growing when the power failed.
bool corruption_zeros_appended(const struct corruption_site *site, const char *copy,
                               struct error *err) {
    static const uint8_t zeros[BLOCK];
    return append(site, copy, zeros, sizeof zeros, err);
}

// ---- written anew from a sound file: `source` within the site's backup

// Returns whether what it wrote is something else; errors stay in the streams.

static bool rewrite(const struct corruption_site *site, const char *copy, const char *source,
                    bool (*write)(FILE *from, FILE *to), struct error *err) {
    autofree_string char *from_path = path_join(site->backup, source);
    autofree_string char *to_path = path_join(copy, site->artifact);
    autoclose_stream FILE *from = fopen(from_path, "re");
    autoclose_stream FILE *to = from != NULL ? fopen(to_path, "we") : NULL;
    if (to == NULL)
        return not_altered(site, err);
    const bool altered = write(from, to);
    if (ferror(from) || ferror(to) || fclose(TAKE(to)) != 0)
        return not_altered(site, err);
    return altered || error_set(err, ERROR_UNAVAILABLE, 0, "nothing in it would be altered");
}

static bool pass_on(FILE *from, FILE *to) {
    char piece[PIECE];
    size_t length;
    while ((length = fread(piece, 1, sizeof piece, from)) > 0)
        if (fwrite(piece, 1, length, to) != length)
            break;
    return true;
}

static bool twice(FILE *from, FILE *to) {
    pass_on(from, to);
    rewind(from);
    return pass_on(from, to) && ftello(from) > 0;
}

static bool second_half_first(FILE *from, FILE *to) {
    fseeko(from, 0, SEEK_END);
    const off_t size = ftello(from);
    fseeko(from, size / 2, SEEK_SET);
    pass_on(from, to);
    rewind(from);
    for (off_t at = 0; at < size / 2; at++)
        putc(getc(from), to);
    return size > 1;
}

// As a transfer as text makes them.
static bool carriage_returns(FILE *from, FILE *to) {
    bool altered = false;
    for (int byte; (byte = getc(from)) != EOF; putc(byte, to))
        if (byte == '\n') {
            putc('\r', to);
            altered = true;
        }
    return altered;
}

// As a program makes of it that takes everything for ASCII.
static bool question_marks(FILE *from, FILE *to) {
    bool altered = false;
    for (int byte; (byte = getc(from)) != EOF;) {
        altered = altered || byte > 0x7f;
        putc(byte > 0x7f ? '?' : byte, to);
    }
    return altered;
}

static bool nothing_compressed(FILE *from, FILE *to) {
    static const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, // RFC 1952: the header,
                                   3,    0,                            // an empty last block,
                                   0,    0,    0, 0, 0, 0, 0, 0};      // CRC-32 and length
    (void)from;
    fwrite(gzip, 1, sizeof gzip, to);
    return true;
}

#define REWRITE(name, write)                                                     \
    bool corruption_##name(const struct corruption_site *site, const char *copy, \
                           struct error *err) {                                  \
        return rewrite(site, copy, site->artifact, write, err);                  \
    }
REWRITE(doubled, twice)
REWRITE(halves_exchanged, second_half_first)
REWRITE(line_ends_of_windows, carriage_returns)
REWRITE(seven_bits, question_marks)
REWRITE(gzip_of_nothing, nothing_compressed)

bool corruption_other_in_its_place(const struct corruption_site *site, const char *copy,
                                   struct error *err) {
    if (site->other == NULL)
        return error_set(err, ERROR_UNAVAILABLE, 0, "the backup has none of another engine");
    return rewrite(site, copy, site->other, pass_on, err);
}

static bool without_its_head(FILE *from, FILE *to) {
    fseeko(from, 0, SEEK_END);
    const off_t size = ftello(from), head = (off_t)block_of((uint64_t)size);
    fseeko(from, head, SEEK_SET);
    return pass_on(from, to) && head > 0;
}
REWRITE(head_cut_off, without_its_head)

bool corruption_compressed(const struct corruption_site *site, const char *copy,
                           struct error *err) {
    autofree_string char *from_path = path_join(site->backup, site->artifact);
    autofree_string char *to_path = path_join(copy, site->artifact);
    autoclose_stream FILE *from = fopen(from_path, "re");
    const gzFile to = from != NULL ? gzopen(to_path, "wbe") : NULL;
    if (to == NULL)
        return not_altered(site, err);
    char piece[PIECE];
    size_t length;
    bool good = true;
    while (good && (length = fread(piece, 1, sizeof piece, from)) > 0)
        good = gzwrite(to, piece, (unsigned)length) == (int)length;
    const bool closed = gzclose(to) == Z_OK;
    return (good && closed && !ferror(from)) || not_altered(site, err);
}
