// The 0600 file that says where everything is: written by the stack, read by suites and by people
// (`set -a; . FILE` works in a shell). One KEY=VALUE a line, values in single quotes where needed.
//
//   ASSAY_RUN=k3v9x2m7qa
//   ASSAY_OWNER=…                                  as in the label io.assay.owner
//   ASSAY_COMPOSE_FILES='/path/compose.yaml'       newline-separated; with ASSAY_PROFILES,
//   ASSAY_SETTINGS ASSAY_ENGINE=unix:///run/assay/engine.sock ASSAY_FOLDER=/run/assay/k3v9x2m7qa
//   ASSAY_SERVICES='postgres redis-1 redis-2 redis-3'
//   ASSAY_POSTGRES_STATE=ready                     or failed, missing: with _WHY='…'
//   ASSAY_POSTGRES_KIND=postgres
//   ASSAY_POSTGRES_HOST=10.231.0.2
//   ASSAY_POSTGRES_PORT=5432
//   ASSAY_POSTGRES_USER=app
//   ASSAY_POSTGRES_DATABASE=app
//   ASSAY_POSTGRES_PASSWORD_FILE=/run/assay/k3v9x2m7qa/secrets/postgres_password
//   ASSAY_POSTGRES_CONTAINER=<id>
//   ASSAY_POSTGRES_IMAGE=assay/postgres:3f0c9a12    what runs: a spare is started from the same
//   ASSAY_POSTGRES_PRODUCT='PostgreSQL 17.6'
//   ASSAY_OPENBAO_TOKEN_FILE=…
//   ASSAY_REDIS_1_GROUP=redis
// A service's name in a key: upper case, every other character than A-Z and 0-9 is '_'. Two
// services that give the same key are a configuration error.
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

// "redis-1" -> "REDIS_1"; the caller's.
char *environment_name(const char *service) must_use;

struct environment_file;

// Errors: ERROR_SYSTEM when it cannot be read, ERROR_CONFIGURATION with the line when it is none of
// ours.
bool environment_file_read(const char *path, struct environment_file **ret_file,
                           struct error *err) must_use;
void environment_file_free(struct environment_file *self);
const char *environment_get(const struct environment_file *self, const char *key); // NULL: absent
// environment_of(file, "redis-1", "HOST") looks up ASSAY_REDIS_1_HOST.
const char *environment_of(const struct environment_file *self, const char *service,
                           const char *what);

struct environment_writer;
struct environment_writer *environment_writer_new(void);
// Replaces an earlier value. The key is [A-Z_][A-Z0-9_]*; the value may hold anything but NUL.
void environment_writer_set(struct environment_writer *self, const char *key, const char *value);
void environment_writer_set_of(struct environment_writer *self, const char *service,
                               const char *what, const char *value); // NULL value: left out
bool environment_writer_save(const struct environment_writer *self, const char *path,
                             struct error *err) must_use; // atomically, 0600
void environment_writer_free(struct environment_writer *self);

DEFINE_AUTOFREE(environment_file, environment_file_free);
DEFINE_AUTOFREE(environment_writer, environment_writer_free);
