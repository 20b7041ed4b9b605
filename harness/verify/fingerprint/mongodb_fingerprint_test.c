#include "verify/fingerprint/mongodb_fingerprint.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const uint8_t KEY[ROW_HASH_KEY_SIZE] = "a key of a test";

static struct {
    char host[256];
    char database[64];
    struct mongodb *mongodb;
    struct fingerprint *before, *after;
    struct row_hunt *now, *then;
    struct differences differences;
    struct text text;
    struct error err;
} held;

static void release(void) {
    if (held.mongodb != NULL)
        (void)!mongodb_run(held.mongodb, NULL, "{\"dropDatabase\": 1}", NULL, NULL);
    mongodb_close(held.mongodb);
    fingerprint_free(held.before);
    fingerprint_free(held.after);
    row_hunt_free(held.now);
    row_hunt_free(held.then);
    differences_done(&held.differences);
    text_done(&held.text);
}

TestSuite(mongodb_fingerprint, .fini = release, .timeout = 120);

// A collection that another test drops while it is read ends the reading: one test at a time.
static void wait_for_others(void) {
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); // until the test's process ends
    cr_assert_geq(fd, 0);
    cr_assert_eq(flock(fd, LOCK_EX), 0);
}

// ASSAY_TEST_MONGODB=127.0.0.1:27017: a server without login, on which databases of this test's own
// are made and dropped.
static void open_server(void) {
    const char *where = getenv("ASSAY_TEST_MONGODB");
    const char *colon = where != NULL ? strrchr(where, ':') : NULL;
    if (colon == NULL)
        cr_skip_test("ASSAY_TEST_MONGODB names no server");
    snprintf(held.host, sizeof held.host, "%.*s", (int)(colon - where), where);
    snprintf(held.database, sizeof held.database, "assay_fingerprint_%d", (int)getpid());
    const struct endpoint endpoint = {.service = "mongodb",
                                      .host = held.host,
                                      .port = (uint16_t)strtoul(colon + 1, NULL, 10),
                                      .database = held.database};
    wait_for_others();
    cr_assert(mongodb_open(&endpoint, &held.mongodb, &held.err), "%s", held.err.message);
}

static void need(enum mongodb_feature feature) {
    struct mongodb_support support;
    open_server();
    cr_assert(mongodb_supports(held.mongodb, feature, &support, &held.err), "%s", held.err.message);
    if (!support.supported)
        cr_skip_test("this server has it not: %s", support.said);
}

static void run(const char *command) {
    cr_assert(mongodb_run(held.mongodb, NULL, command, NULL, &held.err), "%s: %s", command,
              held.err.message);
}

static bool is_own(const json_t *object) {
    const char *name = json_string_value(json_object_get(object, "name"));
    const size_t length = strlen(held.database);
    return strncmp(name, held.database, length) == 0 && name[length] == '.';
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
    cr_assert(mongodb_fingerprint(held.mongodb, KEY, ret_fingerprint, &held.err), "%s",
              held.err.message);
    keep_own(ret_fingerprint);
}

static void swap(void) {
    struct fingerprint *old = held.before;
    held.before = held.after;
    held.after = old;
}

// What has become different since `before`, which is then what was found now.
static void expect_differences(size_t count, const char *change, const char *said) {
    look(&held.after);
    differences_done(&held.differences);
    text_clear(&held.text);
    cr_expect_not(fingerprint_equal(held.before, held.after, &held.differences), "%s", change);
    differences_format(&held.differences, &held.text);
    cr_expect_not_null(strstr(text_string(&held.text), said), "%s\nsaid: %swanted: %s", change,
                       text_string(&held.text), said);
    cr_expect_eq(held.differences.count, count, "%s\nsaid: %s", change, text_string(&held.text));
    swap();
}

static void expect_the_same(const char *after) {
    look(&held.after);
    differences_done(&held.differences);
    text_clear(&held.text);
    const bool equal = fingerprint_equal(held.before, held.after, &held.differences);
    differences_format(&held.differences, &held.text);
    cr_expect(equal, "%s: %s", after, text_string(&held.text));
}

#define DOCUMENTS 300
static const char SEVENTH[] =
    "{\"_id\": 7, \"n\": 5, \"score\": 0.0, \"name\": \"e\u0301te\", \"empty\": \"\", \"none\": "
    "null, "
    "\"at\": {\"$date\": {\"$numberLong\": \"1767225600000\"}}, \"list\": [1, {\"x\": [2, 3]}, 4], "
    "\"sub\": {\"a\": 1, \"b\": 2}, \"raw\": {\"$binary\": {\"base64\": \"AP8A\", \"subType\": "
    "\"00\"}}, \"flag\": true}";

static void put(const char *document) {
    cr_assert(mongodb_insert(held.mongodb, "orders", document, &held.err), "%s: %s", document,
              held.err.message);
}

static void put_number(int i) {
    char document[256];
    snprintf(document, sizeof document,
             "{\"_id\": %d, \"customer\": %d, \"name\": \"name %d\", \"total\": %d.25}", i, i % 17,
             i, i);
    put(i == 7 ? SEVENTH : document);
}

static void fill_server(void) {
    open_server();
    for (int i = 0; i < DOCUMENTS; i++)
        put_number(i);
    run("{\"create\": \"empty\"}");
    run("{\"createIndexes\": \"orders\", \"indexes\": [{\"key\": {\"customer\": 1, \"total\": -1}, "
        "\"name\": \"by_customer\"}, {\"key\": {\"other\": 1}, \"name\": \"others\"}]}");
    look(&held.before);
}

// For `said`: %s is this test's database.
static char *in_database(const char *said) {
    struct text text = {0};
    const char *place;
    for (; (place = strstr(said, "%s")) != NULL; said = place + 2) {
        text_append_bytes(&text, said, (size_t)(place - said));
        text_append(&text, held.database);
    }
    text_append(&text, said);
    return text_take(&text);
}

Test(mongodb_fingerprint, of_the_same_database_is_the_same) {
    fill_server();
    expect_the_same("nothing");
    char name[128];
    snprintf(name, sizeof name, "%s.orders", held.database);
    const struct fingerprint_object *orders = fingerprint_find(held.before, "collection", name);
    cr_assert_not_null(orders);
    cr_expect_eq(orders->content.total.rows, DOCUMENTS);
    snprintf(name, sizeof name, "%s.empty", held.database);
    const struct fingerprint_object *empty = fingerprint_find(held.before, "collection", name);
    cr_assert_not_null(empty);
    cr_expect(empty->has_content);
    cr_expect_eq(empty->content.total.rows, 0);
}

Test(mongodb_fingerprint, does_not_depend_on_order) {
    fill_server();
    run("{\"dropDatabase\": 1}");
    run("{\"create\": \"empty\"}");
    run("{\"create\": \"orders\"}");
    run("{\"createIndexes\": \"orders\", \"indexes\": [{\"key\": {\"other\": 1}, \"name\": "
        "\"others\"}, {\"key\": {\"customer\": 1, \"total\": -1}, \"name\": \"by_customer\"}]}");
    for (int i = DOCUMENTS; i-- > 0;)
        put_number(i);
    expect_the_same("in other order");
}

struct change {
    const char *command;
    const char *said; // %s: this test's database
    size_t count;     // 0: 1
};

static void expect_said(const struct change *changes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        run(changes[i].command);
        char *said = in_database(changes[i].said);
        expect_differences(changes[i].count > 0 ? changes[i].count : 1, changes[i].command, said);
        free(said);
    }
}
#define EXPECT_SAID(changes) expect_said((changes), sizeof(changes) / sizeof(changes)[0])

#define INDEX(collection, index) "{\"createIndexes\": \"" collection "\", \"indexes\": [" index "]}"
#define DROP_INDEX(name) "{\"dropIndexes\": \"orders\", \"index\": \"" name "\"}"

Test(mongodb_fingerprint, names_a_change_of_a_ttl_index) {
    static const struct change changes[] = {
        {"{\"collMod\": \"orders\", \"index\": {\"name\": \"ttl\", \"expireAfterSeconds\": 60}}",
         "%s.orders.$ttl expireAfterSeconds: 3600 → 60\n"},
    };
    need(MONGODB_TTL_INDEX);
    run(INDEX("orders", "{\"key\": {\"at\": 1}, \"name\": \"ttl\", \"expireAfterSeconds\": 3600}"));
    look(&held.before);
    EXPECT_SAID(changes);
}

Test(mongodb_fingerprint, names_a_change_of_a_partial_index) {
    static const char with[] = INDEX("orders", "{\"key\": {\"n\": 1}, \"name\": \"some\", "
                                               "\"partialFilterExpression\": {\"n\": {\"$gt\": "
                                               "5}}}");
    static const struct change changes[] = {
        {INDEX("orders", "{\"key\": {\"n\": 1}, \"name\": \"some\"}"),
         "%s.orders.$some partialFilterExpression: {\"n\":{\"$gt\":5}} is missing\n"},
    };
    need(MONGODB_PARTIAL_INDEX);
    run(with);
    look(&held.before);
    run(DROP_INDEX("some"));
    EXPECT_SAID(changes);
}

Test(mongodb_fingerprint, names_a_change_of_a_validator) {
    static const struct change changes[] = {
        {"{\"collMod\": \"checked\", \"validator\": {\"n\": {\"$gte\": 0}}}",
         "%s.checked validator: {\"n\":{\"$gt\":0}} → {\"n\":{\"$gte\":0}}\n"},
        {"{\"collMod\": \"checked\", \"validationLevel\": \"moderate\"}",
         "%s.checked validationLevel: \"strict\" → \"moderate\"\n"},
        {"{\"collMod\": \"checked\", \"validationAction\": \"warn\"}",
         "%s.checked validationAction: \"error\" → \"warn\"\n"},
    };
    need(MONGODB_VALIDATOR);
    run("{\"create\": \"checked\", \"validator\": {\"n\": {\"$gt\": 0}}, \"validationLevel\": "
        "\"strict\", \"validationAction\": \"error\"}");
    look(&held.before);
    EXPECT_SAID(changes);
}

Test(mongodb_fingerprint, names_a_change_of_a_view) {
    static const struct change changes[] = {
        {"{\"collMod\": \"large\", \"viewOn\": \"orders\", \"pipeline\": [{\"$match\": {\"total\": "
         "{\"$gt\": 6}}}]}",
         "%s.large pipeline: [{\"$match\":{\"total\":{\"$gt\":5}}}] → "
         "[{\"$match\":{\"total\":{\"$gt\":6}}}]\n"},
        {"{\"drop\": \"large\"}", "view %s.large: is missing\n"},
    };
    need(MONGODB_VIEW);
    run("{\"create\": \"large\", \"viewOn\": \"orders\", \"pipeline\": [{\"$match\": {\"total\": "
        "{\"$gt\": 5}}}]}");
    look(&held.before);
    EXPECT_SAID(changes);
}

Test(mongodb_fingerprint, names_a_change_of_a_collation) {
    static const struct change changes[] = {
        {INDEX("orders", "{\"key\": {\"name\": 1}, \"name\": \"named\", \"collation\": "
                         "{\"locale\": \"en\", \"strength\": 3}}"),
         "%s.orders.$named collation: "},
    };
    need(MONGODB_COLLATION);
    run(INDEX("orders", "{\"key\": {\"name\": 1}, \"name\": \"named\", \"collation\": "
                        "{\"locale\": \"en\", \"strength\": 2}}"));
    look(&held.before);
    run(DROP_INDEX("named"));
    EXPECT_SAID(changes);
}

static void count_calls(void *context, const char *collection, uint64_t documents) {
    cr_expect_not_null(strchr(collection, '.'));
    cr_expect_geq(documents, *(uint64_t *)context);
    *(uint64_t *)context = documents;
}

Test(mongodb_fingerprint, tells_how_far_it_is) {
    uint64_t documents = 0;
    fill_server();
    cr_assert(mongodb_fingerprint(held.mongodb, KEY, &held.after, &held.err, .buckets = 16,
                                  .progress = count_calls, .context = &documents));
    cr_expect_geq(documents, DOCUMENTS);
}

Test(mongodb_fingerprint, can_be_cancelled) {
    struct cancel cancel;
    open_server();
    put_number(1);
    cr_assert(cancel_init(&cancel, &held.err));
    cancel_request(&cancel);
    cr_expect_not(
        mongodb_fingerprint(held.mongodb, KEY, &held.after, &held.err, .cancel = &cancel));
    cr_expect_eq(held.err.domain, ERROR_CANCELLED);
    cr_expect_null(held.after);
    cancel_done(&cancel);
}

// ---- which documents differ

static void hunt(struct row_hunt **ret_hunt) {
    struct fingerprint *again = NULL;
    row_hunt_free(*ret_hunt);
    *ret_hunt = row_hunt_new(held.before, held.after, KEY);
    cr_assert_not_null(*ret_hunt);
    cr_assert(mongodb_fingerprint(held.mongodb, KEY, &again, &held.err, .hunt = *ret_hunt), "%s",
              held.err.message);
    fingerprint_free(again);
}

static void expect_words(const char *change, struct row_hunt *then, const char *wanted) {
    cr_assert_eq(held.now->count, 1);
    text_clear(&held.text);
    row_hunt_say(held.now, then, 0, held.before, held.after, &held.text);
    cr_expect_eq(strncmp(text_string(&held.text), wanted, strlen(wanted)), 0, "%s: %s", change,
                 text_string(&held.text));
}

static void expect_rows(const char *change, const char *back, const char *by_rows,
                        const char *by_sums) {
    look(&held.before);
    run(change);
    look(&held.after);
    hunt(&held.now);
    expect_words(change, NULL, by_sums);
    hunt(&held.now);
    run(back);
    hunt(&held.then);
    expect_words(change, held.then, by_rows);
}

#define INSERT(document) "{\"insert\": \"orders\", \"documents\": [" document "]}"
#define DELETE(id) \
    "{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": " id "}, \"limit\": 1}]}"
#define UPDATE(id, set)                                                                    \
    "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": " id "}, \"u\": {\"$set\": " \
    "{" set "}}}]}"

Test(mongodb_fingerprint, read_again_names_the_documents_that_differ) {
    fill_server();
    expect_rows(INSERT("{\"_id\": 1017, \"a\": 1}"), DELETE("1017"), "\n    extra: _id=1017",
                "\n    extra: _id=1017");
    expect_rows(DELETE("50"),
                INSERT("{\"_id\": 50, \"customer\": 16, \"name\": \"name 50\", \"total\": 50.25}"),
                "\n    missing: _id=50", "\n    missing: 1 row of bucket ");
    expect_rows(UPDATE("3", "\"name\": \"x\", \"new\": 1"),
                "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 3}, \"u\": {\"$set\": "
                "{\"name\": \"name 3\"}, \"$unset\": {\"new\": 1}}}]}",
                "\n    changed: _id=3 (name, new)", "\n    changed: ");
    expect_rows(INSERT("{\"_id\": {\"$oid\": \"0123456789abcdef01234567\"}}"),
                DELETE("{\"$oid\": \"0123456789abcdef01234567\"}"),
                "\n    extra: _id={\"$oid\":\"0123456789abcdef01234567\"}",
                "\n    extra: _id={\"$oid\":\"0123456789abcdef01234567\"}");
    expect_rows(INSERT("{\"_id\": \"x\"}"), DELETE("\"x\""), "\n    extra: _id=\"x\"",
                "\n    extra: _id=\"x\"");
}

Test(mongodb_fingerprint, read_again_knows_which_numbers_are_not_there) {
    fill_server();
    run(DELETE("50"));
    look(&held.after);
    hunt(&held.now);
    expect_words("delete", NULL, "\n    missing: 1 row of bucket ");
    cr_expect_not_null(
        strstr(text_string(&held.text), "of the keys from _id=0 to 299 it has not: _id=50"), "%s",
        text_string(&held.text));
}
