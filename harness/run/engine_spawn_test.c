#define _GNU_SOURCE
#include "run/engine_spawn.h"

#include "base/eventually.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/run_folder.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char folder[64];
static char *log_path;
static char *said;
static struct error err;

static void open_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/assay-spawn-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    log_path = path_join(folder, "log");
    prctl(PR_SET_CHILD_SUBREAPER, 1); // the daemon leaves no zombie
}

static void close_folder(void) {
    cr_expect(file_remove_tree(folder, NULL));
    free(log_path);
    free(said);
}

TestSuite(engine_spawn, .init = open_folder, .fini = close_folder, .timeout = 120);

static bool has_ended(void *context, struct error *ret) {
    (void)context;
    free(said);
    said = NULL;
    return (file_read(log_path, 1 << 20, &said, NULL, ret) && strstr(said, "END=1\n") != NULL) ||
           error_set(ret, ERROR_TIMEOUT, 0, "it has not said everything");
}

// A daemon that writes its environment into its log.
static void spawn_env(void) {
    const char *const arguments[] = {"env", "END=1", NULL};
    char *program = engine_spawn_lookup("env");
    pid_t pid = 0;
    cr_assert(engine_spawn(program, arguments, log_path, &pid, &err), "%s", err.message);
    free(program);
    cr_assert(eventually(deadline_in_ms(10000), has_ended, NULL, &err), "%s", err.message);
}

Test(engine_spawn, gives_our_environment_without_the_mark_of_a_suite) {
    setenv("SPAWN_TEST", "passed on", 1);
    setenv(RUN_RESULTS_VARIABLE, "/run/assay/aaaaaaaaaa/postgres.results", 1);
    spawn_env();
    cr_assert_not_null(strstr(said, "SPAWN_TEST=passed on\n"));
    cr_assert_null(strstr(said, RUN_RESULTS_VARIABLE "="));
}

Test(engine_spawn, finds_the_programs_of_the_system_with_any_path) {
    setenv("PATH", "/nonexistent", 1);
    spawn_env();
    cr_assert_not_null(strstr(said, "PATH=/nonexistent:/usr/local/sbin:"));
}

Test(engine_spawn, says_what_it_cannot_execute) {
    const char *const arguments[] = {"nothing", NULL};
    pid_t pid = 0;
    cr_assert_not(engine_spawn("/nonexistent/dockerd", arguments, log_path, &pid, &err));
    cr_assert_not_null(strstr(err.message, "/nonexistent/dockerd"), "%s", err.message);
}
