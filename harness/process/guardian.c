#define _GNU_SOURCE
#include "process/guardian.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/guardian_loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Both sides are on this machine and the guardian does nothing else meanwhile: this is for one
// that was stopped or starved.
#define ANSWER_TIMEOUT_MS 5000

struct guardian {
    pid_t pid;
    int socket;
    pthread_mutex_t one_at_a_time; // a line and its acknowledgement belong together
    bool broken;                   // an acknowledgement is missing: later ones would be mistaken
};

static bool wait_for_ack(int socket, struct error *err) {
    const struct deadline deadline = deadline_in_ms(ANSWER_TIMEOUT_MS);
    struct pollfd readable = {.fd = socket, .events = POLLIN};
    int ready;
    while ((ready = poll(&readable, 1, (int)deadline_left_ms(deadline))) < 0 && errno == EINTR) {
    }
    if (ready == 0)
        return error_set(err, ERROR_TIMEOUT, 0, "the guardian did not answer within %d ms",
                         ANSWER_TIMEOUT_MS);
    char answer = '\0';
    ssize_t got = -1;
    while (ready > 0 && (got = recv(socket, &answer, 1, 0)) < 0 && errno == EINTR) {
    }
    if (got < 0)
        return error_set_errno(err, "the guardian does not answer");
    return answer == GUARDIAN_ACK ||
           error_set(err, ERROR_SYSTEM, EPIPE, "the guardian process is gone");
}

static bool reaped(void *context, struct error *err) {
    const struct guardian *self = context;
    siginfo_t end = {0};
    if (waitid(P_PID, (id_t)self->pid, &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid != 0)
        return true; // it ended, or somebody else has reaped it
    return error_set(err, ERROR_TIMEOUT, 0, "the guardian still runs");
}

// Frees self; returns whether the guardian ended well before the deadline.
static bool part_from(struct guardian *self, int deadline_ms) {
    if (self->socket >= 0)
        close(self->socket);
    int status = -1;
    const bool ended = eventually(deadline_in_ms(deadline_ms), reaped, self, NULL) &&
                       waitpid(self->pid, &status, WNOHANG) == self->pid;
    pthread_mutex_destroy(&self->one_at_a_time);
    free(self);
    return ended && WIFEXITED(status) && WEXITSTATUS(status) == GUARDIAN_CLEAN;
}

static void kill_and_part(struct guardian *self) {
    if (guardian_alive(self)) // else the number may be another process' by now
        kill(self->pid, SIGKILL);
    part_from(self, ANSWER_TIMEOUT_MS);
}

// The guardian's working folder is "/": a relative log path is made absolute for it.
static char *absolute_path(const char *path) {
    if (path == NULL)
        return NULL;
    autofree_string char *folder = getcwd(NULL, 0);
    return folder != NULL ? path_join(folder, path) : memory_copy_string(path);
}

static bool fork_guardian(const struct guardian_options *options, int ends[2], pid_t *ret_pid,
                          struct error *err) {
    autofree_string char *log_path = absolute_path(options->log_path);
    // Opened before the fork: there is no moment in which the run could die unnoticed.
    autoclose_fd int run_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    // No handler of the run's may run in the guardian, which starts with the run's handlers.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0) {
        struct guardian_options own = *options;
        own.log_path = log_path;
        guardian_live(&own, ends[1], run_pidfd);
    }
    const int fork_errno = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = fork_errno;
    if (pid < 0)
        return error_set_errno(err, "cannot start the guardian process");
    *ret_pid = pid;
    return true;
}

bool guardian_start(const struct guardian_options *options, struct guardian **ret_guardian,
                    struct error *err) {
    check(options->sweep != NULL);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_set_errno(err, "cannot make a socket pair for the guardian");
    pid_t pid = -1;
    const bool forked = fork_guardian(options, ends, &pid, err);
    close(ends[1]);
    if (!forked) {
        close(ends[0]);
        return false;
    }
    struct guardian *self = memory_new(1, sizeof *self);
    *self = (struct guardian){.pid = pid, .socket = ends[0]};
    pthread_mutex_init(&self->one_at_a_time, NULL);
    if (!wait_for_ack(self->socket, err)) {
        kill_and_part(self);
        return error_prefix(err, "the guardian, which removes what a run leaves, did not start");
    }
    *ret_guardian = self;
    return true;
}

static bool exchange(struct guardian *self, const char *message, size_t length, struct error *err) {
    if (self->broken)
        return error_set(err, ERROR_SYSTEM, EPIPE, "the guardian was lost earlier");
    self->broken = true;
    ssize_t sent;
    while ((sent = send(self->socket, message, length, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
    }
    if (sent != (ssize_t)length)
        return error_set_errno(err, "cannot reach the guardian process");
    if (!wait_for_ack(self->socket, err))
        return false;
    self->broken = false;
    return true;
}

bool guardian_tell(struct guardian *self, const char *line, struct error *err) {
    check(strchr(line, '\n') == NULL);
    const size_t length = strlen(line);
    if (length >= GUARDIAN_LINE_LIMIT)
        return error_set(err, ERROR_USAGE, 0, "a line of %zu bytes is too long for the guardian",
                         length);
    char message[GUARDIAN_LINE_LIMIT + 1];
    message[0] = GUARDIAN_TELL;
    memcpy(message + 1, line, length);
    pthread_mutex_lock(&self->one_at_a_time);
    const bool told = exchange(self, message, length + 1, err);
    pthread_mutex_unlock(&self->one_at_a_time);
    return told;
}

bool guardian_alive(const struct guardian *self) {
    siginfo_t end = {0};
    // WNOWAIT: only looks; the end stays there for guardian_dismiss to collect.
    return waitid(P_PID, (id_t)self->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           end.si_pid == 0;
}

pid_t guardian_pid(const struct guardian *self) {
    return self->pid;
}

void guardian_dismiss(struct guardian *self) {
    if (self == NULL)
        return;
    const char dismiss = GUARDIAN_DISMISS;
    // One that does not answer would sweep at the end of the run: in vain, but late.
    if (exchange(self, &dismiss, 1, NULL))
        part_from(self, ANSWER_TIMEOUT_MS);
    else
        kill_and_part(self);
}

bool guardian_sweep_now(struct guardian *self, int deadline_ms) {
    return part_from(self, deadline_ms);
}
