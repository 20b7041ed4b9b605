// MongoDB (or what speaks its protocol), by documents, indexes, pipelines, and what happens when
// things break. What the server says it lacks is not applicable; everything else must work.
#include "base/memory.h"
#include "engine/container.h"
#include "scenario/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scenario *scenario;
static struct mongodb *db;
static const char *collection; // of the test's own

static void open_scenario(void) {
    scenario = scenario_open();
}

static void close_scenario(void) {
    scenario_close(scenario);
}

TestSuite(mongodb, .init = open_scenario, .fini = close_scenario, .timeout = 120);

static void given_a_collection(void) {
    db = scenario_mongodb(scenario, "mongodb");
    collection = scenario_unique(scenario, "things");
}

static void insert(const char *document) {
    must(mongodb_insert(db, collection, document, err));
}

// {n: 0}, {n: 1}, … as many as asked for, each with n modulo 10 as "group".
static void given_numbers(int count) {
    given_a_collection();
    struct text documents = {0};
    text_append_char(&documents, '[');
    for (int n = 0; n < count; n++)
        text_appendf(&documents, "%s{\"_id\": %d, \"n\": %d, \"group\": %d}", n > 0 ? "," : "", n,
                     n, n % 10);
    text_append_char(&documents, ']');
    char *json = text_take(&documents);
    scenario_own(scenario, json, free);
    uint64_t inserted = 0;
    must(mongodb_insert_many(db, collection, json, &inserted, err));
    cr_assert_eq(inserted, (uint64_t)count);
}

static int64_t count(const char *filter) {
    int64_t found = -1;
    must(mongodb_count(db, collection, filter, &found, err));
    return found;
}

static const char *find_one(const char *filter) {
    const char *document = NULL;
    must(mongodb_find_one(db, collection, filter, &document, err));
    return document;
}

static void free_cursor(void *cursor) {
    mongodb_cursor_free(cursor);
}

static struct mongodb_cursor *found(const char *filter, const char *options) {
    struct mongodb_cursor *cursor = NULL;
    must(mongodb_find(db, collection, filter, options, &cursor, err));
    scenario_own(scenario, cursor, free_cursor);
    return cursor;
}

static struct mongodb_cursor *aggregated(const char *pipeline) {
    struct mongodb_cursor *cursor = NULL;
    must(mongodb_aggregate(db, collection, pipeline, &cursor, err));
    scenario_own(scenario, cursor, free_cursor);
    return cursor;
}

// The next document as JSON; NULL: no more.
static const char *next(struct mongodb_cursor *cursor) {
    bool more = false;
    must(mongodb_cursor_next(cursor, &more, err));
    return more ? mongodb_cursor_json(cursor) : NULL;
}

static void requires(enum mongodb_feature feature) {
    struct mongodb_support support;
    must(mongodb_supports(db, feature, &support, err));
    if (!support.supported)
        not_applicable("%s: %s", scenario_product(scenario, "mongodb"), support.said);
}

// ---- documents ----------------------------------------------------------------------------------

Test(mongodb, is_the_product_that_the_report_names) {
    char product[128];
    must(mongodb_identify(scenario_endpoint(scenario, "mongodb"), product, sizeof product, err));
    cr_assert_str_eq(product, scenario_product(scenario, "mongodb"));
}

Test(mongodb, keeps_every_type_of_value) {
    given_a_collection();
    insert("{\"_id\": 1, \"text\": \"Größe 日本語 🚀\", \"long\": {\"$numberLong\": "
           "\"9223372036854775807\"}, \"real\": 0.1, \"yes\": true, \"none\": null, \"at\": "
           "{\"$date\": \"2024-02-29T23:59:59.999Z\"}, \"list\": [1, {\"x\": 3}], \"bytes\": "
           "{\"$binary\": {\"base64\": \"AP/+\", \"subType\": \"00\"}}}");
    cr_assert_str_eq(
        find_one("{\"_id\": 1}"),
        "{ \"_id\" : 1, \"text\" : \"Größe 日本語 🚀\", \"long\" : 9223372036854775807, \"real\" : "
        "0.10000000000000000555, \"yes\" : true, \"none\" : null, \"at\" : { \"$date\" : "
        "\"2024-02-29T23:59:59.999Z\" }, \"list\" : [ 1, { \"x\" : 3 } ], \"bytes\" : { "
        "\"$binary\" : { \"base64\" : \"AP/+\", \"subType\" : \"00\" } } }");
}

// {_id: int32, data: binary}: see https://bsonspec.org/spec.html
static size_t bson_with_bytes(unsigned char **ret_bytes, size_t payload) {
    static const unsigned char head[] = "\x10_id\0\x07\0\0\0\x05"
                                        "data";
    const size_t length = 4 + sizeof head + 4 + 1 + payload + 1;
    unsigned char *bson = memory_new(length, 1);
    scenario_own(scenario, bson, free);
    for (int i = 0; i < 4; i++) {
        bson[i] = (unsigned char)(length >> 8 * i);
        bson[4 + sizeof head + (size_t)i] = (unsigned char)(payload >> 8 * i);
    }
    memcpy(bson + 4, head, sizeof head);
    for (size_t i = 0; i < payload; i++)
        bson[4 + sizeof head + 5 + i] = (unsigned char)(i * 31 + i / 251);
    *ret_bytes = bson;
    return length;
}

static void round_trips(size_t payload) {
    given_a_collection();
    unsigned char *bson = NULL;
    const size_t length = bson_with_bytes(&bson, payload);
    must(mongodb_insert_bson(db, collection, bson, length, err));
    struct mongodb_cursor *cursor = found("{\"_id\": 7}", NULL);
    bool more = false;
    must(mongodb_cursor_next(cursor, &more, err));
    cr_assert(more);
    size_t seen = 0;
    const void *bytes = mongodb_cursor_bson(cursor, &seen);
    cr_assert_eq(seen, length);
    cr_assert_eq(memcmp(bytes, bson, length), 0);
}

Test(mongodb, keeps_every_byte_of_a_document) {
    round_trips(256 * 251);
}

Test(mongodb, carries_fifteen_megabytes_in_one_document) {
    round_trips((size_t)15 * 1024 * 1024);
}

Test(mongodb, updates_what_matches_and_nothing_else) {
    given_numbers(50);
    int64_t modified = 0;
    must(mongodb_update(db, collection, "{\"group\": 3}", "{\"$inc\": {\"n\": 1000}}", NULL,
                        &modified, err));
    cr_assert_eq(modified, 5);
    cr_assert_eq(count("{\"n\": {\"$gte\": 1000}}"), 5);
    cr_assert_eq(count("{\"n\": {\"$lt\": 1000}}"), 45);
}

Test(mongodb, upserts_once) {
    given_a_collection();
    for (int i = 0; i < 2; i++)
        must(mongodb_update(db, collection, "{\"name\": \"one\"}", "{\"$inc\": {\"seen\": 1}}",
                            "{\"upsert\": true}", NULL, err));
    cr_assert_eq(count("{}"), 1);
    cr_assert_eq(count("{\"name\": \"one\", \"seen\": 2}"), 1);
}

Test(mongodb, deletes_what_matches_and_nothing_else) {
    given_numbers(50);
    int64_t deleted = 0;
    must(mongodb_delete(db, collection, "{\"group\": {\"$in\": [1, 2]}}", &deleted, err));
    cr_assert_eq(deleted, 10);
    cr_assert_eq(count("{}"), 40);
}

Test(mongodb, changes_a_document_and_returns_it_in_one_step) {
    given_numbers(3);
    char *command =
        memory_format("{\"findAndModify\": \"%s\", \"query\": {\"_id\": 1}, \"update\": "
                      "{\"$set\": {\"taken\": true}}, \"new\": true}",
                      collection);
    scenario_own(scenario, command, free);
    const char *reply = NULL;
    must(mongodb_run(db, NULL, command, &reply, err));
    cr_assert_not_null(strstr(reply, "\"taken\" : true"), "%s", reply);
    cr_assert_eq(count("{\"taken\": true}"), 1);
}

// ---- finding ------------------------------------------------------------------------------------

Test(mongodb, streams_ten_thousand_documents_in_order, .timeout = 90) {
    given_numbers(10000);
    struct mongodb_cursor *cursor = found("{}", "{\"sort\": {\"_id\": 1}, \"batchSize\": 500}");
    for (int n = 0; n < 10000; n++) {
        char expected[64];
        snprintf(expected, sizeof expected, "{ \"_id\" : %d,", n);
        const char *document = next(cursor);
        cr_assert_not_null(document, "only %d documents came", n);
        cr_assert_eq(strncmp(document, expected, strlen(expected)), 0, "%s", document);
    }
    cr_assert_null(next(cursor));
}

Test(mongodb, sorts_skips_and_limits) {
    given_numbers(20);
    struct mongodb_cursor *cursor =
        found("{\"n\": {\"$lt\": 15}}", "{\"sort\": {\"n\": -1}, \"skip\": 2, \"limit\": 2, "
                                        "\"projection\": {\"_id\": 0, \"n\": 1}}");
    cr_assert_str_eq(next(cursor), "{ \"n\" : 12 }");
    cr_assert_str_eq(next(cursor), "{ \"n\" : 11 }");
    cr_assert_null(next(cursor));
}

Test(mongodb, groups_and_sums_in_a_pipeline) {
    given_numbers(100);
    struct mongodb_cursor *cursor =
        aggregated("[{\"$match\": {\"group\": {\"$lt\": 2}}}, {\"$group\": {\"_id\": \"$group\", "
                   "\"sum\": {\"$sum\": \"$n\"}}}, {\"$sort\": {\"_id\": 1}}]");
    cr_assert_str_eq(next(cursor), "{ \"_id\" : 0, \"sum\" : 450 }");
    cr_assert_str_eq(next(cursor), "{ \"_id\" : 1, \"sum\" : 460 }");
    cr_assert_null(next(cursor));
}

Test(mongodb, joins_two_collections) {
    given_numbers(3);
    requires(MONGODB_LOOKUP);
    char *pipeline = memory_format("[{\"$match\": {\"_id\": 1}}, {\"$lookup\": {\"from\": \"%s\", "
                                   "\"localField\": \"n\", \"foreignField\": \"_id\", \"as\": "
                                   "\"same\"}}]",
                                   collection);
    scenario_own(scenario, pipeline, free);
    cr_assert_not_null(strstr(next(aggregated(pipeline)), "\"same\" : [ { \"_id\" : 1"));
}

// ---- rules --------------------------------------------------------------------------------------

Test(mongodb, refuses_a_duplicate_key) {
    given_a_collection();
    insert("{\"_id\": 1}");
    must_fail(mongodb_insert(db, collection, "{\"_id\": 1}", err), ERROR_SERVICE,
              SERVICE_ERROR_UNIQUE);
    must(mongodb_create_index(db, collection, "{\"mail\": 1}", "{\"unique\": true}", err));
    insert("{\"mail\": \"a@b\"}");
    must_fail(mongodb_insert(db, collection, "{\"mail\": \"a@b\"}", err), ERROR_SERVICE,
              SERVICE_ERROR_UNIQUE);
    cr_assert_str_eq(err->reference, "11000");
}

Test(mongodb, stops_a_bulk_insert_at_the_first_refusal_and_says_how_far_it_came) {
    given_a_collection();
    uint64_t inserted = 0;
    must_fail(mongodb_insert_many(db, collection,
                                  "[{\"_id\": 1}, {\"_id\": 2}, {\"_id\": 1}, {\"_id\": 3}]",
                                  &inserted, err),
              ERROR_SERVICE, SERVICE_ERROR_UNIQUE);
    cr_assert_eq(inserted, 2);
    cr_assert_eq(count("{}"), 2);
}

Test(mongodb, takes_an_index_that_lets_documents_expire) {
    given_a_collection();
    requires(MONGODB_TTL_INDEX);
    must(mongodb_create_index(db, collection, "{\"at\": 1}", "{\"expireAfterSeconds\": 1}", err));
}

Test(mongodb, enforces_a_unique_index_on_a_part_only) {
    given_a_collection();
    requires(MONGODB_PARTIAL_INDEX);
    must(mongodb_create_index(db, collection, "{\"n\": 1}",
                              "{\"unique\": true, \"partialFilterExpression\": {\"active\": true}}",
                              err));
    insert("{\"n\": 1, \"active\": false}");
    insert("{\"n\": 1, \"active\": false}");
    insert("{\"n\": 1, \"active\": true}");
    must_fail(mongodb_insert(db, collection, "{\"n\": 1, \"active\": true}", err), ERROR_SERVICE,
              SERVICE_ERROR_UNIQUE);
}

Test(mongodb, refuses_what_a_validator_forbids) {
    given_a_collection();
    requires(MONGODB_VALIDATOR);
    char *command =
        memory_format("{\"create\": \"%s\", \"validator\": {\"n\": {\"$gt\": 0}}}", collection);
    scenario_own(scenario, command, free);
    must(mongodb_run(db, NULL, command, NULL, err));
    insert("{\"n\": 1}");
    must_fail(mongodb_insert(db, collection, "{\"n\": -1}", err), ERROR_SERVICE,
              SERVICE_ERROR_CHECK);
}

Test(mongodb, finds_without_regard_to_case_by_collation) {
    given_a_collection();
    requires(MONGODB_COLLATION);
    insert("{\"name\": \"Assay\"}");
    cr_assert_not_null(next(
        found("{\"name\": \"aSSAY\"}", "{\"collation\": {\"locale\": \"en\", \"strength\": 2}}")));
}

Test(mongodb, shows_a_view_of_a_collection) {
    given_numbers(20);
    requires(MONGODB_VIEW);
    char *view = memory_format("%s_view", collection);
    scenario_own(scenario, view, free);
    char *command = memory_format("{\"create\": \"%s\", \"viewOn\": \"%s\", \"pipeline\": "
                                  "[{\"$match\": {\"group\": 3}}]}",
                                  view, collection);
    scenario_own(scenario, command, free);
    must(mongodb_run(db, NULL, command, NULL, err));
    collection = view;
    cr_assert_eq(count("{}"), 2);
}

Test(mongodb, names_what_it_does_not_know) {
    given_a_collection();
    must_fail(mongodb_run(db, NULL, "{\"noSuchCommand\": 1}", NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_UNSUPPORTED);
    must_fail(mongodb_run(db, NULL, "{\"unclosed\": ", NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
}

static bool listed(void) {
    struct string_list names = {0};
    const bool asked = mongodb_list_collections(db, NULL, &names, err);
    const bool contains = string_list_contains(&names, collection);
    string_list_done(&names);
    cr_assert(asked, "%s", err->message);
    return contains;
}

Test(mongodb, lists_a_collection_until_it_is_dropped) {
    given_a_collection();
    cr_assert_not(listed());
    insert("{}");
    cr_assert(listed());
    must(mongodb_drop(db, collection, err));
    cr_assert_not(listed());
}

Test(mongodb, lists_a_database_that_holds_something) {
    given_a_collection();
    const char *database = scenario_unique(scenario, "base");
    struct string_list names = {0};
    must(mongodb_run(db, database, "{\"insert\": \"t\", \"documents\": [{\"n\": 1}]}", NULL, err));
    const bool asked = mongodb_list_databases(db, &names, err);
    const bool contains = string_list_contains(&names, database);
    string_list_done(&names);
    must(mongodb_run(db, database, "{\"dropDatabase\": 1}", NULL, err));
    cr_assert(asked && contains, "%s", err->message);
}

Test(mongodb, refuses_what_is_not_json) {
    given_a_collection();
    const char *document;
    struct mongodb_cursor *cursor = NULL;
    int64_t found;
    const char *broken = "{\"a\": ";
    must_fail(mongodb_insert(db, collection, broken, err), ERROR_SERVICE, SERVICE_ERROR_SYNTAX);
    must_fail(mongodb_insert_many(db, collection, broken, NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    must_fail(mongodb_insert_many(db, collection, "[1]", NULL, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    must_fail(mongodb_count(db, collection, broken, &found, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    must_fail(mongodb_find_one(db, collection, broken, &document, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    must_fail(mongodb_find(db, collection, broken, NULL, &cursor, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
    must_fail(mongodb_aggregate(db, collection, broken, &cursor, err), ERROR_SERVICE,
              SERVICE_ERROR_SYNTAX);
}

// ---- faults -------------------------------------------------------------------------------------

Test(mongodb, a_listener_that_says_nothing_is_noticed_in_time) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "mongodb");
    cr_assert_null(scenario_mongodb_at(
        scenario, scenario_impatient(scenario, scenario_silent_server(scenario, endpoint))));
    cr_assert_eq(err->domain, ERROR_TIMEOUT, "%s", err->message);
}

Test(mongodb, a_port_where_nobody_listens_is_noticed_at_once) {
    const struct endpoint *endpoint = scenario_endpoint(scenario, "mongodb");
    cr_assert_null(scenario_mongodb_at(scenario, scenario_dead_server(scenario, endpoint)));
    cr_assert_eq(err->domain, ERROR_UNAVAILABLE, "%s", err->message);
}

Test(mongodb, a_paused_server_is_noticed_in_time, .timeout = 90) {
    struct spare *spare = scenario_spare(scenario, "mongodb");
    collection = scenario_unique(scenario, "things");
    db = scenario_mongodb_at(scenario, scenario_impatient(scenario, spare_endpoint(spare, 0)));
    cr_assert_not_null(db, "%s", err->message);
    insert("{}");
    must(container_pause(scenario_engine(scenario), spare_container(spare, 0), err));
    must_fail(mongodb_insert(db, collection, "{}", err), ERROR_TIMEOUT, 0);
    must(container_unpause(scenario_engine(scenario), spare_container(spare, 0), err));
    cr_assert_not_null(scenario_mongodb_at(scenario, spare_endpoint(spare, 0)));
}

Test(mongodb, a_killed_server_is_noticed_at_once, .timeout = 90) {
    struct spare *spare = scenario_spare(scenario, "mongodb");
    collection = scenario_unique(scenario, "things");
    db = scenario_mongodb_at(scenario, spare_endpoint(spare, 0));
    cr_assert_not_null(db, "%s", err->message);
    insert("{}");
    must(container_kill(scenario_engine(scenario), spare_container(spare, 0), "KILL", err));
    must_fail(mongodb_insert(db, collection, "{}", err), ERROR_UNAVAILABLE, 0);
}
