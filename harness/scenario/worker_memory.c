#define _GNU_SOURCE
#include "scenario/worker_memory.h"

#include "run/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MEMORY_FOLDER "/dev/shm"
#define MEMORY_PREFIX "bxfi_"
#define SOCKET_PREFIX "/tmp/criterion_"

static bool begins_with(const char *text, const char *beginning) {
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

// <the run's folder>/NAME; false: there is no run, or it does not fit. Nothing is allocated:
// Criterion calls all of this where a lock of the allocator may be held by a thread that is not
// there (after fork).
static bool in_the_run(const char *name, char *path, size_t size) {
    const char *results = getenv(RUN_RESULTS_VARIABLE);
    const char *slash = results != NULL ? strrchr(results, '/') : NULL;
    return slash != NULL &&
           (size_t)snprintf(path, size, "%.*s/%s", (int)(slash - results), results, name) < size;
}

static bool place_memory(const char *name, char path[PATH_MAX]) {
    const char *plain = name[0] == '/' ? name + 1 : name;
    errno = EINVAL;
    if (plain[0] == '\0' || strchr(plain, '/') != NULL)
        return false;
    errno = ENAMETOOLONG;
    return (begins_with(plain, MEMORY_PREFIX) && in_the_run(plain, path, PATH_MAX)) ||
           snprintf(path, PATH_MAX, MEMORY_FOLDER "/%s", plain) < PATH_MAX;
}

int shm_open(const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    return place_memory(name, path) ? open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode) : -1;
}

int shm_unlink(const char *name) {
    char path[PATH_MAX];
    return place_memory(name, path) ? unlink(path) : -1;
}

// The address to use in place of the one given: Criterion's socket, moved, or the same.
static const struct sockaddr *place_socket(const struct sockaddr *address, socklen_t *length,
                                           struct sockaddr_un *moved) {
    const struct sockaddr_un *asked = (const struct sockaddr_un *)(const void *)address;
    const size_t path_at = offsetof(struct sockaddr_un, sun_path);
    if (address == NULL || *length <= path_at || address->sa_family != AF_UNIX ||
        *length - path_at > sizeof asked->sun_path ||
        strnlen(asked->sun_path, *length - path_at) == sizeof asked->sun_path ||
        !begins_with(asked->sun_path, SOCKET_PREFIX))
        return address;
    *moved = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!in_the_run(strrchr(asked->sun_path, '/') + 1, moved->sun_path, sizeof moved->sun_path))
        return address;
    *length = sizeof *moved;
    return (const struct sockaddr *)(const void *)moved;
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    struct sockaddr_un moved;
    const struct sockaddr *place = place_socket(address, &length, &moved);
    return (int)syscall(SYS_bind, fd, place, length);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    struct sockaddr_un moved;
    const struct sockaddr *place = place_socket(address, &length, &moved);
    return (int)syscall(SYS_connect, fd, place, length);
}

void worker_memory_link(void) {
}
