#include "verify/drill/random_dataset.h"

#include "verify/drill/random_documents.h"
#include "verify/drill/random_sql.h"

void random_dataset_make(enum dump_engine engine, uint64_t seed, struct string_list *statements) {
    struct chance chance = {.state = seed};
    switch (engine) {
    case DUMP_POSTGRES:
        random_sql(&RANDOM_POSTGRES, &chance, statements);
        break;
    case DUMP_MYSQL:
        random_sql(&RANDOM_MYSQL, &chance, statements);
        break;
    case DUMP_MONGODB:
        random_mongodb(&chance, statements);
        break;
    case DUMP_REDIS:
        random_redis(&chance, statements);
        break;
    default:
        break;
    }
}
