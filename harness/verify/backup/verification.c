#include "verify/backup/verification.h"

#include "base/clock.h"
#include "base/memory.h"
#include "verify/backup/damage.h"
#include "verify/backup/restore_volume.h"
#include "verify/backup/smoke_check.h"
#include "verify/backup/stall.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// One engine's part of the work: a thread.
struct lane {
    const struct verification *verification;
    enum dump_engine engine;
    struct suite_result *suites; // one an artifact, of all engines; this lane fills in its own
    pthread_mutex_t *progress;
    pthread_t thread;
    bool started;
};

static void tell(const struct lane *self, const struct artifact *artifact, const char *state,
                 bool wrong) {
    if (self->verification->progress == NULL)
        return;
    pthread_mutex_lock(self->progress);
    self->verification->progress(self->verification->context, artifact->name, state, wrong);
    pthread_mutex_unlock(self->progress);
}

// ---- the file

// What everything else rests on: false when an artifact's file is not whole.
static bool check_files(const struct backup *backup, const struct artifact *artifact,
                        struct suite_result *suite) {
    for (size_t i = 0; i < artifact->file_count; i++) {
        const struct backup_file *file = &backup->files[artifact->files[i]];
        if (file->read)
            continue;
        const bool damaged = file->problem.domain == ERROR_PROTOCOL;
        restore_said(suite, "is_whole", damaged ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED, "%s",
                     file->problem.message);
        return false;
    }
    restore_said(suite, "is_whole", OUTCOME_PASSED, NULL);
    return true;
}

// Another place for each artifact.
static uint64_t seed_of(const struct verification *self, const struct artifact *artifact) {
    uint64_t seed = self->seed;
    for (const char *at = artifact->name; *at != '\0'; at++) // FNV-1a
        seed = (seed ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    return seed;
}

static void control_file(const struct verification *self, const struct artifact *artifact,
                         struct suite_result *suite) {
    static const char name[] = "a_damaged_copy_is_refused";
    struct damage_result result;
    struct error problem = {0};
    if (!damage_try(backup_main_file(self->backup, artifact), seed_of(self, artifact), self->cancel,
                    &result, &problem))
        restore_said(suite, name, OUTCOME_NOT_VERIFIED, "%s", problem.message);
    else if (result.refused)
        restore_said(suite, name, OUTCOME_PASSED, NULL);
    else
        restore_said(suite, name, OUTCOME_FAILED, "a copy with %s was taken for whole: %s",
                     result.what, result.answer);
}

// ---- the server

// false: no record was lost.
static bool control_counts(const struct restore *restore, const struct restorer *restorer,
                           struct suite_result *suite) {
    static const char name[] = "a_lost_record_is_noticed";
    struct error problem = {0};
    if (restore_says_no_count(restore, suite, name))
        return false;
    if (restore_file(restore)->facts.record_count == 0) {
        restore_said(suite, name, OUTCOME_NOT_APPLICABLE, "it holds no record that could be lost");
        return false;
    }
    if (!restorer->lose_record(restore, &problem)) {
        restore_said(suite, name, OUTCOME_NOT_VERIFIED, "%s", problem.message);
        return false;
    }
    struct report *scratch = report_new("control");
    struct suite_result *again = report_add_suite(scratch);
    restorer->count(restore, again);
    const enum outcome outcome = again->tests[0].outcome;
    if (outcome == OUTCOME_FAILED)
        restore_said(suite, name, OUTCOME_PASSED, NULL);
    else if (outcome == OUTCOME_PASSED)
        restore_said(
            suite, name, OUTCOME_FAILED,
            "a record was deleted from the restored server, and the count did not show it");
    else
        restore_said(suite, name, outcome, "%s", again->tests[0].message);
    report_free(scratch);
    return true;
}

static void ask_server(const struct lane *self, const struct restore *restore,
                       const struct restorer *restorer, struct suite_result *suite) {
    tell(self, restore->artifact, "checking", false);
    restorer->count(restore, suite);
    // Before the checks, some of which put an extension there.
    comparison_of_content(self->verification->testimony, restorer, restore, suite);
    comparison_with_live(self->verification->live, restorer, restore, suite);
    smoke_check(self->verification->smoke, restorer, restore, suite);
    restorer->check(restore, suite);
    if (self->verification->visit != NULL)
        self->verification->visit(self->verification->visitor, restorer, restore, suite);
    else if (control_counts(restore, restorer, suite))
        comparison_control(self->verification->testimony, restorer, restore, suite);
}

// A server that is asked through its protocol has deadlines there.
static bool restore_watched(const struct lane *self, struct restore *restore,
                            const struct restorer *restorer, struct error *err) {
    const int asked_ms = self->verification->patience_ms;
    const int patience_ms = asked_ms > 0 ? asked_ms : STALL_PATIENCE_MS;
    struct stall_watch *watch =
        restorer->port != 0 ? stall_watch_start(&restore->stand, patience_ms) : NULL;
    const bool restored = restorer->restore(restore, err);
    if (!stall_watch_stop(watch) || restored)
        return restored;
    autofree_string char *said = memory_copy_string(err->message);
    return error_set(
        err, ERROR_SERVICE, 0,
        "it stopped half way: the server had done nothing for %d s, and was ended (%s)",
        patience_ms / 1000, said);
}

// Returns whether it was restored, and so asked; as do those that call it.
static bool restore_into_server(const struct lane *self, struct restore *restore,
                                const struct restorer *restorer, struct suite_result *suite) {
    struct error problem = {0};
    const int64_t started_us = clock_monotonic_us();
    tell(self, restore->artifact, "restoring", false);
    const bool restored = restore_watched(self, restore, restorer, &problem);
    const enum outcome outcome =
        restored ? OUTCOME_PASSED
        : problem.domain == ERROR_SERVICE || problem.domain == ERROR_PROTOCOL
            ? OUTCOME_FAILED
            : OUTCOME_NOT_VERIFIED;
    const char *said = restored ? restore->note : problem.message;
    restore_said(suite, "restores", outcome, said != NULL ? "%s" : NULL, said);
    suite->tests[suite->test_count - 1].duration_us = clock_monotonic_us() - started_us;
    if (restored)
        ask_server(self, restore, restorer, suite);
    restorer->close(restore);
    return restored;
}

// NULL: it can be restored; else why not. The caller's.
static char *why_not(const struct verification *self, const struct backup_file *file,
                     const struct restorer *restorer) {
    if (restorer != NULL && restorer->no_volume != NULL && backup_file_has_format(file, "volume"))
        return memory_format("%s: %s", file->facts.format->title, restorer->no_volume);
    if (restorer == NULL || !restorer_takes(restorer, file->facts.format))
        return memory_format("%s: restoring this format is not supported yet",
                             file->facts.format->title);
    if (self->stack == NULL || stack_container(self->stack, restorer->service) == NULL)
        return memory_format("no throwaway %s could be started: see its service",
                             restorer->service);
    return NULL;
}

static bool try_restore(const struct lane *self, const struct artifact *artifact,
                        struct suite_result *suite) {
    const struct verification *verification = self->verification;
    const struct backup_file *file = backup_main_file(verification->backup, artifact);
    const struct restorer *restorer = restorer_of(file->facts.engine);
    autofree_string char *reason = why_not(verification, file, restorer);
    if (reason != NULL) {
        restore_said(suite, "restores", OUTCOME_NOT_VERIFIED, "%s", reason);
        return false;
    }
    struct restore restore = {
        .stand = {.engine = verification->engine,
                  .container = stack_container(verification->stack, restorer->service),
                  .user = restorer->user,
                  .cancel = verification->cancel,
                  .counter = verification->counter},
        .endpoint = stack_endpoint(verification->stack, restorer->service),
        .folder = verification->folder,
        .backup = verification->backup,
        .artifact = artifact,
    };
    const bool restored = restore_into_server(self, &restore, restorer, suite);
    free(restore.note);
    free(restore.lacking);
    return restored;
}

// ---- an artifact

// "app.dump: pg_dump, custom format, gzip, of server 17.2": what stands over its tests.
static char *describe(const struct artifact *artifact, const struct backup_file *file) {
    const struct dump_facts *facts = &file->facts;
    if (facts->format == NULL)
        return memory_copy_string(artifact->name);
    return memory_format("%s: %s%s%s%s%s", artifact->name, facts->format->title,
                         strcmp(file->source.compression, "none") != 0 ? ", " : "",
                         strcmp(file->source.compression, "none") != 0 ? file->source.compression
                                                                       : "",
                         facts->server_version != NULL ? ", of server " : "",
                         facts->server_version != NULL ? facts->server_version : "");
}

static bool verify_known(const struct lane *self, const struct artifact *artifact,
                         struct suite_result *suite) {
    const struct verification *verification = self->verification;
    if (!check_files(verification->backup, artifact, suite)) {
        restore_said(suite, "restores", OUTCOME_NOT_VERIFIED, "its file is not whole");
        return false;
    }
    control_file(verification, artifact, suite);
    return try_restore(self, artifact, suite);
}

static void verify_unknown(const struct backup_file *file, struct suite_result *suite) {
    if (!file->read)
        restore_said(suite, "is_whole",
                     file->problem.domain == ERROR_PROTOCOL ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED,
                     "%s", file->problem.message);
    else
        restore_said(suite, "is_recognised", OUTCOME_NOT_VERIFIED, "unknown format: looks like %s",
                     file->facts.recognised);
}

static void verify_artifact(const struct lane *self, const struct artifact *artifact,
                            struct suite_result *suite) {
    const int64_t started_us = clock_monotonic_us();
    const struct backup_file *file = backup_main_file(self->verification->backup, artifact);
    suite->name = describe(artifact, file);
    if (file->facts.engine != DUMP_UNKNOWN)
        suite->subject = memory_copy_string(dump_engine_name(file->facts.engine));
    if (file->facts.format == NULL)
        verify_unknown(file, suite);
    else if (!verify_known(self, artifact, suite))
        smoke_check_unrestored(self->verification->smoke, self->verification->backup, artifact,
                               suite);
    suite->duration_us = clock_monotonic_us() - started_us;
    tell(self, artifact, suite_tally(suite).failed > 0 ? "failed" : "done",
         suite_tally(suite).failed > 0);
}

static void *work(void *context) {
    const struct lane *self = context;
    const struct backup *backup = self->verification->backup;
    for (size_t i = 0; i < backup->artifact_count; i++)
        if (backup_engine(backup, &backup->artifacts[i]) == self->engine &&
            !comparison_is_manifest(self->verification->testimony,
                                    backup_main_file(backup, &backup->artifacts[i])) &&
            !cancel_requested(self->verification->cancel))
            verify_artifact(self, &backup->artifacts[i], &self->suites[i]);
    return NULL;
}

// ---- all of them

static void check_backup(const struct verification *self, struct report *report) {
    struct suite_result *suite = report_add_suite(report);
    struct error problem = {0};
    const int64_t started_us = clock_monotonic_us();
    suite->name = memory_copy_string("backup");
    comparison_of_files(self->testimony, self->backup, suite);
    smoke_check_unasked(self->smoke, self->backup, suite);
    if (backup_unchanged(self->backup, self->cancel, &problem))
        restore_said(suite, "nothing_was_changed", OUTCOME_PASSED, NULL);
    else
        restore_said(suite, "nothing_was_changed",
                     problem.domain == ERROR_SERVICE ? OUTCOME_FAILED : OUTCOME_NOT_VERIFIED, "%s",
                     problem.message);
    suite->duration_us = clock_monotonic_us() - started_us;
}

#define LANES (DUMP_REDIS + 1)

bool verification_run(const struct verification *self, struct report *report, struct error *err) {
    const size_t count = self->backup->artifact_count;
    struct suite_result *suites = memory_new(count, sizeof *suites);
    pthread_mutex_t progress = PTHREAD_MUTEX_INITIALIZER;
    struct lane lanes[LANES];
    for (size_t i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){.verification = self,
                                 .engine = (enum dump_engine)i,
                                 .suites = suites,
                                 .progress = &progress};
        lanes[i].started = pthread_create(&lanes[i].thread, NULL, work, &lanes[i]) == 0;
        if (!lanes[i].started)
            work(&lanes[i]);
    }
    for (size_t i = 0; i < LANES; i++)
        if (lanes[i].started)
            pthread_join(lanes[i].thread, NULL);
    for (size_t i = 0; i < count; i++)
        if (suites[i].name != NULL)
            *report_add_suite(report) = suites[i]; // what it owns moves with it
    free(suites);
    if (!cancel_check(self->cancel, err))
        return false;
    check_backup(self, report);
    return true;
}

void verification_services(const struct backup *backup, struct string_list *ret_services) {
    for (size_t i = 0; i < backup->artifact_count; i++) {
        const struct backup_file *file = backup_main_file(backup, &backup->artifacts[i]);
        const struct restorer *restorer = restorer_of(file->facts.engine);
        if (restorer != NULL && file->read && restorer_takes(restorer, file->facts.format) &&
            !string_list_contains(ret_services, restorer->service))
            string_list_add(ret_services, restorer->service);
    }
}
