// PostgreSQL's data directory: its own settings are left aside, and so is who may log in. The first
// start is in single-user mode, which recovers, and makes a superuser of ours, whatever names the
// others have. Sources: the manual of postgres, "Single-User Mode", and of pageinspect.
#include "verify/backup/restore_postgres.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// Settings of a database could load what is not here (so they go; an empty list there is a library
// without a name), or stop what is asked: a role's come before them.
#define OWN "ALTER ROLE " POSTGRES_LOGIN " SET "
#define LOGIN                                                                             \
    "DELETE FROM pg_db_role_setting WHERE setconfig::text LIKE '%_preload_libraries=%'\n" \
    "CREATE ROLE " POSTGRES_LOGIN " SUPERUSER LOGIN\n" OWN                                \
    "default_transaction_read_only=off\n" OWN "statement_timeout=0\n" OWN                 \
    "transaction_timeout=0\n"

// What replication slots hold back, nobody fetches here. Recovery needs room for as many prepared
// transactions and origins as the server had.
#define SETTINGS                                                                           \
    "listen_addresses='127.0.0.1'\nunix_socket_directories='" POSTGRES_ROOT "'\n"          \
    "hba_file='" POSTGRES_ROOT "/hba'\nident_file='" POSTGRES_ROOT "/ident'\nfsync=off\n"  \
    "full_page_writes=off\nsynchronous_commit=off\nwal_level=replica\nmax_wal_senders=0\n" \
    "max_replication_slots=500\nmax_prepared_transactions=500\nshared_buffers=128MB\n"     \
    "max_logical_replication_workers=0\nevent_triggers=off\nautovacuum=off\n"              \
    "maintenance_work_mem=128MB\nmax_wal_size=4GB\nclient_min_messages=error\n"            \
    "log_statement=none\n"

// A transaction that was prepared keeps its locks, on which a check would wait forever.
//
// Locales that the other machine had are made here from their sources, as the server asks for them.
static const char OPEN[] =
    "exec 2>&1; cd " POSTGRES_ROOT " && umask 077 && mkdir -p locales && "
    "ln -sf /usr/lib/locale/*/ locales/ && export LOCPATH=" POSTGRES_ROOT "/locales\n"
    "make_locale() { case $1 in ''|*/*|*..*) return 1;; esac; [ ! -e \"locales/$1\" ] || return 1\n"
    "code=${1#*.}; code=${code%@*}; case $code in [uU][tT][fF]*8|\"$1\") code=UTF-8;; esac\n"
    "kind=; case $1 in *@*) kind=@${1#*@};; esac; from=${1%%[.@]*}\n"
    "localedef -c -i \"$from$kind\" -f \"$code\" \"locales/$1\" >/dev/null 2>&1\n"
    "[ -e \"locales/$1\" ]; }\n"
    "with_locales() { until \"$@\" >said 2>&1; do make_locale \"$(sed -nE "
    "'s/.*\"([^\"]+)\", +which is not recognized by setlocale.*/\\1/p' said | head -n 1)\" || "
    "return 1; done; }\n"
    "die() { grep -E 'ERROR|FATAL|PANIC|DETAIL' \"$1\" || tail -n 5 \"$1\"; exit 1; }\n"
    "rm -rf data/postgresql.auto.conf data/standby.signal data/recovery.signal data/pg_replslot/*\n"
    "echo 'local all " POSTGRES_LOGIN " trust\nhost all " POSTGRES_LOGIN
    " 127.0.0.1/32 trust' >hba && : >ident && cat >settings <<'END'\n" SETTINGS "END\n"
    "make_login() { postgres --single -D data -c config_file=" POSTGRES_ROOT
    "/settings template1 <<'END'\n" LOGIN "END\n}\n"
    "with_locales make_login || die said\n"
    "pg_ctl -D data -l log -w -t 3600 -s -o '-c config_file=" POSTGRES_ROOT
    "/settings' start </dev/null >/dev/null 2>&1 || die log\n" POSTGRES_EACH_DATABASE
    "with_locales " POSTGRES_PSQL "-d \"$name\" -c '' </dev/null || die said\n" POSTGRES_PSQL
    "-At -d \"$name\" -c \"SELECT format('ERROR: the extension %s of the database %s is not "
    "available', extname, current_database()) FROM pg_extension WHERE extname NOT IN (SELECT name "
    "FROM pg_available_extensions)\" </dev/null || exit 1; done >lacking; "
    "cat lacking; [ ! -s lacking ] || exit 1\n" POSTGRES_EACH_DATABASE POSTGRES_PSQL
    "-At -d \"$name\" -c \"SELECT format('ROLLBACK PREPARED %L;', gid) FROM pg_prepared_xacts "
    "WHERE "
    "database = current_database()\" </dev/null | tee -a prepared | " POSTGRES_PSQL
    "-d \"$name\" -f - || exit 1; done";

#define SORTED_OTHERWISE "sorted by another library"

static const char NOTE[] =
    "exec 2>&1; " POSTGRES_PSQL
    "-At -d postgres -c \"SELECT 'it was made without page checksums: damage within a page may not "
    "show' WHERE current_setting('data_checksums') = 'off' UNION ALL SELECT format('the indexes of "
    "%s were " SORTED_OTHERWISE " (its version: %s, here %s)', datname, coalesce(datcollversion, "
    "'unknown'), here) FROM (SELECT *, pg_database_collation_actual_version(oid) AS here FROM "
    "pg_database WHERE datallowconn) d WHERE here <> coalesce(datcollversion, '')\"; "
    "[ ! -s prepared ] || echo \"$(grep -c . prepared) prepared transactions were rolled back\"";

// A page of zeros is one that was added and never written: checksums and amcheck pass over it. But
// no index entry points into such a page, nor does the visibility map say that all see its rows.
// The first item of a page that has one to its right is no entry, but its bound.
#define ZERO_PAGES                                                                                 \
    "DO $do$ BEGIN CREATE EXTENSION IF NOT EXISTS pageinspect SCHEMA pg_catalog; CREATE "          \
    "EXTENSION "                                                                                   \
    "IF NOT EXISTS pg_visibility SCHEMA pg_catalog; PERFORM set_config('search_path', (SELECT "    \
    "string_agg(quote_ident(nspname), ',') FROM pg_namespace n JOIN pg_extension e ON "            \
    "e.extnamespace = n.oid WHERE extname IN ('pageinspect', 'pg_visibility')), true); END $do$; " \
    "WITH zero AS MATERIALIZED (SELECT c.oid, b AS block FROM pg_class c JOIN pg_am a ON a.oid = " \
    "c.relam AND a.amname = 'heap', generate_series(0, pg_relation_size(c.oid) / "                 \
    "current_setting('block_size')::int - 1) b WHERE c.relpersistence = 'p' AND "                  \
    "(page_header(get_raw_page(c.oid::regclass::text, b))).upper = 0), entry AS (SELECT "          \
    "i.indrelid "                                                                                  \
    "AS oid, i.indexrelid::regclass::text AS name, unnest(coalesce(e.tids, ARRAY[e.htid]))::text " \
    "AS tid FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = "      \
    "x.relam AND a.amname = 'btree', generate_series(1, pg_relation_size(x.oid) / "                \
    "current_setting('block_size')::int - 1) b, LATERAL bt_page_stats(x.oid::regclass::text, b) "  \
    "s, LATERAL bt_page_items(x.oid::regclass::text, b) e WHERE i.indrelid IN (SELECT oid FROM "   \
    "zero) AND s.type = 'l' AND (s.btpo_next = 0 OR e.itemoffset > 1) AND e.dead IS NOT TRUE) "    \
    "SELECT DISTINCT format('%s: page %s is all zeros, but its index %s has rows there', "         \
    "z.oid::regclass, block, e.name) FROM zero z JOIN entry e ON e.oid = z.oid AND block = "       \
    "split_part(ltrim(e.tid, '('), ',', 1)::bigint UNION ALL SELECT format('%s: page %s is all "   \
    "zeros, but was seen with rows', z.oid::regclass, block) FROM zero z, LATERAL "                \
    "pg_visibility_map(z.oid::regclass, block) v WHERE v.all_visible"

// What amcheck says of the order then, may be of that library only.
static void forgive_order(const struct restore *self, struct test_result *test) {
    if (test->outcome != OUTCOME_FAILED || self->note == NULL ||
        strstr(self->note, SORTED_OTHERWISE) == NULL)
        return;
    autofree_string char *lines = TAKE(test->message);
    test->outcome = OUTCOME_NOT_VERIFIED;
    test->message =
        memory_format("its indexes were " SORTED_OTHERWISE ", which may be all of this: %s", lines);
}

void postgres_volume_check(const struct restore *self, struct suite_result *suite,
                           const char *amcheck) {
    restore_check(self, suite, "no_page_was_zeroed", POSTGRES_ASK_EACH, ZERO_PAGES);
    restore_check(self, suite, "heap_and_btree_pages_are_sound", amcheck, NULL);
    forgive_order(self, &suite->tests[suite->test_count - 1]);
}

const struct volume_way POSTGRES_VOLUME = {
    .root = POSTGRES_ROOT,
    .owner = "postgres",
    .open = OPEN,
    .note = NOTE,
    .same_major = true,
    .lacking = POSTGRES_LACKING,
};
