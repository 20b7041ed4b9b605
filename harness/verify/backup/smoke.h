// Smoke queries: what the user says in assay.yaml that a restored backup must answer.
//
//   backup:
//     smoke:
//       - name: yesterdays_orders_are_in  # of its test: letters, digits, "_", "-", "."; once
//         engine: postgres                # postgres, mysql, mongodb, redis
//         artifact: db/app*               # a glob (fnmatch; "*" also matches "/") of its name
//                                         # or path; left out: every artifact of that engine
//         database: app                   # see smoke_check.h; of redis its number (left out: 0)
//         timeout: 30s                    # left out: 60s; at most 1h
//         sql: select count(*) > 0 from … # postgres and mysql: one query, no other statement
//         collection: shop.orders         # mongodb: DATABASE.COLLECTION, and
//         filter: '{"total": null}'       # … as JSON; left out: every document
//         command: [EXISTS, a]            # redis
//         expect: "t"                     # and exactly one of these three
//         expect_at_least: 10
//         expect_rows: 3                  # not for mongodb
//
// `expect` is compared byte by byte with the first column of the one row, as the server writes it
// as text: "t" and "f" of PostgreSQL, "1" and "0" of MySQL. `expect_at_least`, a whole number, is
// compared with that column as a number. `expect_rows` is how many rows there are. What the
// servers without rows answer is in smoke_ask.h.
#pragma once

#include "base/string_list.h"
#include "compose/yaml.h"
#include "dump/dump.h"

#include <stdbool.h>
#include <stddef.h>

enum smoke_kind { SMOKE_VALUE, SMOKE_AT_LEAST, SMOKE_ROWS };

struct smoke_expectation {
    enum smoke_kind kind;
    const char *value; // SMOKE_VALUE
    long long number;  // SMOKE_AT_LEAST, SMOKE_ROWS
};

// Texts are borrowed from the YAML that it was read from; NULL: left out, or not for this engine.
struct smoke_query {
    const char *name;
    struct mark mark; // of its name
    enum dump_engine engine;
    const char *artifact;
    const char *database;
    const char *sql;
    const char *collection;
    const char *filter; // never NULL
    struct string_list command;
    struct smoke_expectation expectation;
    int timeout_ms;
};

struct smoke {
    struct smoke_query *queries; // in the order of the file
    size_t count;
};

#define SMOKE_TIMEOUT_MS 60000
#define SMOKE_TIMEOUT_LIMIT_MS 3600000

// `section` is `backup` of assay.yaml (struct settings), and must outlive the result; NULL: there
// is none, and so no query. Errors: ERROR_CONFIGURATION, "file:line:column: …".
bool smoke_read(const struct yaml *section, struct smoke **ret_smoke, struct error *err) must_use;
void smoke_free(struct smoke *self);

DEFINE_AUTOFREE(smoke, smoke_free);
