#include "verify/backup/smoke_ask.h"

#include "base/memory.h"
#include "client/mongodb.h"
#include "client/mysqldb.h"
#include "client/postgres.h"
#include "client/redis_cluster.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

// The server's own timeout, where it has one, comes first and says what it was.
#define SLACK_MS 5000

static void take_row(struct smoke_answer *answer, const char *value, size_t length) {
    if (answer->rows++ > 0 || value == NULL)
        return;
    answer->value = memory_copy_bytes(value, length);
    answer->length = length;
}

// ---- PostgreSQL

static bool take_postgres_row(void *context, const struct postgres_rows *row, struct error *err) {
    (void)err;
    const bool has_columns = postgres_rows_columns(row) > 0;
    take_row(context, has_columns ? postgres_rows_value(row, 0, 0) : NULL,
             has_columns ? postgres_rows_length(row, 0, 0) : 0);
    return true;
}

// Prepared, because only there the server refuses a second statement in the text, which could end
// the transaction and then write. What is left of it ends with the connection.
static bool ask_postgres(const struct smoke_query *query, const struct endpoint *server,
                         struct smoke_answer *answer, struct error *err) {
    autofree_string char *begin =
        memory_format("begin read only; set local statement_timeout = %d", query->timeout_ms);
    autofree(postgres) struct postgres *postgres = NULL;
    return postgres_open(server, &postgres, err) && postgres_run(postgres, begin, err) &&
           postgres_prepare(postgres, "smoke", query->sql, err) &&
           postgres_stream(postgres, "execute smoke", NO_PARAMETERS, take_postgres_row, answer,
                           err);
}

// ---- MySQL

static bool take_mysql_row(void *context, const struct mysqldb_row *row, struct error *err) {
    (void)err;
    take_row(context, row->columns > 0 ? row->values[0] : NULL,
             row->columns > 0 ? row->lengths[0] : 0);
    return true;
}

static bool ask_mysql(const struct smoke_query *query, const struct endpoint *server,
                      struct smoke_answer *answer, struct error *err) {
    autofree_string char *limit =
        memory_format("set session max_execution_time = %d", query->timeout_ms);
    autofree(mysqldb) struct mysqldb *mysql = NULL;
    return mysqldb_open(server, &mysql, err) && mysqldb_run(mysql, limit, err) &&
           mysqldb_run(mysql, "start transaction read only", err) &&
           mysqldb_stream(mysql, query->sql, take_mysql_row, answer, err);
}

// ---- MongoDB

// A collection that is not there has no documents, as one that is empty: they are not the same.
static bool ask_mongodb(const struct smoke_query *query, const struct endpoint *server,
                        struct smoke_answer *answer, struct error *err) {
    const char *collection = strchr(query->collection, '.') + 1;
    autodone(string_list) struct string_list collections = {0};
    autofree(mongodb) struct mongodb *mongodb = NULL;
    int64_t count = 0;
    if (!mongodb_open(server, &mongodb, err) ||
        !mongodb_list_collections(mongodb, NULL, &collections, err))
        return false;
    if (!string_list_contains(&collections, collection))
        return error_set(err, ERROR_SERVICE, SERVICE_ERROR_NOT_FOUND,
                         "there is no collection %s in the database %s", collection,
                         server->database);
    if (!mongodb_count(mongodb, collection, query->filter, &count, err))
        return false;
    autofree_string char *text = memory_format("%" PRId64, count);
    take_row(answer, text, strlen(text));
    return true;
}

// ---- Redis

// Of the answer to COMMAND INFO: a list of [name, arity, [flag, …], …], nil for an unknown one.
static bool says_readonly(const struct redis_reply *answer) {
    if (redis_reply_count(answer) == 0 || redis_reply_count(redis_reply_at(answer, 0)) < 3)
        return false;
    const struct redis_reply *flags = redis_reply_at(redis_reply_at(answer, 0), 2);
    for (size_t i = 0; i < redis_reply_count(flags); i++)
        if (strcmp(redis_reply_text(redis_reply_at(flags, i)), "readonly") == 0)
            return true;
    return false;
}

// "OBJECT" says nothing of itself, "OBJECT|ENCODING" does.
static bool check_readonly(const struct smoke_query *query, struct redis_cluster *redis,
                           struct error *err) {
    const struct redis_reply *answer = NULL;
    const char *name = query->command.items[0];
    if (!redis_cluster_node_command(redis, 0, WORDS("COMMAND", "INFO", name), &answer, err))
        return error_prefix(err, "COMMAND INFO");
    if (says_readonly(answer))
        return true;
    autofree_string char *both =
        memory_format("%s|%s", name, query->command.count > 1 ? query->command.items[1] : "");
    if (!redis_cluster_node_command(redis, 0, WORDS("COMMAND", "INFO", both), &answer, err))
        return error_prefix(err, "COMMAND INFO");
    return says_readonly(answer) ||
           error_set(err, ERROR_UNAVAILABLE, 0,
                     "the server does not say of the command %s that it only reads", name);
}

static void take_reply(struct smoke_answer *answer, const struct redis_reply *reply) {
    autofree_string char *number = NULL;
    switch (redis_reply_type(reply)) {
    case REDIS_REPLY_IS_INTEGER:
        number = memory_format("%" PRId64, redis_reply_integer(reply));
        take_row(answer, number, strlen(number));
        break;
    case REDIS_REPLY_IS_TEXT:
        take_row(answer, redis_reply_text(reply), redis_reply_length(reply));
        break;
    case REDIS_REPLY_IS_ARRAY:
        if (redis_reply_count(reply) > 0)
            take_reply(answer, redis_reply_at(reply, 0));
        answer->rows = redis_reply_count(reply);
        break;
    case REDIS_REPLY_IS_NULL:
    case REDIS_REPLY_IS_ERROR:
        break;
    }
}

// In one go: a connection that is made anew in between would be in another database.
static bool ask_redis(const struct smoke_query *query, const struct endpoint *server,
                      struct smoke_answer *answer, struct error *err) {
    const struct kind_members members = {server, 1};
    const struct redis_words commands[] = {
        WORDS("SELECT", server->database != NULL ? server->database : "0"),
        {.items = (const char *const *)query->command.items, .count = query->command.count}};
    const struct redis_reply *const *replies = NULL;
    autofree(redis_cluster) struct redis_cluster *redis = NULL;
    if (!redis_cluster_open(&members, &redis, err) || !check_readonly(query, redis, err) ||
        !redis_cluster_pipeline(redis, commands, 2, &replies, err) ||
        !redis_reply_check(replies[0], err) || !redis_reply_check(replies[1], err))
        return false;
    take_reply(answer, replies[1]);
    return true;
}

// ---- all of them

bool smoke_ask(const struct smoke_query *query, const struct endpoint *server,
               struct smoke_answer *ret_answer, struct error *err) {
    static bool (*const ask[])(const struct smoke_query *query, const struct endpoint *server,
                               struct smoke_answer *answer, struct error *err) = {
        [DUMP_POSTGRES] = ask_postgres,
        [DUMP_MYSQL] = ask_mysql,
        [DUMP_MONGODB] = ask_mongodb,
        [DUMP_REDIS] = ask_redis,
    };
    const bool has_own_timeout = query->engine == DUMP_POSTGRES || query->engine == DUMP_MYSQL;
    struct endpoint limited = *server;
    autodone(smoke_answer) struct smoke_answer answer = {0};
    limited.request_timeout_ms = query->timeout_ms + (has_own_timeout ? SLACK_MS : 0);
    if (!ask[query->engine](query, &limited, &answer, err))
        return false;
    *ret_answer = answer;
    answer = (struct smoke_answer){0};
    return true;
}
