#define _GNU_SOURCE
#include "process/guardian_loop.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/eventually.h"
#include "base/text.h"
#include "process/title.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_FD 3
#define RUN_PIDFD 4
#define FIRST_FREE_FD 5
#define DEFAULT_PATIENCE_MS 60000
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 5000

struct sweeper {
    const struct guardian_options *options;
    struct string_list told;
};

// Everything as in a fresh process, except for the signals that would end the guardian together
// with the run it outlives.
static void reset_signals(void) {
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        sigaction(ignored[i], &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Lets go of every inherited file: a terminal, a reader of the run's output and whoever waits for
// the end of one of its pipes must not notice that the guardian is still there.
static bool keep_only(int socket, int run_pidfd) {
    const int high_socket = fcntl(socket, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    const int high_pidfd = run_pidfd >= 0 ? fcntl(run_pidfd, F_DUPFD_CLOEXEC, FIRST_FREE_FD) : -1;
    if (high_socket < 0 || (run_pidfd >= 0 && high_pidfd < 0))
        return false;
    if (dup3(high_socket, SOCKET_FD, O_CLOEXEC) < 0)
        return false;
    if (high_pidfd < 0)
        close(RUN_PIDFD);
    else if (dup3(high_pidfd, RUN_PIDFD, O_CLOEXEC) < 0)
        return false;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (null < 0 || (null != fd && dup2(null, fd) < 0))
            return false;
    closefrom(FIRST_FREE_FD);
    return true;
}

static bool stand(const struct guardian_options *options, int socket, int run_pidfd) {
    if (setsid() < 0 || !keep_only(socket, run_pidfd) || chdir("/") != 0)
        return false;
    umask(077);
    title_set(options->title != NULL ? options->title : "assay-guardian", options->hides);
    return true;
}

static bool acknowledge(void) {
    const char ack = GUARDIAN_ACK;
    ssize_t sent;
    while ((sent = send(SOCKET_FD, &ack, 1, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
    }
    return sent == 1;
}

// Waits for a message or for the end of the run; false when no message can come any more.
static bool wait_for_message(bool has_pidfd) {
    struct pollfd watched[] = {
        {.fd = SOCKET_FD, .events = POLLIN},
        {.fd = has_pidfd ? RUN_PIDFD : -1, .events = POLLIN},
    };
    while (poll(watched, 2, -1) < 0)
        if (errno != EINTR)
            return false;
    return (watched[0].revents & POLLIN) != 0; // what was sent before the end still counts
}

// Serves the run until it is gone (true: sweep) or dismisses us (false).
static bool serve(struct sweeper *self, bool has_pidfd) {
    char message[GUARDIAN_LINE_LIMIT + 2];
    while (wait_for_message(has_pidfd)) {
        const ssize_t length = recv(SOCKET_FD, message, sizeof message - 1, MSG_DONTWAIT);
        if (length < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (length <= 0)
            return true;
        message[length] = '\0';
        if (message[0] == GUARDIAN_TELL)
            string_list_add(&self->told, message + 1);
        // An acknowledgement that cannot be sent means that the run is gone: poll will say so.
        const bool told = acknowledge();
        if (message[0] == GUARDIAN_DISMISS)
            return false;
        if (!told && errno != EPIPE && errno != ECONNRESET)
            return true;
    }
    return true;
}

static bool sweep_here(const struct sweeper *self, struct error *err) {
    return self->options->sweep(self->options->context, &self->told, err);
}

static bool ended_well(pid_t child, struct error *err) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set_errno(err, "cannot learn how the sweep ended");
    if (WIFEXITED(status) && WEXITSTATUS(status) == GUARDIAN_CLEAN)
        return true;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != GUARDIAN_SWEEP_FAILED)
        error_set(err, ERROR_SYSTEM, 0, "it ended by %s %d",
                  WIFEXITED(status) ? "exit status" : "signal",
                  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return false;
}

// In a process of its own, so that one that is out of memory or crashes is an attempt that failed,
// and not the end of the guardian.
static bool sweep_once(void *context, struct error *err) {
    struct error *failure =
        mmap(NULL, sizeof *failure, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (failure == MAP_FAILED)
        return sweep_here(context, err);
    const pid_t child = fork();
    if (child == 0)
        _exit(sweep_here(context, failure) ? GUARDIAN_CLEAN : GUARDIAN_SWEEP_FAILED);
    const bool swept = child > 0 ? ended_well(child, failure) : sweep_here(context, failure);
    if (!swept && err != NULL)
        *err = *failure;
    munmap(failure, sizeof *failure);
    return swept;
}

static void write_down(const struct sweeper *self, const struct error *failure) {
    if (self->options->log_path == NULL)
        return;
    autoclose_fd int fd =
        open(self->options->log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    char now[CLOCK_TEXT_SIZE];
    autodone(text) struct text entry = {0};
    text_appendf(&entry, "%s the sweep failed: %s\n", clock_format_utc(clock_wall_ms(), now),
                 failure->message);
    for (size_t i = 0; i < self->told.count; i++)
        text_appendf(&entry, "%s   knew: %s\n", now, self->told.items[i]);
    if (write(fd, entry.bytes, entry.length) < 0) {
        // Nobody is left to be told.
    }
}

noreturn void guardian_live(const struct guardian_options *options, int socket, int run_pidfd) {
    struct sweeper self = {.options = options};
    reset_signals();
    if (!stand(options, socket, run_pidfd) || !acknowledge())
        _exit(GUARDIAN_CANNOT_STAND);
    if (!serve(&self, run_pidfd >= 0))
        _exit(GUARDIAN_CLEAN);
    const int patience_ms = options->patience_ms > 0 ? options->patience_ms : DEFAULT_PATIENCE_MS;
    struct error failure = {0};
    if (eventually(deadline_in_ms(patience_ms), sweep_once, &self, &failure,
                   .interval_ms = FIRST_PAUSE_MS, .longest_interval_ms = LONGEST_PAUSE_MS))
        _exit(GUARDIAN_CLEAN);
    write_down(&self, &failure);
    _exit(GUARDIAN_SWEEP_FAILED);
}
