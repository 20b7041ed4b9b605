#include "verify/fingerprint/console.h"

#include "base/memory.h"
#include "base/string_list.h"
#include "client/mongodb.h"
#include "client/mysqldb.h"
#include "client/postgres.h"
#include "client/redis_cluster.h"
#include "verify/fingerprint/mongodb_fingerprint.h"
#include "verify/fingerprint/mysql_fingerprint.h"
#include "verify/fingerprint/postgres_fingerprint.h"
#include "verify/fingerprint/redis_fingerprint.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_OF_STATEMENT 300

struct language;

struct console {
    const struct language *language;
    char *database;
    const struct cancel *cancel;
    union {
        struct postgres *postgres;
        struct {
            struct mysqldb *mysql;
            struct mysqldb *reader; // its settings are not those of the statements
        };
        struct mongodb *mongodb;
        struct redis_cluster *redis;
    };
};

// ---- PostgreSQL

static bool open_postgres(struct console *self, const struct endpoint *server, struct error *err) {
    return postgres_open(server, &self->postgres, err);
}

static bool run_postgres(struct console *self, const char *statement, struct error *err) {
    return postgres_run(self->postgres, statement, err);
}

static bool sum_postgres(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE],
                         struct row_hunt *hunt, struct fingerprint **ret_fingerprint,
                         struct error *err) {
    return postgres_fingerprint(self->postgres, key, ret_fingerprint, err, .cancel = self->cancel,
                                .hunt = hunt);
}

static void close_postgres(struct console *self) {
    postgres_close(self->postgres);
}

// ---- MySQL

static bool open_mysql(struct console *self, const struct endpoint *server, struct error *err) {
    return mysqldb_open(server, &self->mysql, err) && mysqldb_open(server, &self->reader, err);
}

static bool run_mysql(struct console *self, const char *statement, struct error *err) {
    return mysqldb_run(self->mysql, statement, err);
}

static bool sum_mysql(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE],
                      struct row_hunt *hunt, struct fingerprint **ret_fingerprint,
                      struct error *err) {
    return mysql_fingerprint(self->reader, self->database, key, ret_fingerprint, err,
                             .cancel = self->cancel, .hunt = hunt);
}

static void close_mysql(struct console *self) {
    mysqldb_close(self->reader);
    mysqldb_close(self->mysql);
}

// ---- MongoDB

static bool open_mongodb(struct console *self, const struct endpoint *server, struct error *err) {
    return mongodb_open(server, &self->mongodb, err);
}

static bool run_mongodb(struct console *self, const char *statement, struct error *err) {
    return mongodb_run(self->mongodb, NULL, statement, NULL, err);
}

static bool sum_mongodb(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE],
                        struct row_hunt *hunt, struct fingerprint **ret_fingerprint,
                        struct error *err) {
    return mongodb_fingerprint(self->mongodb, key, ret_fingerprint, err, .database = self->database,
                               .cancel = self->cancel, .hunt = hunt);
}

static void close_mongodb(struct console *self) {
    mongodb_close(self->mongodb);
}

// ---- Redis

static bool open_redis(struct console *self, const struct endpoint *server, struct error *err) {
    const struct kind_members members = {.endpoints = server, .count = 1};
    return redis_cluster_open(&members, &self->redis, err);
}

static bool run_redis(struct console *self, const char *statement, struct error *err) {
    autodone(string_list) struct string_list words = {0};
    for (const char *at = statement; *at != '\0'; at += *at == ' ') {
        const size_t length = strcspn(at, " ");
        const bool empty = length == 2 && strncmp(at, "\"\"", 2) == 0;
        autofree_string char *word = memory_copy_bytes(at, empty ? 0 : length);
        string_list_add(&words, word);
        at += length;
    }
    const struct redis_words command = {.items = (const char *const *)words.items,
                                        .count = words.count};
    return redis_cluster_command(self->redis, command, NULL, err);
}

static bool sum_redis(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE],
                      struct row_hunt *hunt, struct fingerprint **ret_fingerprint,
                      struct error *err) {
    return redis_fingerprint(self->redis, key, ret_fingerprint, err, .cancel = self->cancel,
                             .hunt = hunt);
}

static void close_redis(struct console *self) {
    redis_cluster_close(self->redis);
}

// ---- all of them

static const struct language {
    bool (*identify)(const struct endpoint *server, char *buffer, size_t size, struct error *err);
    bool (*open)(struct console *self, const struct endpoint *server, struct error *err);
    bool (*run)(struct console *self, const char *statement, struct error *err);
    bool (*sum)(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                struct fingerprint **ret_fingerprint, struct error *err);
    void (*close)(struct console *self);
} LANGUAGES[] = {
    [DUMP_POSTGRES] = {postgres_identify, open_postgres, run_postgres, sum_postgres,
                       close_postgres},
    [DUMP_MYSQL] = {mysql_identify, open_mysql, run_mysql, sum_mysql, close_mysql},
    [DUMP_MONGODB] = {mongodb_identify, open_mongodb, run_mongodb, sum_mongodb, close_mongodb},
    [DUMP_REDIS] = {redis_cluster_identify, open_redis, run_redis, sum_redis, close_redis},
};

bool console_open(enum dump_engine engine, const struct endpoint *server,
                  const struct cancel *cancel, struct console **ret_console, struct error *err) {
    autofree(console) struct console *self = memory_new(1, sizeof *self);
    self->language = &LANGUAGES[engine];
    self->database = memory_copy_string(server->database);
    self->cancel = cancel;
    if (!self->language->open(self, server, err))
        return false;
    *ret_console = TAKE(self);
    return true;
}

void console_close(struct console *self) {
    if (self == NULL)
        return;
    self->language->close(self);
    free(self->database);
    free(self);
}

bool console_run(struct console *self, const char *statement, struct error *err) {
    return self->language->run(self, statement, err) ||
           error_append(err, ": %.*s%s", SHOWN_OF_STATEMENT, statement,
                        strlen(statement) > SHOWN_OF_STATEMENT ? "…" : "");
}

bool console_fingerprint(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE],
                         struct fingerprint **ret_fingerprint, struct error *err) {
    return self->language->sum(self, key, NULL, ret_fingerprint, err);
}

bool console_hunt(struct console *self, const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                  struct error *err) {
    autofree(fingerprint) struct fingerprint *known = NULL; // but for the rows that were noted
    return self->language->sum(self, key, hunt, &known, err);
}

bool console_identify(enum dump_engine engine, const struct endpoint *server, char *buffer,
                      size_t size, struct error *err) {
    return LANGUAGES[engine].identify(server, buffer, size, err);
}
