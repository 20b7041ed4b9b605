#include "verify/backup/live.h"

#include "base/clock.h"
#include "base/memory.h"
#include "verify/fingerprint/console.h"

#include <stdlib.h>
#include <string.h>

// ---- whose it is

static bool begins_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

// Of several the one whose service the artifact is named after; of those the longest name.
static const struct origin *origin_of(const struct live_servers *self, enum dump_engine engine,
                                      const char *artifact, struct error *err) {
    const struct origin *only = NULL, *named = NULL;
    size_t count = 0;
    for (size_t i = 0; i < self->origins->count; i++) {
        const struct origin *origin = &self->origins->items[i];
        if (origin->dumper->engine != engine)
            continue;
        only = origin;
        count++;
        if (begins_with(artifact, origin->service) &&
            (named == NULL || strlen(origin->service) > strlen(named->service)))
            named = origin;
    }
    if (named != NULL || count == 1)
        return named != NULL ? named : only;
    error_set(err, ERROR_UNAVAILABLE, 0,
              count == 0 ? "no running server of %s was found"
                         : "several servers of %s run, and it is named after none of them",
              dump_engine_name(engine));
    return NULL;
}

// *ret_database is the caller's; NULL: the whole server.
static bool database_of(const struct backup_file *file, char **ret_database, struct error *err) {
    switch (file->facts.engine) {
    case DUMP_POSTGRES:
    case DUMP_MYSQL:
        *ret_database = memory_copy_string(backup_file_only_database(file));
        return *ret_database != NULL ||
               error_set(err, ERROR_UNAVAILABLE, 0,
                         "the file does not say of which one database it is");
    case DUMP_MONGODB:
        *ret_database = backup_file_folder_database(file);
        if (*ret_database == NULL)
            *ret_database = memory_copy_string(backup_file_only_database(file));
        return true;
    case DUMP_REDIS:
    case DUMP_UNKNOWN:
        break;
    }
    *ret_database = NULL;
    return true;
}

// ---- asking

#define VERSION_SIZE 128

// What is asked of an artifact's server.
struct question {
    const uint8_t *key;
    struct row_hunt *hunt; // NULL: what it holds
    char version[VERSION_SIZE];
    struct fingerprint *fingerprint;
};

static bool put_question(const struct live_servers *self, const struct origin *origin,
                         const char *database, struct question *question, struct error *err) {
    const enum dump_engine engine = origin->dumper->engine;
    autofree(relay) struct relay *relay = NULL;
    autofree(console) struct console *console = NULL;
    struct endpoint server;
    if (!origin_reach(origin, self->engine, self->sockets, &relay, &server, err))
        return false;
    server.database = database;
    return (console_identify(engine, &server, question->version, VERSION_SIZE, err) &&
            console_open(engine, &server, self->cancel, &console, err) &&
            (question->hunt != NULL
                 ? console_hunt(console, question->key, question->hunt, err)
                 : console_fingerprint(console, question->key, &question->fingerprint, err))) ||
           relay_explain(relay, err);
}

static bool ask(const struct live_servers *self, const struct backup *backup,
                const struct artifact *artifact, struct question *question, struct error *err) {
    const struct backup_file *file = backup_main_file(backup, artifact);
    const struct origin *origin = origin_of(self, file->facts.engine, artifact->name, err);
    autofree_string char *database = NULL;
    if (origin == NULL || !database_of(file, &database, err))
        return false;
    return put_question(self, origin, database, question, err) ||
           error_prefix(err, "%s", origin->service);
}

static bool look_for(const struct live_servers *self, const struct backup *backup,
                     const struct artifact *artifact, struct manifest *manifest,
                     struct error *err) {
    const struct backup_file *file = backup_main_file(backup, artifact);
    struct question question = {.key = manifest->hash_key};
    if (!ask(self, backup, artifact, &question, err))
        return false;
    struct manifest_artifact *entry =
        manifest_add(manifest, artifact->name, file->facts.engine, question.version, "");
    manifest_file_add(entry, file->path, file->size, file->source.sha256);
    entry->fingerprint = question.fingerprint;
    return true;
}

bool live_hunt(const struct live_servers *self, const struct backup *backup,
               const struct artifact *artifact, const uint8_t key[ROW_HASH_KEY_SIZE],
               struct row_hunt *hunt, struct error *err) {
    struct question question = {.key = key, .hunt = hunt};
    return ask(self, backup, artifact, &question, err);
}

static bool is_compared(const struct backup_file *file) {
    return file->read && file->facts.engine != DUMP_UNKNOWN && file->facts.record_count > 0;
}

bool live_look(const struct live_servers *self, const struct backup *backup,
               struct manifest **ret_manifest, struct string_list *ret_notes, struct error *err) {
    autofree(manifest) struct manifest *manifest = manifest_new();
    manifest->start_ms = manifest->end_ms = clock_wall_ms();
    for (size_t i = 0; i < backup->artifact_count; i++) {
        const struct artifact *artifact = &backup->artifacts[i];
        struct error problem = {0};
        if (!cancel_check(self->cancel, err))
            return false;
        if (!is_compared(backup_main_file(backup, artifact)) ||
            look_for(self, backup, artifact, manifest, &problem))
            continue;
        if (!cancel_check(self->cancel, err)) // whatever was said then
            return false;
        if (problem.domain != ERROR_UNAVAILABLE) {
            if (err != NULL)
                *err = problem;
            return false;
        }
        autofree_string char *note = memory_format("%s: %s", artifact->name, problem.message);
        string_list_add(ret_notes, note);
    }
    *ret_manifest = TAKE(manifest);
    return true;
}
