#define _GNU_SOURCE // O_NOFOLLOW, vasprintf by memory.h
#include "dump/source.h"

#include "base/check.h"
#include "base/memory.h"
#include "dump/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)
_Static_assert(SOURCE_HEAD <= PIECE && CODEC_HEAD <= PIECE, "a head fits into a piece");

// A piece of bytes: those from `from` to `to` are there.
struct piece {
    uint8_t *bytes; // PIECE of them
    size_t from;
    size_t to;
};

enum place {
    BEFORE_STREAM, // at the beginning, or where another stream may begin
    IN_STREAM,
    AT_END,
};

struct source {
    char *path;
    int fd; // -1: memory
    const uint8_t *memory;
    size_t memory_left;

    struct piece file; // as it stands on the disk
    uint64_t file_at;  // offset of file.bytes[file.from]
    bool file_ended;
    struct sha256 *hash;

    const struct codec *codec; // NULL: none
    void *codec_state;
    enum place place;
    uint64_t streams;

    struct piece decoded;
    struct source_facts facts;

    const struct cancel *cancel;
    atomic_ullong *counter;
};

// ---- opening and closing

static bool not_a_file(const char *path, struct error *err) {
    if (errno != ELOOP)
        return error_set_errno(err, "cannot open %s", path);
    char target[1024];
    const ssize_t length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    return error_set(
        err, ERROR_SYSTEM, ELOOP,
        "%s is a symbolic link (to %s): a backup must be a file, links are not followed", path,
        target);
}

static struct source *new_source(const char *path, int fd) {
    struct source *self = memory_new(1, sizeof *self);
    self->path = memory_copy_string(path);
    self->fd = fd;
    self->facts.compression = "none";
    self->file.bytes = memory_resize(NULL, PIECE, 1); // not zeroed: opening is cheap
    self->decoded.bytes = memory_resize(NULL, PIECE, 1);
    self->hash = sha256_new();
    return self;
}

static bool find_codec(struct source *self, struct error *err);

static bool start(struct source *self, struct source **ret_source, struct error *err) {
    if (!find_codec(self, err)) {
        source_close(self);
        return false;
    }
    *ret_source = self;
    return true;
}

bool source_open(const char *path, struct source **ret_source, struct error *err) {
    // Not blocking: whoever puts a pipe there shall not hold us.
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    if (fd < 0)
        return not_a_file(path, err);
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return error_set(err, ERROR_SYSTEM, EINVAL, "%s is not a regular file", path);
    }
    return start(new_source(path, fd), ret_source, err);
}

bool source_open_fd(int fd, const char *name, struct source **ret_source, struct error *err) {
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0 || lseek(own, 0, SEEK_SET) != 0) {
        error_set_errno(err, "cannot read %s again", name);
        if (own >= 0)
            close(own);
        return false;
    }
    return start(new_source(name, own), ret_source, err);
}

bool source_open_bytes(const void *bytes, size_t length, struct source **ret_source,
                       struct error *err) {
    struct source *self = new_source("memory", -1);
    self->memory = bytes;
    self->memory_left = length;
    return start(self, ret_source, err);
}

void source_watch(struct source *self, const struct cancel *cancel, atomic_ullong *counter) {
    self->cancel = cancel;
    self->counter = counter;
    if (counter != NULL)
        atomic_fetch_add(counter, (unsigned long long)self->facts.file_bytes);
}

void source_close(struct source *self) {
    if (self == NULL)
        return;
    if (self->codec_state != NULL)
        self->codec->free(self->codec_state);
    if (self->fd >= 0)
        close(self->fd);
    free(self->file.bytes);
    free(self->decoded.bytes);
    sha256_free(self->hash);
    free(self->path);
    free(self);
}

// ---- the file

static size_t held(const struct piece *piece) {
    return piece->to - piece->from;
}

static void make_room(struct piece *piece) {
    memmove(piece->bytes, piece->bytes + piece->from, held(piece));
    piece->to -= piece->from;
    piece->from = 0;
}

static ssize_t read_some(struct source *self, uint8_t *bytes, size_t size) {
    if (self->fd < 0) {
        const size_t length = self->memory_left < size ? self->memory_left : size;
        if (length > 0)
            memcpy(bytes, self->memory, length);
        self->memory += length;
        self->memory_left -= length;
        return (ssize_t)length;
    }
    ssize_t length;
    do
        length = read(self->fd, bytes, size);
    while (length < 0 && errno == EINTR);
    return length;
}

// Until at least `wanted` bytes of the file are held, or it ended.
static bool fill_file(struct source *self, size_t wanted, struct error *err) {
    struct piece *file = &self->file;
    while (held(file) < wanted && !self->file_ended) {
        make_room(file);
        const ssize_t length = read_some(self, file->bytes + file->to, PIECE - file->to);
        if (length < 0)
            return error_set_errno(err, "cannot read %s at byte %" PRIu64, self->path,
                                   self->facts.file_bytes);
        sha256_add(self->hash, file->bytes + file->to, (size_t)length);
        file->to += (size_t)length;
        self->facts.file_bytes += (uint64_t)length;
        if (self->counter != NULL)
            atomic_fetch_add(self->counter, (unsigned long long)length);
        self->file_ended = length == 0;
    }
    return true;
}

static void take_file(struct source *self, size_t length) {
    self->file.from += length;
    self->file_at += length;
}

// What is wrong with the file itself, as against what it holds.
static bool file_error(const struct source *self, struct error *err, const char *what) {
    return error_set(err, ERROR_PROTOCOL, 0, "at byte %" PRIu64 " of %s: %s: %s", self->file_at,
                     self->path, self->facts.compression, what);
}

// ---- decoding

static bool find_codec(struct source *self, struct error *err) {
    if (!fill_file(self, CODEC_HEAD, err))
        return false;
    const uint8_t *head = self->file.bytes + self->file.from;
    for (size_t i = 0; CODECS[i] != NULL && self->codec == NULL; i++)
        if (CODECS[i]->recognises(head, held(&self->file)))
            self->codec = CODECS[i];
    if (self->codec == NULL)
        return true;
    self->codec_state = self->codec->new ();
    self->facts.compression = self->codec->name;
    self->facts.has_checksum = true; // until a stream has none
    return true;
}

static bool reach_end(struct source *self) {
    sha256_end(self->hash, self->facts.sha256);
    self->place = AT_END;
    return true;
}

// Takes zeros; *ret_length says how many.
static bool skip_padding(struct source *self, uint64_t *ret_length, struct error *err) {
    uint64_t length = 0;
    do {
        while (held(&self->file) > 0 && self->file.bytes[self->file.from] == 0) {
            take_file(self, 1);
            length++;
        }
        if (!fill_file(self, 1, err))
            return false;
    } while (held(&self->file) > 0 && self->file.bytes[self->file.from] == 0);
    *ret_length = length;
    return true;
}

// Where a stream ended: at the file's end, at its padding, or before the next stream.
static bool begin_stream(struct source *self, struct error *err) {
    uint64_t padding = 0;
    if (self->streams > 0 && !skip_padding(self, &padding, err))
        return false;
    if (!fill_file(self, CODEC_HEAD, err))
        return false;
    if (padding % self->codec->padding_unit != 0)
        return file_error(self, err, "the padding is no multiple of 4 bytes");
    const uint8_t *head = self->file.bytes + self->file.from;
    const size_t length = held(&self->file);
    if (length == 0)
        return reach_end(self);
    if (self->streams > 0) {
        if ((padding > 0 && self->codec->padding_unit == 1) ||
            !self->codec->recognises_next(head, length))
            return file_error(self, err, "something else follows the end of the compressed data");
        self->codec->again(self->codec_state);
    }
    if (!self->codec->has_checksum(head, length))
        self->facts.has_checksum = false;
    self->streams++;
    self->place = IN_STREAM;
    return true;
}

static bool decode_step(struct source *self, struct error *err) {
    struct piece *file = &self->file;
    struct piece *decoded = &self->decoded;
    char wrong[CODEC_WRONG_SIZE];
    struct codec_buffers buffers = {file->bytes + file->from, held(file),
                                    decoded->bytes + decoded->to, PIECE - decoded->to};
    const struct codec_buffers before = buffers;
    const enum codec_result result = self->codec->step(self->codec_state, &buffers, wrong);
    take_file(self, before.in_length - buffers.in_length);
    decoded->to += before.out_size - buffers.out_size;
    if (result == CODEC_WRONG)
        return file_error(self, err, wrong);
    if (result == CODEC_STREAM_ENDED) {
        self->place = BEFORE_STREAM;
        return true;
    }
    if (before.in_length != buffers.in_length || before.out_size != buffers.out_size)
        return true;
    if (held(file) > 0 && (held(file) == PIECE || self->file_ended))
        return file_error(self, err, "the data are damaged");
    if (self->file_ended)
        return file_error(self, err, "the data end before the stream does");
    return fill_file(self, held(file) + 1, err);
}

static bool copy_step(struct source *self, struct error *err) {
    struct piece *decoded = &self->decoded;
    if (!fill_file(self, 1, err))
        return false;
    const size_t here = held(&self->file);
    const size_t length = here < PIECE - decoded->to ? here : PIECE - decoded->to;
    memcpy(decoded->bytes + decoded->to, self->file.bytes + self->file.from, length);
    decoded->to += length;
    take_file(self, length);
    return length > 0 || reach_end(self);
}

// Until at least `wanted` decoded bytes are held, or the source ended well.
static bool fill_decoded(struct source *self, size_t wanted, struct error *err) {
    bool done = true;
    if (held(&self->decoded) < wanted)
        make_room(&self->decoded);
    while (done && held(&self->decoded) < wanted && self->place != AT_END) {
        if (!cancel_check(self->cancel, err))
            return false;
        if (self->codec == NULL)
            done = copy_step(self, err);
        else if (self->place == BEFORE_STREAM)
            done = begin_stream(self, err);
        else
            done = decode_step(self, err);
    }
    return done;
}

// ---- reading

bool source_peek(struct source *self, size_t wanted, const uint8_t **ret_bytes, size_t *ret_length,
                 struct error *err) {
    check(wanted <= SOURCE_HEAD);
    if (!fill_decoded(self, wanted, err))
        return false;
    *ret_bytes = self->decoded.bytes + self->decoded.from;
    *ret_length = held(&self->decoded);
    return true;
}

bool source_read(struct source *self, void *bytes, size_t size, size_t *ret_length,
                 struct error *err) {
    check(size > 0);
    if (!fill_decoded(self, 1, err))
        return false;
    const size_t here = held(&self->decoded);
    const size_t length = here < size ? here : size;
    memcpy(bytes, self->decoded.bytes + self->decoded.from, length);
    self->decoded.from += length;
    self->facts.bytes += length;
    *ret_length = length;
    return true;
}

bool source_read_all(struct source *self, void *bytes, size_t size, const char *what,
                     struct error *err) {
    for (size_t done = 0, length; done < size; done += length) {
        if (!source_read(self, (uint8_t *)bytes + done, size - done, &length, err))
            return false;
        if (length == 0)
            return source_error(self, err, "the data end within %s", what);
    }
    return true;
}

bool source_skip(struct source *self, uint64_t length, const char *what, struct error *err) {
    while (length > 0) {
        if (!fill_decoded(self, 1, err))
            return false;
        const size_t here = held(&self->decoded);
        const size_t piece = here < length ? here : (size_t)length;
        if (piece == 0)
            return source_error(self, err, "the data end within %s", what);
        self->decoded.from += piece;
        self->facts.bytes += piece;
        length -= piece;
    }
    return true;
}

bool source_drain(struct source *self, struct error *err) {
    do {
        self->facts.bytes += held(&self->decoded);
        self->decoded.from = self->decoded.to;
        if (!fill_decoded(self, 1, err))
            return false;
    } while (held(&self->decoded) > 0);
    return true;
}

bool source_hash_rest(struct source *self, struct error *err) {
    while (!self->file_ended) {
        take_file(self, held(&self->file));
        if (!cancel_check(self->cancel, err) || !fill_file(self, 1, err))
            return false;
    }
    take_file(self, held(&self->file));
    self->decoded.from = self->decoded.to;
    return self->place == AT_END || reach_end(self);
}

uint64_t source_offset(const struct source *self) {
    return self->facts.bytes;
}

const struct source_facts *source_facts(const struct source *self) {
    return &self->facts;
}

bool source_error(const struct source *self, struct error *err, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *what = memory_format_list(format, arguments);
    va_end(arguments);
    return error_set(err, ERROR_PROTOCOL, 0, "at byte %" PRIu64 " of %s%s: %s", source_offset(self),
                     self->codec != NULL ? "what is packed in " : "", self->path, what);
}
