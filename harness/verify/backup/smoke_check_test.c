#include "verify/backup/smoke_check.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

// Four artifacts of one file each.
static struct dump_format bson = {.name = "mongo-bson"}, other = {.name = "other"};
static char dump[] = "db/app.dump", name[] = "db/app.dump", folder[] = "dump/shop";
static char sql[] = "db/shop.sql", documents[32] = "dump/shop/orders.bson", rdb[] = "redis.rdb";
static struct backup_file files[] = {
    {.path = dump, .facts = {.engine = DUMP_POSTGRES, .format = &other}},
    {.path = sql, .facts = {.engine = DUMP_MYSQL, .format = &other}},
    {.path = documents, .facts = {.engine = DUMP_MONGODB, .format = &bson}},
    {.path = rdb, .facts = {.engine = DUMP_REDIS, .format = &other}},
};
static size_t indexes[] = {0, 1, 2, 3};
static struct artifact artifacts[] = {
    {.name = name, .files = &indexes[0], .file_count = 1},
    {.name = sql, .files = &indexes[1], .file_count = 1},
    {.name = folder, .files = &indexes[2], .file_count = 1},
    {.name = rdb, .files = &indexes[3], .file_count = 1},
};
static const struct backup backup = {
    .files = files, .file_count = 4, .artifacts = artifacts, .artifact_count = 4};

static struct dump_facts *const app = &files[0].facts, *const shop = &files[1].facts;
static struct report *report;
static struct suite_result *suite;

static void begin(void) {
    report = report_new("test");
    suite = report_add_suite(report);
}

static void end(void) {
    report_free(report);
    for (size_t i = 0; i < 4; i++) {
        string_list_done(&files[i].facts.databases);
        free(files[i].facts.database);
    }
}

TestSuite(smoke_check, .init = begin, .fini = end);

#define POSTGRES(...) (&(struct smoke_query){.engine = DUMP_POSTGRES, __VA_ARGS__})
#define MYSQL(...) (&(struct smoke_query){.engine = DUMP_MYSQL, __VA_ARGS__})
#define MONGODB(of) (&(struct smoke_query){.engine = DUMP_MONGODB, .collection = (of)})
#define REDIS(...) (&(struct smoke_query){.engine = DUMP_REDIS, __VA_ARGS__})

static enum smoke_fit fit(const struct smoke_query *query, size_t artifact) {
    return smoke_fit(query, &backup, &artifacts[artifact]);
}

Test(smoke_check, a_query_is_about_artifacts_of_its_engine_and_name) {
    cr_expect_eq(fit(POSTGRES(.name = "a"), 0), SMOKE_FITS);
    cr_expect_eq(fit(POSTGRES(.name = "a"), 1), SMOKE_OTHER_ENGINE);
    cr_expect_eq(fit(POSTGRES(.artifact = "db/app*"), 0), SMOKE_FITS);
    cr_expect_eq(fit(POSTGRES(.artifact = "*.dump"), 0), SMOKE_FITS);
    cr_expect_eq(fit(POSTGRES(.artifact = "app.dump"), 0), SMOKE_OTHER_NAME);
    memcpy(name, "app", sizeof "app");
    cr_expect_eq(fit(POSTGRES(.artifact = "db/app*"), 0), SMOKE_FITS, "its path");
    cr_expect_eq(fit(POSTGRES(.artifact = "ap?"), 0), SMOKE_FITS, "its name");
}

Test(smoke_check, a_query_is_about_artifacts_that_may_hold_its_database) {
    cr_expect_eq(fit(POSTGRES(.database = "audit"), 0), SMOKE_FITS, "nobody knows");
    app->database = memory_copy_string("app");
    cr_expect_eq(fit(POSTGRES(.database = "app"), 0), SMOKE_FITS);
    cr_expect_eq(fit(POSTGRES(.database = "audit"), 0), SMOKE_OTHER_DATABASE);
    string_list_add(&app->databases, "app");
    string_list_add(&app->databases, "audit");
    cr_expect_eq(fit(POSTGRES(.database = "audit"), 0), SMOKE_FITS);
    cr_expect_eq(fit(POSTGRES(.database = "other"), 0), SMOKE_OTHER_DATABASE);
    cr_expect_eq(fit(MONGODB("shop.orders"), 2), SMOKE_FITS);
    cr_expect_eq(fit(MONGODB("shopping.orders"), 2), SMOKE_OTHER_DATABASE);
    cr_expect_eq(fit(MONGODB("dump.orders"), 2), SMOKE_OTHER_DATABASE);
    string_list_add(&files[3].facts.databases, "0");
    cr_expect_eq(fit(REDIS(.database = "3"), 3), SMOKE_FITS, "an empty one is not in the file");
}

static void expect_database(const struct smoke_query *query, size_t artifact,
                            const char *expected) {
    char *database = NULL;
    struct error err = {0};
    cr_assert(smoke_database(query, &backup, &artifacts[artifact], &database, &err), "%s",
              err.message);
    cr_expect((database == NULL) == (expected == NULL));
    if (database != NULL && expected != NULL)
        cr_expect_str_eq(database, expected);
    free(database);
}

Test(smoke_check, a_dump_of_one_database_is_asked_where_it_was_restored) {
    app->database = memory_copy_string("app");
    expect_database(POSTGRES(.name = "a"), 0, "restored");
    expect_database(POSTGRES(.database = "app"), 0, "restored");
    expect_database(MYSQL(.database = "shop"), 1, "restored");
    expect_database(MONGODB("shop.orders"), 2, "shop");
    expect_database(REDIS(.name = "a"), 3, NULL);
    expect_database(REDIS(.database = "3"), 3, "3");
    memcpy(documents, "shop/orders.bson", sizeof "shop/orders.bson");
    expect_database(MONGODB("shop.orders"), 2, "shop");
    memcpy(documents, "orders.bson", sizeof "orders.bson");
    expect_database(MONGODB("shop.orders"), 2, "restored");
    files[2].facts.format = &other; // an archive names its databases itself
    expect_database(MONGODB("shop.orders"), 2, "shop");
}

Test(smoke_check, a_dump_that_makes_its_databases_is_asked_there) {
    struct error err = {0};
    char *database = NULL;
    app->restores_itself = shop->restores_itself = true;
    string_list_add(&app->databases, "template1");
    string_list_add(&app->databases, "app");
    string_list_add(&app->databases, "postgres");
    expect_database(POSTGRES(.name = "a"), 0, "app");
    expect_database(POSTGRES(.database = "postgres"), 0, "postgres");
    string_list_add(&app->databases, "audit");
    cr_assert_not(smoke_database(POSTGRES(.name = "a"), &backup, &artifacts[0], &database, &err));
    cr_expect_eq(err.domain, ERROR_UNAVAILABLE);
    cr_expect_str_eq(err.message, "the dump makes several databases: the query does not say "
                                  "(database) which of them is asked");
    expect_database(POSTGRES(.database = "audit"), 0, "audit");
    string_list_add(&shop->databases, "shop");
    string_list_add(&shop->databases, "stock");
    expect_database(MYSQL(.name = "a"), 1, NULL);
    expect_database(MYSQL(.database = "stock"), 1, "stock");
}

Test(smoke_check, what_no_artifact_answers_is_not_verified) {
    struct smoke_query queries[] = {
        {.name = "fits", .engine = DUMP_POSTGRES},
        {.name = "engine", .engine = DUMP_REDIS},
        {.name = "named", .engine = DUMP_MYSQL, .artifact = "*.dump"},
        {.name = "database", .engine = DUMP_MONGODB, .collection = "stock.orders"},
        {.name = "both", .engine = DUMP_MONGODB, .collection = "stock.orders", .artifact = "dump*"},
    };
    static const char *const messages[] = {
        "no artifact that could be read is of redis", "no artifact of mysql is named *.dump",
        "no artifact of mongodb holds the database stock",
        "no artifact of mongodb that is named dump* holds the database stock"};
    const struct smoke smoke = {queries, 5};
    struct backup three = backup;
    three.artifact_count = 3;
    smoke_check_unasked(&smoke, &three, suite);
    cr_assert_eq(suite->test_count, 4u);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_str_eq(suite->tests[i].name, queries[i + 1].name);
        cr_expect_eq(suite->tests[i].outcome, OUTCOME_NOT_VERIFIED);
        cr_expect_str_eq(suite->tests[i].message, messages[i]);
    }
    smoke_check_unasked(NULL, &backup, suite);
    cr_expect_eq(suite->test_count, 4u);
}

Test(smoke_check, what_was_not_restored_is_not_verified) {
    struct smoke_query queries[] = {{.name = "orders", .engine = DUMP_POSTGRES},
                                    {.name = "keys", .engine = DUMP_REDIS}};
    const struct smoke smoke = {queries, 2};
    smoke_check_unrestored(&smoke, &backup, &artifacts[0], suite);
    cr_assert_eq(suite->test_count, 1u);
    cr_expect_str_eq(suite->tests[0].name, "orders");
    cr_expect_eq(suite->tests[0].outcome, OUTCOME_NOT_VERIFIED);
    cr_expect_str_eq(suite->tests[0].message, "not asked: db/app.dump was not restored");
}

// A server of MongoDB's kind is reached without a relay, so a restorer can stand for it.
Test(smoke_check, what_a_server_that_is_not_there_would_answer_is_not_verified) {
    static const struct endpoint nowhere = {.service = "mongodb", .host = "127.0.0.1", .port = 1};
    struct smoke_query queries[] = {{.name = "orders",
                                     .engine = DUMP_MONGODB,
                                     .collection = "shop.orders",
                                     .filter = "{}",
                                     .expectation = {SMOKE_VALUE, "0", 0},
                                     .timeout_ms = 1000},
                                    {.name = "keys", .engine = DUMP_REDIS}};
    const struct smoke smoke = {queries, 2};
    const struct restore restore = {
        .endpoint = &nowhere, .backup = &backup, .artifact = &artifacts[2]};
    smoke_check(&smoke, &RESTORER_MONGODB, &restore, suite);
    cr_assert_eq(suite->test_count, 1u);
    cr_expect_str_eq(suite->tests[0].name, "orders");
    cr_expect_eq(suite->tests[0].outcome, OUTCOME_NOT_VERIFIED, "%s", suite->tests[0].message);
}
