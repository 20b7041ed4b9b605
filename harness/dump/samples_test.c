// Every reader against whole files that the real tools made (samples/README.md says how), and
// against the same files damaged in every place.
#include "base/file.h"
#include "base/memory.h"
#include "dump/dump.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_LIMIT ((size_t)64 * 1024)

static const struct sample {
    const char *file;
    const char *format;
    const char *compression;
    const char *version;
    const char *tool;
    const char *database;
    uint64_t tables;
    uint64_t rows;
    bool restores_itself;
    // This long it is whole as well: pg_dump wrote its table of contents once more behind it.
    size_t whole_at;
} SAMPLES[] = {
    // clang-format off
    {"pg15.custom", "postgres-custom", "none", "15.20", "pg_dump 15.20", "shop", 4, 36, false, 0},
    {"pg17.custom", "postgres-custom", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, false, 0},
    {"pg17-stdout.custom", "postgres-custom", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, false, 4971},
    {"pg17-none.custom", "postgres-custom", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, false, 0},
    {"pg17-lz4.custom", "postgres-custom", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, false, 0},
    {"pg17-zstd.custom", "postgres-custom", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, false, 0},
    {"pg17-inserts.custom", "postgres-custom", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, false, 0},
    {"pg17-schema.custom", "postgres-custom", "none", "17.12", "pg_dump 17.12", "shop", 4, 0, false, 0},
    {"pg17-toc.dat", "postgres-directory", "none", "17.12", "pg_dump 17.12", "shop", 4, 0, false, 0},
    {"pg15.tar", "postgres-tar", "none", "15.20", "pg_dump 15.20", "shop", 4, 36, false, 0},
    {"pg17.tar", "postgres-tar", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, false, 0},
    {"pg15.sql", "postgres-plain", "none", "15.20", "pg_dump 15.20", NULL, 4, 36, false, 0},
    {"pg17.sql", "postgres-plain", "none", "17.12", "pg_dump 17.12", NULL, 4, 36, false, 0},
    {"pg17.sql.gz", "postgres-plain", "gzip", "17.12", "pg_dump 17.12", NULL, 4, 36, false, 0},
    {"pg17.sql.lz4", "postgres-plain", "lz4", "17.12", "pg_dump 17.12", NULL, 4, 36, false, 0},
    {"pg17.sql.zst", "postgres-plain", "zstd", "17.12", "pg_dump 17.12", NULL, 4, 36, false, 0},
    {"pg17.sql.xz", "postgres-plain", "xz", "17.12", "pg_dump 17.12", NULL, 4, 36, false, 0},
    {"pg17.sql.bz2", "postgres-plain", "bzip2", "17.12", "pg_dump 17.12", NULL, 4, 36, false, 0},
    {"pg17-inserts.sql", "postgres-plain", "none", "17.12", "pg_dump 17.12", "shop", 4, 36, true, 0},
    {"pg17-all.sql", "postgres-cluster", "none", "17.12", "pg_dump 17.12", NULL, 4, 36, true, 0},
    {"pg17-globals.sql", "postgres-cluster", "none", NULL, "pg_dumpall", NULL, 0, 0, true, 0},
    {"mysql9-two.sql", "mysqldump", "none", "9.7.4-2", "mysqldump 9.7.4", NULL, 5, 9, true, 0},
    {"mysql9-rows.sql", "mysqldump", "none", "9.7.4-2", "mysqldump 9.7.4", "shop", 4, 8, false, 0},
    {"mysql9-routines.sql", "mysqldump", "none", "9.7.4-2", "mysqldump 9.7.4", "shop", 4, 8, true, 0},
    {"mysql9-nocomments.sql", "mysqldump", "none", NULL, NULL, NULL, 4, 8, false, 0},
    {"mysql9-schema.sql.gz", "mysqldump", "gzip", "9.7.4-2", "mysqldump 9.7.4", "shop", 4, 0, false, 0},
    {"mariadb10-two.sql", "mysqldump", "none", "10.11.19-MariaDB-0+deb12u1", "mariadb-dump 10.11.19-MariaDB", NULL, 5, 9, true, 0},
    {"mariadb10-routines.sql", "mysqldump", "none", "10.11.19-MariaDB-0+deb12u1", "mariadb-dump 10.11.19-MariaDB", "shop", 4, 8, true, 0},
    {"mariadb10-nocomments.sql", "mysqldump", "none", NULL, NULL, NULL, 4, 8, false, 0},
    {"mariadb10-schema.sql.gz", "mysqldump", "gzip", "10.11.19-MariaDB-0+deb12u1", "mariadb-dump 10.11.19-MariaDB", "shop", 4, 0, false, 0},
    // clang-format on
};
#define SAMPLE_COUNT (sizeof SAMPLES / sizeof SAMPLES[0])

struct outcome {
    bool accepted; // read, as a dump of a known format
    struct dump_facts facts;
    struct source_facts source;
    struct error err;
};

static void load(const char *file, char **ret_bytes, size_t *ret_length) {
    struct error err = {0};
    autofree_string char *path = path_join(DUMP_SAMPLES, file);
    cr_assert(file_read(path, SAMPLE_LIMIT, ret_bytes, ret_length, &err), "%s", err.message);
}

static struct outcome read_bytes(const void *bytes, size_t length) {
    struct outcome outcome = {0};
    struct source *source = NULL;
    const bool read = source_open_bytes(bytes, length, &source, &outcome.err) &&
                      dump_read_source(source, &outcome.facts, &outcome.err);
    if (read)
        outcome.source = *source_facts(source);
    outcome.accepted = read && outcome.facts.format != NULL;
    source_close(source);
    return outcome;
}

static bool is_accepted(const void *bytes, size_t length) {
    struct outcome outcome = read_bytes(bytes, length);
    dump_facts_done(&outcome.facts);
    return outcome.accepted;
}

static bool same(const char *found, const char *wanted) {
    return wanted == NULL ? found == NULL : found != NULL && strcmp(found, wanted) == 0;
}

static void expect_facts(const struct sample *sample, const struct outcome *outcome) {
    const struct dump_facts *facts = &outcome->facts;
    cr_expect_str_eq(facts->format->name, sample->format, "%s", sample->file);
    cr_expect_str_eq(outcome->source.compression, sample->compression, "%s", sample->file);
    cr_expect(same(facts->server_version, sample->version), "%s: %s", sample->file,
              facts->server_version);
    cr_expect(same(facts->tool, sample->tool), "%s: %s", sample->file, facts->tool);
    cr_expect(same(facts->database, sample->database), "%s: %s", sample->file, facts->database);
    cr_expect_eq(facts->object_count, sample->tables, "%s", sample->file);
    cr_expect_eq(facts->objects.count, sample->tables, "%s", sample->file);
    cr_expect_eq(facts->record_count, sample->rows, "%s", sample->file);
    cr_expect_eq(facts->restores_itself, sample->restores_itself, "%s", sample->file);
}

Test(samples, what_real_tools_wrote_is_read_and_its_facts_are_right) {
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        char *bytes = NULL;
        size_t length = 0;
        load(SAMPLES[i].file, &bytes, &length);
        struct outcome outcome = read_bytes(bytes, length);
        cr_assert(outcome.accepted, "%s: %s", SAMPLES[i].file, outcome.err.message);
        expect_facts(&SAMPLES[i], &outcome);
        dump_facts_done(&outcome.facts);
        free(bytes);
    }
}

Test(samples, names_are_without_quotes) {
    const struct {
        const char *file, *name;
    } wanted[] = {{"pg17.custom", "Odd Schema.Na, (me"},
                  {"pg17.sql", "Odd Schema.Na, (me"},
                  {"pg17.tar", "public.orders"},
                  {"mysql9-two.sql", "shop.odd `name"},
                  {"mysql9-nocomments.sql", "odd `name"},
                  {"mariadb10-two.sql", "other.t"},
                  {"pg17-inserts.sql", "Odd Schema.Na, (me"}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        char *bytes = NULL;
        size_t length = 0;
        load(wanted[i].file, &bytes, &length);
        struct outcome outcome = read_bytes(bytes, length);
        cr_expect(string_list_contains(&outcome.facts.objects, wanted[i].name), "%s",
                  wanted[i].file);
        dump_facts_done(&outcome.facts);
        free(bytes);
    }
}

// Every length; in the middle of what is large (the tars, mostly padding) every seventh.
static size_t next_cut(size_t cut, size_t length) {
    const bool middle = length > 10000 && cut > 1100 && cut + 1100 < length;
    return middle ? 7 : 1;
}

// The copies are of exactly the length read, so that a sanitizer sees every byte read too far.
Test(samples, every_truncation_is_refused, .timeout = 900) {
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        char *bytes = NULL;
        size_t length = 0;
        load(SAMPLES[i].file, &bytes, &length);
        for (size_t cut = 0; cut < length; cut += next_cut(cut, length)) {
            char *copy = malloc(cut > 0 ? cut : 1);
            memcpy(copy, bytes, cut);
            const bool accepted = is_accepted(copy, cut);
            free(copy);
            cr_assert_eq(accepted, cut > 0 && cut == SAMPLES[i].whole_at,
                         "%s cut to %zu of %zu bytes", SAMPLES[i].file, cut, length);
        }
        free(bytes);
    }
}

static size_t accepted_flips(const char *file, size_t from, size_t step) {
    char *bytes = NULL;
    size_t length = 0;
    size_t accepted = 0;
    load(file, &bytes, &length);
    for (size_t bit = 8 * from; bit < 8 * length; bit += step) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        accepted += is_accepted(bytes, length) ? 1 : 0;
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    free(bytes);
    return accepted;
}

// What the compression or the format proves: see source_test.c for the bits that say nothing.
Test(samples, no_flipped_bit_in_data_with_a_checksum_is_accepted, .timeout = 600) {
    cr_expect_leq(accepted_flips("pg17.sql.gz", 0, 1), 64);
    cr_expect_leq(accepted_flips("mysql9-schema.sql.gz", 0, 1), 64);
    cr_expect_leq(accepted_flips("mariadb10-schema.sql.gz", 0, 1), 64);
    cr_expect_leq(accepted_flips("pg17.sql.xz", 0, 1), 2);
    cr_expect_leq(accepted_flips("pg17.sql.bz2", 0, 1), 7);
}

// Of an archive with two tables of contents all but the header's time and texts is proven: entries
// are there twice, and the six gzip blocks have their checksum, but for the bits after their last
// code.
Test(samples, no_flipped_bit_of_an_archive_with_two_tables_of_contents_is_accepted,
     .timeout = 600) {
    const size_t header = 11 + 1 + 7 * 5 + 9 + 35 + 35;
    cr_expect_leq(accepted_flips("pg17-stdout.custom", header, 1), 6 * 7);
}

// Nothing may crash or hang, whatever is flipped; how many are noticed is no promise.
Test(samples, flipped_bits_are_survived_everywhere, .timeout = 600) {
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        accepted_flips(SAMPLES[i].file, 0, 19);
}

Test(samples, a_block_of_zeros_in_a_script_is_refused) {
    static const char *const files[] = {"pg17.sql", "pg17-all.sql", "mysql9-two.sql",
                                        "pg17-none.custom"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *bytes = NULL;
        size_t length = 0;
        load(files[i], &bytes, &length);
        for (size_t at = 0; at + 512 < length - 1024; at += 512) {
            char saved[512];
            memcpy(saved, bytes + at, 512);
            memset(bytes + at, 0, 512);
            cr_expect_not(is_accepted(bytes, length), "%s at %zu", files[i], at);
            memcpy(bytes + at, saved, 512);
        }
        free(bytes);
    }
}

Test(samples, what_follows_the_end_is_refused) {
    static const char *const more[] = {"x", "SELECT 1;\n", "SELECT 1"};
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        for (size_t m = 0; m < 3; m++) {
            char *bytes = NULL;
            size_t length = 0;
            load(SAMPLES[i].file, &bytes, &length);
            bytes = memory_resize(bytes, length + 20, 1);
            memcpy(bytes + length, more[m], strlen(more[m]));
            cr_expect_not(is_accepted(bytes, length + strlen(more[m])), "%s and \"%s\"",
                          SAMPLES[i].file, more[m]);
            free(bytes);
        }
}
