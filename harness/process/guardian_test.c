#define _GNU_SOURCE
#include "process/guardian.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "process/stray.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 50

// Seen by the test, the run and the guardian alike.
struct shared {
    atomic_int guardian;       // its process id, once it stands
    atomic_int told;           // lines acknowledged
    atomic_int sweeps;         // times that sweep was called
    atomic_int failing_sweeps; // how many of them shall fail
    atomic_int signal;         // so that they end by it in place of returning; 0: they return
};

static struct {
    char folder[64];
    char *swept; // written by the sweep: what it was told
    char *log_path;
    struct shared *shared;
    struct guardian *guardian;
} held;

static void hold(void) {
    snprintf(held.folder, sizeof held.folder, "/tmp/assay-guardian-XXXXXX");
    cr_assert_not_null(mkdtemp(held.folder));
    held.swept = path_join(held.folder, "swept");
    held.log_path = path_join(held.folder, "log");
    held.shared =
        mmap(NULL, sizeof *held.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    // Orphaned guardians become our children: their end can be waited for.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void release(void) {
    guardian_dismiss(held.guardian);
    cr_expect(file_remove_tree(held.folder, NULL));
    free(held.swept);
    free(held.log_path);
    munmap(held.shared, sizeof *held.shared);
}

TestSuite(guardian, .init = hold, .fini = release, .timeout = 120);

static bool sweep(void *context, const struct string_list *told, struct error *err) {
    const int call = atomic_fetch_add(&held.shared->sweeps, 1);
    const bool fails = call < atomic_load(&held.shared->failing_sweeps);
    if (fails && atomic_load(&held.shared->signal) != 0)
        raise(atomic_load(&held.shared->signal));
    if (fails)
        return error_set(err, ERROR_ENGINE, 500, "the engine is not back yet");
    autodone(text) struct text lines = {0};
    for (size_t i = 0; i < told->count; i++)
        text_appendf(&lines, "%s\n", told->items[i]);
    return file_write_atomic(context, text_string(&lines), lines.length, 0600, err);
}

static struct guardian *start(void) {
    const struct guardian_options options = {.title = "assay-guardian",
                                             .sweep = sweep,
                                             .context = held.swept,
                                             .log_path = held.log_path,
                                             .patience_ms = 1000};
    struct guardian *guardian = NULL;
    struct error err = {0};
    if (!guardian_start(&options, &guardian, &err))
        fprintf(stderr, "%s\n", err.message);
    return guardian;
}

// A run that starts a guardian and tells it one line after the other until it is killed.
static noreturn void be_a_run(void) {
    struct guardian *guardian = start();
    if (guardian == NULL)
        _exit(1);
    atomic_store(&held.shared->guardian, guardian_pid(guardian));
    for (int i = 0; i < 1000000; i++) {
        char line[32];
        snprintf(line, sizeof line, "resource %d", i);
        if (!guardian_tell(guardian, line, NULL))
            _exit(1);
        atomic_store(&held.shared->told, i + 1);
    }
    _exit(1);
}

static pid_t start_run(void) {
    const pid_t pid = fork();
    if (pid == 0)
        be_a_run();
    cr_assert_gt(pid, 0);
    return pid;
}

static bool has_told(void *context, struct error *err) {
    (void)err;
    return atomic_load(&held.shared->told) >= *(const int *)context;
}

static void wait_until_told(int lines) {
    struct error err;
    cr_assert(eventually(deadline_in_ms(10000), has_told, &lines, &err, .interval_ms = 1), "%s",
              err.message);
}

static bool file_is_there(void *path, struct error *err) {
    return file_exists(path) || error_set(err, ERROR_SYSTEM, 0, "there is no %s", (char *)path);
}

static void wait_until_swept(void) {
    struct error err;
    cr_assert(eventually(deadline_in_ms(20000), file_is_there, held.swept, &err), "%s",
              err.message);
}

// What was swept must be "resource 0", "resource 1" … in order, at least `least` of them.
static void expect_swept(int least) {
    char *bytes = NULL;
    cr_assert(file_read(held.swept, 64 << 20, &bytes, NULL, NULL));
    int lines = 0;
    for (char *line = bytes; *line != '\0'; lines++) {
        char expected[32];
        const int length = snprintf(expected, sizeof expected, "resource %d\n", lines);
        cr_assert_eq(strncmp(line, expected, (size_t)length), 0, "line %d is wrong", lines);
        line += length;
    }
    cr_expect_geq(lines, least);
    free(bytes);
}

static size_t open_files(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    size_t count = 0;
    DIR *folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void collect_everybody(void) {
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

Test(guardian, sweeps_with_everything_told_when_the_run_is_killed_at_any_moment) {
    srand((unsigned)clock_monotonic_us());
    for (int round = 0; round < ROUNDS; round++) {
        memset(held.shared, 0, sizeof *held.shared);
        unlink(held.swept);
        const pid_t run = start_run();
        const struct timespec moment = {.tv_nsec = rand() % 3000000};
        ppoll(NULL, 0, &moment, NULL);
        kill(run, SIGKILL);
        waitpid(run, NULL, 0);
        const int told = atomic_load(&held.shared->told);
        // A run that is killed before its guardian stands has created nothing yet.
        if (atomic_load(&held.shared->guardian) != 0) {
            wait_until_swept();
            expect_swept(told);
        }
        collect_everybody();
    }
}

Test(guardian, sweeps_when_the_whole_process_group_of_the_run_is_killed) {
    const pid_t run = fork();
    if (run == 0) {
        setpgid(0, 0);
        be_a_run();
    }
    wait_until_told(10);
    kill(-run, SIGKILL);
    wait_until_swept();
    expect_swept(10);
    collect_everybody();
}

Test(guardian, sweeps_although_a_child_of_the_run_lives_on_with_its_files) {
    const pid_t run = fork();
    if (run == 0) {
        struct guardian *guardian = start();
        const pid_t survivor = fork(); // without exec: it holds the run's end of the socket
        if (survivor == 0)
            for (;;)
                pause();
        atomic_store(&held.shared->guardian, survivor);
        if (guardian != NULL && guardian_tell(guardian, "resource 0", NULL))
            raise(SIGKILL);
        _exit(1);
    }
    waitpid(run, NULL, 0);
    wait_until_swept();
    expect_swept(1);
    kill(atomic_load(&held.shared->guardian), SIGKILL);
    collect_everybody();
}

Test(guardian, sweeps_when_the_run_just_exits) {
    const pid_t run = fork();
    if (run == 0) {
        struct guardian *guardian = start();
        _exit(guardian != NULL && guardian_tell(guardian, "resource 0", NULL) ? 0 : 1);
    }
    wait_until_swept();
    expect_swept(1);
    collect_everybody();
}

Test(guardian, that_is_dismissed_does_not_sweep) {
    held.guardian = start();
    cr_assert(guardian_tell(held.guardian, "resource 0", NULL));
    guardian_dismiss(held.guardian);
    held.guardian = NULL;
    cr_expect_eq(atomic_load(&held.shared->sweeps), 0);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a process is left");
}

Test(guardian, that_is_killed_is_noticed) {
    held.guardian = start();
    cr_expect(guardian_alive(held.guardian));
    kill(guardian_pid(held.guardian), SIGKILL);
    struct error err = {0};
    cr_expect_not(guardian_tell(held.guardian, "resource 0", &err));
    cr_expect_eq(err.domain, ERROR_SYSTEM, "%s", err.message);
    cr_expect_not(guardian_tell(held.guardian, "resource 1", &err));
    siginfo_t end;
    waitid(P_PID, (id_t)guardian_pid(held.guardian), &end, WEXITED | WNOWAIT);
    cr_expect_not(guardian_alive(held.guardian));
    guardian_dismiss(held.guardian);
    held.guardian = NULL;
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a zombie is left");
}

Test(guardian, that_stands_still_is_noticed) {
    held.guardian = start();
    kill(guardian_pid(held.guardian), SIGSTOP);
    struct error err = {0};
    cr_expect_not(guardian_tell(held.guardian, "resource 0", &err));
    cr_expect_eq(err.domain, ERROR_TIMEOUT, "%s", err.message);
    guardian_dismiss(held.guardian);
    held.guardian = NULL;
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "it is not left stopped");
}

Test(guardian, ignores_the_signals_that_end_a_run) {
    held.guardian = start();
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        kill(guardian_pid(held.guardian), signals[i]);
        cr_expect(guardian_tell(held.guardian, "still there", NULL), "not after signal %d",
                  signals[i]);
    }
}

Test(guardian, has_a_name_a_session_and_no_file_of_the_run) {
    held.guardian = start();
    const pid_t pid = guardian_pid(held.guardian);
    char path[64];
    char *name = NULL;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    cr_assert(file_read(path, 100, &name, NULL, NULL));
    cr_expect_str_eq(name, "assay-guardian\n");
    free(name);
    cr_expect_eq(getsid(pid), pid);
    cr_expect_eq(getpgid(pid), pid);
    char target[64] = "";
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    cr_assert_gt(readlink(path, target, sizeof target - 1), 0);
    cr_expect_str_eq(target, "/");
    cr_expect_eq(open_files(pid), (size_t)(2 + 5), "three streams, the socket, the run's pidfd");
    for (int fd = 0; fd < 3; fd++) {
        memset(target, 0, sizeof target);
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        cr_assert_gt(readlink(path, target, sizeof target - 1), 0);
        cr_expect_str_eq(target, "/dev/null");
    }
}

// SAMPLE_RUN with `mark` in its environment; returns its guardian's process id.
static pid_t start_marked_run(const char *mark, pid_t *ret_run) {
    int output[2];
    cr_assert_eq(pipe(output), 0);
    *ret_run = fork();
    if (*ret_run == 0) {
        dup2(output[1], STDOUT_FILENO);
        setenv("SWEPT", held.swept, 1);
        setenv("STRAY_TEST", mark, 1);
        execl(SAMPLE_RUN, SAMPLE_RUN, "--of", "a-suite", NULL);
        _exit(127);
    }
    close(output[1]);
    char line[16] = "";
    cr_assert_gt(read(output[0], line, sizeof line - 1), 0);
    close(output[0]);
    return (pid_t)strtol(line, NULL, 10);
}

Test(guardian, shows_its_name_in_place_of_what_the_run_was_started_with) {
    pid_t run = 0;
    char path[64];
    char *shown = NULL;
    size_t length = 0;
    const pid_t guardian = start_marked_run("x", &run);
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)guardian);
    cr_assert(file_read(path, 10000, &shown, &length, NULL));
    cr_expect_str_eq(shown, "assay-guardian");
    cr_expect_eq(length, sizeof "assay-guardian");
    free(shown);
    kill(run, SIGKILL);
    collect_everybody();
}

// A suite may start a run of its own. When the outer run is killed, its guardian kills whatever its
// suites left: the inner run, but not the inner guardian, which then removes what that run made.
Test(guardian, of_a_run_within_a_suite_sweeps_when_the_suite_s_strays_are_killed) {
    struct error err = {0};
    pid_t run = 0;
    char mark[128];
    snprintf(mark, sizeof mark, "%s/postgres.results", held.folder);
    start_marked_run(mark, &run);
    snprintf(mark, sizeof mark, "STRAY_TEST=%s/", held.folder);
    cr_assert(stray_kill(mark, 20000, &err), "%s", err.message);
    int status = 0;
    cr_assert_eq(waitpid(run, &status, 0), run);
    cr_assert(WIFSIGNALED(status), "the run itself is not a stray");
    wait_until_swept();
    collect_everybody();
}

Test(guardian, does_not_keep_the_reader_of_the_runs_output_waiting) {
    atomic_store(&held.shared->failing_sweeps, 1000000); // it lives on for a second
    int output[2];
    cr_assert_eq(pipe(output), 0);
    const pid_t run = fork();
    if (run == 0) {
        dup2(output[1], STDOUT_FILENO);
        dup2(output[1], STDERR_FILENO);
        be_a_run();
    }
    close(output[1]);
    wait_until_told(1);
    kill(run, SIGKILL);
    waitpid(run, NULL, 0);
    char byte;
    cr_expect_eq(read(output[0], &byte, 1), 0);
    cr_expect_eq(kill(atomic_load(&held.shared->guardian), 0), 0, "it is still sweeping");
    close(output[0]);
    collect_everybody();
}

Test(guardian, tries_again_when_a_sweep_fails) {
    atomic_store(&held.shared->failing_sweeps, 2);
    struct guardian *guardian = start();
    cr_assert(guardian_tell(guardian, "resource 0", NULL));
    cr_expect(guardian_sweep_now(guardian, 5000));
    cr_expect_eq(atomic_load(&held.shared->sweeps), 3);
    expect_swept(1);
    cr_expect_not(file_exists(held.log_path));
}

Test(guardian, outlives_a_sweep_that_crashes) {
    atomic_store(&held.shared->failing_sweeps, 2);
    atomic_store(&held.shared->signal, SIGKILL); // which no sanitizer takes for itself
    struct guardian *guardian = start();
    cr_assert(guardian_tell(guardian, "resource 0", NULL));
    cr_expect(guardian_sweep_now(guardian, 5000));
    expect_swept(1);
}

Test(guardian, writes_down_a_sweep_that_failed_to_the_end) {
    atomic_store(&held.shared->failing_sweeps, 1000000);
    struct guardian *guardian = start();
    cr_assert(guardian_tell(guardian, "engine unix:///run/docker.sock", NULL));
    cr_expect_not(guardian_sweep_now(guardian, 10000));
    char *log = NULL;
    cr_assert(file_read(held.log_path, 10000, &log, NULL, NULL));
    cr_expect_not_null(strstr(log, "the engine is not back yet"), "%s", log);
    cr_expect_not_null(strstr(log, "engine unix:///run/docker.sock"), "%s", log);
    free(log);
    struct stat status;
    cr_assert_eq(stat(held.log_path, &status), 0);
    cr_expect_eq(status.st_mode & 0777, (mode_t)0600);
}

Test(guardian, that_needs_longer_than_the_run_waits_goes_on_alone) {
    atomic_store(&held.shared->failing_sweeps, 2); // 0.3 s
    struct guardian *guardian = start();
    cr_expect_not(guardian_sweep_now(guardian, 50));
    wait_until_swept();
    collect_everybody();
}

Test(guardian, refuses_a_line_that_is_too_long_and_lives_on) {
    held.guardian = start();
    char *line = memory_new(GUARDIAN_LINE_LIMIT + 1, 1);
    memset(line, 'x', GUARDIAN_LINE_LIMIT);
    struct error err = {0};
    cr_expect_not(guardian_tell(held.guardian, line, &err));
    cr_expect_eq(err.domain, ERROR_USAGE);
    line[GUARDIAN_LINE_LIMIT - 1] = '\0';
    cr_expect(guardian_tell(held.guardian, line, &err), "%s", err.message);
    free(line);
    cr_expect(guardian_tell(held.guardian, "", &err), "%s", err.message);
}

static void *tell_many(void *context) {
    int *failures = context;
    for (int i = 0; i < 500; i++)
        *failures += guardian_tell(held.guardian, "resource", NULL) ? 0 : 1;
    return NULL;
}

Test(guardian, may_be_told_from_several_threads) {
    held.guardian = start();
    pthread_t threads[8];
    int failures[8] = {0};
    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, tell_many, &failures[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(failures[i], 0);
    }
}

Test(guardian, leaves_no_file_and_no_zombie_in_the_run) {
    const size_t before = open_files(getpid());
    for (int round = 0; round < ROUNDS; round++) {
        struct guardian *guardian = start();
        cr_assert_not_null(guardian);
        guardian_dismiss(guardian);
    }
    cr_expect_eq(open_files(getpid()), before);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
}

Test(guardian, dismissing_nobody_is_fine) {
    guardian_dismiss(NULL);
}
