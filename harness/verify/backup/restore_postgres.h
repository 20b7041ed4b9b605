// Where the throwaway PostgreSQL of the stand lies, and who logs in: of dumps (restore_postgres.c)
// and of data directories (restore_postgres_volume.c).
#pragma once

#include "verify/backup/restore_volume.h"

#define POSTGRES_ROOT "/restore/postgres"
#define POSTGRES_LOGIN "assay_restore" // a name that no dump uses
#define POSTGRES_PSQL "psql -X -q -v ON_ERROR_STOP=1 -h " POSTGRES_ROOT " -U " POSTGRES_LOGIN " "

// What loop `do`es with each database "$name" that users may have tables in.
#define POSTGRES_EACH_DATABASE                                                  \
    POSTGRES_PSQL "-d postgres -At -c \"SELECT datname FROM pg_database WHERE " \
                  "datallowconn AND datname <> 'template1'\" | while read -r name; do "

// Asks each of them $1.
#define POSTGRES_ASK_EACH                                                               \
    "exec 2>&1; " POSTGRES_EACH_DATABASE POSTGRES_PSQL "-At -d \"$name\" -c \"$1\" || " \
    "exit 1; done"

// A server that lacks what a sound dump or data directory needs, says one of these.
extern const char *const POSTGRES_LACKING[]; // NULL-terminated

extern const struct volume_way POSTGRES_VOLUME;
// amcheck, and what it does not look at: pages of zeros that others point into.
void postgres_volume_check(const struct restore *self, struct suite_result *suite,
                           const char *amcheck);
