// Preloaded by ci/faults/run: makes the n-th allocation of a program fail.
//
//   FAULT_COUNTS=FILE   16 bytes, zeroed: gets the number of allocations, and of those that failed,
//                       two 64-bit integers; it is mapped, so it is right however the program ends
//   FAULT_NTH=N         which one fails; 0 or unset: none, they are only counted
//   FAULT_ON=1          and all after it; unset: only that one
//   FAULT_TRACE=FILE    gets the call stack of the first that failed
//   FAULT_IN=copies     count in the forked copies of the program; unset: in the program only
//
// malloc, calloc, realloc and the aligned allocators are replaced here; strdup, asprintf, getline,
// reallocarray and whatever else allocates in libc or in another library comes through them
// ("Replacing malloc" in the manual of the GNU C Library). Counted is from this library's
// constructor on, about the beginning of main().
//
// Which processes count: the program that was started, and nothing that it starts. Its children
// (suites, tools, a Docker engine) are programs of their own, and do not inherit our variables. The
// guardian is a copy (fork without exec), made to outlive a program that is out of memory: with
// "from then on" in the program it must have memory, or nothing could remove what the run created.
// Its own allocations are the other case, FAULT_IN=copies.
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own, under the names that it keeps for this.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

struct counts {
    atomic_uint_fast64_t calls;
    atomic_uint_fast64_t failed;
};

// A replacement of malloc has nobody who could pass it its state.
static struct counts *counts; // NULL: not counting
static uint64_t nth;
static bool from_then_on;
static bool in_copies;
static atomic_bool armed;
static char trace_path[4096];

static void write_trace(void) {
    void *frames[64];
    const int fd = open(trace_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    backtrace_symbols_fd(frames, backtrace(frames, 64), fd);
    close(fd);
}

static bool fails(void) {
    if (counts == NULL || !atomic_load(&armed))
        return false;
    const uint64_t call = atomic_fetch_add(&counts->calls, 1) + 1;
    if (nth == 0 || call < nth || (call > nth && !from_then_on))
        return false;
    if (atomic_fetch_add(&counts->failed, 1) == 0 && trace_path[0] != '\0')
        write_trace();
    errno = ENOMEM;
    return true;
}

static void begin_in_copy(void) {
    atomic_store(&armed, in_copies);
}

static const char *take_variable(const char *name) {
    const char *value = getenv(name);
    unsetenv(name); // the value stays where it is
    return value;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = take_variable("FAULT_COUNTS");
    const char *number = take_variable("FAULT_NTH");
    const char *trace = take_variable("FAULT_TRACE");
    from_then_on = take_variable("FAULT_ON") != NULL;
    in_copies = take_variable("FAULT_IN") != NULL;
    unsetenv("LD_PRELOAD");
    const int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        return;
    if (trace != NULL && strlen(trace) < sizeof trace_path)
        memcpy(trace_path, trace, strlen(trace));
    void *frame;
    backtrace(&frame, 1); // it loads a library the first time: now, not when memory has gone
    pthread_atfork(NULL, NULL, begin_in_copy);
    nth = number != NULL ? strtoull(number, NULL, 10) : 0;
    counts = mapped;
    atomic_store(&armed, !in_copies);
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    return fails() ? NULL : __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) {
    return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **ret_block, size_t alignment, size_t size) {
    if (fails())
        return ENOMEM;
    *ret_block = __libc_memalign(alignment, size);
    return *ret_block != NULL ? 0 : ENOMEM;
}
