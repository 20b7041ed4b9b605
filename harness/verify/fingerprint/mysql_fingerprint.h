// What a MySQL server, or one database of it, holds (value/fingerprint.h): schema from its
// information schema, rows summed as they stream by.
//
// One transaction, REPEATABLE READ, WITH CONSISTENT SNAPSHOT, READ ONLY, so that writes at the same
// time make no false alarm; or the caller's, to share the snapshot of a dump. Only InnoDB has
// snapshots: of other engines' tables it is the rows at the moment of reading. The information
// schema has none either: a table that was altered since the snapshot ends it with the server's
// error ("Table definition has changed"). MySQL 8.0.17 or newer; not MariaDB.
//
// Of one database: names stand without it ("orders"; the database itself is "database"), and it is
// left out of views' definitions, so that a restore under another name compares as equal; what the
// bodies of routines, triggers and events call it stays. Of the server: "shop.orders". A dump that
// does not make its database (mysqldump without --databases) says nothing of its character set.
//
// Schema: databases (character set, collation, encryption), tables (engine, row format, collation,
// options, comment, partitions), columns (type, nullability, default, on update, invisible,
// generated, collation, SRID, comment), indexes (columns, prefixes, direction, expressions,
// uniqueness, kind, visible, comment), foreign keys, checks and whether enforced, views
// (definition, check option, security), procedures, functions (parameters, body, characteristics),
// triggers (timing, order, body), events (schedule, status, body), the SQL mode and character sets
// under which a body is read, and whether an AUTO_INCREMENT covers the values of its column.
//
// Not looked at: definers, since a restore may give new ones; accounts, roles and grants; the exact
// position of AUTO_INCREMENT; the algorithm that a view asks for; a full-text index's parser;
// tablespaces, histograms, engine attributes, spatial reference systems, plugins' functions,
// libraries (MySQL 9); a binary default after its first zero byte; when something was made.
//
// Rows: the text protocol, bytes as stored: without conversion of character sets, times in UTC,
// FLOAT and DOUBLE with all their digits. Stored generated columns are summed, virtual ones are
// not. The primary key's columns come first and choose the bucket; without a primary key the whole
// row does. Views have no rows.
//
// mysqldump writes a FLOAT with six digits and takes -0 for 0: where that is not all, its restore
// is altered, and is seen as altered. Not seen is what the text does not say: whether a number
// within JSON is DECIMAL or DOUBLE, a date within JSON or its text; an ENUM's value that is none of
// its own against a member ''.
//
// Who asks must be allowed to see everything (SELECT, SHOW VIEW, TRIGGER, EVENT, and for routines
// SHOW_ROUTINE or SELECT, on all that is asked about), as for mysqldump: the server does not
// mention what it hides. A view or routine that it shows without its definition is an error
// (SERVICE_ERROR_DENIED).
//
// Sources: MySQL 8.4 Reference Manual, 28 INFORMATION_SCHEMA Tables, 15.3.1 START TRANSACTION,
// 13.1.4 Floating-Point Types. Definitions are the server's own words: compare servers of one major
// version.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "client/mysqldb.h"
#include "value/row_hunt.h"

struct mysql_fingerprint_options {
    size_t buckets;        // 0: ROW_HASH_BUCKETS
    struct row_hunt *hunt; // only its objects' rows are read, and noted; NULL: all, and none are
    bool in_transaction; // begun by the caller WITH CONSISTENT SNAPSHOT: not begun, not ended here
    const struct cancel *cancel;
    // After each table, for progress; rows so far, of all of them.
    void (*progress)(void *context, const char *table, uint64_t rows);
    void *context;
};

// `database` NULL: all but mysql, information_schema, performance_schema and sys. Unless
// in_transaction, the connection must not be in a transaction; it is in none afterwards. Its
// session keeps the settings that are made here (time zone, SQL mode, character set of results,
// limits): use one for this alone. Sorted. SERVICE_ERROR_NOT_FOUND: there is no such database.
bool mysql_fingerprint_with(struct mysqldb *db, const char *database,
                            const uint8_t key[ROW_HASH_KEY_SIZE],
                            const struct mysql_fingerprint_options *options,
                            struct fingerprint **ret_fingerprint, struct error *err) must_use;
#define mysql_fingerprint(db, database, key, ret_fingerprint, err, ...)                          \
    mysql_fingerprint_with((db), (database), (key),                                              \
                           &(const struct mysql_fingerprint_options){.buckets = 0, __VA_ARGS__}, \
                           (ret_fingerprint), (err))
