#include "verify/backup/manifest_fixture.h"

#include "base/memory.h"

#include <string.h>

static void sum_rows(struct fingerprint_object *table, const uint8_t *key) {
    static const char *const rows[] = {"one", "two", "three"};
    struct row_hash *hash = row_hash_new(key, .buckets = 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        row_hash_begin(hash);
        row_hash_value(hash, rows[i], strlen(rows[i]));
        row_hash_end(hash, NULL);
    }
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(table, &content);
    row_hash_free(hash);
}

struct manifest *manifest_sample(void) {
    static const uint8_t of_dump[SHA256_SIZE] = {0xaa, 1}, of_one[SHA256_SIZE] = {0xbb, 2},
                         of_two[SHA256_SIZE] = {0xcc, 3};
    struct manifest *self = manifest_new();
    self->start_ms = INT64_C(1795316400000); // 2026-11-22T03:00:00Z
    self->end_ms = self->start_ms + 61000;
    memset(self->hash_key, 0x5a, sizeof self->hash_key);
    struct manifest_artifact *dump =
        manifest_add(self, "app.dump", DUMP_POSTGRES, "17.2", "pg_dump 17.2");
    manifest_file_add(dump, "2026-11-22/app.dump", 1234, of_dump);
    dump->fingerprint = fingerprint_new("postgres");
    struct fingerprint_object *table = fingerprint_add(dump->fingerprint, "table", "public.orders");
    fingerprint_attribute_add(table, "orders.total", "numeric(10,2)");
    sum_rows(table, self->hash_key);
    struct manifest_artifact *cluster = manifest_add(self, "cluster", DUMP_REDIS, "", "");
    manifest_file_add(cluster, "redis/two.rdb", 20, of_two);
    manifest_file_add(cluster, "redis/one.rdb", 10, of_one);
    return self;
}
