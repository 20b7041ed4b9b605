#define _GNU_SOURCE
#include "base/secret.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/secret_reveal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define SECRET_FILE_LIMIT ((size_t)64 * 1024)
#define GENERATED_BYTES 16

struct secret {
    size_t length;
    char *bytes; // sodium_malloc: guarded, locked, out of core files, zeroed by sodium_free
};

static struct secret *secret_allocate(size_t length) {
    check(sodium_init() >= 0);
    struct secret *self = memory_new(1, sizeof *self);
    self->length = length;
    self->bytes = sodium_malloc(length + 1);
    if (self->bytes == NULL)
        memory_is_out();
    self->bytes[length] = '\0';
    return self;
}

struct secret *secret_generate(void) {
    struct secret *self = secret_allocate(2 * (size_t)GENERATED_BYTES);
    unsigned char random[GENERATED_BYTES];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(self->bytes, self->length + 1, random, sizeof random);
    sodium_memzero(random, sizeof random);
    return self;
}

struct secret *secret_from_bytes(const void *bytes, size_t length) {
    struct secret *self = secret_allocate(length);
    if (length > 0)
        memcpy(self->bytes, bytes, length);
    return self;
}

struct secret *secret_copy(const struct secret *self) {
    return self == NULL ? NULL : secret_from_bytes(self->bytes, self->length);
}

void secret_free(struct secret *self) {
    if (self == NULL)
        return;
    sodium_free(self->bytes);
    free(self);
}

static bool read_all(int fd, char *buffer, size_t size, size_t *ret_length) {
    size_t length = 0;
    while (length < size) {
        const ssize_t got = read(fd, buffer + length, size - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    *ret_length = length;
    return true;
}

bool secret_read_file(const char *path, struct secret **ret_secret, struct error *err) {
    autoclose_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "cannot open the secret file %s", path);
    char *buffer = memory_new(SECRET_FILE_LIMIT + 1, 1);
    size_t length = 0;
    const bool read_well = read_all(fd, buffer, SECRET_FILE_LIMIT + 1, &length);
    if (!read_well)
        error_set_errno(err, "cannot read the secret file %s", path);
    else if (length > SECRET_FILE_LIMIT)
        error_set(err, ERROR_CONFIGURATION, 0, "%s: a secret file may hold at most %zu bytes", path,
                  SECRET_FILE_LIMIT);
    else {
        while (length > 0 && (buffer[length - 1] == '\n' || buffer[length - 1] == '\r'))
            length--;
        *ret_secret = secret_from_bytes(buffer, length);
    }
    const bool ok = read_well && length <= SECRET_FILE_LIMIT;
    sodium_memzero(buffer, SECRET_FILE_LIMIT + 1);
    free(buffer);
    return ok;
}

bool secret_write_file(const struct secret *self, const char *path, struct error *err) {
    autoclose_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, "cannot create the secret file %s", path);
    size_t written = 0;
    while (written < self->length) {
        const ssize_t put = write(fd, self->bytes + written, self->length - written);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            error_set_errno(err, "cannot write the secret file %s", path);
            unlink(path); // half a secret is worse than none
            return false;
        }
        written += (size_t)put;
    }
    return true;
}

bool secret_equal(const struct secret *left, const struct secret *right) {
    return left->length == right->length &&
           sodium_memcmp(left->bytes, right->bytes, left->length) == 0;
}

size_t secret_length(const struct secret *self) {
    return self->length;
}

bool secret_occurs_in(const struct secret *self, const void *bytes, size_t length) {
    return self->length > 0 && memmem(bytes, length, self->bytes, self->length) != NULL;
}

const char *secret_reveal(const struct secret *self) {
    return self == NULL ? NULL : self->bytes;
}
