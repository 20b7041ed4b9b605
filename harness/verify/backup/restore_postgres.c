// PostgreSQL: a fresh cluster for each artifact, whose superuser has a name that no dump uses.
//
// A dump of one database may belong to roles that it does not hold (pg_dumpall does): those that
// are missed are made, and said. Sources: the manuals of psql, pg_restore, initdb, pg_amcheck.
#include "verify/backup/restore_postgres.h"

#include "base/memory.h"
#include "client/postgres.h"
#include "engine/archive.h"
#include "verify/fingerprint/postgres_fingerprint.h"

#include <stdlib.h>
#include <string.h>

#define ROOT POSTGRES_ROOT
#define SUPERUSER POSTGRES_LOGIN
#define PSQL POSTGRES_PSQL
#define ROLES_MADE 64

// A cluster that nobody used is copied for each artifact: assay's own image has one, in others it
// is made first. Nothing needs to survive the machine.
static const char OPEN[] =
    "exec 2>&1; cd " ROOT " && if [ -d " RESTORE_FRESH " ]; then cp -a " RESTORE_FRESH
    " data; else "
    "initdb -D data --username=" SUPERUSER " --auth=trust --encoding=UTF8 --locale=C.UTF-8 "
    "--data-checksums --no-sync --no-instructions >log; fi && "
    "pg_ctl -D data -l log -w -t 120 -s -o \"-c listen_addresses=127.0.0.1 -c "
    "unix_socket_directories=" ROOT
    " -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal"
    " -c max_wal_senders=0 -c max_wal_size=4GB -c shared_buffers=128MB -c "
    "maintenance_work_mem=128MB"
    " -c autovacuum=off -c log_statement=none\" start </dev/null >/dev/null 2>&1 || "
    "{ tail -n 5 log; exit 1; }";
// A server that was killed is a zombie here, whose end pg_ctl would wait for, and whose lock on the
// socket would keep the next one from starting.
static const char CLOSE[] =
    "cd " ROOT " || exit; read -r pid <data/postmaster.pid && grep -q '^State:.[^Z]' "
    "\"/proc/$pid/status\" && pg_ctl -D data -m immediate -s stop; "
    "rm -rf data archive log unpacked locales hba ident settings said lacking prepared .s.PGSQL.*";

static const char MAKE[] = "install -d -o postgres -g postgres -m 700 " ROOT;

static bool open_server(const struct restore *self, struct error *err) {
    return restore_open(&RESTORER_POSTGRES, self, MAKE, OPEN, err);
}

static void close_server(const struct restore *self) {
    restore_close(self, CLOSE);
}

// ---- restoring

struct way {
    const char *format;
    const char *script; // $1: the database
    bool itself;        // creates what it needs, roles and databases
};

static const struct way WAYS[] = {
    {"postgres-plain", PSQL "-o /dev/null -d \"$1\" -f -", false},
    {"postgres-cluster", PSQL "-o /dev/null -d postgres -f -", true},
    {"postgres-custom", "pg_restore --exit-on-error -h " ROOT " -U " SUPERUSER " -d \"$1\"", false},
    {"postgres-tar", "pg_restore --exit-on-error -h " ROOT " -U " SUPERUSER " -d \"$1\"", false},
    {"postgres-directory",
     "pg_restore --exit-on-error -j 2 -h " ROOT " -U " SUPERUSER " -d \"$1\" " ROOT "/archive",
     false},
};

static const struct way *way_of(const struct dump_format *format) {
    for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++)
        if (strcmp(WAYS[i].format, format->name) == 0)
            return &WAYS[i];
    return NULL;
}

static const char *target_of(const struct restore *self) {
    return restore_file(self)->facts.restores_itself ? "postgres" : "restored";
}

// As a fresh server has it, whatever an attempt has left.
static bool make_database(struct restore *self, struct error *err) {
    static const char script[] =
        "exec 2>&1; { " PSQL
        "-At -d postgres -c \"SELECT format('DROP DATABASE %I;', datname) FROM "
        "pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')\"; "
        "echo 'CREATE DATABASE restored TEMPLATE template0;'; } | " PSQL "-d postgres -f -";
    autofree_string char *said = NULL;
    if (!tool_do(&self->stand, &(struct tool_call){.script = script}, &said, err))
        return false;
    return said[0] == '\0' || error_set(err, ERROR_SERVICE, 0, "%s", said);
}

const char *const POSTGRES_LACKING[] = {
    "unsupported version",
    "could not open extension control file",
    "is not available",
    "unrecognized configuration parameter",
    "invalid LC_",
    "invalid locale name",
    "could not create locale",
    "could not access file",
    "could not load library",
    // of data directories only
    "database files are incompatible with server",
    "incompatible with operating system",
    "resource manager with ID",
    "could not locate required checkpoint record", // a base backup without its log
    NULL,
};

// A newer server's dump may say what an older one does not know.
static bool refuse(const struct restore *self, const char *complaint, struct error *err) {
    if (restore_is_of_newer(&RESTORER_POSTGRES, self, complaint, err))
        return false;
    if (restore_says_any(complaint, POSTGRES_LACKING))
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "this server does not have what the dump needs: %s", complaint);
    return error_set(err, ERROR_SERVICE, 0, "%s", complaint);
}

// NAME of: role "NAME" does not exist; NULL: it is about something else.
static char *missing_role(const char *complaint) {
    static const char before[] = "role \"", after[] = "\" does not exist";
    const char *from = strstr(complaint, before);
    if (from == NULL)
        return NULL;
    from += strlen(before);
    const char *to = strstr(from, after);
    return to != NULL ? memory_copy_bytes(from, (size_t)(to - from)) : NULL;
}

static bool make_role(struct restore *self, const char *role, struct error *err) {
    static const char script[] =
        "printf '%s\\n' 'CREATE ROLE :\"name\"' | " PSQL "-d postgres -v \"name=$1\" -f -";
    const struct tool_call call = {.script = script, .arguments = {role}};
    if (!tool_do(&self->stand, &call, NULL, err))
        return false;
    autofree_string char *before = TAKE(self->note);
    self->note = before == NULL
                     ? memory_format("roles that the dump does not hold were made: %s", role)
                     : memory_format("%s, %s", before, role);
    return true;
}

// ---- pg_dump's directory format is files, which pg_restore reads from a folder

static bool is_folder(const struct restore *self) {
    return self->artifact->file_count > 1;
}

static bool put_folder(struct restore *self, struct error *err) {
    static const char make[] = "rm -rf " ROOT "/archive && mkdir -m 700 " ROOT "/archive";
    static const char own[] = "chown -R postgres:postgres " ROOT "/archive";
    const size_t count = self->artifact->file_count;
    struct archive_extra *extras = memory_new(count, sizeof *extras);
    for (size_t i = 0; i < count; i++) {
        const struct backup_file *file = &self->backup->files[self->artifact->files[i]];
        const char *slash = strrchr(file->path, '/');
        extras[i] = (struct archive_extra){
            .name = slash != NULL ? slash + 1 : file->path, .file = file->absolute, .mode = 0600};
    }
    autoclose_fd int fd = -1;
    const bool packed = archive_folder(NULL, extras, count, &fd, err);
    free(extras);
    return packed && tool_do(&self->stand, &(struct tool_call){.script = make}, NULL, err) &&
           (container_put_archive(self->stand.engine, self->stand.container, ROOT "/archive", fd,
                                  err) ||
            tool_blame_engine(err)) &&
           tool_do(&self->stand, &(struct tool_call){.script = own, .user = "root"}, NULL, err);
}

// ---- attempts

// Exit status, what it complained of, and whether it went on after an error.
static bool feed(struct restore *self, const struct way *way, char **ret_complaint,
                 struct error *err) {
    const struct tool_call call = {.script = way->script,
                                   .arguments = {target_of(self)},
                                   .file = is_folder(self) ? NULL : restore_file(self)->absolute};
    autodone(tool_answer) struct tool_answer answer = {0};
    if (!tool_ask(&self->stand, &call, &answer, err))
        return false;
    const char *errors = text_string(&answer.errors);
    const bool failed = answer.exit_status != 0 || strstr(errors, "ERROR:") != NULL ||
                        strstr(errors, "error:") != NULL || strstr(errors, "FATAL:") != NULL;
    *ret_complaint = failed ? tool_complaint(&answer) : NULL;
    return true;
}

static bool restore(struct restore *self, struct error *err) {
    if (restore_is_volume(self))
        return restore_volume(&RESTORER_POSTGRES, self, &POSTGRES_VOLUME, err);
    const struct way *way = way_of(restore_file(self)->facts.format);
    if (!open_server(self, err) || (is_folder(self) && !put_folder(self, err)))
        return false;
    for (int roles = 0;; roles++) {
        autofree_string char *complaint = NULL;
        if (!make_database(self, err) || !feed(self, way, &complaint, err))
            return false;
        if (complaint == NULL)
            return true;
        autofree_string char *role = way->itself ? NULL : missing_role(complaint);
        if (role == NULL || roles == ROLES_MADE)
            return refuse(self, complaint, err);
        if (!make_role(self, role, err))
            return false;
    }
}

// ---- what the server says of itself

#define EACH_DATABASE POSTGRES_ASK_EACH

static const char INVALID_INDEXES[] =
    "SELECT format('%s: the index %s is not valid', i.indrelid::regclass, i.indexrelid::regclass) "
    "FROM pg_index i WHERE NOT i.indisvalid OR NOT i.indisready";
static const char CONSTRAINTS[] =
    "SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', conrelid::regclass, conname) "
    "FROM pg_constraint WHERE NOT convalidated AND contype IN ('c', 'f') AND conrelid <> 0";
static const char SEQUENCES[] =
    "SELECT format('SELECT ''%s: its sequence %s is at '' || s.last_value || '', the highest value "
    "is '' || t.top FROM %s s, (SELECT max(%I) AS top FROM %s) t WHERE t.top > s.last_value OR "
    "(t.top = s.last_value AND NOT s.is_called);', "
    "d.refobjid::regclass || '.' || a.attname, c.oid::regclass, c.oid::regclass, a.attname, "
    "d.refobjid::regclass) "
    "FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND "
    "d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 "
    "JOIN pg_sequence q ON q.seqrelid = c.oid AND q.seqincrement > 0 AND NOT q.seqcycle "
    "JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
    "WHERE c.relkind = 'S'";
// Partitioned tables hold no rows themselves; what extensions bring is not in a dump.
static const char COUNT_ROWS[] =
    "SELECT format('SELECT count(*) FROM ONLY %s;', c.oid::regclass) FROM pg_class c "
    "WHERE c.relkind = 'r' AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname "
    "IN "
    "('pg_catalog', 'information_schema') OR nspname LIKE 'pg_temp%' OR nspname LIKE 'pg_toast%') "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = "
    "c.oid AND d.deptype = 'e')";

// Statements that a query makes, run one by one in each database; what they print.
#define EACH_STATEMENT                                                        \
    "exec 2>&1; " POSTGRES_EACH_DATABASE PSQL "-At -d \"$name\" -c \"$1\" | " \
    "psql -X -q -At -h " ROOT " -U " SUPERUSER " -d \"$name\" -f - || exit 1; done"

static void count_rows(const struct restore *self, struct suite_result *suite) {
    if (!restore_says_no_count(self, suite, "rows_are_all_there"))
        restore_count_rows(self, suite, EACH_STATEMENT, COUNT_ROWS);
}

static const char AMCHECK[] = "exec 2>&1; pg_amcheck -h " ROOT " -U " SUPERUSER
                              " --all --install-missing --heapallindexed --rootdescend "
                              "| grep -v '^pg_amcheck: including database'; true";

// Of the one database that a dump holds; those of a whole cluster are not told apart yet.
static bool fingerprint(const struct restore *self, const struct endpoint *server,
                        const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                        struct fingerprint **ret_fingerprint, struct error *err) {
    struct endpoint database = *server;
    autofree(postgres) struct postgres *postgres = NULL;
    database.database = "restored";
    if (restore_file(self)->facts.restores_itself)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "the sums of a dump that makes its own databases cannot be told yet");
    return postgres_open(&database, &postgres, err) &&
           postgres_fingerprint(postgres, key, ret_fingerprint, err, .cancel = self->stand.cancel,
                                .hunt = hunt);
}

// Triggers, rules and foreign keys stand still meanwhile.
static const char LOSE_ROW[] =
    "SET session_replication_role = replica; DO $do$ DECLARE t regclass; n int; BEGIN FOR t IN "
    "SELECT oid FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND relnamespace NOT IN (SELECT "
    "oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema')) LOOP "
    "EXECUTE format('DELETE FROM ONLY %s WHERE ctid = (SELECT ctid FROM ONLY %s LIMIT 1)', t, t); "
    "GET DIAGNOSTICS n = ROW_COUNT; EXIT WHEN n > 0; END LOOP; END $do$";

static bool lose_row(const struct restore *self, struct error *err) {
    const struct tool_call call = {.script = EACH_DATABASE, .arguments = {LOSE_ROW}};
    autofree_string char *said = NULL;
    if (!tool_do(&self->stand, &call, &said, err))
        return false;
    return said[0] == '\0' || error_set(err, ERROR_SERVICE, 0, "%s", said);
}

static void check(const struct restore *self, struct suite_result *suite) {
    restore_check(self, suite, "indexes_are_valid", EACH_DATABASE, INVALID_INDEXES);
    restore_check(self, suite, "constraints_hold", EACH_STATEMENT, CONSTRAINTS);
    restore_check(self, suite, "sequences_are_ahead_of_their_columns", EACH_STATEMENT, SEQUENCES);
    if (restore_is_volume(self))
        postgres_volume_check(self, suite, AMCHECK);
    else
        restore_check(self, suite, "heap_and_btree_pages_are_sound", AMCHECK, NULL);
}

static const char *const FORMATS[] = {"postgres-plain",
                                      "postgres-cluster",
                                      "postgres-custom",
                                      "postgres-tar",
                                      "postgres-directory",
                                      "volume",
                                      NULL};

const struct restorer RESTORER_POSTGRES = {
    .engine = DUMP_POSTGRES,
    .service = "postgres",
    .title = "PostgreSQL",
    .version = "postgres --version",
    .user = "postgres",
    .formats = FORMATS,
    .restore = restore,
    .count = count_rows,
    .check = check,
    .lose_record = lose_row,
    .fingerprint = fingerprint,
    .port = 5432,
    .login = SUPERUSER,
    .close = close_server,
};
