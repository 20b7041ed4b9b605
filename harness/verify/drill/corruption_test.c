#define _GNU_SOURCE
#include "verify/drill/corruption.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "verify/backup/manifest.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- a backup as `assay backup create` makes it: two artifacts, summed and signed

struct sample {
    const char *file; // in harness/dump/samples
    const char *path; // in the backup
};

static char *place; // of all that a test writes
static char *backup_path;
static char *copies;
static struct signing_key *key;
static struct public_key public_key;
static struct backup *backup;
static struct report *report;
static struct suite_result *suite;
static struct corruption_site site;
static struct error problem;

static void good(bool what) {
    cr_assert(what, "%s", problem.message);
}

static void init(void) {
    place = memory_copy_string("/tmp/assay-corruption.XXXXXX");
    cr_assert_not_null(mkdtemp(place));
    autofree_string char *key_path = path_join(place, "key");
    backup_path = path_join(place, "backup");
    copies = path_join(place, "copies");
    good(signing_key_make(key_path, &problem) && signing_key_read(key_path, &key, &problem));
    good(folder_make(backup_path, 0700, &problem) && folder_make(copies, 0700, &problem));
    public_key = signing_key_public(key);
    report = report_new("test");
    suite = report_add_suite(report);
}

static void done(void) {
    cr_expect(file_remove_tree(place, &problem), "%s", problem.message);
    signing_key_free(key);
    backup_free(backup);
    report_free(report);
    free(place);
    free(backup_path);
    free(copies);
}

TestSuite(corruption, .init = init, .fini = done, .timeout = 240);

static void add_file(const struct sample *sample) {
    autofree_string char *from = path_join(DUMP_SAMPLES, sample->file);
    autofree_string char *to = path_join(backup_path, sample->path);
    autofree_string char *bytes = NULL;
    autofree_string char *folder = memory_copy_bytes(to, (size_t)(strrchr(to, '/') - to));
    size_t length = 0;
    good(file_read(from, SIZE_MAX, &bytes, &length, &problem) &&
         folder_make(folder, 0700, &problem) &&
         file_write_atomic(to, bytes, length, 0600, &problem));
}

static void add_sums(struct manifest_artifact *artifact, const uint8_t *hash_key) {
    artifact->fingerprint = fingerprint_new(dump_engine_name(artifact->engine));
    fingerprint_add(artifact->fingerprint, "schema", "public"); // without rows
    struct fingerprint_object *table =
        fingerprint_add(artifact->fingerprint, "table", "public.orders");
    struct row_hash *hash = row_hash_new(hash_key, .buckets = 16);
    row_hash_begin(hash);
    row_hash_value(hash, "one", 3);
    row_hash_end(hash, NULL);
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(table, &content);
    row_hash_free(hash);
}

static void write_manifest(bool with_sums) {
    autofree(manifest) struct manifest *manifest = manifest_new();
    good(backup_open(backup_path, &(struct backup_options){0}, &backup, &problem));
    for (size_t i = 0; i < backup->artifact_count; i++) {
        const struct artifact *artifact = &backup->artifacts[i];
        struct manifest_artifact *entry = manifest_add(
            manifest, artifact->name, backup_engine(backup, artifact), "17.2", "pg_dump 17.2");
        for (size_t j = 0; j < artifact->file_count; j++) {
            const struct backup_file *file = &backup->files[artifact->files[j]];
            cr_assert(file->read && file->facts.format != NULL, "%s", file->path);
            manifest_file_add(entry, file->path, file->size, file->source.sha256);
        }
        if (with_sums)
            add_sums(entry, manifest->hash_key);
    }
    good(manifest_write(manifest, backup_path, key, &problem));
    backup_free(TAKE(backup)); // from now on with its manifest
    good(backup_open(backup_path, &(struct backup_options){0}, &backup, &problem));
}

static void make_site(const struct sample *artifact, const struct sample *other) {
    add_file(artifact);
    if (other != NULL)
        add_file(other);
    write_manifest(other != NULL);
    site = (struct corruption_site){.backup = backup_path,
                                    .artifact = artifact->path,
                                    .other = other != NULL ? other->path : NULL,
                                    .key = key,
                                    .public_key = &public_key,
                                    .folder = copies};
}

// ---- what there must be afterwards

static void expect_nothing_left(void) {
    autodone(string_list) struct string_list names = {0};
    good(folder_list(copies, &names, &problem));
    cr_expect_eq(names.count, 0, "%s is left", names.count > 0 ? names.items[0] : "");
    cr_expect(backup_unchanged(backup, NULL, &problem), "%s", problem.message);
}

static const struct test_result *try_one(const struct corruption *corruption) {
    corruption_try(corruption, &site, suite);
    expect_nothing_left();
    return &suite->tests[suite->test_count - 1];
}

static void expect(const struct corruption *corruption, enum outcome outcome, const char *message) {
    const struct test_result *test = try_one(corruption);
    cr_expect_eq(test->outcome, outcome, "%s: %s: %s", test->name, outcome_name(test->outcome),
                 test->message);
    if (message == NULL)
        cr_expect_null(test->message, "%s", test->message);
    else
        cr_expect(test->message != NULL && strstr(test->message, message) != NULL, "%s: %s",
                  test->name, test->message);
}

// ---- all of them

// `not_applicable`: how many cannot befall it, or would rightly not show.
static void try_all(const struct sample *artifact, const struct sample *other,
                    size_t not_applicable) {
    make_site(artifact, other);
    for (const struct corruption *each = CORRUPTIONS; each->name != NULL; each++) {
        corruption_try(each, &site, suite);
        const struct test_result *test = &suite->tests[suite->test_count - 1];
        cr_expect(test->outcome == OUTCOME_PASSED || test->outcome == OUTCOME_NOT_APPLICABLE,
                  "%s: %s: %s", test->name, outcome_name(test->outcome), test->message);
        cr_expect(test->outcome == OUTCOME_PASSED || test->message != NULL, "%s", test->name);
    }
    cr_expect_eq(suite_tally(suite).not_applicable, not_applicable, "%zu",
                 suite_tally(suite).not_applicable);
    expect_nothing_left();
}

static const struct sample CUSTOM = {"pg17.custom", "db-app.dump"};
static const struct sample RDB = {"redis-8.0.rdb", "cache.rdb"};

Test(corruption, of_a_custom_dump_is_refused) {
    try_all(&CUSTOM, &RDB, 6);
}

Test(corruption, of_a_tar_of_pg_dump_is_refused) {
    try_all(&(struct sample){"pg17.tar", "db-app.tar"}, &RDB, 9);
}

Test(corruption, of_plain_sql_is_refused) {
    try_all(&(struct sample){"pg17.sql", "db-app.sql"}, &RDB, 6);
}

Test(corruption, of_compressed_sql_is_refused) {
    try_all(&(struct sample){"pg17.sql.gz", "db-app.sql.gz"}, &RDB, 4);
}

Test(corruption, of_compressed_sql_without_a_checksum_is_refused) {
    try_all(&(struct sample){"pg17.sql.zst", "db-app.sql.zst"}, &RDB, 8);
}

Test(corruption, of_a_mysqldump_is_refused) {
    try_all(&(struct sample){"mysql9-two.sql", "db/shop.sql"}, &CUSTOM, 6);
}

Test(corruption, of_a_mysqldump_without_comments_is_refused) {
    try_all(&(struct sample){"mysql9-nocomments.sql", "db/shop.sql"}, &CUSTOM, 6);
}

Test(corruption, of_a_folder_of_mongodump_is_refused) {
    try_all(&(struct sample){"mongodump-100.18-orders.bson", "docs/shop/orders.bson"}, &CUSTOM, 9);
}

Test(corruption, of_an_archive_of_mongodump_is_refused) {
    try_all(&(struct sample){"mongodump-100.18.archive", "docs.archive"}, &CUSTOM, 5);
}

Test(corruption, of_an_rdb_is_refused) {
    try_all(&RDB, &CUSTOM, 3);
}

Test(corruption, of_an_rdb_without_checksum_is_refused) {
    try_all(&(struct sample){"redis-8.0-no-checksum.rdb", "cache.rdb"}, &CUSTOM, 7);
}

Test(corruption, of_a_volume_is_refused) {
    try_all(&(struct sample){"redis-8.0-volume.tar", "cache.tar"}, &CUSTOM, 9);
}

Test(corruption, of_a_lone_artifact_without_sums_is_refused) {
    try_all(&CUSTOM, NULL, 11);
}

Test(corruption, is_of_many_kinds_each_with_a_name_of_its_own) {
    size_t count = 0;
    for (const struct corruption *each = CORRUPTIONS; each->name != NULL; each++, count++)
        for (const struct corruption *other = CORRUPTIONS; other != each; other++)
            cr_expect_str_neq(each->name, other->name);
    cr_expect_geq(count, 100);
}

// ---- formats that cannot tell

static const struct corruption *row(const char *name) {
    const struct corruption *each = CORRUPTIONS;
    while (each->name != NULL && strcmp(each->name, name) != 0)
        each++;
    cr_assert_not_null(each->name, "%s", name);
    return each;
}

static void append(const void *bytes, size_t length) {
    autofree_string char *path = path_join(backup_path, site.artifact);
    autofree_string char *was = NULL;
    autodone(text) struct text becomes = {0};
    size_t was_length = 0;
    good(file_read(path, SIZE_MAX, &was, &was_length, &problem));
    text_append_bytes(&becomes, was, was_length);
    text_append_bytes(&becomes, bytes != NULL ? bytes : was, bytes != NULL ? length : was_length);
    good(file_write_atomic(path, becomes.bytes, becomes.length, 0600, &problem));
    backup_free(TAKE(backup));
    good(backup_open(backup_path, &(struct backup_options){0}, &backup, &problem));
}

Test(corruption, that_cuts_bson_between_two_documents_cannot_show) {
    make_site(&(struct sample){"mongodump-100.18-orders.bson", "docs/shop/orders.bson"}, NULL);
    expect(row("without a manifest: cut to half"), OUTCOME_PASSED, NULL);
    append(NULL, 0); // all of its documents again
    expect(row("without a manifest: cut to half"), OUTCOME_NOT_APPLICABLE, "a document ends there");
}

Test(corruption, that_cuts_off_the_padding_of_a_tar_cannot_show) {
    static const char zeros[1024];
    make_site(&(struct sample){"redis-8.0-volume.tar", "cache.tar"}, NULL);
    append(zeros, sizeof zeros);
    expect(row("without a manifest: the last 512 bytes are missing"), OUTCOME_NOT_APPLICABLE,
           "only zeros would be missing");
    expect(row("without a manifest: the last byte is missing"), OUTCOME_PASSED, NULL);
}

// ---- the checker itself

static bool nothing(const struct corruption_site *self, const char *copy, struct error *err) {
    (void)self, (void)copy, (void)err;
    return true;
}

static bool empty(const struct corruption_site *self, const char *copy, struct error *err) {
    autofree_string char *path = path_join(copy, self->artifact);
    return truncate(path, 0) == 0 || error_set_errno(err, "cannot cut %s", path);
}

static bool remove_all(const struct corruption_site *self, const char *copy, struct error *err) {
    (void)self;
    return file_remove_tree(copy, err) && folder_make(copy, 0700, err);
}

static bool impossible(const struct corruption_site *self, const char *copy, struct error *err) {
    (void)self, (void)copy;
    return error_set(err, ERROR_UNAVAILABLE, 0, "it is a sphere");
}

static bool broken(const struct corruption_site *self, const char *copy, struct error *err) {
    (void)self, (void)copy;
    return error_set(err, ERROR_SYSTEM, 0, "the disk is full");
}

#define FILES_TEST "files_are_those_of_the_manifest"

Test(corruption, that_does_nothing_was_taken_for_whole) {
    make_site(&CUSTOM, &RDB);
    const struct corruption harmless = {"harmless", nothing, FILES_TEST, "%s: "};
    const struct test_result *test = try_one(&harmless);
    cr_expect_eq(test->outcome, OUTCOME_FAILED);
    cr_expect_str_eq(test->message, "was taken for whole");
    cr_expect_str_eq(test->name, "corrupted: db-app.dump: harmless");
    expect(&(struct corruption){"harmless", nothing, "is_whole", "%s: ", .foreign = true},
           OUTCOME_FAILED, "was taken for whole");
}

Test(corruption, that_is_refused_in_other_words_fails) {
    make_site(&CUSTOM, &RDB);
    const char *const said[] = {"its SHA-256", "cache.rdb: 0 bytes", "%s: 1 bytes"};
    for (size_t i = 0; i < 3; i++)
        expect(&(struct corruption){"emptied", empty, FILES_TEST, said[i]}, OUTCOME_FAILED,
               "was refused, but for another reason: " FILES_TEST ": db-app.dump: 0 bytes, not");
    expect(&(struct corruption){"emptied", empty, FILES_TEST, "%s: 0 bytes"}, OUTCOME_PASSED, NULL);
}

Test(corruption, that_is_refused_by_another_test_fails) {
    make_site(&CUSTOM, &RDB);
    expect(&(struct corruption){"emptied", empty, "manifest_is_sound", "0 bytes"}, OUTCOME_FAILED,
           "was refused, but for another reason: " FILES_TEST ": ");
    expect(row("without a manifest: cut to half"), OUTCOME_PASSED, NULL);
    struct corruption cut = *row("without a manifest: cut to half");
    cut.foreign = false;
    cut.test = "manifest_is_signed";
    expect(&cut, OUTCOME_FAILED, "was refused, but for another reason: is_whole: ");
    struct corruption flipped = *row("a bit is flipped in the middle"); // of which is_whole fails
    expect(&flipped, OUTCOME_PASSED, NULL);
    flipped.test = "manifest_is_signed";
    expect(&flipped, OUTCOME_FAILED, "was refused, but for another reason: is_whole: ");
}

Test(corruption, that_leaves_nothing_to_verify_is_refused_for_another_reason) {
    make_site(&CUSTOM, &RDB);
    expect(&(struct corruption){"gone", remove_all, FILES_TEST, "is missing"}, OUTCOME_FAILED,
           "was refused, but for another reason: ");
}

Test(corruption, that_is_only_not_verified_was_not_refused) {
    make_site(&CUSTOM, &RDB);
    expect(&(struct corruption){"emptied", empty, "is_whole", "%s: ", .foreign = true},
           OUTCOME_FAILED,
           "was not refused, only not verified: is_recognised: unknown format: looks like empty");
}

Test(corruption, that_cannot_befall_an_artifact_is_not_applicable) {
    make_site(&CUSTOM, &RDB);
    expect(&(struct corruption){"square", impossible, FILES_TEST, "%s: "}, OUTCOME_NOT_APPLICABLE,
           "it is a sphere");
}

Test(corruption, that_could_not_be_done_is_not_verified) {
    make_site(&CUSTOM, &RDB);
    expect(&(struct corruption){"broken", broken, FILES_TEST, "%s: "}, OUTCOME_NOT_VERIFIED,
           "the disk is full");
}

static bool count_manifests(const struct corruption_site *self, const char *copy,
                            struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_NAME);
    autofree_string char *signature_path = path_join(copy, MANIFEST_SIGNATURE_NAME);
    (void)self;
    return error_set(err, ERROR_UNAVAILABLE, 0, "%d of 2",
                     file_exists(path) + file_exists(signature_path));
}

Test(corruption, of_a_foreign_backup_befalls_one_without_manifest_and_signature) {
    make_site(&CUSTOM, &RDB);
    expect(&(struct corruption){"a", count_manifests, FILES_TEST, "x"}, OUTCOME_NOT_APPLICABLE,
           "2 of 2");
    expect(&(struct corruption){"a", count_manifests, "is_whole", "x", .foreign = true},
           OUTCOME_NOT_APPLICABLE, "0 of 2");
}

Test(corruption, is_not_verified_where_no_copy_can_be_made) {
    make_site(&CUSTOM, &RDB);
    autofree_string char *nowhere = path_join(place, "nowhere");
    site.folder = nowhere;
    expect(row("emptied"), OUTCOME_NOT_VERIFIED, "cannot make a folder in");
}

Test(corruption, is_not_verified_of_a_backup_that_cannot_be_copied_whole) {
    make_site(&CUSTOM, &RDB);
    autofree_string char *path = path_join(backup_path, "zz");
    cr_assert_eq(symlink("cache.rdb", path), 0);
    backup_free(TAKE(backup));
    good(backup_open(backup_path, &(struct backup_options){0}, &backup, &problem));
    expect(row("emptied"), OUTCOME_NOT_VERIFIED, "zz is neither a file nor a folder");
}

Test(corruption, is_not_verified_when_it_was_cancelled) {
    static struct cancel cancel;
    make_site(&CUSTOM, &RDB);
    good(cancel_init(&cancel, &problem));
    site.cancel = &cancel;
    expect(row("emptied"), OUTCOME_PASSED, NULL);
    cancel_request(&cancel);
    cr_expect_eq(try_one(row("emptied"))->outcome, OUTCOME_NOT_VERIFIED);
    const struct corruption never = {"never", impossible, FILES_TEST, "%s: "}; // not copied at all
    cr_expect_eq(try_one(&never)->outcome, OUTCOME_NOT_VERIFIED);
    cancel_done(&cancel);
}
