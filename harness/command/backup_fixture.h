// Stacks of real servers for tests of `assay backup`: what a Compose file of them is made of, and
// SQL that is run in their containers.
#pragma once

#include "command/program_fixture.h"
#include "compose/environment_file.h"

// The file begins with COMPOSE_BEGINS; then come services, then COMPOSE_SECRETS.
#define COMPOSE_BEGINS \
    "name: %NAME%\n"   \
    "services:\n"
#define COMPOSE_POSTGRES                                                                     \
    "  db:\n"                                                                                \
    "    image: assay/postgres\n"                                                            \
    "    x-assay: {kind: postgres, prepare: true, user: app, database: app, password: one, " \
    "port: 5432}\n"                                                                          \
    "    environment: {POSTGRES_USER: app, POSTGRES_DB: app, POSTGRES_PASSWORD_FILE: "       \
    "/run/secrets/one}\n"                                                                    \
    "    secrets: [one]\n"
#define COMPOSE_MYSQL                                                                     \
    "  shop:\n"                                                                           \
    "    image: assay/mysql\n"                                                            \
    "    x-assay: {kind: mysql, prepare: true, user: app, database: app, password: two, " \
    "root_password: three, port: 3306}\n"                                                 \
    "    environment: {MYSQL_DATABASE: app, MYSQL_USER: app, MYSQL_PASSWORD_FILE: "       \
    "/run/secrets/two, MYSQL_ROOT_PASSWORD_FILE: /run/secrets/three}\n"                   \
    "    secrets: [two, three]\n"
#define COMPOSE_SECRETS                    \
    "secrets:\n"                           \
    "  one: {x-assay: {generate: true}}\n" \
    "  two: {x-assay: {generate: true}}\n" \
    "  three: {x-assay: {generate: true}}\n"

// Brings the stack up, after program_init_real(): its Compose file is compose.yaml in the test's
// folder.
void backup_fixture_up(const char *compose);
void backup_fixture_done(void); // .fini, with or without a stack, in place of program_done()
const struct environment_file *backup_fixture_environment(void);

// Runs a script of sh as root in a service's container; $1 is `argument`. It must succeed.
void backup_fixture_run(const char *service, const char *script, const char *argument);
// The same; returns what it printed, the caller's.
char *backup_fixture_ask(const char *service, const char *script, const char *argument) must_use;

// A shell's call of the server's own client, to which SQL is the last argument.
#define IN_POSTGRES "psql -X -q -At -v ON_ERROR_STOP=1 -U app -d app -c "
#define IN_MYSQL                                                              \
    "printf '[client]\\npassword=\"%s\"\\n' \"$(cat /run/secrets/three)\" | " \
    "mysql --defaults-extra-file=/dev/stdin -N -uroot app -e "
void backup_fixture_postgres(const char *sql);
void backup_fixture_mysql(const char *sql);

// A plain dump as its tool writes it is SQL between these. `version` is that of both: "17".
#define PG_DUMP_BEGINS(version)                                                            \
    "--\n-- PostgreSQL database dump\n--\n\n"                                              \
    "-- Dumped from database version " version ".0\n-- Dumped by pg_dump version " version \
    ".0\n\n"
#define PG_DUMP_ENDS "\n--\n-- PostgreSQL database dump complete\n--\n\n"
#define PG_DUMP_OF_TWO_ROWS                         \
    PG_DUMP_BEGINS("17")                            \
    "CREATE TABLE public.t (n integer NOT NULL);\n" \
    "COPY public.t (n) FROM stdin;\n1\n2\n\\.\n\n" PG_DUMP_ENDS

#define BACKUP_VERIFY(path) "backup", "verify", path, "--format", "terminal"
