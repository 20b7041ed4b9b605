#include "verify/backup/smoke_check.h"

#include "base/clock.h"
#include "base/memory.h"
#include "verify/backup/smoke_ask.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

// ---- whom it is about

static bool name_matches(const struct smoke_query *query, const struct backup *backup,
                         const struct artifact *artifact) {
    return query->artifact == NULL || fnmatch(query->artifact, artifact->name, 0) == 0 ||
           fnmatch(query->artifact, backup_main_file(backup, artifact)->path, 0) == 0;
}

// The database that the query names, the caller's; NULL: it names none, or its number only.
static char *named_database(const struct smoke_query *query) {
    if (query->engine == DUMP_MONGODB)
        return memory_copy_bytes(query->collection, strcspn(query->collection, "."));
    return query->engine == DUMP_REDIS ? NULL : memory_copy_string(query->database);
}

// What it does not say, it may hold.
static bool may_hold(const struct backup_file *file, const char *database) {
    autofree_string char *folder = backup_file_folder_database(file);
    const struct dump_facts *facts = &file->facts;
    if (folder != NULL)
        return strcmp(folder, database) == 0;
    if (facts->databases.count > 0)
        return string_list_contains(&facts->databases, database);
    return facts->database == NULL || strcmp(facts->database, database) == 0;
}

enum smoke_fit smoke_fit(const struct smoke_query *query, const struct backup *backup,
                         const struct artifact *artifact) {
    autofree_string char *database = named_database(query);
    if (backup_engine(backup, artifact) != query->engine)
        return SMOKE_OTHER_ENGINE;
    if (!name_matches(query, backup, artifact))
        return SMOKE_OTHER_NAME;
    if (database != NULL && !may_hold(backup_main_file(backup, artifact), database))
        return SMOKE_OTHER_DATABASE;
    return SMOKE_FITS;
}

// ---- where it is asked

static bool sql_database(const struct smoke_query *query, const struct backup_file *file,
                         char **ret_database, struct error *err) {
    const struct dump_facts *facts = &file->facts;
    const char *database = !facts->restores_itself   ? "restored"
                           : query->database != NULL ? query->database
                                                     : backup_file_only_database(file);
    *ret_database = memory_copy_string(database);
    return database != NULL || query->engine == DUMP_MYSQL || // there a table can name its own
           error_set(err, ERROR_UNAVAILABLE, 0,
                     "the dump makes several databases: the query does not say (database) which "
                     "of them is asked");
}

bool smoke_database(const struct smoke_query *query, const struct backup *backup,
                    const struct artifact *artifact, char **ret_database, struct error *err) {
    const struct backup_file *file = backup_main_file(backup, artifact);
    autofree_string char *folder = backup_file_folder_database(file);
    switch (query->engine) {
    case DUMP_POSTGRES:
    case DUMP_MYSQL:
        return sql_database(query, file, ret_database, err);
    case DUMP_MONGODB:
        *ret_database = folder == NULL && backup_file_has_format(file, "mongo-bson")
                            ? memory_copy_string("restored")
                            : named_database(query);
        return true;
    case DUMP_REDIS:
    case DUMP_UNKNOWN:
        break;
    }
    *ret_database = memory_copy_string(query->database);
    return true;
}

// ---- asking

struct asking {
    const struct smoke_query *query;
    const char *database;
    struct smoke_answer answer;
};

static bool ask(void *context, const struct endpoint *server, struct error *err) {
    struct asking *self = context;
    struct endpoint database = *server;
    database.database = self->database;
    return smoke_ask(self->query, &database, &self->answer, err);
}

static void check_query(const struct smoke_query *query, const struct restorer *restorer,
                        const struct restore *restore, struct suite_result *suite) {
    autofree_string char *database = NULL;
    struct asking asking = {.query = query};
    struct error problem = {0};
    const int64_t started_us = clock_monotonic_us();
    const size_t first = suite->test_count;
    bool asked = smoke_database(query, restore->backup, restore->artifact, &database, &problem);
    asking.database = database;
    asked = asked && restore_with_server(restorer, restore, ask, &asking, &problem);
    if (asked)
        smoke_judge(query, &asking.answer, suite);
    else
        smoke_judge_problem(query, &problem, suite);
    suite->tests[first].duration_us = clock_monotonic_us() - started_us;
    smoke_answer_done(&asking.answer);
}

void smoke_check(const struct smoke *smoke, const struct restorer *restorer,
                 const struct restore *restore, struct suite_result *suite) {
    for (size_t i = 0; smoke != NULL && i < smoke->count; i++)
        if (smoke_fit(&smoke->queries[i], restore->backup, restore->artifact) == SMOKE_FITS &&
            !cancel_requested(restore->stand.cancel))
            check_query(&smoke->queries[i], restorer, restore, suite);
}

void smoke_check_unrestored(const struct smoke *smoke, const struct backup *backup,
                            const struct artifact *artifact, struct suite_result *suite) {
    for (size_t i = 0; smoke != NULL && i < smoke->count; i++)
        if (smoke_fit(&smoke->queries[i], backup, artifact) == SMOKE_FITS)
            smoke_not_asked(&smoke->queries[i], suite, "not asked: %s was not restored",
                            artifact->name);
}

static void say_unasked(const struct smoke_query *query, enum smoke_fit farthest,
                        struct suite_result *suite) {
    const char *engine = dump_engine_name(query->engine);
    autofree_string char *database = named_database(query);
    if (farthest == SMOKE_OTHER_ENGINE)
        smoke_not_asked(query, suite, "no artifact that could be read is of %s", engine);
    else if (farthest == SMOKE_OTHER_NAME)
        smoke_not_asked(query, suite, "no artifact of %s is named %s", engine, query->artifact);
    else
        smoke_not_asked(query, suite, "no artifact of %s%s%s holds the database %s", engine,
                        query->artifact != NULL ? " that is named " : "",
                        query->artifact != NULL ? query->artifact : "", database);
}

void smoke_check_unasked(const struct smoke *smoke, const struct backup *backup,
                         struct suite_result *suite) {
    for (size_t i = 0; smoke != NULL && i < smoke->count; i++) {
        enum smoke_fit farthest = SMOKE_OTHER_ENGINE;
        for (size_t j = 0; j < backup->artifact_count; j++) {
            const enum smoke_fit fit = smoke_fit(&smoke->queries[i], backup, &backup->artifacts[j]);
            farthest = fit > farthest ? fit : farthest;
        }
        if (farthest != SMOKE_FITS)
            say_unasked(&smoke->queries[i], farthest, suite);
    }
}
