// MySQL: a fresh data directory for each artifact, whose root has no password and can be reached
// by a socket in its own folder only. MariaDB's dumps are restored into MySQL where it takes them.
// Sources: the manuals of mysqld, mysql and mysqlcheck.
#include "verify/backup/restore_volume.h"

#include "base/memory.h"
#include "client/mysqldb.h"
#include "verify/fingerprint/mysql_fingerprint.h"

#include <stdlib.h>
#include <string.h>

#define ROOT "/restore/mysql"
#define LOGIN "--no-defaults -uroot -S " ROOT "/socket "
// Without its commands: a dump cannot make the client run a program.
#define CLIENT "mysql " LOGIN "--binary-mode --max-allowed-packet=1G "
#define QUERY "mysql " LOGIN "-N -B --raw "

// A data directory that nobody used is copied for each artifact: assay's own image has one, in
// others it is made first. Nothing needs to survive the machine.
#define SERVER                                                                              \
    "mysqld --no-defaults --user=mysql --log-error=" ROOT "/log.err "                       \
    "--innodb-buffer-pool-size=128M --innodb-log-buffer-size=16M --innodb-doublewrite=OFF " \
    "--innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync "

#define START                                                                                   \
    SERVER "--datadir=" ROOT "/data --daemonize --socket=" ROOT "/socket --pid-file=" ROOT      \
           "/pid --bind-address=127.0.0.1 --port=3306 --mysqlx=OFF --performance-schema=OFF "   \
           "--event-scheduler=OFF --max-allowed-packet=1G --log-bin-trust-function-creators=1 " \
           "--explicit-defaults-for-timestamp=1 --secure-file-priv=NULL "
#define PING "mysqladmin " LOGIN "--wait=60 --connect-timeout=60 ping >/dev/null"

static const char OPEN[] =
    "exec 2>&1; cd " ROOT " && rm -rf data && if [ -d " RESTORE_FRESH
    " ]; then cp -a " RESTORE_FRESH " data; else "
    "install -d -o mysql -g mysql -m 700 data && " SERVER "--datadir=" ROOT
    "/data --initialize-insecure; fi && rm -f data/auto.cnf && " START
    "--skip-log-bin >/dev/null && " PING " || { grep ERROR " ROOT "/log.err | tail -n 5; exit 1; }";
static const char CLOSE[] =
    "[ ! -f " ROOT "/pid ] || kill -9 \"$(cat " ROOT "/pid)\"; rm -rf " ROOT;

static const char MAKE[] = "install -d -o mysql -g mysql -m 700 " ROOT;

static void close_server(const struct restore *self) {
    restore_close(self, CLOSE);
}

// ---- a data directory

// Nobody knows its root's password. The hash is given as such: a policy for passwords that lies in
// the data directory is not asked.
#define ROOT_LOGIN(host)                                                                         \
    "CREATE USER IF NOT EXISTS 'root'@'" host "' IDENTIFIED WITH caching_sha2_password AS '';\n" \
    "ALTER USER 'root'@'" host "' IDENTIFIED WITH caching_sha2_password AS '' REQUIRE NONE "     \
    "PASSWORD EXPIRE NEVER ACCOUNT UNLOCK;\n"                                                    \
    "GRANT ALL ON *.* TO 'root'@'" host "' WITH GRANT OPTION;\n"

#define INIT "SET SESSION sql_log_bin = 0;\n" ROOT_LOGIN("localhost") ROOT_LOGIN("127.0.0.1")

// Its binary log tells which prepared transactions were committed, so it is used where it is; its
// index may name files by where they were. A directory made for names without case is opened so.
// What is left prepared keeps its locks, on which a check would wait.
static const char OPEN_VOLUME[] =
    "exec 2>&1; cd " ROOT " && umask 077 || exit 1\n"
    "[ ! -e data/aria_log_control ] || { echo 'ERROR: it is of MariaDB, this is MySQL'; exit 1; }\n"
    "set -- --skip-log-bin; for index in data/*.index; do\n"
    "case $index in *relay*) continue;; esac; [ -f \"$index\" ] && last=$(tail -n 1 \"$index\") && "
    "[ -n \"$last\" ] && [ -f \"data/${last##*/}\" ] || continue\n"
    "name=${index##*/}; sed 's|.*/|./|' \"$index\" >index && cat index >\"$index\" && "
    "set -- --log-bin=\"${name%.index}\" --log-bin-index=\"$name\" --server-id=1; done\n"
    "cat >init <<'END'\n" INIT
    "END\nfor case in 0 1; do : >log.err; chown mysql:mysql init log.err\n" START
    "--innodb-doublewrite=ON --persisted-globals-load=OFF --skip-replica-start "
    "--lock-wait-timeout=60 --init-file=" ROOT "/init --lower-case-table-names=$case \"$@\" "
    ">/dev/null && " PING " && mysql " LOGIN "-N -B -e 'XA RECOVER CONVERT XID' >prepared && "
    "awk '{ x = substr($4, 3); printf \"XA ROLLBACK X\\047%s\\047,X\\047%s\\047,%s;\\n\", "
    "substr(x, 1, 2 * $2), substr(x, 1 + 2 * $2), $1 }' prepared | mysql " LOGIN "&& exit 0\n"
    "grep -q 'Different lower_case_table_names' log.err || break; done\n"
    "grep ERROR log.err | head -n 5; exit 1";
static const char NOTE_VOLUME[] =
    "sed -nE \"s/.*Server upgrade from '([0-9]+)' to '([0-9]+)' completed.*/the server upgraded it "
    "in place, from \\1 to \\2/p\" " ROOT "/log.err; [ ! -s " ROOT
    "/prepared ] || echo \"$(grep -c . " ROOT "/prepared) prepared transactions were rolled back\"";

static const char *const LACKING[] = {
    "it is of MariaDB",
    "Invalid MySQL server upgrade", // not from that version at once
    "Invalid MySQL server downgrade",
    "Cannot upgrade",
    "Upgrade is not supported after a crash", // its redo log is of another version
    "unsupported redo log format",
    "Unsupported redo log format",
    "keyring",
    "innodb_page_size",
    "innodb-page-size",
    NULL,
};

static const struct volume_way VOLUME = {
    .root = ROOT,
    .owner = "mysql",
    .open = OPEN_VOLUME,
    .note = NOTE_VOLUME,
    .lacking = LACKING,
};

// ---- restoring

static bool is_of_mariadb(const struct restore *self) {
    const struct dump_facts *facts = &restore_file(self)->facts;
    return (facts->server_version != NULL && strstr(facts->server_version, "MariaDB") != NULL) ||
           (facts->tool != NULL && strstr(facts->tool, "MariaDB") != NULL);
}

// ERROR 1231, 1193, 1273, 1115, …: a mode, a variable, a collation, a character set, a plugin that
// servers have in some versions only (Server Error Reference).
static const char *const MISSING_HERE[] = {"ERROR 1115 ", "ERROR 1193 ", "ERROR 1231 ",
                                           "ERROR 1238 ", "ERROR 1273 ", "ERROR 1286 ",
                                           "ERROR 1524 ", NULL};

static bool refuse(const struct restore *self, const char *complaint, struct error *err) {
    if (is_of_mariadb(self))
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "the dump is of MariaDB, the server to be had here is MySQL: %s",
                         complaint);
    if (restore_is_of_newer(&RESTORER_MYSQL, self, complaint, err))
        return false;
    if (restore_says_any(complaint, MISSING_HERE))
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "this server does not have what the dump needs: %s", complaint);
    return error_set(err, ERROR_SERVICE, 0, "%s", complaint);
}

// The client stops at the first error by itself; --force is what nobody gives here.
static bool restore(struct restore *self, struct error *err) {
    static const char into_one[] =
        "mysql " LOGIN "-e 'CREATE DATABASE restored' && exec " CLIENT "restored";
    static const char as_it_says[] = "exec " CLIENT;
    const struct backup_file *file = restore_file(self);
    if (restore_is_volume(self))
        return restore_volume(&RESTORER_MYSQL, self, &VOLUME, err);
    if (!restore_open(&RESTORER_MYSQL, self, MAKE, OPEN, err))
        return false;
    const struct tool_call call = {.script = file->facts.restores_itself ? as_it_says : into_one,
                                   .file = file->absolute};
    autodone(tool_answer) struct tool_answer answer = {0};
    if (!tool_ask(&self->stand, &call, &answer, err))
        return false;
    if (answer.exit_status == 0 && strstr(text_string(&answer.errors), "ERROR") == NULL)
        return true;
    autofree_string char *complaint = tool_complaint(&answer);
    return refuse(self, complaint, err);
}

// ---- what the server says of itself

#define USERS_SCHEMAS "NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')"

// Views and routines run as who defined them, and that account is often in no dump.
static const char DEFINERS[] = QUERY
    "-e \"SELECT DISTINCT CONCAT('CREATE USER IF NOT EXISTS ', QUOTE(SUBSTRING_INDEX(d, '@', 1)), "
    "'@', QUOTE(SUBSTRING_INDEX(d, '@', -1)), '; GRANT ALL ON *.* TO ', QUOTE(SUBSTRING_INDEX(d, "
    "'@', 1)), '@', QUOTE(SUBSTRING_INDEX(d, '@', -1)), ';') FROM (SELECT DEFINER d FROM "
    "information_schema.VIEWS WHERE TABLE_SCHEMA " USERS_SCHEMAS " UNION SELECT DEFINER FROM "
    "information_schema.ROUTINES WHERE ROUTINE_SCHEMA " USERS_SCHEMAS " UNION SELECT DEFINER FROM "
    "information_schema.TRIGGERS WHERE TRIGGER_SCHEMA " USERS_SCHEMAS ") AS definers WHERE d NOT "
    "LIKE 'root@localhost' AND d NOT LIKE 'mysql.%'\" | mysql " LOGIN;
// A page that it cannot read ends the server: then its log says which.
static const char CHECK_TABLES[] =
    "exec 2>&1; mysqlcheck " LOGIN "--all-databases --check --extended | grep -v ' OK$'; " QUERY
    "-e 'SELECT 1' >/dev/null 2>&1 || grep -a '\\[InnoDB\\]' " ROOT
    "/log.err | grep -a ERROR | head -n 5; true";
static const char CHECK_UPGRADE[] =
    "exec 2>&1; " QUERY "-e 'SELECT 1' >/dev/null || exit 1; mysqlcheck " LOGIN
    "--all-databases --check-upgrade | grep -v ' OK$'; true";
static const char COUNT_ROWS[] = QUERY
    "-e \"SELECT CONCAT('SELECT COUNT(*) FROM \\`', REPLACE(TABLE_SCHEMA, '\\`', '\\`\\`'), "
    "'\\`.\\`', REPLACE(TABLE_NAME, '\\`', '\\`\\`'), '\\`;') FROM information_schema.TABLES WHERE "
    "TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA " USERS_SCHEMAS "\" | " QUERY;
static const char INCREMENTS[] = QUERY
    "-e \"SELECT CONCAT('SELECT CONCAT(', QUOTE(CONCAT(c.TABLE_SCHEMA, '.', c.TABLE_NAME, '.', "
    "c.COLUMN_NAME)), ', \\': AUTO_INCREMENT is \\', ', t.AUTO_INCREMENT, ', \\', the highest "
    "value "
    "is \\', MAX(\\`', c.COLUMN_NAME, '\\`)) FROM \\`', c.TABLE_SCHEMA, '\\`.\\`', c.TABLE_NAME, "
    "'\\` HAVING MAX(\\`', c.COLUMN_NAME, '\\`) >= ', t.AUTO_INCREMENT, ';') FROM "
    "information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, "
    "TABLE_NAME) "
    "WHERE c.EXTRA LIKE '%auto_increment%' AND t.AUTO_INCREMENT IS NOT NULL AND "
    "t.TABLE_SCHEMA " USERS_SCHEMAS "\" | " QUERY;

// What a dump of everything says of the server's own tables is not counted on either side, so it
// cannot be compared.
static bool holds_system_tables(const struct dump_facts *facts) {
    return string_list_contains(&facts->databases, "mysql");
}

static void count_rows(const struct restore *self, struct suite_result *suite) {
    if (restore_says_no_count(self, suite, "rows_are_all_there"))
        return;
    if (holds_system_tables(&restore_file(self)->facts))
        restore_said(suite, "rows_are_all_there", OUTCOME_NOT_APPLICABLE,
                     "the dump holds the server's own tables as well, whose rows a new server has "
                     "of its own");
    else
        restore_count_rows(self, suite, COUNT_ROWS, NULL);
}

// Of the one database that it holds, or of all of them.
static bool fingerprint(const struct restore *self, const struct endpoint *server,
                        const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                        struct fingerprint **ret_fingerprint, struct error *err) {
    const struct dump_facts *facts = &restore_file(self)->facts;
    const char *database = !facts->restores_itself       ? "restored"
                           : facts->databases.count == 1 ? facts->databases.items[0]
                                                         : NULL;
    autofree(mysqldb) struct mysqldb *db = NULL;
    return mysqldb_open(server, &db, err) &&
           mysql_fingerprint(db, database, key, ret_fingerprint, err, .cancel = self->stand.cancel,
                             .hunt = hunt);
}

// All rows of the first table that has any: no trigger fires at TRUNCATE.
static const char LOSE_ROWS[] = QUERY
    "-e \"SELECT CONCAT('SELECT ', QUOTE(CONCAT('SET FOREIGN_KEY_CHECKS = 0; TRUNCATE \\`', "
    "REPLACE(TABLE_SCHEMA, '\\`', '\\`\\`'), '\\`.\\`', REPLACE(TABLE_NAME, '\\`', '\\`\\`'), "
    "'\\`;')), ' FROM \\`', REPLACE(TABLE_SCHEMA, '\\`', '\\`\\`'), '\\`.\\`', "
    "REPLACE(TABLE_NAME, '\\`', '\\`\\`'), '\\` LIMIT 1;') FROM information_schema.TABLES WHERE "
    "TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA " USERS_SCHEMAS "\" | " QUERY
    "| head -n 1 | " QUERY;

static bool lose_rows(const struct restore *self, struct error *err) {
    return tool_do(&self->stand, &(struct tool_call){.script = LOSE_ROWS}, NULL, err);
}

static void check(const struct restore *self, struct suite_result *suite) {
    struct error problem = {0};
    if (!tool_do(&self->stand, &(struct tool_call){.script = DEFINERS}, NULL, &problem))
        error_clear(&problem); // the check of the view says what it misses
    restore_check(self, suite, "tables_are_sound", CHECK_TABLES, NULL);
    restore_check(self, suite, "tables_need_no_upgrade", CHECK_UPGRADE, NULL);
    restore_check(self, suite, "counters_are_ahead_of_their_columns", INCREMENTS, NULL);
}

static const char *const FORMATS[] = {"mysqldump", "volume", NULL};

const struct restorer RESTORER_MYSQL = {
    .engine = DUMP_MYSQL,
    .service = "mysql",
    .title = "MySQL",
    .version = QUERY "-e 'SELECT VERSION()'",
    .user = "root",
    .formats = FORMATS,
    .restore = restore,
    .count = count_rows,
    .check = check,
    .lose_record = lose_rows,
    .fingerprint = fingerprint,
    .port = 3306,
    .login = "root",
    .close = close_server,
};
