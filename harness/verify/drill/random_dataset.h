// A schema and rows that nobody thought of: statements in a server's own language (see
// fingerprint/console.h) that empty its database and fill it anew, as a seed decides. A backup of
// it that is sound and does not verify is a false alarm.
//
//   PostgreSQL, MySQL   tables of random columns, keys, rows; indexes, views, a foreign key
//   MongoDB             collections of nested documents; indexes
//   Redis               keys of every type
//
// Left out is what a backup rightly does not keep: digits of a FLOAT that mysqldump drops, keys
// that expire.
#pragma once

#include "base/string_list.h"
#include "dump/dump.h"

#include <stdint.h>

// Adds the statements, in the order in which they are to be run.
void random_dataset_make(enum dump_engine engine, uint64_t seed, struct string_list *statements);
