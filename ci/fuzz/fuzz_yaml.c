// The whole way from the bytes of a Compose file to a plan: YAML, variables, one form, extends,
// merging, every key of a service, the order. A seed is a Compose file.
#define _GNU_SOURCE
#include "compose/plan.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

// libfyaml 0.7.12 loses 1 KiB on some malformed quoted keys, with or without us.
const char *__lsan_default_suppressions(void) {
    return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    const int fd = memfd_create("compose.yaml", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        __builtin_trap();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const struct plan_options options = {.files = (const char *const[]){path, NULL},
                                         .profiles = (const char *const[]){"*", NULL}};
    struct plan *plan = NULL;
    struct error err = {0};
    if (!plan_load(&options, &plan, &err) && err.domain != ERROR_CONFIGURATION)
        __builtin_trap(); // every refusal is the file's fault, and says so
    plan_free(plan);
    close(fd);
    return 0;
}
