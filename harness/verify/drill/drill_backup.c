#include "verify/drill/drill_backup.h"

#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/creation.h"
#include "verify/fingerprint/console.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const struct drill_origin DRILL_ORIGINS[DRILL_ORIGIN_COUNT] = {
    {"postgres", DUMP_POSTGRES, "postgres.yaml", "postgres" DRILL_ORIGIN, "app", "restored"},
    {"mysql", DUMP_MYSQL, "mysql.yaml", "mysql" DRILL_ORIGIN, "app", "app"},
    {"mongodb", DUMP_MONGODB, "mongodb.yaml", "mongodb" DRILL_ORIGIN, "shop", "shop"},
    {"redis", DUMP_REDIS, "redis.yaml", "redis" DRILL_ORIGIN, NULL, NULL},
};

const char *const DRILL_ENGINES[] = {"postgres", "mysql", "mongodb", "redis", NULL};

bool drill_wants(const struct drill *self, const struct drill_origin *origin) {
    for (size_t i = 0; self->engines != NULL && self->engines[i] != NULL; i++)
        if (strcmp(self->engines[i], origin->name) == 0)
            return true;
    return self->engines == NULL;
}

bool drill_say(struct suite_result *suite, const char *name, bool done,
               const struct error *problem) {
    restore_said(suite, name, done ? OUTCOME_PASSED : OUTCOME_NOT_VERIFIED, done ? NULL : "%s",
                 problem->message);
    return done;
}

void drill_tell(const struct drill *self, const char *what, const char *state) {
    if (self->progress != NULL)
        self->progress(self->context, what, state, false);
}

// ---- filling

struct filling {
    const struct drill *drill;
    const struct drill_origin *origin;
    const struct string_list *statements; // NULL: not wanted
    pthread_t thread;
    bool is_apart; // in that thread
    bool done;
    struct error problem;
};

static bool run_statements(const struct filling *self, struct error *err) {
    const struct endpoint *server = stack_endpoint(self->drill->stack, self->origin->service);
    autofree(console) struct console *console = NULL;
    if (server == NULL)
        return error_set(err, ERROR_UNAVAILABLE, 0, "%s is not up", self->origin->service);
    struct endpoint database = *server;
    database.database = self->origin->database;
    if (!console_open(self->origin->engine, &database, self->drill->cancel, &console, err))
        return false;
    for (size_t i = 0; i < self->statements->count; i++)
        if (!console_run(console, self->statements->items[i], err) ||
            !cancel_check(self->drill->cancel, err))
            return false;
    return true;
}

static void *fill(void *context) {
    struct filling *self = context;
    drill_tell(self->drill, self->origin->service, "filling");
    self->done = run_statements(self, &self->problem);
    drill_tell(self->drill, self->origin->service, "done");
    return NULL;
}

static void fill_all(struct filling *fillings) {
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++) {
        struct filling *each = &fillings[i];
        if (each->statements == NULL)
            continue;
        each->is_apart = pthread_create(&each->thread, NULL, fill, each) == 0;
        if (!each->is_apart)
            fill(each);
    }
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++)
        if (fillings[i].is_apart)
            pthread_join(fillings[i].thread, NULL);
}

// ---- the backup

static bool make_key(const struct drill *self, struct signing_key **ret_key, struct error *err) {
    autofree_string char *path = path_join(self->folder, "key");
    return (file_exists(path) || signing_key_make(path, err)) &&
           signing_key_read(path, ret_key, err);
}

static bool back_up(const struct drill *self, const char *const *services,
                    struct drill_backup *backup, struct error *err) {
    autodone(origins) struct origins origins = {0};
    autodone(string_list) struct string_list notes = {0};
    autofree_string char *root = path_join(self->folder, "backups");
    const struct creation creation = {.engine = self->engine,
                                      .origins = &origins,
                                      .root = root,
                                      .sockets = self->folder,
                                      .key = backup->key,
                                      .cancel = self->cancel};
    return origins_find(self->engine, self->label, services, &origins, err) &&
           creation_run(&creation, &backup->path, &notes, err);
}

bool drill_backup_make(const struct drill *self,
                       const struct string_list *const statements[DRILL_ORIGIN_COUNT],
                       struct suite_result *suite, struct drill_backup *ret_backup) {
    struct filling fillings[DRILL_ORIGIN_COUNT];
    const char *services[DRILL_ORIGIN_COUNT + 1] = {NULL};
    size_t filled = 0;
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++)
        fillings[i] = (struct filling){
            .drill = self, .origin = &DRILL_ORIGINS[i], .statements = statements[i]};
    fill_all(fillings);
    for (size_t i = 0; i < DRILL_ORIGIN_COUNT; i++) {
        struct filling *each = &fillings[i];
        if (each->statements == NULL)
            continue;
        autofree_string char *name = memory_format("%s_is_filled", each->origin->service);
        if (drill_say(suite, name, each->done, &each->problem))
            services[filled++] = each->origin->service;
        error_clear(&each->problem);
    }
    if (filled == 0)
        return false;
    struct error problem = {0};
    drill_tell(self, "backup", "dumping");
    const bool made =
        make_key(self, &ret_backup->key, &problem) && back_up(self, services, ret_backup, &problem);
    drill_tell(self, "backup", "done");
    return drill_say(suite, "a_backup_is_made", made, &problem);
}

void drill_backup_done(struct drill_backup *self) {
    signing_key_free(self->key);
    free(self->path);
    *self = (struct drill_backup){0};
}

bool drill_backup_open(const struct drill *self, const struct drill_backup *made,
                       struct suite_result *suite, struct backup **ret_backup) {
    const struct backup_options options = {.cancel = self->cancel};
    struct error problem = {0};
    return backup_open(made->path, &options, ret_backup, &problem) ||
           drill_say(suite, "the_backup_can_be_read", false, &problem);
}

bool drill_backup_verify(const struct drill *self, const struct drill_backup *made,
                         const struct backup *backup, const struct verification *options,
                         struct report *report, struct error *err) {
    const struct public_key public_key = signing_key_public(made->key);
    autodone(testimony) struct testimony testimony = {.demanded = true, .must_be_signed = true};
    testimony_read(backup, &public_key, &testimony);
    struct verification verification = *options;
    verification.engine = self->engine;
    verification.stack = self->stack;
    verification.backup = backup;
    verification.testimony = &testimony;
    verification.folder = self->folder;
    verification.cancel = self->cancel;
    verification.progress = self->progress;
    verification.context = self->context;
    return verification_run(&verification, report, err);
}
