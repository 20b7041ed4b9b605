#include "verify/fingerprint/redis_fingerprint.h"

#include "base/memory.h"
#include "verify/fingerprint/redis_value.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

// Emptied before and after each test, which wants to find them empty.
#define OWN "15"
#define OTHER "14"

static struct {
    char host[256];
    bool filled; // what is in the two databases is this test's
    struct redis_cluster *cluster, *commands;
    struct fingerprint *before, *after;
    struct row_hunt *now, *then;
    struct differences differences;
    struct text text;
    struct error err;
} held;

static bool flush(const char *database) {
    return redis_cluster_command(held.commands, WORDS("SELECT", database), NULL, NULL) &&
           redis_cluster_command(held.commands, WORDS("FLUSHDB"), NULL, NULL);
}

static void release(void) {
    if (held.filled) {
        (void)!redis_cluster_command(held.commands,
                                     WORDS("FUNCTION", "DELETE", "assay_fingerprint"), NULL, NULL);
        (void)!flush(OTHER);
        (void)!flush(OWN);
    }
    redis_cluster_close(held.cluster);
    redis_cluster_close(held.commands);
    fingerprint_free(held.before);
    fingerprint_free(held.after);
    row_hunt_free(held.now);
    row_hunt_free(held.then);
    differences_done(&held.differences);
    text_done(&held.text);
}

TestSuite(redis_fingerprint, .fini = release, .timeout = 120);

static const struct redis_reply *command(struct redis_words words) {
    const struct redis_reply *reply = NULL;
    cr_assert(redis_cluster_command(held.commands, words, &reply, &held.err), "%s: %s",
              words.items[0], held.err.message);
    return reply;
}
#define COMMAND(...) command(WORDS(__VA_ARGS__))

// Tests would see each other's keys: one at a time.
static void wait_for_others(void) {
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); // until the test's process ends
    cr_assert_geq(fd, 0);
    cr_assert_eq(flock(fd, LOCK_EX), 0);
}

static void need_empty(const char *database) {
    if (!redis_cluster_command(held.commands, WORDS("SELECT", database), NULL, &held.err))
        cr_skip_test("this server has no database %s: %s", database, held.err.message);
    if (redis_reply_integer(COMMAND("DBSIZE")) != 0)
        cr_skip_test("the database %s of this server is somebody's", database);
}

// ASSAY_TEST_REDIS=127.0.0.1:6379: a server without login, and in no cluster, whose databases 14
// and 15 are empty.
static void open_server(void) {
    const char *where = getenv("ASSAY_TEST_REDIS");
    const char *colon = where != NULL ? strrchr(where, ':') : NULL;
    if (colon == NULL)
        cr_skip_test("ASSAY_TEST_REDIS names no server");
    snprintf(held.host, sizeof held.host, "%.*s", (int)(colon - where), where);
    const struct endpoint endpoint = {
        .service = "redis", .host = held.host, .port = (uint16_t)strtoul(colon + 1, NULL, 10)};
    const struct kind_members members = {.endpoints = &endpoint, .count = 1};
    wait_for_others();
    cr_assert(redis_cluster_open(&members, &held.cluster, &held.err), "%s", held.err.message);
    cr_assert(redis_cluster_open(&members, &held.commands, &held.err), "%s", held.err.message);
    need_empty(OTHER);
    need_empty(OWN);
    held.filled = true;
}

static bool has_command(const char *name) {
    const struct redis_reply *reply = COMMAND("COMMAND", "INFO", name);
    return redis_reply_count(reply) == 1 && redis_reply_count(redis_reply_at(reply, 0)) > 0;
}

// Words with single spaces between them.
static void run(const char *line) {
    char copy[512];
    const char *words[64];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *at = copy; at != NULL; count++) {
        words[count] = at;
        if ((at = strchr(at, ' ')) != NULL)
            *at++ = '\0';
    }
    command((struct redis_words){.items = words, .count = count});
}

static bool is_own(const json_t *object) {
    const char *name = json_string_value(json_object_get(object, "name"));
    return strncmp(name, OWN, 2) == 0 || strncmp(name, OTHER, 2) == 0 ||
           strcmp(name, "assay_fingerprint") == 0;
}

// The server may hold more: what is not this test's is taken out.
static void keep_own(struct fingerprint **fingerprint) {
    json_t *json = fingerprint_to_json(*fingerprint);
    json_t *objects = json_object_get(json, "objects");
    for (size_t i = json_array_size(objects); i-- > 0;)
        if (!is_own(json_array_get(objects, i)))
            json_array_remove(objects, i);
    fingerprint_free(TAKE(*fingerprint));
    const bool read = fingerprint_from_json((struct json_place){json, ""}, fingerprint, &held.err);
    json_decref(json);
    cr_assert(read, "%s", held.err.message);
}

static void look(struct fingerprint **ret_fingerprint) {
    fingerprint_free(TAKE(*ret_fingerprint));
    cr_assert(redis_fingerprint(held.cluster, KEY, ret_fingerprint, &held.err), "%s",
              held.err.message);
    keep_own(ret_fingerprint);
}

static bool compare(void) {
    look(&held.after);
    differences_done(&held.differences);
    text_clear(&held.text);
    const bool equal = fingerprint_equal(held.before, held.after, &held.differences);
    differences_format(&held.differences, &held.text);
    return equal;
}

// Up to four commands, and what has become different by them.
struct change {
    const char *commands[4];
    const char *said;
    size_t count; // of differences; 0: 1
};

static void expect_said(const struct change *change) {
    for (size_t i = 0; i < 4 && change->commands[i] != NULL; i++)
        run(change->commands[i]);
    cr_expect_not(compare(), "%s", change->commands[0]);
    cr_expect_not_null(strstr(text_string(&held.text), change->said), "%s\nsaid: %swanted: %s",
                       change->commands[0], text_string(&held.text), change->said);
    cr_expect_eq(held.differences.count, change->count > 0 ? change->count : 1, "%s\nsaid: %s",
                 change->commands[0], text_string(&held.text));
    struct fingerprint *old = held.before;
    held.before = held.after;
    held.after = old;
}

static void expect_all_said(const struct change *changes, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect_said(&changes[i]);
}
#define EXPECT_SAID(changes) expect_all_said((changes), sizeof(changes) / sizeof(changes)[0])

static void expect_the_same(const char *after) {
    cr_expect(compare(), "%s: %s", after, text_string(&held.text));
}

#define MANY 250 // elements of a large key: some pages

static void fill_many(int i) {
    char number[32], member[32], id[32];
    snprintf(number, sizeof number, "%d", i);
    snprintf(member, sizeof member, "m%d", i);
    snprintf(id, sizeof id, "%d-1", i + 1);
    COMMAND("SADD", "large set", member);
    COMMAND("HSET", "large hash", member, number);
    COMMAND("ZADD", "large zset", number, member);
    COMMAND("SET", member, number);
}

static void fill_in_order(void) {
    for (int i = 0; i < MANY; i++) {
        char number[32], id[32];
        snprintf(number, sizeof number, "%d", i);
        snprintf(id, sizeof id, "%d-1", i + 1);
        COMMAND("RPUSH", "large list", number);
        COMMAND("XADD", "large stream", id, "n", number);
    }
    run("XGROUP CREATE stream readers 0 MKSTREAM");
    run("XADD stream 1-1 a 1 b 2");
    run("XADD stream 2-1 a 1 a 2");
    run("XADD stream 3-1 a 3");
    run("XREADGROUP GROUP readers first COUNT 2 STREAMS stream >");
    run("XGROUP CREATE stream others 2-1");
    COMMAND("XGROUP", "CREATE", "large stream", "readers", "0");
    COMMAND("XREADGROUP", "GROUP", "readers", "first", "STREAMS", "large stream", ">");
}

// `turn`: the other way round.
static void fill(bool turn) {
    static const char *const lines[] = {
        "SET text value",
        "SET number 5",
        "SADD set a b c",
        "SADD numbers 1 2 3",
        "HSET hash f 1 g 2 h 3",
        "ZADD zset 0.1 a 2 b inf c -0 d",
        "SET passing x PXAT 4102444800000",
        "SET lasting x",
        "SADD both 1 2",
        "SET again 1",
    };
    const size_t count = sizeof lines / sizeof lines[0];
    for (size_t i = 0; i < count; i++)
        run(lines[turn ? count - 1 - i : i]);
    for (int i = 0; i < MANY; i++)
        fill_many(turn ? MANY - 1 - i : i);
    fill_in_order();
    run("RPUSH list a b c");
    COMMAND("SET", "empty", "");
    COMMAND("SETRANGE", "large text", "199999", "x");
}

static void fill_server(void) {
    open_server();
    fill(false);
    look(&held.before);
}

Test(redis_fingerprint, of_the_same_database_is_the_same) {
    fill_server();
    expect_the_same("nothing");
    const struct fingerprint_object *lasting = fingerprint_find(held.before, "database", OWN);
    const struct fingerprint_object *expiring =
        fingerprint_find(held.before, "database", OWN ", keys that expire");
    cr_assert(lasting != NULL && expiring != NULL);
    cr_expect_eq(lasting->content.total.rows + expiring->content.total.rows,
                 (uint64_t)redis_reply_integer(COMMAND("DBSIZE")));
    cr_expect_eq(expiring->content.total.rows, 1);
}

Test(redis_fingerprint, does_not_depend_on_order) {
    fill_server();
    COMMAND("FLUSHDB");
    fill(true);
    expect_the_same("in other order");
}

Test(redis_fingerprint, does_not_depend_on_how_values_are_stored) {
    static const char *const lines[] = {
        "SADD numbers x",      "SREM numbers x", // no longer numbers alone
        "SETRANGE number 0 5",                   // no longer a number
        "COPY stream copied",  "DEL stream",     "RENAME copied stream",
        "COPY zset copied",    "DEL zset",       "RENAME copied zset",
    };
    char large[256];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    fill_server();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        run(lines[i]);
    COMMAND("HSET", "hash", "f", large); // no longer one block of memory
    COMMAND("HSET", "hash", "f", "1");
    COMMAND("SADD", "set", large);
    COMMAND("SREM", "set", large);
    COMMAND("ZADD", "zset", "1", large);
    COMMAND("ZREM", "zset", large);
    COMMAND("LPUSH", "list", large);
    COMMAND("LPOP", "list");
    expect_the_same("stored in other ways");
}

#define ALTERED "database 15: rows altered in 1 of 256 buckets"

// Just as long as a piece, and as many as a page: that which ends there is complete.
Test(redis_fingerprint, reads_values_that_end_where_a_piece_does) {
    open_server();
    COMMAND("SETRANGE", "text", "65535", "x");
    for (int i = 0; i < REDIS_VALUE_PAGE; i++)
        COMMAND("RPUSH", "list", "x");
    look(&held.before);
    expect_said(&(const struct change){{"APPEND text y"}, ALTERED});
    expect_said(&(const struct change){{"RPUSH list y"}, ALTERED});
    expect_said(&(const struct change){{"RPOP list"}, ALTERED});
}

Test(redis_fingerprint, keeps_bytes_and_empty_names_apart) {
    open_server();
    const struct redis_words with_nul = {.items = (const char *const[]){"SET", "a\0b", "c\0d"},
                                         .lengths = (const size_t[]){3, 3, 3},
                                         .count = 3};
    command(with_nul);
    COMMAND("SET", "a", "c");
    look(&held.before);
    const struct redis_words other = {.items = (const char *const[]){"SET", "a\0b", "c\0e"},
                                      .lengths = (const size_t[]){3, 3, 3},
                                      .count = 3};
    command(other);
    expect_said(&(const struct change){{NULL}, ALTERED});
    COMMAND("SET", "", "x");
    expect_said(&(const struct change){{NULL}, "database 15: 1 row extra (3 of 2)"});
}

Test(redis_fingerprint, sees_fields_that_expire) {
    static const struct change changes[] = {
        {{"HPEXPIREAT hash 4102444800000 FIELDS 1 f"},
         "database 15, keys that expire: 1 row extra (",
         2},
        {{"HPEXPIREAT hash 4102444800001 FIELDS 1 f"},
         "database 15, keys that expire: rows altered in 1 of 256 buckets (2 of 2)"},
        {{"HPERSIST hash FIELDS 1 f", "HPEXPIREAT hash 4102444800001 FIELDS 1 g"},
         "database 15, keys that expire: rows altered in 1 of 256 buckets (2 of 2)"},
        {{"HPERSIST hash FIELDS 1 g"}, "database 15, keys that expire: 1 row missing (", 2},
    };
    open_server();
    if (!has_command("HPEXPIREAT"))
        cr_skip_test("this server's fields do not expire");
    fill(false);
    look(&held.before);
    EXPECT_SAID(changes);
}

Test(redis_fingerprint, sees_each_change_of_a_vector_set) {
    static const struct change changes[] = {
        {{"VADD vectors VALUES 2 1 0 a"}, "database 15: 1 row extra ("},
        {{"VADD vectors VALUES 2 0 1 b"}, ALTERED},
        {{"VADD vectors VALUES 2 1 1 b"}, ALTERED},
        {{"VSETATTR vectors b {\"x\":1}"}, ALTERED},
        {{"VSETATTR vectors b {\"x\":2}"}, ALTERED},
        {{"VREM vectors a", "VADD vectors VALUES 2 1 0 c"}, ALTERED},
    };
    open_server();
    if (!has_command("VADD"))
        cr_skip_test("this server has no vector sets");
    look(&held.before);
    run("SET text value");
    look(&held.before);
    EXPECT_SAID(changes);
    for (int i = 0; i < MANY; i++) {
        char number[32];
        snprintf(number, sizeof number, "%d", i);
        COMMAND("VADD", "vectors", "VALUES", "2", number, "1", number);
    }
    look(&held.before);
    const struct redis_reply *dump = COMMAND("DUMP", "vectors");
    const size_t length = redis_reply_length(dump);
    char *bytes = memory_copy_bytes(redis_reply_text(dump), length);
    command((struct redis_words){
        .items = (const char *const[]){"RESTORE", "vectors", "0", bytes, "REPLACE"},
        .lengths = (const size_t[]){7, 7, 1, length, 7},
        .count = 5});
    free(bytes);
    expect_the_same("restored");
}

Test(redis_fingerprint, sees_function_libraries) {
    open_server();
    look(&held.before);
    COMMAND("FUNCTION", "LOAD",
            "#!lua name=assay_fingerprint\nredis.register_function('assay_f', function() return 1 "
            "end)");
    expect_said(&(const struct change){{NULL}, "library assay_fingerprint: is extra"});
    COMMAND("FUNCTION", "LOAD", "REPLACE",
            "#!lua name=assay_fingerprint\nredis.register_function('assay_f', function() return 2 "
            "end)");
    expect_said(&(const struct change){{NULL}, "assay_fingerprint code: #!lua"});
    run("FUNCTION DELETE assay_fingerprint");
    expect_said(&(const struct change){{NULL}, "library assay_fingerprint: is missing"});
}

static void count_calls(void *context, const char *database, uint64_t keys) {
    uint64_t *last = context;
    cr_expect_geq(keys, *last);
    if (strcmp(database, OWN) == 0)
        cr_expect_geq(keys, *last + MANY);
    *last = keys;
}

Test(redis_fingerprint, tells_how_far_it_is) {
    uint64_t keys = 0;
    fill_server();
    cr_assert(redis_fingerprint(held.cluster, KEY, &held.after, &held.err, .buckets = 16,
                                .progress = count_calls, .context = &keys));
    cr_expect_geq(keys, MANY);
    const struct redis_reply *reply = NULL;
    cr_assert(redis_cluster_command(held.cluster, WORDS("CLIENT", "INFO"), &reply, &held.err));
    cr_expect_not_null(strstr(redis_reply_text(reply), " db=0 "), "%s", redis_reply_text(reply));
}

Test(redis_fingerprint, can_be_cancelled) {
    struct cancel cancel;
    open_server();
    run("SET text value");
    cr_assert(cancel_init(&cancel, &held.err));
    cancel_request(&cancel);
    cr_expect_not(redis_fingerprint(held.cluster, KEY, &held.after, &held.err, .cancel = &cancel));
    cr_expect_eq(held.err.domain, ERROR_CANCELLED);
    cr_expect_null(held.after);
    cancel_done(&cancel);
}

// ---- which keys differ

static void hunt(struct row_hunt **ret_hunt) {
    struct fingerprint *again = NULL;
    row_hunt_free(*ret_hunt);
    *ret_hunt = row_hunt_new(held.before, held.after, KEY);
    cr_assert_not_null(*ret_hunt);
    cr_assert(redis_fingerprint(held.cluster, KEY, &again, &held.err, .hunt = *ret_hunt), "%s",
              held.err.message);
    fingerprint_free(again);
}

static void expect_words(const char *change, struct row_hunt *then, size_t at, const char *wanted) {
    cr_assert_gt(held.now->count, at);
    text_clear(&held.text);
    row_hunt_say(held.now, then, at, held.before, held.after, &held.text);
    cr_expect_eq(strncmp(text_string(&held.text), wanted, strlen(wanted)), 0, "%s: %s", change,
                 text_string(&held.text));
}

static void expect_rows(const char *change, const char *back, const char *by_rows,
                        const char *by_sums) {
    look(&held.before);
    run(change);
    look(&held.after);
    hunt(&held.now);
    expect_words(change, NULL, 0, by_sums);
    hunt(&held.now);
    run(back);
    hunt(&held.then);
    expect_words(change, held.then, 0, by_rows);
}

Test(redis_fingerprint, read_again_names_the_keys_that_differ) {
    open_server();
    COMMAND("SELECT", OWN);
    fill(false);
    expect_rows("SET new:1 x", "DEL new:1", "\n    extra: new:1", "\n    extra: new:1");
    expect_rows("DEL number", "SET number 5", "\n    missing: number",
                "\n    missing: 1 row of bucket ");
    expect_rows("APPEND lasting y", "SET lasting x", "\n    changed: lasting (value)",
                "\n    changed: ");
    expect_rows("RENAME again Again", "RENAME Again again",
                "\n    missing: again\n    extra: Again", "\n    ");
    expect_rows("PEXPIREAT passing 4102444800001", "PEXPIREAT passing 4102444800000",
                "\n    changed: passing (expiry)", "\n    changed: passing");
    COMMAND("SET", "odd\nname\377", "x");
    expect_rows("SETRANGE large\nx 0 x", "DEL large\nx", "\n    extra: x'6c617267650a78'",
                "\n    extra: x'6c617267650a78'");
}

Test(redis_fingerprint, read_again_knows_a_key_that_expires_now) {
    open_server();
    COMMAND("SELECT", OWN);
    fill(false);
    look(&held.before);
    run("PEXPIREAT lasting 4102444800000");
    look(&held.after);
    hunt(&held.now);
    expect_words("PEXPIREAT", NULL, 0, "\n    missing: 1 row of bucket ");
    expect_words("PEXPIREAT", NULL, 1, "\n    extra: lasting");
}
