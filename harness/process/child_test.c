#define _GNU_SOURCE
#include "process/child.h"

#include "base/eventually.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL(script)            \
    (const char *const[]) {      \
        "sh", "-c", script, NULL \
    }

// What a test holds; released even when an assertion fails.
static struct {
    struct child *child;
    struct child_end end;
    struct cancel cancel;
} held;

static void hold(void) {
    cr_assert(cancel_init(&held.cancel, NULL));
}

static void release(void) {
    child_free(held.child);
    child_end_done(&held.end);
    cancel_done(&held.cancel);
}

TestSuite(child, .init = hold, .fini = release, .timeout = 120);

static void spawn(struct child_options options) {
    struct error err;
    cr_assert(child_spawn(&options, &held.child, &err), "%s", err.message);
}

static void finish(int timeout_ms) {
    struct error err;
    cr_assert(child_wait(held.child, deadline_in_ms(timeout_ms), &held.cancel, &held.end, &err),
              "%s", err.message);
}

static size_t open_files(void) {
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static bool is_gone(void *context, struct error *err) {
    const pid_t pid = *(const pid_t *)context;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    char state = 'Z';
    if (stat != NULL) {
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
            state = 'Z';
        fclose(stat);
    }
    return state == 'Z' || error_set(err, ERROR_TIMEOUT, 0, "%d lives on (%c)", (int)pid, state);
}

static void expect_gone(pid_t pid) {
    struct error err;
    cr_expect(eventually(deadline_in_ms(20000), is_gone, &pid, &err), "%s", err.message);
}

Test(child, that_does_not_exist_is_an_error_and_not_status_127) {
    struct error err = {0};
    const struct child_options options = {.argv =
                                              (const char *const[]){"assay-no-such-program", NULL}};
    cr_expect_not(child_spawn(&options, &held.child, &err));
    cr_expect_eq(err.domain, ERROR_SYSTEM);
    cr_expect_eq(err.code, ENOENT);
    cr_expect(strstr(err.message, "assay-no-such-program") != NULL, "%s", err.message);
    cr_expect_null(held.child);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a zombie is left");
}

Test(child, that_may_not_be_executed_is_an_error) {
    struct error err = {0};
    const struct child_options options = {.argv = (const char *const[]){"/etc/passwd", NULL}};
    cr_expect_not(child_spawn(&options, &held.child, &err));
    cr_expect_eq(err.code, EACCES, "%s", err.message);
}

Test(child, in_a_folder_that_does_not_exist_is_an_error_that_names_it) {
    struct error err = {0};
    const struct child_options options = {.argv = SHELL("true"), .working_folder = "/no/folder"};
    cr_expect_not(child_spawn(&options, &held.child, &err));
    cr_expect_eq(err.code, ENOENT);
    cr_expect(strstr(err.message, "/no/folder") != NULL, "%s", err.message);
}

Test(child, tells_its_exit_status_and_what_it_wrote) {
    spawn((struct child_options){.argv = SHELL("echo out; echo err >&2; exit 7")});
    finish(5000);
    cr_expect(held.end.exited);
    cr_expect_eq(held.end.exit_status, 7);
    cr_expect_not(held.end.timed_out);
    cr_expect_str_eq(text_string(&held.end.output), "out\n");
    cr_expect_str_eq(text_string(&held.end.errors), "err\n");
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a zombie is left");
}

Test(child, tells_the_signal_that_killed_it) {
    spawn((struct child_options){.argv = SHELL("kill -USR1 $$")});
    finish(5000);
    cr_expect_not(held.end.exited);
    cr_expect_eq(held.end.signal, SIGUSR1);
    cr_expect_not(held.end.timed_out);
}

Test(child, reads_its_input_however_long) {
    char *input = memory_new(1000001, 1);
    memset(input, 'x', 1000000);
    spawn((struct child_options){.argv = SHELL("wc -c"), .input = input});
    finish(5000);
    cr_expect_str_eq(text_string(&held.end.output), "1000000\n");
    free(input);
}

Test(child, that_does_not_read_its_input_does_no_harm) {
    spawn((struct child_options){.argv = SHELL("true"), .input = "nobody reads this"});
    finish(5000);
    cr_expect(held.end.exited);
}

Test(child, has_empty_input_when_none_is_given) {
    spawn((struct child_options){.argv = SHELL("wc -c")});
    finish(5000);
    cr_expect_str_eq(text_string(&held.end.output), "0\n");
}

Test(child, runs_in_its_folder_with_its_environment) {
    spawn((struct child_options){
        .argv =
            (const char *const[]){"/bin/sh", "-c", "pwd; echo $COLOUR; echo ${HOME-none}", NULL},
        .working_folder = "/usr",
        .environment = (const char *const[]){"COLOUR=green", NULL},
    });
    finish(5000);
    cr_expect_str_eq(text_string(&held.end.output), "/usr\ngreen\nnone\n");
}

Test(child, inherits_no_other_file_of_ours) {
    const int leaky = fcntl(STDERR_FILENO, F_DUPFD, 17); // not close-on-exec
    spawn((struct child_options){.argv = SHELL("ls /proc/self/fd | tr '\\n' ' '")});
    finish(5000);
    cr_expect_str_eq(text_string(&held.end.output), "0 1 2 3 ", "3 is the folder that ls reads");
    close(leaky);
}

Test(child, starts_although_our_own_standard_streams_are_closed) {
    const int saved[] = {fcntl(0, F_DUPFD_CLOEXEC, 30), fcntl(1, F_DUPFD_CLOEXEC, 30),
                         fcntl(2, F_DUPFD_CLOEXEC, 30)};
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    const struct child_options options = {.argv = SHELL("cat; echo err >&2"), .input = "in"};
    struct error err = {0};
    const bool ended = child_spawn(&options, &held.child, &err) &&
                       child_wait(held.child, deadline_in_ms(20000), NULL, &held.end, &err);
    for (int fd = 0; fd < 3; fd++)
        dup2(saved[fd], fd);
    cr_assert(ended, "%s", err.message);
    cr_expect_str_eq(text_string(&held.end.output), "in");
    cr_expect_str_eq(text_string(&held.end.errors), "err\n");
}

Test(child, has_default_signals_although_we_ignore_and_block_some) {
    signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    spawn((struct child_options){.argv = SHELL("grep -E 'Sig(Blk|Ign)' /proc/self/status")});
    finish(5000);
    cr_expect_str_eq(text_string(&held.end.output),
                     "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

Test(child, that_takes_too_long_is_killed_with_its_grandchildren) {
    spawn((struct child_options){.argv = SHELL("sh -c 'echo $$; exec sleep 100' & wait")});
    const int64_t started_us = clock_monotonic_us();
    finish(300);
    const int64_t took_ms = (clock_monotonic_us() - started_us) / 1000;
    cr_expect(held.end.timed_out);
    cr_expect_not(held.end.exited);
    cr_expect_eq(held.end.signal, SIGKILL);
    cr_expect(took_ms >= 295 && took_ms < 3000, "%lld ms", (long long)took_ms);
    expect_gone((pid_t)strtol(text_string(&held.end.output), NULL, 10));
}

Test(child, that_ends_leaves_no_grandchild_of_its_group_behind) {
    spawn((struct child_options){.argv = SHELL("sh -c 'echo $$; exec sleep 100' & sleep 0.2")});
    finish(5000);
    cr_expect(held.end.exited);
    expect_gone((pid_t)strtol(text_string(&held.end.output), NULL, 10));
}

Test(child, whose_descendant_left_the_group_and_keeps_the_pipe_does_not_hang) {
    spawn((struct child_options){
        .argv = SHELL("setsid sh -c 'echo $$; exec sleep 20' & sleep 0.2; echo end")});
    const int64_t started_us = clock_monotonic_us();
    finish(10000);
    cr_expect((clock_monotonic_us() - started_us) / 1000 < 3000);
    cr_expect(strstr(text_string(&held.end.output), "end\n") != NULL);
    kill((pid_t)strtol(text_string(&held.end.output), NULL, 10), SIGKILL);
}

struct flood {
    size_t bytes;
    size_t errors;
};

static void count_bytes(void *context, bool is_error, const char *bytes, size_t length) {
    struct flood *flood = context;
    (void)bytes;
    flood->bytes += length;
    flood->errors += is_error ? 1 : 0;
}

Test(child, flood_of_output_is_all_heard_and_only_its_tail_kept) {
    struct flood flood = {0};
    spawn((struct child_options){
        .argv = SHELL("head -c 20000000 /dev/zero | tr '\\0' a; echo; echo last"),
        .on_output = count_bytes,
        .context = &flood,
        .output_limit = 1000,
    });
    finish(20000);
    cr_expect_eq(flood.bytes, (size_t)20000006);
    cr_expect_eq(flood.errors, (size_t)0);
    cr_expect_eq(held.end.output.length, (size_t)1000);
    cr_expect(held.end.output.capacity < 65536, "%zu", held.end.output.capacity);
    cr_expect_str_eq(text_string(&held.end.output) + 1000 - 7, "a\nlast\n");
}

static void *cancel_soon(void *context) {
    (void)context;
    pause_ms(100, NULL);
    cancel_request(&held.cancel);
    return NULL;
}

Test(child, is_killed_when_the_user_interrupts) {
    spawn((struct child_options){.argv = SHELL("echo here; sleep 100")});
    const pid_t pid = child_pid(held.child);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    struct error err = {0};
    cr_expect_not(child_wait(held.child, deadline_in_ms(20000), &held.cancel, &held.end, &err));
    pthread_join(thread, NULL);
    cr_expect_eq(err.domain, ERROR_CANCELLED);
    expect_gone(pid);
}

static void terminate_when_heard(void *context, bool is_error, const char *bytes, size_t length) {
    (void)context;
    (void)is_error;
    if (memmem(bytes, length, "up", 2) != NULL)
        child_signal_group(held.child, SIGTERM);
}

Test(child, gets_signals_sent_to_its_group) {
    spawn((struct child_options){
        .argv = SHELL("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"),
        .on_output = terminate_when_heard,
    });
    finish(5000);
    cr_expect_eq(held.end.exit_status, 3);
    cr_expect_str_eq(text_string(&held.end.output), "up\nbye\n");
}

Test(child, that_is_freed_while_it_runs_is_killed) {
    spawn((struct child_options){.argv = SHELL("sleep 100")});
    const pid_t pid = child_pid(held.child);
    cr_expect(child_running(held.child));
    child_free(held.child);
    held.child = NULL;
    cr_expect_eq(kill(pid, 0), -1);
    cr_expect_eq(errno, ESRCH);
}

Test(child, whose_end_somebody_else_collected_is_an_error) {
    spawn((struct child_options){.argv = SHELL("true")});
    waitpid(child_pid(held.child), NULL, 0);
    struct error err = {0};
    cr_expect_not(child_wait(held.child, deadline_in_ms(20000), NULL, &held.end, &err));
    cr_expect_eq(err.code, ECHILD, "%s", err.message);
}

Test(child, dies_with_us_when_asked_to) {
    int told[2];
    cr_assert_eq(pipe(told), 0);
    const pid_t parent = fork();
    if (parent == 0) {
        struct child *child = NULL;
        const struct child_options options = {.argv = SHELL("sleep 100"), .dies_with_us = true};
        const pid_t pid = child_spawn(&options, &child, NULL) ? child_pid(child) : -1;
        if (write(told[1], &pid, sizeof pid) < 0)
            _exit(1);
        raise(SIGKILL);
    }
    pid_t pid = -1;
    cr_assert_eq(read(told[0], &pid, sizeof pid), (ssize_t)sizeof pid);
    cr_assert_gt(pid, 0);
    waitpid(parent, NULL, 0);
    expect_gone(pid);
    close(told[0]);
    close(told[1]);
}

Test(child, leaves_no_file_and_no_zombie) {
    const size_t before = open_files();
    for (int i = 0; i < 50; i++) {
        struct error err = {0};
        cr_expect(child_run(SHELL("exit 0"), 5000, NULL, &err), "%s", err.message);
        cr_expect_not(child_run((const char *const[]){"no-such-program", NULL}, 5000, NULL, NULL));
    }
    cr_expect_eq(open_files(), before);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
}

Test(child, that_fails_in_child_run_tells_why) {
    struct error err = {0};
    cr_expect_not(child_run(SHELL("echo the disk is full >&2; exit 9"), 5000, NULL, &err));
    cr_expect_str_eq(err.message, "sh ended with status 9: the disk is full");
    cr_expect_eq(err.code, 9);
    cr_expect_not(child_run(SHELL("echo on stdout; exit 1"), 5000, NULL, &err));
    cr_expect_str_eq(err.message, "sh ended with status 1: on stdout");
    cr_expect_not(child_run(SHELL("sleep 100"), 100, NULL, &err));
    cr_expect_eq(err.domain, ERROR_TIMEOUT);
    cr_expect_not(child_run(SHELL("kill -9 $$"), 5000, NULL, &err));
    cr_expect_str_eq(err.message, "sh was killed by signal 9 (Killed)");
}
