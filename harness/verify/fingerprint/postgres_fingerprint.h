// What one PostgreSQL database holds (value/fingerprint.h): schema from its catalogs, rows summed
// as they stream by.
//
// One transaction, REPEATABLE READ READ ONLY, in the snapshot of a pg_dump if that is given
// (pg_export_snapshot, pg_dump --snapshot), so that writes at the same time make no false alarm.
// Row security is off: who would not see every row gets an error. PostgreSQL 12 or newer.
//
// Schema: schemas, tables (partitioned, foreign, partitions with their bounds), columns (type,
// nullability, default, identity, generated, collation, comment, grants), constraints and whether
// validated, indexes by pg_get_indexdef and whether valid, sequences and whether they cover the
// column that they serve, views, materialised views and whether populated, functions, aggregates,
// triggers and whether enabled, enums, domains, composite types, policies, row security, rules,
// grants, comments, extensions. Members of extensions are the extension's.
// Not looked at: owners, roles, large objects, extended statistics, publications, event triggers,
// operators, casts, text search; a sequence's exact position (it is no part of a snapshot).
//
// Rows: COPY (SELECT … FROM ONLY table) TO STDOUT (FORMAT binary): what the types' own send
// functions say, exact to the bit. A value whose binary form holds OIDs (composites, domains,
// arrays of the database's own types, reg… types), which differ after a restore, is sent as text
// under fixed settings. The primary key's columns come first and choose the bucket; without a
// primary key the whole row does. Foreign tables and views have no rows of their own; those of a
// materialised view are made anew by a restore.
//
// Definitions are the server's own words (pg_get_viewdef): compare servers of one major version.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "client/postgres.h"
#include "value/row_hunt.h"

struct postgres_fingerprint_options {
    const char *snapshot;  // "00000003-0000001B-1"; NULL: its own
    size_t buckets;        // 0: ROW_HASH_BUCKETS
    struct row_hunt *hunt; // only its objects' rows are read, and noted; NULL: all, and none are
    const struct cancel *cancel;
    // After each table, for progress; rows so far, of all of them.
    void (*progress)(void *context, const char *table, uint64_t rows);
    void *context;
};

// The connection must not be in a transaction; it is in none afterwards. Sorted.
bool postgres_fingerprint_with(struct postgres *postgres, const uint8_t key[ROW_HASH_KEY_SIZE],
                               const struct postgres_fingerprint_options *options,
                               struct fingerprint **ret_fingerprint, struct error *err) must_use;
#define postgres_fingerprint(postgres, key, ret_fingerprint, err, ...)           \
    postgres_fingerprint_with(                                                   \
        (postgres), (key),                                                       \
        &(const struct postgres_fingerprint_options){.buckets = 0, __VA_ARGS__}, \
        (ret_fingerprint), (err))
