// sum_tables HOST PORT USER DATABASE PASSWORD-FILE: the fingerprint of a PostgreSQL database, once;
// for ci/bench/backup. Prints how many rows it summed.
#include "base/memory.h"
#include "client/postgres.h"
#include "verify/fingerprint/postgres_fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool sum(const struct endpoint *endpoint, uint64_t *ret_rows, struct error *err) {
    static const uint8_t key[ROW_HASH_KEY_SIZE] = "key of the bench";
    autofree(postgres) struct postgres *postgres = NULL;
    autofree(fingerprint) struct fingerprint *fingerprint = NULL;
    if (!postgres_open(endpoint, &postgres, err) ||
        !postgres_fingerprint(postgres, key, &fingerprint, err))
        return false;
    for (size_t i = 0; i < fingerprint->object_count; i++)
        *ret_rows += fingerprint->objects[i].content.total.rows;
    return true;
}

int main(int argc, char **argv) {
    struct error problem = {0};
    struct secret *password = NULL;
    uint64_t rows = 0;
    if (argc != 6) {
        fputs("usage: sum_tables HOST PORT USER DATABASE PASSWORD-FILE\n", stderr);
        return 2;
    }
    const bool read = secret_read_file(argv[5], &password, &problem);
    const struct endpoint endpoint = {.service = "postgres",
                                      .host = argv[1],
                                      .port = (uint16_t)strtoul(argv[2], NULL, 10),
                                      .user = argv[3],
                                      .database = argv[4],
                                      .password = password,
                                      .request_timeout_ms = 600000};
    const bool summed = read && sum(&endpoint, &rows, &problem);
    secret_free(password);
    if (!summed) {
        fprintf(stderr, "sum_tables: %s\n", problem.message);
        return 1;
    }
    printf("%" PRIu64 "\n", rows);
    return 0;
}
