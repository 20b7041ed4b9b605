// The environment file: what is read must come back the same when it is written and read again.
#define _GNU_SOURCE
#include "compose/environment_file.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A path whose content is `size` bytes of memory.
static int file_of(const uint8_t *data, size_t size, char path[64]) {
    const int fd = memfd_create("environment", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        __builtin_trap();
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_round_trip(const char *value) {
    char path[64];
    struct error err = {0};
    struct environment_file *file = NULL;
    snprintf(path, sizeof path, "/dev/shm/assay-fuzz-%d", (int)getpid());
    struct environment_writer *writer = environment_writer_new();
    environment_writer_set(writer, "ASSAY_VALUE", value);
    if (!environment_writer_save(writer, path, &err) || !environment_file_read(path, &file, &err) ||
        strcmp(environment_get(file, "ASSAY_VALUE"), value) != 0)
        __builtin_trap();
    unlink(path);
    environment_file_free(file);
    environment_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    struct error err = {0};
    struct environment_file *file = NULL;
    const int fd = file_of(data, size, path);
    if (environment_file_read(path, &file, &err))
        (void)environment_of(file, "redis-1", "HOST");
    else if (err.domain != ERROR_CONFIGURATION)
        __builtin_trap();
    close(fd);
    environment_file_free(file);
    autofree_string char *value = memory_copy_bytes(data, size);
    check_round_trip(value);
    return 0;
}
