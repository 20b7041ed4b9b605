#include "verify/drill/random_dataset.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#define SEEDS 200

static const enum dump_engine ENGINES[] = {DUMP_POSTGRES, DUMP_MYSQL, DUMP_MONGODB, DUMP_REDIS};
#define ENGINE_COUNT (sizeof ENGINES / sizeof *ENGINES)

static bool are_the_same(const struct string_list *a, const struct string_list *b) {
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

Test(random_dataset, a_seed_makes_the_same_again_and_another_seed_something_else) {
    for (size_t i = 0; i < ENGINE_COUNT; i++) {
        autodone(string_list) struct string_list once = {0};
        autodone(string_list) struct string_list again = {0};
        autodone(string_list) struct string_list other = {0};
        random_dataset_make(ENGINES[i], 7, &once);
        random_dataset_make(ENGINES[i], 7, &again);
        random_dataset_make(ENGINES[i], 8, &other);
        cr_expect(are_the_same(&once, &again), "engine %zu", i);
        cr_expect_not(are_the_same(&once, &other), "engine %zu", i);
    }
}

// Over some seeds: statements that hold this text. The first statements of each empty the database.
static size_t count_holding(enum dump_engine engine, const char *text) {
    size_t count = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        autodone(string_list) struct string_list statements = {0};
        random_dataset_make(engine, seed, &statements);
        cr_assert_gt(statements.count, 0);
        for (size_t i = 0; i < statements.count; i++)
            count += strstr(statements.items[i], text) != NULL;
    }
    return count;
}

Test(random_dataset, everything_that_is_there_to_be_chosen_is_chosen) {
    static const struct {
        enum dump_engine engine;
        const char *text;
    } rows[] = {
        {DUMP_POSTGRES, "create materialized view"},
        {DUMP_POSTGRES, "primary key (a, b)"},
        {DUMP_POSTGRES, "foreign key"},
        {DUMP_POSTGRES, "is not null"},
        {DUMP_POSTGRES, "tsvector"},
        {DUMP_POSTGRES, "it's"},
        {DUMP_POSTGRES, " desc"},
        {DUMP_MYSQL, "foreign key"},
        {DUMP_MYSQL, "create view"},
        {DUMP_MYSQL, "geometry"},
        {DUMP_MYSQL, "create index"},
        {DUMP_MYSQL, "-838:59:59"},
        {DUMP_MONGODB, "createIndexes"},
        {DUMP_MONGODB, "$regularExpression"},
        {DUMP_MONGODB, "{\"insert\": \"c.d"},
        {DUMP_MONGODB, "\"_id\": \"k"},
        {DUMP_REDIS, "XADD"},
        {DUMP_REDIS, "PFADD"},
        {DUMP_REDIS, " 599"},
        {DUMP_REDIS, "-inf"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_gt(count_holding(rows[i].engine, rows[i].text), 0, "%s", rows[i].text);
    cr_expect_eq(count_holding(DUMP_MYSQL, "materialized"), 0);
}

Test(random_dataset, commands_of_mongodb_are_json) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        autodone(string_list) struct string_list statements = {0};
        random_dataset_make(DUMP_MONGODB, seed, &statements);
        for (size_t i = 0; i < statements.count; i++) {
            json_error_t problem;
            json_t *command = json_loads(statements.items[i], JSON_REJECT_DUPLICATES, &problem);
            cr_expect_not_null(command, "seed %zu: %s", (size_t)seed, problem.text);
            json_decref(command);
        }
    }
}
