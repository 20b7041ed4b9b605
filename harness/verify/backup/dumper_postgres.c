// PostgreSQL: pg_dump's custom format for each database, under the snapshot that its sums are taken
// in (pg_export_snapshot), and the roles and settings of the cluster, which no database holds.
// Sources: the manuals of pg_dump (--snapshot), pg_dumpall, libpq ("The Password File").
#include "base/memory.h"
#include "client/postgres.h"
#include "verify/backup/dumper.h"
#include "verify/backup/origin.h"
#include "verify/fingerprint/postgres_fingerprint.h"

#include <stdlib.h>
#include <string.h>

// $1 becomes the user; the password lies in memory, in a file that goes with the shell.
#define LOGIN                                                                          \
    DUMPER_FIRST                                                                       \
    "umask 077; pass=$(mktemp -p /dev/shm 2>/dev/null || mktemp) || exit 1; "          \
    "trap 'rm -f \"$pass\"' EXIT; trap 'exit 1' HUP INT TERM PIPE; "                   \
    "printf '*:*:*:*:%s\\n' \"$(first POSTGRES_PASSWORD | sed 's/[\\\\:]/\\\\&/g')\" " \
    ">\"$pass\"; user=$(first POSTGRES_USER); set -- \"${user:-postgres}\" \"$@\"; "   \
    "unset PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGOPTIONS PGSERVICE; "           \
    "export PGPASSFILE=\"$pass\"; "

static const char DUMP[] = LOGIN DUMPER_WIDE
    "wide pg_dump -h 127.0.0.1 -U \"$1\" --no-password --format=custom --snapshot=\"$2\" -d \"$3\"";
static const char GLOBALS[] =
    LOGIN "pg_dumpall -h 127.0.0.1 -U \"$1\" --no-password --globals-only";

struct job {
    struct making *making;
    struct endpoint server;
    char *version;
    char *tool;
    char *snapshot; // of the database that is being dumped
};

// ---- one database

static bool sum(void *context, struct fingerprint **ret_fingerprint, struct error *err) {
    const struct job *self = context;
    autofree(postgres) struct postgres *postgres = NULL;
    return postgres_open(&self->server, &postgres, err) &&
           postgres_fingerprint(postgres, self->making->manifest->hash_key, ret_fingerprint, err,
                                .snapshot = self->snapshot, .cancel = self->making->cancel);
}

static bool write_dump(struct job *self, const char *database, struct error *err) {
    autofree_string char *artifact =
        memory_format("%s/%s", self->making->origin->service, database);
    const struct dump_call call = {.script = DUMP,
                                   .arguments = {self->snapshot, database},
                                   .artifact = artifact,
                                   .ending = ".dump",
                                   .server_version = self->version,
                                   .tool = self->tool,
                                   .sum = sum,
                                   .context = self};
    return dumper_write(self->making, &call, err);
}

// The transaction that exports the snapshot stays open until the dump is written.
static bool dump_database(struct job *self, const char *database, struct error *err) {
    autofree(postgres) struct postgres *holder = NULL;
    const char *snapshot = NULL;
    self->server.database = database;
    if (!postgres_open(&self->server, &holder, err) ||
        !postgres_run(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) ||
        !postgres_simple_value(holder, "SELECT pg_export_snapshot()", NO_PARAMETERS, &snapshot,
                               err))
        return false;
    self->snapshot = memory_copy_string(snapshot);
    const bool dumped = write_dump(self, database, err);
    free(TAKE(self->snapshot));
    return dumped;
}

// ---- all of them

// The database "postgres" is made with every server, and mostly holds nothing.
static const char DATABASES[] = "SELECT datname FROM pg_database WHERE datallowconn AND NOT "
                                "datistemplate ORDER BY datname = 'postgres', datname";
static const char HOLDS_ANYTHING[] =
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname "
    "NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'";

static bool is_worth_it(struct job *self, const char *database, size_t others, bool *ret_worth,
                        struct error *err) {
    *ret_worth = true;
    if (strcmp(database, "postgres") != 0 || others == 0)
        return true;
    autofree(postgres) struct postgres *postgres = NULL;
    int64_t count = 0;
    self->server.database = database;
    if (!postgres_open(&self->server, &postgres, err) ||
        !postgres_simple_integer(postgres, HOLDS_ANYTHING, NO_PARAMETERS, &count, err))
        return false;
    *ret_worth = count > 0;
    return true;
}

static bool list_databases(struct job *self, struct string_list *ret_names, struct error *err) {
    autofree(postgres) struct postgres *postgres = NULL;
    autofree(postgres_rows) struct postgres_rows *rows = NULL;
    self->server.database = "postgres";
    if (!postgres_open(&self->server, &postgres, err) ||
        !postgres_query(postgres, DATABASES, NO_PARAMETERS, &rows, err))
        return false;
    const int version = postgres_server_version(postgres);
    self->version = memory_format("%d.%d", version / 10000, version % 10000);
    for (size_t i = 0; i < postgres_rows_count(rows); i++) {
        bool worth = false;
        const char *name = postgres_rows_value(rows, i, 0);
        if (!is_worth_it(self, name, ret_names->count, &worth, err))
            return false;
        if (worth)
            string_list_add(ret_names, name);
    }
    return true;
}

// Who may not read the passwords of roles cannot dump the roles either.
static bool dump_globals(struct job *self, struct error *err) {
    autofree_string char *artifact = memory_format("%s-roles", self->making->origin->service);
    const struct dump_call call = {.script = GLOBALS,
                                   .artifact = artifact,
                                   .ending = ".sql",
                                   .server_version = self->version,
                                   .tool = self->tool};
    return dumper_write(self->making, &call, err);
}

static bool dump_all(struct job *self, struct error *err) {
    autodone(string_list) struct string_list databases = {0};
    if (!list_databases(self, &databases, err) ||
        !dumper_ask(self->making, "pg_dump --version", &self->tool, err))
        return false;
    for (size_t i = 0; i < databases.count; i++)
        if (!cancel_check(self->making->cancel, err) ||
            !dump_database(self, databases.items[i], err))
            return false;
    return dump_globals(self, err);
}

static bool dump(struct making *making, const struct endpoint *server, struct error *err) {
    struct job job = {.making = making, .server = *server};
    const bool dumped = dump_all(&job, err);
    free(job.version);
    free(job.tool);
    return dumped;
}

static const char *const PROGRAMS[] = {"postgres", NULL};

const struct dumper DUMPER_POSTGRES = {
    .engine = DUMP_POSTGRES,
    .title = "PostgreSQL",
    .programs = PROGRAMS,
    .users = "POSTGRES_USER",
    .passwords = "POSTGRES_PASSWORD",
    .default_user = "postgres",
    .port = 5432,
    .dump = dump,
};
