#include "verify/backup/damage.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 60

static const char *const SAMPLES[] = {
    "pg17.sql",
    "pg17.sql.gz",
    "pg17.sql.bz2",
    "pg17.sql.xz",
    "pg17.sql.zst",
    "pg17.sql.lz4",
    "pg17-all.sql",
    "pg17.custom",
    "pg17.tar",
    "mysql9-two.sql",
    "mysql9-schema.sql.gz",
    "mongodump-100.18.archive",
    "redis-8.0.rdb",
    "redis-8.0-volume.tar",
    "mongodump-100.18-orders.bson",
    "pg17-toc.dat",
    "pg15.tar",
    "mongodump-100.18.archive.gz",
};
#define SAMPLE_COUNT (sizeof SAMPLES / sizeof *SAMPLES)

static struct backup *backup;
static struct error problem;

static void forget(void) {
    backup_free(backup);
    backup = NULL;
}

TestSuite(damage, .fini = forget, .timeout = 120);

static const struct backup_file *open_sample(const char *name) {
    autofree_string char *path = memory_format("%s/%s", DUMP_SAMPLES, name);
    forget();
    cr_assert(backup_open(path, &(struct backup_options){0}, &backup, &problem), "%s",
              problem.message);
    return &backup->files[0];
}

Test(damage, every_seed_is_refused_for_its_content) {
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct backup_file *file = open_sample(SAMPLES[i]);
        cr_assert(file->read && file->facts.format != NULL, "%s", SAMPLES[i]);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct damage_result result;
            cr_assert(damage_try(file, seed, NULL, &result, &problem), "%s", problem.message);
            cr_expect(result.refused, "%s, %s: %s", SAMPLES[i], result.what, result.answer);
        }
    }
}

Test(damage, seeds_choose_different_damage) {
    const struct backup_file *file = open_sample("pg17.custom");
    struct damage_result first, second, again;
    cr_assert(damage_try(file, 1, NULL, &first, &problem));
    cr_assert(damage_try(file, 2, NULL, &second, &problem));
    cr_assert(damage_try(file, 1, NULL, &again, &problem));
    cr_expect_str_neq(first.what, second.what);
    cr_expect_str_eq(first.what, again.what);
}

Test(damage, the_file_itself_stays_as_it_is) {
    const struct backup_file *file = open_sample("pg17.custom");
    struct damage_result result;
    cr_assert(damage_try(file, 7, NULL, &result, &problem));
    cr_expect(backup_unchanged(backup, NULL, &problem), "%s", problem.message);
}

Test(damage, a_folder_that_takes_no_copy_is_an_error_not_a_refusal) {
    const struct backup_file *file = open_sample("pg17.custom");
    struct damage_result result;
    setenv("TMPDIR", "/nonexistent", 1);
    cr_expect_not(damage_try(file, 1, NULL, &result, &problem));
    cr_expect_eq(problem.domain, ERROR_SYSTEM);
    cr_expect_not_null(strstr(problem.message, "/nonexistent"), "%s", problem.message);
}
