// A suite that does everything a suite may do wrong: the runner's tests run it.
#include "scenario/clients.h"

#include "base/file.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct scenario *scenario;

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(sample, .init = open_scenario, .fini = close_scenario, .timeout = 10);

Test(sample, passes) {
    cr_assert(scenario != NULL);
}

Test(sample, fails_with_a_message_no_format_can_hold) {
    cr_assert(false, "say \"hi\" \\ ]]> \x01\xff\nsecond line");
}

Test(sample, expected_another_error) {
    must_fail(error_set(err, ERROR_TIMEOUT, 0, "too late"), ERROR_SERVICE, SERVICE_ERROR_LOGIN);
}

static bool in_folder(const char *folder, const char *name) {
    autofree_string char *path = path_join(folder, name);
    return file_exists(path);
}

static void expect_memory(const char *name, const char *folder) {
    const int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    const bool there = in_folder(folder, name + 1);
    const bool elsewhere = strcmp(folder, "/dev/shm") != 0 && in_folder("/dev/shm", name + 1);
    shm_unlink(name);
    cr_assert(fd >= 0 && there, "%s is not in %s", name, folder);
    cr_assert_not(elsewhere || in_folder(folder, name + 1));
    close(fd);
}

Test(sample, shares_memory_in_the_folder_of_the_run) {
    char results[PATH_MAX];
    snprintf(results, sizeof results, "%s", getenv("ASSAY_RESULTS"));
    char name[64];
    snprintf(name, sizeof name, "/bxfi_%d_sample", (int)getpid());
    expect_memory(name, dirname(results));
    snprintf(name, sizeof name, "/sample_%d", (int)getpid());
    expect_memory(name, "/dev/shm");
}

Test(sample, reports_by_a_socket_in_the_folder_of_the_run) {
    char results[PATH_MAX];
    snprintf(results, sizeof results, "%s", getenv("ASSAY_RESULTS"));
    char name[64];
    snprintf(name, sizeof name, "criterion_%d.sock", (int)getppid());
    cr_assert(in_folder(dirname(results), name));
    cr_assert_not(in_folder("/tmp", name));
}

Test(sample, crashes) {
    raise(SIGKILL); // which no sanitizer takes for itself
}

// A test that is out of time before its process has come up makes Criterion 2.4.1 itself hang.
Test(sample, hangs, .timeout = 2) {
    for (;;)
        pause_ms(1000, NULL);
}

Test(sample, leaves) {
    exit(7);
}

// The service "silent" is the runner's test: it accepts and never says a word.
Test(sample, asks_a_service_that_says_nothing, .timeout = 6) {
    const struct http_reply *reply;
    must(http_get(scenario_http(scenario, "silent"), "/", &reply, err));
}

Test(sample, waits_for_what_never_comes) {
    must_become(error_set(err, ERROR_SERVICE, 0, "not today"), 10);
}

Test(sample, cannot_verify) {
    not_verified("the %s is not there", "server");
}

Test(sample, does_not_apply) {
    not_applicable("the server says \"no\"");
}

Test(sample, skips_plainly) {
    cr_skip_test("because");
}

Test(sample, asks_for_a_service_without_a_runner) {
    (void)scenario_endpoint(scenario, "postgres");
}
