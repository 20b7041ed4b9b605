#define _GNU_SOURCE
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "verify/backup/manifest.h"
#include "verify/drill/corruption.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// One corruption of one copy.
struct trial {
    const struct corruption *corruption;
    const struct corruption_site *site;
    char *folder; // NULL: none was made
    char *copy;   // of the site's backup, in it
    struct report *report;
};

static void trial_done(struct trial *self) {
    free(self->folder);
    free(self->copy);
    report_free(self->report);
}
DEFINE_AUTODONE(trial, trial_done);

// ---- the copy

#define PIECE ((size_t)1 << 16)

static bool pass_on(int from, const char *from_path, int to, const char *to_path,
                    const struct cancel *cancel, struct error *err) {
    autofree_string char *piece = memory_new(PIECE, 1);
    ssize_t length;
    while ((length = read(from, piece, PIECE)) > 0) {
        if (!cancel_check(cancel, err))
            return false;
        if (!file_write_all(to, piece, (size_t)length))
            return error_set_errno(err, "cannot write %s", to_path);
    }
    return length == 0 || error_set_errno(err, "cannot read %s", from_path);
}

static bool copy_file(const char *from_path, const char *to_path, const struct cancel *cancel,
                      struct error *err) {
    autoclose_fd int from = open(from_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return error_set_errno(err, "cannot open %s", from_path);
    const int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return error_set_errno(err, "cannot make %s", to_path);
    const bool passed = pass_on(from, from_path, to, to_path, cancel, err);
    // A copy that is not whole by itself would be refused whatever befell it.
    return (close(to) == 0 || !passed || error_set_errno(err, "cannot write %s", to_path)) &&
           passed;
}

static bool copy_any(const char *from, const char *to, const struct cancel *cancel,
                     struct error *err);

static bool copy_folder(const char *from, const char *to, const struct cancel *cancel,
                        struct error *err) {
    autodone(string_list) struct string_list names = {0};
    if (!folder_list(from, &names, err))
        return false;
    if (mkdir(to, 0700) != 0)
        return error_set_errno(err, "cannot make the folder %s", to);
    for (size_t i = 0; i < names.count; i++) {
        autofree_string char *from_below = path_join(from, names.items[i]);
        autofree_string char *to_below = path_join(to, names.items[i]);
        if (!copy_any(from_below, to_below, cancel, err))
            return false;
    }
    return true;
}

static bool copy_any(const char *from, const char *to, const struct cancel *cancel,
                     struct error *err) {
    struct stat status;
    if (lstat(from, &status) != 0)
        return error_set_errno(err, "cannot look at %s", from);
    if (S_ISDIR(status.st_mode))
        return copy_folder(from, to, cancel, err);
    if (S_ISREG(status.st_mode))
        return copy_file(from, to, cancel, err);
    return error_set(err, ERROR_SYSTEM, EINVAL, "%s is neither a file nor a folder", from);
}

static bool make_copy(struct trial *self, struct error *err) {
    autofree_string char *folder = path_join(self->site->folder, "corruption.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return error_set_errno(err, "cannot make a folder in %s", self->site->folder);
    self->folder = TAKE(folder);
    self->copy = path_join(self->folder, "backup");
    return copy_folder(self->site->backup, self->copy, self->site->cancel, err);
}

static bool take_manifest_away(const char *copy, struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_NAME);
    autofree_string char *signature_path = path_join(copy, MANIFEST_SIGNATURE_NAME);
    return file_remove_tree(path, err) && file_remove_tree(signature_path, err);
}

// ---- verified, as `assay backup verify --against manifest --key` does it without a server

static bool verify(struct trial *self, struct error *err) {
    const bool foreign = self->corruption->foreign;
    autofree(backup) struct backup *backup = NULL;
    autodone(testimony) struct testimony testimony = {.demanded = !foreign,
                                                      .must_be_signed = !foreign};
    if (!backup_open(self->copy, &(const struct backup_options){.cancel = self->site->cancel},
                     &backup, err))
        return false;
    testimony_read(backup, self->site->public_key, &testimony);
    const struct verification verification = {
        .backup = backup, .testimony = &testimony, .cancel = self->site->cancel};
    return verification_run(&verification, self->report, err);
}

// ---- what it said

// The first of these that came out so and said so; NULL: none. Any `name`, any `said`: NULL.
static const struct test_result *find(const struct report *report, const char *name,
                                      enum outcome outcome, const char *said) {
    for (size_t i = 0; i < report->suite_count; i++)
        for (size_t j = 0; j < report->suites[i].test_count; j++) {
            const struct test_result *test = &report->suites[i].tests[j];
            if ((name == NULL || strcmp(test->name, name) == 0) && test->outcome == outcome &&
                (said == NULL || (test->message != NULL && strstr(test->message, said) != NULL)))
                return test;
        }
    return NULL;
}

// `said` of the row, about this artifact. The caller's.
static char *words(const struct trial *self) {
    const char *said = self->corruption->said;
    const char *at = strstr(said, "%s");
    return at == NULL
               ? memory_copy_string(said)
               : memory_format("%.*s%s%s", (int)(at - said), said, self->site->artifact, at + 2);
}

static void say(struct test_result *test, enum outcome outcome, const char *before,
                const char *why) {
    test->outcome = outcome;
    test->message = memory_format("%s%s", before, why);
}

// "restores" is not verified in any case: there is no server.
static const struct test_result *find_unverified(const struct report *report) {
    for (size_t i = 0; i < report->suite_count; i++)
        for (size_t j = 0; j < report->suites[i].test_count; j++) {
            const struct test_result *test = &report->suites[i].tests[j];
            if (test->outcome == OUTCOME_NOT_VERIFIED && strcmp(test->name, "restores") != 0)
                return test;
        }
    return NULL;
}

static void judge_others(const struct trial *self, struct test_result *test) {
    const struct test_result *same =
        find(self->report, self->corruption->test, OUTCOME_FAILED, NULL);
    const struct test_result *failed =
        same != NULL ? same : find(self->report, NULL, OUTCOME_FAILED, NULL);
    const struct test_result *unverified = find_unverified(self->report);
    const struct test_result *other = failed != NULL ? failed : unverified;
    if (other == NULL) {
        say(test, OUTCOME_FAILED, "was taken for whole", "");
        return;
    }
    autofree_string char *answer =
        memory_format("%s: %s", other->name, other->message != NULL ? other->message : "");
    say(test, OUTCOME_FAILED,
        failed != NULL ? "was refused, but for another reason: "
                       : "was not refused, only not verified: ",
        answer);
}

static void judge(const struct trial *self, struct test_result *test) {
    autofree_string char *said = words(self);
    if (find(self->report, self->corruption->test, OUTCOME_FAILED, said) != NULL)
        test->outcome = OUTCOME_PASSED;
    else
        judge_others(self, test);
}

// ---- all of it

static void run(struct trial *self, struct test_result *test) {
    struct error problem = {0};
    if (!make_copy(self, &problem) ||
        (self->corruption->foreign && !take_manifest_away(self->copy, &problem)))
        say(test, OUTCOME_NOT_VERIFIED, "", problem.message);
    else if (!self->corruption->befall(self->site, self->copy, &problem))
        say(test,
            problem.domain == ERROR_UNAVAILABLE ? OUTCOME_NOT_APPLICABLE : OUTCOME_NOT_VERIFIED, "",
            problem.message);
    else if (verify(self, &problem))
        judge(self, test);
    else if (problem.domain == ERROR_CONFIGURATION)
        say(test, OUTCOME_FAILED, "was refused, but for another reason: ", problem.message);
    else
        say(test, OUTCOME_NOT_VERIFIED, "", problem.message);
}

// What is left of a copy is worse than not knowing how it was taken.
static void remove_copy(const struct trial *self, struct test_result *test) {
    struct error problem = {0};
    if (self->folder == NULL || file_remove_tree(self->folder, &problem))
        return;
    free(test->message);
    say(test, OUTCOME_FAILED, "its copy stays behind: ", problem.message);
}

void corruption_try(const struct corruption *self, const struct corruption_site *site,
                    struct suite_result *suite) {
    autodone(trial) struct trial trial = {
        .corruption = self, .site = site, .report = report_new("corruption")};
    struct test_result *test = suite_add_test(suite);
    const int64_t started_us = clock_monotonic_us();
    test->name = memory_format("corrupted: %s: %s", site->artifact, self->name);
    run(&trial, test);
    remove_copy(&trial, test);
    test->duration_us = clock_monotonic_us() - started_us;
}
