#define _GNU_SOURCE
#include "run/run.h"

#include "base/file.h"
#include "process/owner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char state[64];
static struct error err;

static void open_state(void) {
    snprintf(state, sizeof state, "/dev/shm/assay-run-XXXXXX");
    cr_assert_not_null(mkdtemp(state));
    setenv("ASSAY_STATE", state, 1);
    setenv("XDG_RUNTIME_DIR", state, 1);
}

static void close_state(void) {
    cr_expect(file_remove_tree(state, NULL));
}

TestSuite(run, .init = open_state, .fini = close_state, .timeout = 120);

static struct run *open_run(int64_t lease_ms) {
    const struct run_options options = {.lease_ms = lease_ms};
    struct run *run = NULL;
    cr_assert(run_open(&options, &run, &err), "%s", err.message);
    return run;
}

static const char *label(const json_t *labels, const char *name) {
    return json_string_value(json_object_get(labels, name));
}

Test(run, labels_say_who_owns_what_is_created) {
    struct run *run = open_run(0);
    json_t *labels = run_labels(run, "service");
    cr_assert_str_eq(label(labels, "io.assay.run"), run_id(run));
    cr_assert_str_eq(label(labels, "io.assay.role"), "service");
    cr_assert_null(label(labels, "io.assay.lease"));
    struct owner owner;
    cr_assert(owner_parse(label(labels, "io.assay.owner"), &owner, &err), "%s", err.message);
    cr_assert_eq(owner.pid, getpid());
    json_decref(labels);
    run_close(run, true);
}

Test(run, labels_of_a_leased_stack_say_until_when) {
    struct run *run = open_run(60000);
    json_t *labels = run_labels(run, "service");
    cr_assert_gt(strtoll(label(labels, "io.assay.lease"), NULL, 10), 1700000000);
    json_decref(labels);
    run_close(run, true);
}

Test(run, has_a_name_of_its_own) {
    struct run *first = open_run(0);
    struct run *second = open_run(0);
    cr_assert_eq(strlen(run_id(first)), 10);
    cr_assert_eq(strspn(run_id(first), "abcdefghijklmnopqrstuvwxyz0123456789"), 10);
    cr_assert_str_neq(run_id(first), run_id(second));
    run_close(first, true);
    run_close(second, true);
}

Test(run, leaves_no_folder_whether_it_cleaned_up_itself_or_not) {
    struct run *run = open_run(0);
    char *base = path_join(state, "assay");
    cr_assert(file_exists(run_folder(run)));
    run_close(run, true);
    cr_assert_not(file_exists(base));

    run = open_run(0);
    cr_assert(file_exists(base));
    run_close(run, false);
    cr_assert_not(file_exists(base));
    free(base);
}

Test(run, starts_nothing_when_its_folder_cannot_be_made) {
    char *base = path_join(state, "assay");
    cr_assert(file_write_atomic(base, "in the way", 10, 0600, &err));
    const struct run_options options = {0};
    struct run *run = NULL;
    cr_assert_not(run_open(&options, &run, &err));
    cr_assert_not_null(strstr(err.message, base), "%s", err.message);
    free(base);
}

Test(run, can_be_adopted_by_a_process_that_the_runner_started) {
    struct run *run = open_run(0);
    struct run *adopted = NULL;
    cr_assert(run_adopt(run_id(run), run_folder(run), run_owner(run), &adopted, &err), "%s",
              err.message);
    cr_assert_str_eq(run_id(adopted), run_id(run));
    cr_assert_str_eq(run_owner(adopted), run_owner(run));
    cr_assert(run_uses_engine(adopted, "unix:///nowhere.sock", &err), "%s", err.message);
    run_close(adopted, false); // must not remove what is the runner's
    cr_assert(file_exists(run_folder(run)));
    run_close(run, true);
}

Test(run, is_not_adopted_from_garbage) {
    struct run *run = NULL;
    cr_assert_not(run_adopt("short", "/tmp", "x", &run, &err));
    cr_assert_eq(err.domain, ERROR_CONFIGURATION);
}
