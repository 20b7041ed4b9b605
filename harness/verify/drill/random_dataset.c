#include "verify/drill/random_dataset.h"

#include "verify/drill/random_documents.h"
#include "verify/drill/random_sql.h"

static void make_postgres(struct chance *chance, struct string_list *statements) {
    random_sql(&RANDOM_POSTGRES, chance, statements);
}

static void make_mysql(struct chance *chance, struct string_list *statements) {
    random_sql(&RANDOM_MYSQL, chance, statements);
}

static void (*const MAKERS[])(struct chance *chance, struct string_list *statements) = {
    [DUMP_POSTGRES] = make_postgres,
    [DUMP_MYSQL] = make_mysql,
    [DUMP_MONGODB] = random_mongodb,
    [DUMP_REDIS] = random_redis,
};

void random_dataset_make(enum dump_engine engine, uint64_t seed, struct string_list *statements) {
    struct chance chance = {.state = seed};
    MAKERS[engine](&chance, statements);
}
