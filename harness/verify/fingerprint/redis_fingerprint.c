#include "verify/fingerprint/redis_fingerprint.h"

#include "base/memory.h"
#include "base/string_list.h"
#include "verify/fingerprint/redis_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_COUNT "100" // keys at a time

struct job {
    struct redis_cluster *cluster;
    const struct redis_fingerprint_options *options;
    const uint8_t *key;
    struct fingerprint *fingerprint;
    size_t *nodes; // that hold slots
    size_t node_count;
    bool fields_expire; // the server knows of such
    uint64_t keys;
};

struct database {
    struct job *job;
    struct row_hash *lasting, *expiring;
    struct row_notes *of_lasting, *of_expiring; // NULL: none are taken
    struct row_hash *rows;                      // makes the hashes of values' rows, and of keys
    struct row_set seen;
};

struct page {
    struct redis_value *values;
    size_t count;
    size_t *asked; // values by their place in the pipeline
    struct redis_words *commands;
};

// ---- the server

static bool nodes_contain(const struct job *self, size_t node) {
    for (size_t i = 0; i < self->node_count; i++)
        if (self->nodes[i] == node)
            return true;
    return false;
}

static bool find_nodes(struct job *self, struct error *err) {
    if (!redis_cluster_refresh(self->cluster, err))
        return false;
    self->nodes = memory_new(redis_cluster_node_count(self->cluster), sizeof *self->nodes);
    for (unsigned slot = 0; slot < REDIS_SLOT_COUNT; slot++) {
        size_t node = 0;
        if (!redis_cluster_owner(self->cluster, slot, &node))
            return error_set(err, ERROR_SERVICE, SERVICE_ERROR_NOT_READY,
                             "redis: no node holds the slot %u", slot);
        if (!nodes_contain(self, node))
            self->nodes[self->node_count++] = node;
    }
    return true;
}

// Whether the server has this command, whatever it says of these words.
static bool has_command(struct job *self, struct redis_words command, bool *ret_has,
                        struct error *err) {
    struct error refusal = {0};
    *ret_has = true;
    if (redis_cluster_node_command(self->cluster, self->nodes[0], command, NULL, &refusal))
        return true;
    *ret_has = refusal.code != SERVICE_ERROR_UNSUPPORTED;
    if (refusal.domain != ERROR_SERVICE && err != NULL)
        *err = refusal;
    return refusal.domain == ERROR_SERVICE;
}

static bool ask_abilities(struct job *self, struct error *err) {
    bool expires = false;
    if (!has_command(self, WORDS("PEXPIRETIME", "assay"), &expires, err) ||
        !has_command(self, WORDS("HPEXPIRETIME", "assay", "FIELDS", "1", "field"),
                     &self->fields_expire, err))
        return false;
    return expires || error_set(err, ERROR_UNAVAILABLE, 0,
                                "%s does not say when a key expires: it is older than Redis 7.0",
                                redis_cluster_node_name(self->cluster, self->nodes[0]));
}

static bool select_database(struct job *self, const char *number, struct error *err) {
    for (size_t i = 0; i < self->node_count; i++)
        if (!redis_cluster_node_command(self->cluster, self->nodes[i], WORDS("SELECT", number),
                                        NULL, err))
            return error_prefix(err, "SELECT %s", number);
    return true;
}

// ---- function libraries

static bool add_library(struct job *self, const struct redis_reply *library, struct error *err) {
    const struct redis_reply *name = redis_map_at(library, "library_name");
    const struct redis_reply *engine = redis_map_at(library, "engine");
    const struct redis_reply *code = redis_map_at(library, "library_code");
    if (name == NULL || engine == NULL || code == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "redis: a library without name, engine or code");
    struct fingerprint_object *object =
        fingerprint_add(self->fingerprint, "library", redis_reply_text(name));
    autofree_string char *engine_name = memory_format("%s engine", redis_reply_text(name));
    autofree_string char *code_name = memory_format("%s code", redis_reply_text(name));
    fingerprint_attribute_add(object, engine_name, redis_reply_text(engine));
    fingerprint_attribute_add(object, code_name, redis_reply_text(code));
    return true;
}

static bool read_libraries(struct job *self, struct error *err) {
    const struct redis_reply *libraries = NULL;
    if (!redis_cluster_node_command(self->cluster, self->nodes[0],
                                    WORDS("FUNCTION", "LIST", "WITHCODE"), &libraries, err))
        return error_prefix(err, "the function libraries");
    for (size_t i = 0; i < redis_reply_count(libraries); i++)
        if (!add_library(self, redis_reply_at(libraries, i), err))
            return false;
    return true;
}

// ---- keys

static void page_done(struct page *self) {
    for (size_t i = 0; i < self->count; i++)
        redis_value_done(&self->values[i]);
    free(self->values);
    free(self->asked);
    free(self->commands);
    *self = (struct page){.count = 0};
}

DEFINE_AUTODONE(page, page_done);

static bool is_new(struct database *self, const struct redis_reply *key) {
    struct row_sum row;
    row_hash_begin(self->rows);
    row_hash_value(self->rows, redis_reply_text(key), redis_reply_length(key));
    row_hash_end(self->rows, &row);
    return row_set_add(&self->seen, &row);
}

static void take_keys(struct database *self, const struct redis_reply *keys, struct page *page) {
    const size_t most = redis_reply_count(keys);
    page->values = memory_new(most + 1, sizeof *page->values);
    page->asked = memory_new(most + 1, sizeof *page->asked);
    page->commands = memory_new(most + 1, sizeof *page->commands);
    for (size_t i = 0; i < most; i++) {
        const struct redis_reply *key = redis_reply_at(keys, i);
        if (is_new(self, key))
            redis_value_init(&page->values[page->count++], self->rows, self->job->fields_expire,
                             redis_reply_text(key), redis_reply_length(key));
    }
}

// Asks the next question of each key that is not complete; *ret_count: of how many that were.
static bool ask_next(const struct database *self, struct page *page, size_t *ret_count,
                     struct error *err) {
    const struct redis_reply *const *replies = NULL;
    size_t count = 0;
    for (size_t i = 0; i < page->count; i++)
        if (!page->values[i].complete) {
            page->asked[count] = i;
            page->commands[count++] = redis_value_ask(&page->values[i]);
        }
    *ret_count = count;
    if (count == 0)
        return true;
    if (!redis_cluster_pipeline(self->job->cluster, page->commands, count, &replies, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct redis_value *value = &page->values[page->asked[i]];
        if (!redis_value_take(value, replies[i], err))
            return value->type_name == NULL ? false : error_prefix(err, "a %s", value->type_name);
    }
    return true;
}

static void add_number(struct row_hash *hash, int64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    row_hash_value(hash, text, strlen(text));
}

static void note_key(struct row_notes *notes, const struct redis_value *value) {
    row_notes_key(notes, NULL, value->key.bytes, value->key.length);
    row_notes_value(notes, "type", value->type_name, strlen(value->type_name));
    row_notes_value(notes, "expiry", &value->expires_ms, sizeof value->expires_ms);
    row_notes_value(notes, "value", &value->sum, sizeof value->sum);
}

static void add_key(struct database *self, const struct redis_value *value) {
    char sum[ROW_SUM_TEXT_SIZE];
    const bool expires = value->expires_ms != REDIS_VALUE_LASTING;
    const bool is_apart = expires || value->fields_expire;
    struct row_hash *hash = is_apart ? self->expiring : self->lasting;
    struct row_notes *notes = is_apart ? self->of_expiring : self->of_lasting;
    row_hash_begin(hash);
    row_hash_value(hash, value->key.bytes, value->key.length);
    row_hash_value(hash, value->type_name, strlen(value->type_name));
    if (expires)
        add_number(hash, value->expires_ms);
    else
        row_hash_null(hash);
    add_number(hash, (int64_t)value->sum.rows);
    row_hash_value(hash, row_sum_format(&value->sum, sum), ROW_SUM_TEXT_SIZE - 1);
    row_hash_end(hash, NULL);
    if (row_notes_wants(notes))
        note_key(notes, value);
    self->job->keys++;
}

static bool read_page(struct database *self, struct page *page, struct error *err) {
    size_t count = 0;
    do {
        if (!cancel_check(self->job->options->cancel, err) || !ask_next(self, page, &count, err))
            return false;
    } while (count > 0);
    for (size_t i = 0; i < page->count; i++)
        if (!page->values[i].gone)
            add_key(self, &page->values[i]);
    return true;
}

static bool take_text(const struct redis_reply *reply, char *buffer, size_t size) {
    const size_t length = redis_reply_length(reply);
    if (length == 0 || length >= size)
        return false;
    memcpy(buffer, redis_reply_text(reply), length + 1);
    return true;
}

// One page; the cursor moves on, and is "0" at the end.
static bool scan(struct database *self, size_t node, char *cursor, size_t size, struct error *err) {
    const struct redis_reply *reply = NULL;
    autodone(page) struct page page = {.count = 0};
    if (!redis_cluster_node_command(self->job->cluster, node,
                                    WORDS("SCAN", cursor, "COUNT", SCAN_COUNT), &reply, err))
        return false;
    const struct redis_reply *keys =
        redis_reply_count(reply) == 2 ? redis_reply_at(reply, 1) : NULL;
    if (keys == NULL || redis_reply_type(keys) != REDIS_REPLY_IS_ARRAY ||
        !take_text(redis_reply_at(reply, 0), cursor, size))
        return error_set(err, ERROR_PROTOCOL, 0, "redis: an answer to SCAN that is not understood");
    take_keys(self, keys, &page);
    return read_page(self, &page, err);
}

static bool scan_node(struct database *self, size_t node, struct error *err) {
    char cursor[32] = "0";
    do {
        if (!scan(self, node, cursor, sizeof cursor, err))
            return error_prefix(err, "%s", redis_cluster_node_name(self->job->cluster, node));
    } while (strcmp(cursor, "0") != 0);
    return true;
}

// ---- databases

static void add_content(struct job *self, const char *name, const struct row_hash *hash) {
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(fingerprint_add(self->fingerprint, "database", name), &content);
}

static char *name_of_expiring(const char *number) {
    return memory_format("%s" REDIS_KEYS_THAT_EXPIRE, number);
}

static bool read_keys(struct database *self, const char *number, struct error *err) {
    struct job *job = self->job;
    if (!select_database(job, number, err))
        return false;
    for (size_t i = 0; i < job->node_count; i++)
        if (!scan_node(self, job->nodes[i], err))
            return error_prefix(err, "database %s", number);
    autofree_string char *expiring = name_of_expiring(number);
    add_content(job, number, self->lasting);
    add_content(job, expiring, self->expiring);
    if (job->options->progress != NULL)
        job->options->progress(job->options->context, number, job->keys);
    return true;
}

static bool read_database(struct job *self, const char *number, struct error *err) {
    const size_t buckets = self->options->buckets;
    struct row_hunt *hunt = self->options->hunt;
    struct row_notes *lasting = NULL, *expiring = NULL;
    autofree_string char *name = name_of_expiring(number);
    const bool first = row_hunt_reads(hunt, "database", number, &lasting);
    const bool second = row_hunt_reads(hunt, "database", name, &expiring);
    if (!first && !second)
        return true;
    struct database database = {
        .job = self,
        .lasting = row_hash_new(self->key, .buckets = buckets, .key_columns = 1, .notes = lasting),
        .expiring =
            row_hash_new(self->key, .buckets = buckets, .key_columns = 1, .notes = expiring),
        .of_lasting = lasting,
        .of_expiring = expiring,
        .rows = row_hash_new(self->key, .buckets = 1)};
    const bool read = read_keys(&database, number, err);
    row_hash_free(database.lasting);
    row_hash_free(database.expiring);
    row_hash_free(database.rows);
    row_set_done(&database.seen);
    return read;
}

// Lines "db3:keys=12,expires=0,…" of those that hold keys.
static void add_numbers(const char *info, struct string_list *numbers) {
    for (const char *at = info; (at = strstr(at, "db")) != NULL; at += 2) {
        const size_t digits = strspn(at + 2, "0123456789");
        if ((at != info && at[-1] != '\n') || digits == 0 || at[2 + digits] != ':')
            continue;
        autofree_string char *number = memory_copy_bytes(at + 2, digits);
        if (!string_list_contains(numbers, number))
            string_list_add(numbers, number);
    }
}

static bool list_databases(struct job *self, struct string_list *numbers, struct error *err) {
    string_list_add(numbers, "0");
    for (size_t i = 0; i < self->node_count; i++) {
        const struct redis_reply *info = NULL;
        if (!redis_cluster_node_command(self->cluster, self->nodes[i], WORDS("INFO", "keyspace"),
                                        &info, err))
            return error_prefix(err, "the list of databases");
        add_numbers(redis_reply_text(info), numbers);
    }
    return numbers->count == 1 || self->node_count == 1 ||
           error_set(err, ERROR_UNAVAILABLE, 0,
                     "a cluster with other databases than 0 cannot be read");
}

static bool read_databases(struct job *self, struct error *err) {
    autodone(string_list) struct string_list numbers = {0};
    if (!list_databases(self, &numbers, err))
        return false;
    for (size_t i = 0; i < numbers.count; i++)
        if (!read_database(self, numbers.items[i], err))
            return false;
    return true;
}

bool redis_fingerprint_with(struct redis_cluster *cluster, const uint8_t key[ROW_HASH_KEY_SIZE],
                            const struct redis_fingerprint_options *options,
                            struct fingerprint **ret_fingerprint, struct error *err) {
    autofree(fingerprint) struct fingerprint *fingerprint = fingerprint_new("redis");
    struct job job = {cluster, options, key, fingerprint, NULL, 0, false, 0};
    const bool read = find_nodes(&job, err) && ask_abilities(&job, err) &&
                      read_libraries(&job, err) && read_databases(&job, err) &&
                      fingerprint_sort(fingerprint, err);
    const bool left = select_database(&job, "0", read ? err : NULL);
    free(job.nodes);
    if (!read || !left)
        return false;
    *ret_fingerprint = TAKE(fingerprint);
    return true;
}
