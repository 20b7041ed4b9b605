// Linked into the programs of build-coverage only, see ci/coverage: a process that ends in _exit,
// or becomes another program, first writes what it has counted. By itself gcc does so in exit()
// alone.
#include <stdlib.h>
#include <stdnoreturn.h>

void __gcov_dump(void);
void __gcov_reset(void);

// ld --wrap=NAME: __wrap_NAME is called in place of NAME, which is __real_NAME now.
noreturn void __real__exit(int status);
noreturn void __wrap__exit(int status);
int __real_execve(const char *path, char *const *arguments, char *const *environment);
int __wrap_execve(const char *path, char *const *arguments, char *const *environment);
int __real_execvpe(const char *name, char *const *arguments, char *const *environment);
int __wrap_execvpe(const char *name, char *const *arguments, char *const *environment);

void __wrap__exit(int status) {
    void *room = malloc(1 << 20);
    if (room == NULL) // for memory_is_out(): writing takes memory
        __real__exit(status);
    free(room);
    __gcov_dump();
    __real__exit(status);
}

int __wrap_execve(const char *path, char *const *arguments, char *const *environment) {
    __gcov_dump();
    const int failed = __real_execve(path, arguments, environment);
    __gcov_reset(); // or what comes now would not be written
    return failed;
}

int __wrap_execvpe(const char *name, char *const *arguments, char *const *environment) {
    __gcov_dump();
    const int failed = __real_execvpe(name, arguments, environment);
    __gcov_reset();
    return failed;
}
