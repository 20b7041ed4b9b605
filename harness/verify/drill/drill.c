#include "verify/drill/drill.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "verify/drill/alteration.h"
#include "verify/drill/corruption.h"
#include "verify/drill/drill_backup.h"

#include <pthread.h>

struct work {
    const struct drill *drill;
    struct report *report;
    struct drill_table tables[DRILL_ORIGIN_COUNT];
    struct drill_backup backup;
};

// ---- a backup of servers that hold everything they can

static bool load_tables(struct work *self, struct error *err) {
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++) {
        const char *file = DRILL_ORIGINS[i].table;
        autofree_string char *path = path_join(self->drill->tables, file);
        if (!drill_table_load(path, file, &self->tables[i], err))
            return false;
    }
    return true;
}

static bool make_backup(struct work *self, struct suite_result *suite) {
    const struct string_list *statements[DRILL_ORIGIN_COUNT] = {NULL};
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++)
        if (drill_wants(self->drill, &DRILL_ORIGINS[i]))
            statements[i] = &self->tables[i].fill;
    return drill_backup_make(self->drill, statements, suite, &self->backup);
}

// ---- and what must be found

static void alter(void *context, const struct restorer *restorer, const struct restore *restore,
                  struct suite_result *suite) {
    struct work *self = context;
    if (restore_file(restore)->facts.record_count == 0)
        return; // what stands beside the databases: roles
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++)
        if (DRILL_ORIGINS[i].engine == restorer->engine)
            alteration_try_all(&self->tables[i], DRILL_ORIGINS[i].restored, restorer, restore,
                               suite);
}

// The artifact of this engine that holds what was filled in; NULL: there is none.
static const struct backup_file *artifact_of(const struct backup *backup, enum dump_engine engine) {
    for (size_t i = 0; i < backup->artifact_count; i++) {
        const struct backup_file *file = backup_main_file(backup, &backup->artifacts[i]);
        if (file->facts.engine == engine && file->facts.record_count > 0)
            return file;
    }
    return NULL;
}

static const struct backup_file *artifact_of_another(const struct backup *backup,
                                                     enum dump_engine engine) {
    const struct backup_file *other = NULL;
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT && other == NULL; i++)
        if (DRILL_ORIGINS[i].engine != engine)
            other = artifact_of(backup, DRILL_ORIGINS[i].engine);
    return other;
}

static void corrupt_artifact(struct work *self, const struct corruption_site *site,
                             const struct drill_origin *origin, struct report *report) {
    const int64_t started_us = clock_monotonic_us();
    struct suite_result *suite = report_add_suite(report);
    suite->name = memory_format("files of %s", origin->name);
    suite->subject = memory_copy_string(origin->name);
    drill_tell(self->drill, suite->name, "corrupting");
    for (const struct corruption *each = CORRUPTIONS; each->name != NULL; each++)
        if (!cancel_requested(site->cancel))
            corruption_try(each, site, suite);
    suite->duration_us = clock_monotonic_us() - started_us;
    drill_tell(self->drill, suite->name, "done");
}

struct corrupting {
    struct work *work;
    const struct backup *backup;
    struct report *report; // of its own
};

static void *corrupt(void *context) {
    const struct corrupting *self = context;
    struct work *work = self->work;
    const struct public_key public_key = signing_key_public(work->backup.key);
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++) {
        const struct backup_file *file = artifact_of(self->backup, DRILL_ORIGINS[i].engine);
        const struct backup_file *other =
            artifact_of_another(self->backup, DRILL_ORIGINS[i].engine);
        if (file == NULL)
            continue; // not filled, which is said
        const struct corruption_site site = {.backup = work->backup.path,
                                             .artifact = file->path,
                                             .other = other != NULL ? other->path : NULL,
                                             .key = work->backup.key,
                                             .public_key = &public_key,
                                             .folder = work->drill->folder,
                                             .cancel = work->drill->cancel};
        corrupt_artifact(work, &site, &DRILL_ORIGINS[i], self->report);
    }
    return NULL;
}

// Servers and files side by side.
static bool break_both(struct work *self, const struct backup *backup, struct error *err) {
    struct corrupting corrupting = {self, backup, report_new("files")};
    pthread_t thread;
    const bool started = pthread_create(&thread, NULL, corrupt, &corrupting) == 0;
    const struct verification options = {.visit = alter, .visitor = self};
    const bool verified =
        drill_backup_verify(self->drill, &self->backup, backup, &options, self->report, err);
    if (started)
        pthread_join(thread, NULL);
    else
        corrupt(&corrupting);
    report_take(self->report, corrupting.report, "");
    report_free(corrupting.report);
    return verified && cancel_check(self->drill->cancel, err);
}

static bool find_all(struct work *self, struct suite_result *suite, struct error *err) {
    autofree(backup) struct backup *backup = NULL;
    return drill_backup_open(self->drill, &self->backup, suite, &backup)
               ? break_both(self, backup, err)
               : cancel_check(self->drill->cancel, err);
}

bool drill_run(const struct drill *self, struct report *report, struct error *err) {
    struct work work = {.drill = self, .report = report};
    bool done = load_tables(&work, err);
    if (done) {
        struct report *before = report_new("before");
        struct suite_result *suite = report_add_suite(before);
        suite->name = memory_copy_string("drill");
        const bool made = make_backup(&work, suite);
        done = cancel_check(self->cancel, err) && (!made || find_all(&work, suite, err));
        report_take(report, before, "");
        report_free(before);
    }
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++)
        drill_table_done(&work.tables[i]);
    drill_backup_done(&work.backup);
    return done;
}
