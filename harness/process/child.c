#define _GNU_SOURCE
#include "process/child.h"

#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_OUTPUT_LIMIT ((size_t)64 * 1024)
#define READ_SIZE ((size_t)16 * 1024)
// Without a pidfd (Linux before 5.3) the end is noticed by asking.
#define ASK_INTERVAL_MS 10
// After the end: how long a descendant that left the group may keep us listening.
#define LINGER_MS 100
#define PIPE_READS ((size_t)1024 * 1024 / READ_SIZE) // a pipe holds at most 1 MiB, see pipe(7)
#define RUN_TAIL 1024
#define FAILURE_FD 3
#define FAILED_TO_BECOME 127

struct stream {
    int fd; // -1 once it ended
    bool is_error;
    struct text tail; // at most twice the limit and one read
};

struct child {
    pid_t pid;
    int pidfd; // -1 where the system has none
    bool waited_for;
    struct stream streams[2];
    size_t output_limit;
    void (*on_output)(void *context, bool is_error, const char *bytes, size_t length);
    void (*on_tick)(void *context);
    void *context;
};

// What the child needs, all made before the fork: between fork and exec nothing may be allocated.
struct launch {
    const struct child_options *options;
    const char *const *environment;
    pid_t parent;
    int input;
    int output[2];
    int errors[2];
    int failure[2]; // carries errno when exec or something before it failed; else just closes
};

static void close_if_open(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void launch_close(struct launch *self) {
    int *const all[] = {&self->input,     &self->output[0],  &self->output[1], &self->errors[0],
                        &self->errors[1], &self->failure[0], &self->failure[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        close_if_open(all[i]);
}

// Standard input as a memory file: no pipe to feed, no deadlock, no SIGPIPE.
static int open_input(const char *input) {
    if (input == NULL)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fd = memfd_create("assay-input", MFD_CLOEXEC);
    const size_t length = strlen(input);
    size_t written = 0;
    while (fd >= 0 && written < length) {
        const ssize_t put = write(fd, input + written, length - written);
        if (put < 0) {
            const int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        written += (size_t)put;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

// Puts our ends where the program expects them (0, 1, 2) and the failure pipe at FAILURE_FD; closes
// all else. Everything is moved out of the way first, should our own standard streams be closed.
static bool arrange_files(const struct launch *self) {
    const int sources[] = {self->input, self->output[1], self->errors[1], self->failure[1]};
    int high[4];
    for (int place = 0; place <= FAILURE_FD; place++)
        if ((high[place] = fcntl(sources[place], F_DUPFD_CLOEXEC, FAILURE_FD + 1)) < 0)
            return false;
    if (dup3(high[FAILURE_FD], FAILURE_FD, O_CLOEXEC) < 0)
        return false;
    for (int place = STDIN_FILENO; place <= STDERR_FILENO; place++)
        if (dup2(high[place], place) < 0)
            return false;
    closefrom(FAILURE_FD + 1);
    return true;
}

static bool arrange_process(const struct launch *self) {
    if (setpgid(0, 0) != 0)
        return false;
    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    if (self->options->dies_with_us) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self->parent)
            _exit(FAILED_TO_BECOME); // it was too late to ask
    }
    if (self->options->working_folder != NULL && chdir(self->options->working_folder) != 0)
        return false;
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

// Runs in the child: async-signal-safe calls only.
static noreturn void become(const struct launch *self) {
    int failure_fd = self->failure[1];
    if (arrange_files(self)) {
        failure_fd = FAILURE_FD;
        if (arrange_process(self))
            // It does not change the vectors; POSIX asks for `char *const` for old callers' sake.
            execvpe(self->options->argv[0], (char *const *)(uintptr_t)self->options->argv,
                    (char *const *)(uintptr_t)self->environment);
    }
    const int failure = errno;
    if (write(failure_fd, &failure, sizeof failure) < 0) {
        // The parent is gone, and nobody else wants to know.
    }
    _exit(FAILED_TO_BECOME);
}

static bool launch_prepare(struct launch *self, struct error *err) {
    self->input = open_input(self->options->input);
    if (self->input < 0)
        return error_set_errno(err, "cannot prepare the input of %s", self->options->argv[0]);
    if (pipe2(self->output, O_CLOEXEC) != 0 || pipe2(self->errors, O_CLOEXEC) != 0 ||
        pipe2(self->failure, O_CLOEXEC) != 0)
        return error_set_errno(err, "cannot make a pipe for %s", self->options->argv[0]);
    // Only our ends: the program expects blocking ones.
    if (fcntl(self->output[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(self->errors[0], F_SETFL, O_NONBLOCK) != 0)
        return error_set_errno(err, "cannot set up the pipes of %s", self->options->argv[0]);
    return true;
}

// Forks with all signals blocked: no handler of ours may run in the child.
static pid_t launch_fork(const struct launch *self) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0)
        become(self);
    const int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

// Waits until the child runs its program; false, with the child reaped, when it could not.
static bool launch_confirm(struct launch *self, pid_t pid, struct error *err) {
    close_if_open(&self->failure[1]);
    int failure = 0;
    ssize_t got;
    while ((got = read(self->failure[0], &failure, sizeof failure)) < 0 && errno == EINTR) {
    }
    if (got == 0)
        return true;
    const int read_errno = errno;
    waitpid(pid, NULL, 0);
    errno = got == (ssize_t)sizeof failure ? failure : read_errno;
    const char *folder = self->options->working_folder;
    error_set_errno(err, "cannot run %s%s%s", self->options->argv[0], folder != NULL ? " in " : "",
                    folder != NULL ? folder : "");
    if (failure == ENOENT && strchr(self->options->argv[0], '/') == NULL && folder == NULL)
        error_append(err, " in PATH");
    return false;
}

static struct child *child_new(struct launch *launch, pid_t pid) {
    const struct child_options *options = launch->options;
    struct child *self = memory_new(1, sizeof *self);
    *self = (struct child){
        .pid = pid,
        .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
        .streams = {{.fd = launch->output[0]}, {.fd = launch->errors[0], .is_error = true}},
        .output_limit = options->output_limit > 0 ? options->output_limit : DEFAULT_OUTPUT_LIMIT,
        .on_output = options->on_output,
        .on_tick = options->on_tick,
        .context = options->context,
    };
    launch->output[0] = launch->errors[0] = -1; // the streams own them now
    for (size_t i = 0; i < 2; i++)
        text_init(&self->streams[i].tail, 2 * self->output_limit + READ_SIZE);
    return self;
}

bool child_spawn(const struct child_options *options, struct child **ret_child, struct error *err) {
    check(options->argv != NULL && options->argv[0] != NULL);
    struct launch launch = {
        .options = options,
        .environment = options->environment != NULL ? options->environment
                                                    : (const char *const *)(uintptr_t)environ,
        .parent = getpid(),
        .input = -1,
        .output = {-1, -1},
        .errors = {-1, -1},
        .failure = {-1, -1},
    };
    bool ok = launch_prepare(&launch, err);
    const pid_t pid = ok ? launch_fork(&launch) : -1;
    if (ok && pid < 0)
        ok = error_set_errno(err, "cannot start a process for %s", options->argv[0]);
    if (ok)
        ok = launch_confirm(&launch, pid, err);
    if (ok)
        *ret_child = child_new(&launch, pid);
    launch_close(&launch);
    return ok;
}

pid_t child_pid(const struct child *self) {
    return self->pid;
}

void child_signal_group(const struct child *self, int signal) {
    if (!self->waited_for)
        kill(-self->pid, signal); // until it is reaped nobody else can get this number
}

bool child_running(const struct child *self) {
    siginfo_t end = {0};
    return !self->waited_for &&
           waitid(P_PID, (id_t)self->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           end.si_pid == 0;
}

// Reads one piece of what is there now; false when nothing is, or the stream has ended.
static bool stream_read(struct child *self, struct stream *stream) {
    char bytes[READ_SIZE];
    const ssize_t got = read(stream->fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        close_if_open(&stream->fd);
        return false;
    }
    if (self->on_output != NULL)
        self->on_output(self->context, stream->is_error, bytes, (size_t)got);
    text_append_bytes(&stream->tail, bytes, (size_t)got);
    if (stream->tail.length > 2 * self->output_limit) // not every time: it moves the whole tail
        text_keep_last(&stream->tail, self->output_limit);
    return true;
}

// Waits until there is output, the child has ended, cancel is requested or the time has come.
static void listen_once(struct child *self, const struct cancel *cancel, int64_t timeout_ms) {
    struct pollfd watched[] = {
        {.fd = self->streams[0].fd, .events = POLLIN},
        {.fd = self->streams[1].fd, .events = POLLIN},
        {.fd = self->pidfd, .events = POLLIN},
        {.fd = cancel != NULL ? cancel->pipe_read : -1, .events = POLLIN},
    };
    const int64_t longest = self->pidfd >= 0 ? INT_MAX : ASK_INTERVAL_MS;
    if (poll(watched, 4, (int)(timeout_ms < longest ? timeout_ms : longest)) <= 0)
        return;
    for (size_t i = 0; i < 2; i++)
        if (watched[i].revents != 0)
            stream_read(self, &self->streams[i]);
}

// After the end: what the child wrote is in the pipes, and is read whatever the time. A descendant
// that left the group may still hold them open, and gets a moment only.
static void listen_to_the_rest(struct child *self) {
    for (size_t i = 0; i < 2; i++)
        for (size_t reads = 0; reads < PIPE_READS && self->streams[i].fd >= 0; reads++)
            if (!stream_read(self, &self->streams[i]))
                break;
    const int pidfd = self->pidfd;
    self->pidfd = -1; // readable from now on, which would make poll return at once
    const struct deadline deadline = deadline_in_ms(LINGER_MS);
    while ((self->streams[0].fd >= 0 || self->streams[1].fd >= 0) && !deadline_passed(deadline))
        listen_once(self, NULL, deadline_left_ms(deadline));
    self->pidfd = pidfd;
}

// Kills what is left of the group while the leader, dead but not reaped, still holds its number.
static bool reap(struct child *self, int *ret_status, struct error *err) {
    kill(-self->pid, SIGKILL);
    pid_t reaped;
    while ((reaped = waitpid(self->pid, ret_status, 0)) < 0 && errno == EINTR) {
    }
    self->waited_for = true;
    return reaped == self->pid ||
           error_set_errno(err, "cannot learn how process %d ended", (int)self->pid);
}

bool child_wait(struct child *self, struct deadline deadline, const struct cancel *cancel,
                struct child_end *ret_end, struct error *err) {
    check(!self->waited_for);
    bool timed_out = false;
    bool cancelled = false;
    while (child_running(self) && !timed_out && !cancelled) {
        const int64_t left_ms = deadline_left_ms(deadline);
        const bool ticks = self->on_tick != NULL;
        listen_once(self, cancel, ticks && left_ms > CHILD_TICK_MS ? CHILD_TICK_MS : left_ms);
        if (ticks)
            self->on_tick(self->context);
        cancelled = cancel_requested(cancel);
        timed_out = deadline_passed(deadline);
    }
    // It may have ended by itself at the last moment: that is no timeout.
    timed_out = timed_out && child_running(self);
    int status = 0;
    const bool status_known = reap(self, &status, err);
    listen_to_the_rest(self);
    if (cancelled)
        return cancel_check(cancel, err);
    if (!status_known)
        return false;
    *ret_end = (struct child_end){
        .exited = WIFEXITED(status),
        .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .timed_out = timed_out,
    };
    struct text *const tails[] = {&ret_end->output, &ret_end->errors};
    for (size_t i = 0; i < 2; i++) {
        text_keep_last(&self->streams[i].tail, self->output_limit);
        *tails[i] = self->streams[i].tail;
        self->streams[i].tail = (struct text){0};
    }
    return true;
}

void child_end_done(struct child_end *self) {
    if (self == NULL)
        return;
    text_done(&self->output);
    text_done(&self->errors);
}

void child_free(struct child *self) {
    if (self == NULL)
        return;
    int status;
    if (!self->waited_for && !reap(self, &status, NULL)) {
        // Somebody else has waited for it; it is gone all the same.
    }
    for (size_t i = 0; i < 2; i++) {
        close_if_open(&self->streams[i].fd);
        text_done(&self->streams[i].tail);
    }
    close_if_open(&self->pidfd);
    free(self);
}

static void error_add_tail(struct child_end *end, struct error *err) {
    struct text *said = end->errors.length > 0 ? &end->errors : &end->output;
    text_keep_last(said, RUN_TAIL);
    size_t length = said->length;
    while (length > 0 && said->bytes[length - 1] == '\n')
        length--;
    if (length > 0)
        error_append(err, ": %.*s", (int)length, said->bytes);
}

bool child_run(const char *const *argv, int timeout_ms, const struct cancel *cancel,
               struct error *err) {
    autofree(child) struct child *self = NULL;
    autodone(child_end) struct child_end end = {0};
    if (!child_spawn(&(struct child_options){.argv = argv}, &self, err) ||
        !child_wait(self, deadline_in_ms(timeout_ms), cancel, &end, err))
        return false;
    if (end.exited && end.exit_status == 0)
        return true;
    if (end.timed_out)
        error_set(err, ERROR_TIMEOUT, 0, "%s did not end within %d ms", argv[0], timeout_ms);
    else if (end.exited)
        error_set(err, ERROR_SYSTEM, end.exit_status, "%s ended with status %d", argv[0],
                  end.exit_status);
    else
        error_set(err, ERROR_SYSTEM, 0, "%s was killed by signal %d (%s)", argv[0], end.signal,
                  strsignal(end.signal));
    error_add_tail(&end, err);
    return false;
}
