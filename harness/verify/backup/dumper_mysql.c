// MySQL: mysqldump of each database with its routines, triggers and events, in one
// transaction. Its sums are taken in another that sees the same: both begin while a lock stands
// still what is written (FLUSH TABLES WITH READ LOCK), which goes when the first bytes of the dump
// come: mysqldump has begun its transaction by then, for what it writes before that is far less
// than its buffer (stdio's, of 4 KiB or more). Sources: the manuals of mysqldump
// (--single-transaction), FLUSH TABLES, "Using Option Files".
#include "base/memory.h"
#include "client/mysqldb.h"
#include "verify/backup/dumper.h"
#include "verify/backup/origin.h"
#include "verify/fingerprint/mysql_fingerprint.h"

#include <stdlib.h>
#include <string.h>

// The password comes to the tool by a pipe that has no name.
#define PASSWORDS "MYSQL_ROOT_PASSWORD MARIADB_ROOT_PASSWORD"
#define TOOL(first, second)                                                                        \
    "tool=$(command -v " first " || command -v " second ") || { echo 'the container has no " first \
    "' >&2; exit 1; }; "
#define LOGIN                                                                \
    "password=$(first '" PASSWORDS "' | sed 's/[\\\\\"]/\\\\&/g'); "         \
    "printf '[client]\\npassword=\"%s\"\\n' \"$password\" | wide \"$tool\" " \
    "--defaults-extra-file=/dev/stdin --host=127.0.0.1 --protocol=tcp --user=root "

static const char DUMP[] = DUMPER_FIRST DUMPER_WIDE TOOL("mysqldump", "mariadb-dump") LOGIN
    "--single-transaction --quick --routines --events --triggers --hex-blob --no-tablespaces "
    "--loose-set-gtid-purged=OFF --max-allowed-packet=1G --databases \"$1\"";
static const char VERSION[] = TOOL("mysqldump", "mariadb-dump") "\"$tool\" --version";
// Over a socket that is not its own, a server with caching_sha2_password takes the short login
// only, which needs one by the long way before ("Caching SHA-2 Pluggable Authentication").
static const char LOGIN_ONCE[] =
    DUMPER_FIRST DUMPER_WIDE TOOL("mysql", "mariadb") LOGIN "-e 'DO 1'; echo";

#define LOCK_WAIT_S "20"
#define REFERENCE_LOCK_WAIT "1205" // ER_LOCK_WAIT_TIMEOUT

struct job {
    struct making *making;
    struct endpoint server;
    char *tool;
    const char *database;   // that is being dumped
    struct mysqldb *holder; // of the lock
    struct mysqldb *reader; // of the snapshot
};

// ---- one database

static bool sum(void *context, struct fingerprint **ret_fingerprint, struct error *err) {
    const struct job *self = context;
    return mysql_fingerprint(self->reader, self->database, self->making->manifest->hash_key,
                             ret_fingerprint, err, .in_transaction = true,
                             .cancel = self->making->cancel);
}

static void release(void *context) {
    const struct job *self = context;
    // A lock that is not given back goes with its connection.
    (void)!mysqldb_run(self->holder, "UNLOCK TABLES", NULL);
}

// While it is waited for, everybody else waits, too: so not for long.
static bool lock(struct job *self, struct error *err) {
    struct error refused = {0};
    if (!mysqldb_run(self->holder, "SET SESSION lock_wait_timeout = " LOCK_WAIT_S, err))
        return false;
    if (mysqldb_run(self->holder, "FLUSH TABLES WITH READ LOCK", &refused))
        return true;
    if (strcmp(refused.reference, REFERENCE_LOCK_WAIT) == 0)
        (void)error_append(&refused, ": others have held a table for " LOCK_WAIT_S
                                     " s, and whoever waits for it longer keeps every writer "
                                     "waiting; see SHOW PROCESSLIST, and try again");
    if (err != NULL)
        *err = refused;
    return false;
}

static bool hold(struct job *self, struct error *err) {
    return mysqldb_open(&self->server, &self->holder, err) &&
           mysqldb_open(&self->server, &self->reader, err) && lock(self, err) &&
           mysqldb_run(self->reader, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                       err) &&
           mysqldb_run(self->reader, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", err);
}

static bool write_dump(struct job *self, struct error *err) {
    autofree_string char *artifact =
        memory_format("%s/%s", self->making->origin->service, self->database);
    const struct dump_call call = {.script = DUMP,
                                   .arguments = {self->database},
                                   .artifact = artifact,
                                   .ending = ".sql",
                                   .server_version = mysqldb_server_version(self->reader),
                                   .tool = self->tool,
                                   .began = release,
                                   .sum = sum,
                                   .context = self};
    return dumper_write(self->making, &call, err);
}

static bool dump_database(struct job *self, const char *database, struct error *err) {
    self->database = database;
    const bool dumped = hold(self, err) && write_dump(self, err);
    mysqldb_close(TAKE(self->reader));
    mysqldb_close(TAKE(self->holder));
    return dumped;
}

// ---- all of them

static bool add_name(void *context, const struct mysqldb_row *row, struct error *err) {
    (void)err;
    string_list_add(context, row->values[0]);
    return true;
}

static bool list_databases(struct job *self, struct string_list *ret_names, struct error *err) {
    static const char names[] =
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('mysql', "
        "'sys', 'information_schema', 'performance_schema') ORDER BY SCHEMA_NAME";
    autofree(mysqldb) struct mysqldb *db = NULL;
    return mysqldb_open(&self->server, &db, err) &&
           mysqldb_stream(db, names, add_name, ret_names, err);
}

static bool dump_all(struct job *self, struct error *err) {
    autodone(string_list) struct string_list databases = {0};
    autofree_string char *nothing = NULL;
    if (!dumper_ask(self->making, LOGIN_ONCE, &nothing, err) ||
        !list_databases(self, &databases, err) ||
        !dumper_ask(self->making, VERSION, &self->tool, err))
        return false;
    for (size_t i = 0; i < databases.count; i++)
        if (!cancel_check(self->making->cancel, err) ||
            !dump_database(self, databases.items[i], err))
            return false;
    return true;
}

static bool dump(struct making *making, const struct endpoint *server, struct error *err) {
    struct job job = {.making = making, .server = *server};
    const bool dumped = dump_all(&job, err);
    free(job.tool);
    return dumped;
}

static const char *const PROGRAMS[] = {"mysqld", NULL};

const struct dumper DUMPER_MYSQL = {
    .engine = DUMP_MYSQL,
    .title = "MySQL",
    .programs = PROGRAMS,
    .users = "",
    .passwords = PASSWORDS,
    .default_user = "root",
    .port = 3306,
    .dump = dump,
};
