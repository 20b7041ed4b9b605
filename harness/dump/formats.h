// The readers of dump formats, one file each (see dump.h for what a reader promises).
#pragma once

#include "dump/dump.h"

// pg_dump -Fc. Header, every entry of the table of contents, each data block's chunks to its
// terminator, for archive versions 1.12 (PostgreSQL 9.0) to 1.16 (17 and 18); blocks are unpacked,
// rows of COPY have as many columns as its list and end in "\.".
// Source: PostgreSQL's pg_backup_archiver.c (ReadHead, ReadToc) and pg_backup_custom.c.
extern const struct dump_format FORMAT_POSTGRES_CUSTOM;
// toc.dat of pg_dump -Fd; the data are files beside it.
extern const struct dump_format FORMAT_POSTGRES_DIRECTORY;
// pg_dump -Ft: a tar whose first member is toc.dat.
extern const struct dump_format FORMAT_POSTGRES_TAR;
// pg_dump -Fp and pg_dumpall: SQL with a header and a completion line; every COPY block ends in
// "\.", rows have as many columns as its list.
extern const struct dump_format FORMAT_POSTGRES_PLAIN;
extern const struct dump_format FORMAT_POSTGRES_CLUSTER;
// mysqldump (MySQL and MariaDB): header, completion line; strings and statements closed.
extern const struct dump_format FORMAT_MYSQL_DUMP;
// mongodump --archive. Source: the archive format described in mongo-tools (common/archive).
extern const struct dump_format FORMAT_MONGO_ARCHIVE;
// One collection of a mongodump folder: BSON documents one after the other. Source: bsonspec.org.
extern const struct dump_format FORMAT_BSON;
// Redis RDB, versions 1 to 12: opcodes, lengths and encodings of every object to EOF and CRC-64.
// Source: Redis' rdb.h and rdb.c (format only), CRC-64/Jones.
extern const struct dump_format FORMAT_REDIS_RDB;
// tar of a data directory: which engine's is told from its members (PG_VERSION, ibdata1,
// WiredTiger, dump.rdb); links out of the folder, devices and ".." are refused.
extern const struct dump_format FORMAT_VOLUME;
