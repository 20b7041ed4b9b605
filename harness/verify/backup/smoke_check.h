// Which artifact of a backup a smoke query is about, in which database of the restored server it is
// asked, and the asking of all of them.
//
// A query is asked of every artifact of its engine that `artifact` matches and that holds its
// database, as far as the artifact says which it holds. What a dump was made of (`database`) need
// not be what it is restored into:
//
//   the dump makes its databases   asked in `database`, or in the only one that it makes
//   it does not                    asked in the one that it was restored into
//   a folder of mongodump's        asked in the one that the folder is named after
#pragma once

#include "verify/backup/restore.h"
#include "verify/backup/smoke.h"

// The farthest that a query came with an artifact.
enum smoke_fit { SMOKE_OTHER_ENGINE, SMOKE_OTHER_NAME, SMOKE_OTHER_DATABASE, SMOKE_FITS };
enum smoke_fit smoke_fit(const struct smoke_query *query, const struct backup *backup,
                         const struct artifact *artifact);

// Of a query that fits; the caller's. *ret_database NULL: the server's default. ERROR_UNAVAILABLE:
// the dump makes several, and the query does not say which.
bool smoke_database(const struct smoke_query *query, const struct backup *backup,
                    const struct artifact *artifact, char **ret_database,
                    struct error *err) must_use;

// `smoke` may be NULL: no query. Adds a test for each query that fits the restored artifact.
void smoke_check(const struct smoke *smoke, const struct restorer *restorer,
                 const struct restore *restore, struct suite_result *suite);
// The same of an artifact that was not restored: each is not verified.
void smoke_check_unrestored(const struct smoke *smoke, const struct backup *backup,
                            const struct artifact *artifact, struct suite_result *suite);
// Adds a test, not verified, for each query that fits no artifact of the backup.
void smoke_check_unasked(const struct smoke *smoke, const struct backup *backup,
                         struct suite_result *suite);
