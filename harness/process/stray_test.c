#define _GNU_SOURCE
#include "process/stray.h"

#include "base/clock.h"
#include "base/eventually.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char mark[64];
static struct error err;
static pid_t started[4];
static size_t started_count;

static void choose_mark(void) {
    snprintf(mark, sizeof mark, "STRAY_TEST=%d/", (int)getpid());
}

static void kill_the_rest(void) {
    for (size_t i = 0; i < started_count; i++) {
        kill(started[i], SIGKILL);
        waitpid(started[i], NULL, 0);
    }
}

TestSuite(stray, .init = choose_mark, .fini = kill_the_rest, .timeout = 120);

// A shell with an environment of one entry, which is there once it has printed a byte.
static pid_t start(const char *entry, const char *script) {
    int ready[2];
    cr_assert_eq(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ready[1], STDOUT_FILENO);
        char *const environment[] = {(char *)(uintptr_t)entry, NULL};
        execle("/bin/sh", "sh", "-c", script, NULL, environment);
        _exit(127);
    }
    close(ready[1]);
    char byte;
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    started[started_count++] = pid;
    return pid;
}

static bool was_killed(pid_t pid) {
    siginfo_t end = {0};
    cr_assert_eq(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT), 0);
    return end.si_pid == pid && end.si_code == CLD_KILLED && end.si_status == SIGKILL;
}

static const char *marked_with(const char *rest) {
    static char entry[128];
    snprintf(entry, sizeof entry, "%s%s", mark, rest);
    return entry;
}

Test(stray, with_the_mark_is_killed) {
    const pid_t marked = start(marked_with("results"), "echo; read never");
    cr_assert(stray_kill(mark, 20000, &err), "%s", err.message);
    cr_assert(was_killed(marked));
}

Test(stray, in_a_session_of_its_own_and_stopped_is_killed) {
    const pid_t marked = start(marked_with("x"), "echo; kill -STOP $$");
    cr_assert(stray_kill(mark, 20000, &err), "%s", err.message);
    cr_assert(was_killed(marked));
}

Test(stray, is_not_who_only_resembles_it) {
    char elsewhere[128];
    snprintf(elsewhere, sizeof elsewhere, "OTHER=%sx", mark);
    const pid_t other_name = start(elsewhere, "echo; exec sleep 30");
    char shorter[64];
    snprintf(shorter, sizeof shorter, "STRAY_TEST=%d", (int)getpid());
    const pid_t other_value = start(shorter, "echo; exec sleep 30");
    const pid_t marked = start(marked_with("x"), "echo; exec sleep 30");
    cr_assert(stray_kill(mark, 20000, &err), "%s", err.message);
    cr_assert(was_killed(marked));
    cr_assert_not(was_killed(other_name));
    cr_assert_not(was_killed(other_value));
}

static bool has_a_byte(void *context, struct error *ret) {
    siginfo_t end = {0};
    const pid_t *pid = context;
    return waitid(P_PID, (id_t)*pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid != 0
               ? true
               : error_set(ret, ERROR_TIMEOUT, 0, "it still runs");
}

// One that starts another every moment is outrun: each look that found something is repeated.
Test(stray, that_keeps_forking_is_outrun) {
    pid_t marked = start(marked_with("x"), "echo; while :; do (exec sleep 0.01) & done");
    cr_assert(stray_kill(mark, 20000, &err), "%s", err.message);
    cr_assert(eventually(deadline_in_ms(20000), has_a_byte, &marked, &err), "%s", err.message);
    cr_assert(stray_kill(mark, 0, &err), "%s", err.message);
}
