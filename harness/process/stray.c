#define _GNU_SOURCE
#include "process/stray.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/eventually.h"
#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENVIRONMENT_LIMIT ((size_t)4 * 1024 * 1024)

struct search {
    const char *mark;
    int found;
    struct error unread; // of a process that may be one of them
};

static bool has_mark(const char *process, const char *mark, struct error *err) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/environ", process);
    autofree_string char *environment = NULL;
    size_t length = 0;
    if (!file_read(path, ENVIRONMENT_LIMIT, &environment, &length, err))
        return false;
    for (const char *entry = environment; entry < environment + length; entry += strlen(entry) + 1)
        if (strncmp(entry, mark, strlen(mark)) == 0)
            return true;
    return false;
}

// The number is held by a pidfd before the mark is read: it cannot pass to another process between
// the look and the kill.
static void look_at(struct search *self, const char *process) {
    const pid_t pid = (pid_t)strtol(process, NULL, 10);
    if (pid == getpid())
        return;
    autoclose_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct error problem = {0};
    if (!has_mark(process, self->mark, &problem)) {
        // Others' processes cannot be read, nor those that have just ended: not ours to kill.
        if (problem.code != 0 && problem.code != EACCES && problem.code != EPERM &&
            problem.code != ENOENT && problem.code != ESRCH)
            self->unread = problem;
        return;
    }
    self->found++;
    if (pidfd >= 0)
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    else
        kill(pid, SIGKILL); // Linux before 5.3 has no pidfd
}

static bool none_found(void *context, struct error *err) {
    struct search *self = context;
    autodone(string_list) struct string_list processes = {0};
    if (!folder_list("/proc", &processes, err))
        return false;
    self->found = 0;
    self->unread = (struct error){0};
    for (size_t i = 0; i < processes.count; i++)
        if (isdigit((unsigned char)processes.items[i][0]))
            look_at(self, processes.items[i]);
    if (self->found == 0 && self->unread.domain != ERROR_NONE) {
        if (err != NULL)
            *err = self->unread;
        return false;
    }
    return self->found == 0 ||
           error_set(err, ERROR_TIMEOUT, 0, "%d processes with %s in their environment do not end",
                     self->found, self->mark);
}

bool stray_kill(const char *mark, int timeout_ms, struct error *err) {
    check(mark[0] != '\0');
    struct search search = {.mark = mark};
    return eventually(deadline_in_ms(timeout_ms), none_found, &search, err);
}
