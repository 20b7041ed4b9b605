#define _GNU_SOURCE
#include "run/engine_spawn.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static const char system_folders[] = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";

// What the new process says before it executes the program.
struct spawn_message {
    pid_t pid;
    int failure; // errno of execve; 0: none
};

static char *search_path(void) {
    const char *path = getenv("PATH");
    return memory_format("%s%s%s", path != NULL ? path : "", path != NULL ? ":" : "",
                         system_folders);
}

char *engine_spawn_lookup(const char *program) {
    autofree_string char *path = search_path();
    char *rest = path;
    for (char *folder; (folder = strsep(&rest, ":")) != NULL;) {
        if (folder[0] != '/')
            continue;
        autofree_string char *candidate = path_join(folder, program);
        if (access(candidate, X_OK) == 0)
            return TAKE(candidate);
    }
    return NULL;
}

// PATH is replaced. With the mark of a run's suites a daemon that one of them started would be
// killed with what that run left (process/stray.h), whoever else uses it by then.
static bool is_passed_on(const char *variable) {
    static const char *const dropped[] = {"PATH=", RUN_RESULTS_VARIABLE "="};
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        if (strncmp(variable, dropped[i], strlen(dropped[i])) == 0)
            return false;
    return true;
}

// Our environment with the longer PATH; the strings but the first are borrowed from environ.
static char **make_environment(void) {
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **environment = memory_new(count + 2, sizeof *environment);
    autofree_string char *path = search_path();
    size_t at = 0;
    environment[at++] = memory_format("PATH=%s", path);
    for (size_t i = 0; i < count; i++)
        if (is_passed_on(environ[i]))
            environment[at++] = environ[i];
    return environment;
}

// From here to engine_spawn: between fork and execve, so async-signal-safe calls only.

// Both are improvements that a daemon can do without: engine_remains.c clears mounts and sockets
// too.
static void leave_mount_namespace(void) {
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) != 0)
        return;
    // Shims keep their sockets here whatever the exec root is; the host's own stay out of sight.
    mkdir("/run/containerd", 0711);
    mount("assay", "/run/containerd", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=711");
}

static void reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_at_exec(void) {
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    const long limit = sysconf(_SC_OPEN_MAX); // kernels before 5.11
    for (int fd = 3; fd < (limit > 0 && limit < 65536 ? (int)limit : 65536); fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static _Noreturn void become(const char *program, char *const *arguments, char *const *environment,
                             int log, int report) {
    leave_mount_namespace();
    reset_signals();
    umask(022);
    const int nothing = open("/dev/null", O_RDONLY);
    struct spawn_message message = {.pid = getpid()};
    if (chdir("/") == 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
        dup2(log, STDERR_FILENO) >= 0 && write(report, &message, sizeof message) > 0) {
        close_at_exec();
        execve(program, arguments, environment);
    }
    message.failure = errno;
    _exit(write(report, &message, sizeof message) > 0 ? 1 : 2);
}

// A second fork: nobody waits for the daemon, and it cannot acquire a terminal.
static pid_t fork_twice(const char *program, char *const *arguments, char *const *environment,
                        int log, int report) {
    const pid_t middle = fork();
    if (middle != 0)
        return middle;
    setsid();
    const pid_t daemon = fork();
    if (daemon == 0)
        become(program, arguments, environment, log, report);
    _exit(daemon > 0 ? 0 : 1);
}

bool engine_spawn(const char *program, const char *const *arguments, const char *log,
                  pid_t *ret_pid, struct error *err) {
    autoclose_fd int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return error_set_errno(err, "cannot write %s", log);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, "cannot make a pipe");
    autoclose_fd int report = ends[0];
    char **environment = make_environment();
    char *const *mutable_arguments = NULL; // execve's type, for want of a better one in C
    memcpy(&mutable_arguments, &arguments, sizeof mutable_arguments);
    const pid_t middle = fork_twice(program, mutable_arguments, environment, log_fd, ends[1]);
    const int fork_failure = errno;
    close(ends[1]);
    free(environment[0]);
    free(environment);
    if (middle < 0) {
        errno = fork_failure;
        return error_set_errno(err, "cannot fork");
    }
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR) {
    }
    // One message from a daemon that went on to execve, two from one that could not.
    struct spawn_message message = {0};
    struct spawn_message received;
    ssize_t got;
    while ((got = read(report, &received, sizeof received)) != 0) {
        if (got == (ssize_t)sizeof received)
            message = received;
        else if (errno != EINTR)
            break;
    }
    if (message.pid != 0 && message.failure == 0) {
        *ret_pid = message.pid;
        return true;
    }
    errno = message.failure != 0 ? message.failure : EAGAIN;
    return error_set_errno(err, "cannot execute %s", program);
}
