// Two databases of a test's own on the MySQL server that ASSAY_TEST_MYSQL names ("127.0.0.1:3306",
// root, whose password is in the file ASSAY_TEST_MYSQL_PASSWORD, if it has one), with a little of
// everything that a fingerprint looks at.
#pragma once

#include "base/error.h"
#include "client/mysqldb.h"

#include <stdbool.h>
#include <stddef.h>

struct mysql_fixture {
    char host[64];
    struct secret *password;
    struct endpoint endpoint;
    struct mysqldb *mysql, *reader;   // the reader's session is the fingerprint's
    char names[2][64], quoted[2][64]; // as in SQL; the second needs care there
};

// ERROR_UNAVAILABLE: no server is named.
bool mysql_fixture_open(struct mysql_fixture *self, struct error *err) must_use;
// Drops the databases, and a user named as the first; also of one that did not open.
void mysql_fixture_close(struct mysql_fixture *self);

// NULL-terminated; on self->mysql.
bool mysql_fixture_run_all(struct mysql_fixture *self, const char *const statements[],
                           struct error *err) must_use;
// Makes the first and fills it; it is in use afterwards.
bool mysql_fixture_fill(struct mysql_fixture *self, struct error *err) must_use;
// Makes the second with the rows of the first, from the last to the first; AUTO_INCREMENT ends
// elsewhere.
bool mysql_fixture_copy_backwards(struct mysql_fixture *self, struct error *err) must_use;
