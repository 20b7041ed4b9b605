#define _GNU_SOURCE
#include "scenario/worker_memory.h"

#include "run/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SYSTEM_FOLDER "/dev/shm"
#define CRITERION_PREFIX "bxfi_"

// false with errno when it does not fit. Nothing is allocated: Criterion calls this where a lock of
// the allocator may be held by a thread that is not there (after fork).
static bool place(const char *name, char path[PATH_MAX]) {
    const char *plain = name[0] == '/' ? name + 1 : name;
    const char *results = getenv(RUN_RESULTS_VARIABLE);
    const char *folder = SYSTEM_FOLDER;
    size_t length = strlen(folder);
    if (results != NULL && strrchr(results, '/') != NULL &&
        strncmp(plain, CRITERION_PREFIX, strlen(CRITERION_PREFIX)) == 0) {
        folder = results;
        length = (size_t)(strrchr(results, '/') - results);
    }
    const int written = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, plain);
    errno = plain[0] == '\0' || strchr(plain, '/') != NULL ? EINVAL : ENAMETOOLONG;
    return plain[0] != '\0' && strchr(plain, '/') == NULL && written < PATH_MAX;
}

int shm_open(const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    return place(name, path) ? open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode) : -1;
}

int shm_unlink(const char *name) {
    char path[PATH_MAX];
    return place(name, path) ? unlink(path) : -1;
}

void worker_memory_link(void) {
}
