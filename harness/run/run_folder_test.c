#define _GNU_SOURCE
#include "run/run_folder.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/string_list.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char runtime[64];
static struct error err;
static struct string_list owned;

static void open_runtime(void) {
    // On /dev/shm, so that it is a tmpfs and preferred.
    snprintf(runtime, sizeof runtime, "/dev/shm/assay-test-XXXXXX");
    cr_assert_not_null(mkdtemp(runtime));
    setenv("XDG_RUNTIME_DIR", runtime, 1);
}

static void close_runtime(void) {
    cr_expect(file_remove_tree(runtime, NULL));
    string_list_done(&owned);
}

static const char *make(const char *run_id, const char *owner) {
    char *folder = NULL;
    cr_assert(run_folder_make(run_id, owner, &folder, &err), "%s", err.message);
    string_list_take(&owned, folder);
    return folder;
}

static const char *within(const char *folder, const char *name) {
    char *path = path_join(folder, name);
    string_list_take(&owned, path);
    return path;
}

TestSuite(run_folder, .init = open_runtime, .fini = close_runtime);

Test(run_folder, is_ours_alone_and_says_who_owns_it) {
    const char *folder = make("aaaaaaaaaa", "owner-text");
    struct stat status;
    cr_assert_eq(stat(folder, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0700);
    const char *path = within(folder, "owner");
    char *owner = NULL;
    cr_assert(file_read(path, 100, &owner, NULL, &err), "%s", err.message);
    string_list_take(&owned, owner);
    cr_assert_str_eq(owner, "owner-text");
    cr_assert_eq(strncmp(folder, runtime, strlen(runtime)), 0);
}

Test(run_folder, takes_the_base_along_when_it_was_the_last) {
    const char *base = within(runtime, "assay");
    int removed = 0;
    make("aaaaaaaaaa", "a");
    const char *second = make("bbbbbbbbbb", "b");
    cr_assert(run_folder_remove("aaaaaaaaaa", &removed, &err), "%s", err.message);
    cr_assert(file_exists(second));
    cr_assert(run_folder_remove("bbbbbbbbbb", &removed, &err), "%s", err.message);
    cr_assert_eq(removed, 2);
    cr_assert_not(file_exists(base));
}

// A test process of Criterion's whose parent was killed at the wrong moment.
Test(run_folder, takes_along_the_processes_of_its_suites) {
    const char *folder = make("aaaaaaaaaa", "a");
    const char *results = within(folder, "postgres.results");
    const pid_t pid = fork();
    if (pid == 0) {
        setsid();
        setenv(RUN_RESULTS_VARIABLE, results, 1);
        execlp("sh", "sh", "-c", "kill -STOP $$", NULL);
        _exit(127);
    }
    int status = 0;
    cr_assert_eq(waitpid(pid, &status, WUNTRACED), pid);
    cr_assert(WIFSTOPPED(status));
    cr_assert(run_folder_remove("aaaaaaaaaa", NULL, &err), "%s", err.message);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(run_folder, that_is_gone_already_can_be_removed) {
    int removed = 0;
    cr_assert(run_folder_remove("aaaaaaaaaa", &removed, &err), "%s", err.message);
    cr_assert_eq(removed, 0);
}

Test(run_folder, refuses_a_base_that_others_can_enter) {
    const char *base = within(runtime, "assay");
    cr_assert_eq(mkdir(base, 0700), 0);
    cr_assert_eq(chmod(base, 0755), 0);
    char *folder = NULL;
    cr_assert_not(run_folder_make("aaaaaaaaaa", "a", &folder, &err));
    cr_assert_not_null(strstr(err.message, base), "%s", err.message);
}

Test(run_folder, refuses_a_base_that_is_a_link_to_somewhere_else) {
    const char *base = within(runtime, "assay");
    cr_assert_eq(symlink("/tmp", base), 0);
    char *folder = NULL;
    cr_assert_not(run_folder_make("aaaaaaaaaa", "a", &folder, &err));
}

Test(run_folder, can_be_made_while_others_remove_theirs) {
    pid_t children[8];
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        bool fine = true;
        for (int round = 0; fine && round < 50; round++) {
            char id[] = {'a', 'a', (char)('a' + i), '\0'};
            autofree_string char *folder = NULL;
            fine = run_folder_make(id, "a", &folder, NULL) && run_folder_remove(id, NULL, NULL);
        }
        _exit(fine ? 0 : 1);
    }
    for (int i = 0; i < 8; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        cr_assert_eq(status, 0, "child %d", i);
    }
}

static void count_folder(void *context, const char *run_id, const char *folder, const char *owner) {
    (void)folder;
    int *seen = context;
    *seen += strcmp(run_id, "aaaaaaaaaa") == 0 && strcmp(owner, "mine") == 0;
}

Test(run_folder, is_listed_with_its_owner) {
    int seen = 0;
    make("aaaaaaaaaa", "mine");
    cr_assert(run_folder_each(count_folder, &seen, &err), "%s", err.message);
    cr_assert_eq(seen, 1);
}
