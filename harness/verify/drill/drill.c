#include "verify/drill/drill.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/creation.h"
#include "verify/backup/verification.h"
#include "verify/drill/alteration.h"
#include "verify/drill/corruption.h"
#include "verify/fingerprint/console.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct drilled {
    const char *name;
    enum dump_engine engine;
    const char *file;     // its table
    const char *origin;   // the service that is filled
    const char *database; // there
    const char *restored; // what it is restored as
} DRILLED[] = {
    {"postgres", DUMP_POSTGRES, "postgres.yaml", "postgres" DRILL_ORIGIN, "app", "restored"},
    {"mysql", DUMP_MYSQL, "mysql.yaml", "mysql" DRILL_ORIGIN, "app", "app"},
    {"mongodb", DUMP_MONGODB, "mongodb.yaml", "mongodb" DRILL_ORIGIN, "shop", "shop"},
    {"redis", DUMP_REDIS, "redis.yaml", "redis" DRILL_ORIGIN, NULL, NULL},
};
#define DRILLED_COUNT (sizeof DRILLED / sizeof *DRILLED)

const char *const DRILL_ENGINES[] = {"postgres", "mysql", "mongodb", "redis", NULL};

struct work {
    const struct drill *drill;
    struct report *report;
    struct drill_table tables[DRILLED_COUNT];
    struct suite_result *suite; // of what is done before the backup is verified
    char *path;                 // of the backup
    struct signing_key *key;    // its manifest's
    pthread_mutex_t progress;
};

static bool is_wanted(const struct drill *self, const struct drilled *drilled) {
    for (size_t i = 0; self->engines != NULL && self->engines[i] != NULL; i++)
        if (strcmp(self->engines[i], drilled->name) == 0)
            return true;
    return self->engines == NULL;
}

// Called from several threads.
static void show(void *context, const char *what, const char *state, bool wrong) {
    struct work *self = context;
    if (self->drill->progress == NULL)
        return;
    pthread_mutex_lock(&self->progress);
    self->drill->progress(self->drill->context, what, state, wrong);
    pthread_mutex_unlock(&self->progress);
}

static void tell(struct work *self, const char *what, const char *state) {
    show(self, what, state, false);
}

// What cannot be done is not verified: a drill proves nothing then, but no backup was at fault.
static bool say(struct work *self, const char *name, bool done, const struct error *problem) {
    restore_said(self->suite, name, done ? OUTCOME_PASSED : OUTCOME_NOT_VERIFIED,
                 done ? NULL : "%s", problem->message);
    return done;
}

// ---- a backup of servers that hold everything they can

static bool load_tables(struct work *self, struct error *err) {
    for (size_t i = 0; i < DRILLED_COUNT; i++) {
        autofree_string char *path = path_join(self->drill->tables, DRILLED[i].file);
        if (!drill_table_load(path, DRILLED[i].file, &self->tables[i], err))
            return false;
    }
    return true;
}

static bool fill(struct work *self, size_t which, struct error *err) {
    const struct drilled *drilled = &DRILLED[which];
    const struct endpoint *origin = stack_endpoint(self->drill->stack, drilled->origin);
    autofree(console) struct console *console = NULL;
    if (origin == NULL)
        return error_set(err, ERROR_UNAVAILABLE, 0, "%s is not up", drilled->origin);
    struct endpoint database = *origin;
    database.database = drilled->database;
    if (!console_open(drilled->engine, &database, self->drill->cancel, &console, err))
        return false;
    for (size_t i = 0; i < self->tables[which].fill.count; i++)
        if (!console_run(console, self->tables[which].fill.items[i], err) ||
            !cancel_check(self->drill->cancel, err))
            return false;
    return true;
}

static bool make_key(struct work *self, struct error *err) {
    autofree_string char *path = path_join(self->drill->folder, "key");
    return signing_key_make(path, err) && signing_key_read(path, &self->key, err);
}

static bool make_backup(struct work *self, const char *const *services, struct error *err) {
    const struct drill *drill = self->drill;
    autodone(origins) struct origins origins = {0};
    autodone(string_list) struct string_list notes = {0};
    autofree_string char *root = path_join(drill->folder, "backups");
    const struct creation creation = {.engine = drill->engine,
                                      .origins = &origins,
                                      .root = root,
                                      .sockets = drill->folder,
                                      .key = self->key,
                                      .cancel = drill->cancel};
    return origins_find(drill->engine, drill->label, services, &origins, err) &&
           creation_run(&creation, &self->path, &notes, err);
}

// Of those that could be filled.
static bool fill_and_back_up(struct work *self) {
    const char *services[DRILLED_COUNT + 1] = {NULL};
    size_t filled = 0;
    struct error problem = {0};
    for (size_t i = 0; i < DRILLED_COUNT; i++) {
        if (!is_wanted(self->drill, &DRILLED[i]))
            continue;
        autofree_string char *name = memory_format("%s_is_filled", DRILLED[i].origin);
        tell(self, DRILLED[i].origin, "filling");
        if (say(self, name, fill(self, i, &problem), &problem))
            services[filled++] = DRILLED[i].origin;
        error_clear(&problem);
        tell(self, DRILLED[i].origin, "done");
    }
    if (filled == 0)
        return false;
    tell(self, "backup", "dumping");
    return say(self, "a_backup_is_made",
               make_key(self, &problem) && make_backup(self, services, &problem), &problem);
}

// ---- and what must be found

static void alter(void *context, const struct restorer *restorer, const struct restore *restore,
                  struct suite_result *suite) {
    struct work *self = context;
    if (restore_file(restore)->facts.record_count == 0)
        return; // what stands beside the databases: roles
    for (size_t i = 0; i < DRILLED_COUNT; i++)
        if (DRILLED[i].engine == restorer->engine)
            alteration_try_all(&self->tables[i], DRILLED[i].restored, restorer, restore, suite);
}

static bool verify(struct work *self, const struct backup *backup, struct error *err) {
    const struct drill *drill = self->drill;
    const struct public_key public_key = signing_key_public(self->key);
    autodone(testimony) struct testimony testimony = {.demanded = true, .must_be_signed = true};
    testimony_read(backup, &public_key, &testimony);
    const struct verification verification = {.engine = drill->engine,
                                              .stack = drill->stack,
                                              .backup = backup,
                                              .testimony = &testimony,
                                              .folder = drill->folder,
                                              .cancel = drill->cancel,
                                              .visit = alter,
                                              .visitor = self,
                                              .progress = show,
                                              .context = self};
    return verification_run(&verification, self->report, err);
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
    for (size_t i = 0; i < DRILLED_COUNT && other == NULL; i++)
        if (DRILLED[i].engine != engine)
            other = artifact_of(backup, DRILLED[i].engine);
    return other;
}

static void corrupt_artifact(struct work *self, const struct corruption_site *site,
                             const struct drilled *drilled, struct report *report) {
    const int64_t started_us = clock_monotonic_us();
    struct suite_result *suite = report_add_suite(report);
    suite->name = memory_format("files of %s", drilled->name);
    suite->subject = memory_copy_string(drilled->name);
    tell(self, suite->name, "corrupting");
    for (const struct corruption *each = CORRUPTIONS; each->name != NULL; each++)
        if (!cancel_requested(site->cancel))
            corruption_try(each, site, suite);
    suite->duration_us = clock_monotonic_us() - started_us;
    tell(self, suite->name, "done");
}

struct corrupting {
    struct work *work;
    const struct backup *backup;
    struct report *report; // of its own
};

static void *corrupt(void *context) {
    const struct corrupting *self = context;
    struct work *work = self->work;
    const struct public_key public_key = signing_key_public(work->key);
    for (size_t i = 0; i < DRILLED_COUNT; i++) {
        const struct backup_file *file = artifact_of(self->backup, DRILLED[i].engine);
        const struct backup_file *other = artifact_of_another(self->backup, DRILLED[i].engine);
        if (file == NULL)
            continue; // not filled, which is said
        const struct corruption_site site = {.backup = work->path,
                                             .artifact = file->path,
                                             .other = other != NULL ? other->path : NULL,
                                             .key = work->key,
                                             .public_key = &public_key,
                                             .folder = work->drill->folder,
                                             .cancel = work->drill->cancel};
        corrupt_artifact(work, &site, &DRILLED[i], self->report);
    }
    return NULL;
}

// Servers and files side by side.
static bool break_both(struct work *self, const struct backup *backup, struct error *err) {
    struct corrupting corrupting = {self, backup, report_new("files")};
    pthread_t thread;
    const bool started = pthread_create(&thread, NULL, corrupt, &corrupting) == 0;
    const bool verified = verify(self, backup, err);
    if (started)
        pthread_join(thread, NULL);
    else
        corrupt(&corrupting);
    report_take(self->report, corrupting.report, "");
    report_free(corrupting.report);
    return verified && cancel_check(self->drill->cancel, err);
}

static bool find_all(struct work *self, struct error *err) {
    const struct backup_options options = {.cancel = self->drill->cancel};
    autofree(backup) struct backup *backup = NULL;
    struct error problem = {0};
    if (backup_open(self->path, &options, &backup, &problem))
        return break_both(self, backup, err);
    (void)say(self, "the_backup_can_be_read", false, &problem);
    return cancel_check(self->drill->cancel, err);
}

bool drill_run(const struct drill *self, struct report *report, struct error *err) {
    struct work work = {.drill = self, .report = report, .progress = PTHREAD_MUTEX_INITIALIZER};
    bool done = load_tables(&work, err);
    if (done) {
        struct report *before = report_new("before");
        work.suite = report_add_suite(before);
        work.suite->name = memory_copy_string("drill");
        const bool made = fill_and_back_up(&work);
        done = cancel_check(self->cancel, err) && (!made || find_all(&work, err));
        *report_add_suite(report) = *work.suite; // what it owns moves with it
        *work.suite = (struct suite_result){0};
        report_free(before);
    }
    for (size_t i = 0; i < DRILLED_COUNT; i++)
        drill_table_done(&work.tables[i]);
    signing_key_free(work.key);
    free(work.path);
    return done;
}
