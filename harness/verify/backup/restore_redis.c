// Redis: the file becomes the dump.rdb of a fresh server, which nobody reaches but by a socket in
// its folder. Keys that have expired meanwhile are not loaded; the server says how many.
// Sources: the manuals of redis-check-rdb, INFO (section persistence).
#include "verify/backup/restore_volume.h"

#include "base/memory.h"
#include "client/redis_cluster.h"
#include "verify/fingerprint/redis_fingerprint.h"

#include <stdlib.h>
#include <string.h>

#define ROOT "/restore/redis"
#define CLI "redis-cli -s " ROOT "/socket "

static const char TAKE_FILE[] =
    "rm -rf " ROOT " && mkdir -p -m 700 " ROOT " && cat >" ROOT "/dump.rdb";
#define CHECK_RDB(folder)                                  \
    "redis-check-rdb " folder "/dump.rdb 2>&1 | grep -vE " \
    "'^\\[(offset|info)|^\\[additional info\\]' | grep -v '^$'; true"
static const char CHECK_FILE[] = CHECK_RDB(ROOT);
// The server ends at once when the file is not to its liking, and nobody in the stand waits for it,
// so that it stays as a zombie; it is up when it has loaded all.
#define OPEN_ON(folder, append)                                                                   \
    "exec 2>&1; redis-server --port 6379 --bind 127.0.0.1 --unixsocket " ROOT                     \
    "/socket --dir " folder " --dbfilename dump.rdb --save '' --appendonly " append               \
    " --daemonize yes --pidfile " ROOT "/pid --logfile " ROOT                                     \
    "/log >/dev/null; n=0; while [ $n -lt 3000 ]; do "                                            \
    "[ \"$(" CLI "ping 2>/dev/null)\" = PONG ] && exit 0; if [ $n -gt 20 ]; then "                \
    "grep -q '^State:[[:space:]]*[^Z[:space:]]' \"/proc/$(cat " ROOT "/pid)/status\" 2>/dev/null" \
    " || break; fi; n=$((n + 1)); sleep 0.1; done; grep ' # ' " ROOT                              \
    "/log | grep -v WARNING | tail -n 3; exit 1"
static const char OPEN[] = OPEN_ON(ROOT, "no");
static const char CLOSE[] =
    "[ ! -f " ROOT "/pid ] || kill -9 \"$(cat " ROOT "/pid)\"; rm -rf " ROOT;
static const char COUNTS[] = CLI "info everything | tr -d '\\r' | grep -E "
                                 "'^(db[0-9]+:keys|expired_keys|rdb_last_load_keys_expired)'";
static const char LOSE_KEY[] =
    "db=$(" CLI "info keyspace | sed -nE 's/^db([0-9]+):.*/\\1/p' | "
    "head -n 1) && key=$(" CLI "-n \"$db\" randomkey) && " CLI "-n \"$db\" del \"$key\" >/dev/null";

// ---- a data directory

#define AOF ROOT "/data/appendonlydir/appendonly.aof.manifest"

// Where commands were appended, they are what the server would have read, and not the snapshot.
static const char OPEN_VOLUME[] =
    "append=no; [ ! -f " AOF " ] && [ ! -f " ROOT "/data/appendonly.aof ] || append=yes; " //
    OPEN_ON(ROOT "/data", "\"$append\" --auto-aof-rewrite-percentage 0");
static const char NOTE_VOLUME[] =
    "[ ! -f " AOF " ] || [ ! -f " ROOT
    "/data/dump.rdb ] || echo 'its append-only files were loaded, "
    "not its snapshot'; ! grep -q 'AOF loaded anyway' " ROOT "/log || echo 'its append-only file "
    "ends within a command, which was left out'";
static const char CHECK_VOLUME[] =
    "cd " ROOT "; if [ -f " AOF " ]; then said=$(redis-check-aof " AOF
    " 2>&1) || printf '%s\\n' \"$said\"; fi; [ ! -f data/dump.rdb ] || " CHECK_RDB(ROOT "/data");

// A snapshot of a newer server, or with values of a module.
static const char *const LACKING[] = {"Can't handle RDB format version", "unknown module",
                                      "no matching module", "requires a module", NULL};

static const struct volume_way VOLUME = {
    .root = ROOT,
    .owner = "root", // as the server in the stand
    .open = OPEN_VOLUME,
    .note = NOTE_VOLUME,
    .lacking = LACKING,
};

// ---- restoring

static bool refuse(const struct restore *self, const char *complaint, struct error *err) {
    (void)self;
    if (restore_says_any(complaint, LACKING))
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "this server does not have what the file needs: %s", complaint);
    return error_set(err, ERROR_SERVICE, 0, "%s", complaint);
}

static bool restore(struct restore *self, struct error *err) {
    if (restore_is_volume(self))
        return restore_volume(&RESTORER_REDIS, self, &VOLUME, err);
    const struct tool_call take = {.script = TAKE_FILE, .file = restore_file(self)->absolute};
    if (!tool_do(&self->stand, &take, NULL, err))
        return error_prefix(err, "the file could not be put into the container");
    autodone(tool_answer) struct tool_answer answer = {0};
    if (!tool_ask(&self->stand, &(struct tool_call){.script = OPEN}, &answer, err))
        return false;
    if (answer.exit_status == 0)
        return true;
    autofree_string char *complaint = tool_complaint(&answer);
    return refuse(self, complaint, err);
}

static bool fingerprint(const struct restore *self, const struct endpoint *server,
                        const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                        struct fingerprint **ret_fingerprint, struct error *err) {
    const struct kind_members members = {server, 1};
    autofree(redis_cluster) struct redis_cluster *redis = NULL;
    return redis_cluster_open(&members, &redis, err) &&
           redis_fingerprint(redis, key, ret_fingerprint, err, .cancel = self->stand.cancel,
                             .hunt = hunt);
}

static void close_server(const struct restore *self) {
    restore_close(self, CLOSE);
}

// The sum of the numbers that follow this word, wherever it stands.
static uint64_t sum_after(const char *text, const char *word) {
    uint64_t sum = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
        sum += strtoull(at + strlen(word), NULL, 10);
    return sum;
}

// Those that are there, and those that have expired since they were dumped.
static void count_keys(const struct restore *self, struct suite_result *suite) {
    autofree_string char *said = NULL;
    struct error problem = {0};
    if (restore_says_no_count(self, suite, "keys_are_all_there"))
        return;
    if (!tool_do(&self->stand, &(struct tool_call){.script = COUNTS}, &said, &problem))
        restore_said(suite, "keys_are_all_there", OUTCOME_NOT_VERIFIED, "%s", problem.message);
    else
        restore_counts(suite, "keys_are_all_there", "keys", restore_file(self)->facts.record_count,
                       sum_after(said, ":keys=") + sum_after(said, "expired_keys:") +
                           sum_after(said, "keys_expired:"));
}

static bool lose_key(const struct restore *self, struct error *err) {
    return tool_do(&self->stand, &(struct tool_call){.script = LOSE_KEY}, NULL, err);
}

static void check(const struct restore *self, struct suite_result *suite) {
    restore_check(self, suite, "its_own_checker_finds_nothing",
                  restore_is_volume(self) ? CHECK_VOLUME : CHECK_FILE, NULL);
}

static const char *const FORMATS[] = {"redis-rdb", "volume", NULL};

const struct restorer RESTORER_REDIS = {
    .engine = DUMP_REDIS,
    .service = "redis",
    .fingerprint = fingerprint,
    .port = 6379,
    .title = "Redis",
    .version = "redis-server --version",
    .user = "root",
    .formats = FORMATS,
    .restore = restore,
    .count = count_keys,
    .check = check,
    .lose_record = lose_key,
    .close = close_server,
};
