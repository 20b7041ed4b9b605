#include "verify/backup/comparison.h"

#include "base/memory.h"
#include "verify/fingerprint/redis_fingerprint.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A backup of one file and a restored server that holds what a test says.
static struct manifest *manifest;
static struct manifest_artifact *entry;
static struct fingerprint *held; // NULL: the server cannot be asked
static size_t columns_wide;      // attributes of the sample's second object
static struct report *report;
static struct suite_result *suite;

static struct fingerprint *sample(uint64_t rows, const char *type) {
    struct fingerprint *self = fingerprint_new("postgres");
    struct fingerprint_object *table = fingerprint_add(self, "table", "orders");
    fingerprint_attribute_add(table, "orders.total", type);
    struct row_hash *hash = row_hash_new(manifest->hash_key);
    for (uint64_t i = 0; i < rows; i++) {
        row_hash_begin(hash);
        row_hash_value(hash, &i, sizeof i);
        row_hash_end(hash, NULL);
    }
    struct row_content content = row_hash_content(hash);
    fingerprint_content_take(table, &content);
    row_hash_free(hash);
    table = fingerprint_add(self, "aggregate", "wide"); // before the tables
    for (size_t i = 0; i < columns_wide; i++) {
        char name[32];
        snprintf(name, sizeof name, "wide.c%zu", i);
        fingerprint_attribute_add(table, name, type);
    }
    struct error problem = {0};
    cr_assert(fingerprint_sort(self, &problem), "%s", problem.message);
    return self;
}

static const int NOBODY = -1;
static int rows_held; // of "orders" in the restored server, when its rows are noted
static int rows_running;

static bool read_again(struct row_hunt *hunt, int rows, struct error *err) {
    struct row_notes *notes = NULL;
    if (rows == NOBODY)
        return error_set(err, ERROR_UNAVAILABLE, 0, "nobody is there any more");
    if (!row_hunt_reads(hunt, "table", "orders", &notes))
        return true;
    struct row_hash *hash = row_hash_new(manifest->hash_key, .notes = notes);
    for (uint64_t i = 0; i < (uint64_t)rows; i++) {
        char id[16];
        row_hash_value(hash, &i, sizeof i);
        row_hash_end(hash, NULL);
        if (row_notes_wants(notes))
            row_notes_key(notes, "id", id, (size_t)snprintf(id, sizeof id, "%d", (int)i));
    }
    row_hash_free(hash);
    return true;
}

static bool hunt_running(void *context, const struct backup *of, const struct artifact *which,
                         const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                         struct error *err) {
    cr_expect_eq(context, &rows_running);
    cr_expect_not_null(of);
    cr_expect_not_null(which);
    cr_expect(memcmp(key, manifest->hash_key, ROW_HASH_KEY_SIZE) == 0);
    return read_again(hunt, rows_running, err);
}

static bool answer(const struct restore *self, const struct endpoint *server,
                   const uint8_t key[ROW_HASH_KEY_SIZE], struct row_hunt *hunt,
                   struct fingerprint **ret_fingerprint, struct error *err) {
    (void)self, (void)server;
    cr_expect(memcmp(key, manifest->hash_key, ROW_HASH_KEY_SIZE) == 0);
    if (hunt != NULL)
        return read_again(hunt, rows_held, err);
    *ret_fingerprint = held;
    held = NULL;
    return *ret_fingerprint != NULL || error_set(err, ERROR_UNAVAILABLE, 0, "nobody is there");
}

static const char *product;

static bool identify(const struct endpoint *server, char *buffer, size_t size, struct error *err) {
    (void)server, (void)err;
    snprintf(buffer, size, "%s", product);
    return true;
}

static const struct restorer RESTORER = {
    .service = "postgres", .title = "PostgreSQL", .fingerprint = answer, .identify = identify};

static struct backup_file file;
static size_t first;
static struct artifact artifact;
static struct backup backup;
static struct endpoint endpoint;
static struct restore restore;

static void init(void) {
    product = "PostgreSQL 17.6";
    manifest = manifest_new();
    entry = manifest_add(manifest, "db/app", DUMP_POSTGRES, "17.2", "pg_dump");
    manifest_file_add(entry, "app.dump", 1, (const uint8_t[SHA256_SIZE]){0});
    file = (struct backup_file){.path = (char *)(uintptr_t) "app.dump", .facts.record_count = 3};
    artifact = (struct artifact){.files = &first, .file_count = 1};
    backup = (struct backup){.path = (char *)(uintptr_t) "/backups/app",
                             .files = &file,
                             .file_count = 1,
                             .artifacts = &artifact,
                             .artifact_count = 1};
    restore = (struct restore){.endpoint = &endpoint, .backup = &backup, .artifact = &artifact};
    report = report_new("test");
    suite = report_add_suite(report);
}

static void done(void) {
    manifest_free(manifest);
    report_free(report);
}

TestSuite(comparison, .init = init, .fini = done);

static const struct test_result *find(const char *name) {
    for (size_t i = 0; i < suite->test_count; i++)
        if (strcmp(suite->tests[i].name, name) == 0)
            return &suite->tests[i];
    return NULL;
}

static void expect(const char *name, enum outcome outcome, const char *message) {
    const struct test_result *test = find(name);
    cr_assert_not_null(test, "%s", name);
    if (test == NULL)
        return; // never: for the compiler
    cr_expect_eq(test->outcome, outcome, "%s: %d, %s", name, test->outcome, test->message);
    if (message != NULL)
        cr_expect(test->message != NULL && strstr(test->message, message) != NULL, "%s: %s", name,
                  test->message);
}

static void compare(struct fingerprint *expected, struct fingerprint *actual) {
    entry->fingerprint = expected;
    held = actual;
    const struct testimony testimony = {.there = true, .manifest = manifest};
    comparison_of_content(&testimony, &RESTORER, &restore, suite);
}

Test(comparison, what_is_the_same_passes) {
    compare(sample(3, "numeric"), sample(3, "numeric"));
    expect("schema_is_as_it_was", OUTCOME_PASSED, NULL);
    expect("rows_are_as_they_were", OUTCOME_PASSED, NULL);
}

Test(comparison, a_lost_row_fails_and_is_counted) {
    compare(sample(3, "numeric"), sample(2, "numeric"));
    expect("schema_is_as_it_was", OUTCOME_PASSED, NULL);
    expect("rows_are_as_they_were", OUTCOME_FAILED, "table orders: 1 row missing (2 of 3)");
}

Test(comparison, a_row_too_many_is_named) {
    rows_held = 4;
    compare(sample(3, "numeric"), sample(4, "numeric"));
    expect("rows_are_as_they_were", OUTCOME_FAILED,
           "table orders: 1 row extra (4 of 3)\n    extra: id=3");
}

static void add_copy(struct fingerprint *fingerprint, const char *name) {
    struct error problem = {0};
    struct row_content content =
        row_content_copy(&fingerprint_find(fingerprint, "table", "orders")->content);
    fingerprint_content_take(fingerprint_add(fingerprint, "table", name), &content);
    cr_assert(fingerprint_sort(fingerprint, &problem), "%s", problem.message);
}

Test(comparison, rows_stand_below_the_difference_that_they_are_of) {
    struct fingerprint *both[] = {sample(3, "x"), sample(4, "x")};
    struct string_list rows = {0};
    add_copy(both[0], "a");
    add_copy(both[1], "a");
    string_list_add(&rows, "\n    of a");
    string_list_add(&rows, "\n    of orders");
    comparison_of_fingerprints(&COMPARISON_THEN, both[0], both[1], &rows, true, suite);
    expect("rows_are_as_they_were", OUTCOME_FAILED,
           "table a: 1 row extra (4 of 3)\n    of a\ntable");
    expect("rows_are_as_they_were", OUTCOME_FAILED,
           "orders: 1 row extra (4 of 3)\n    of orders\n");
    string_list_done(&rows);
    fingerprint_free(both[0]);
    fingerprint_free(both[1]);
}

Test(comparison, rows_that_cannot_be_read_again_differ_still) {
    rows_held = NOBODY;
    compare(sample(3, "numeric"), sample(4, "numeric"));
    expect(
        "rows_are_as_they_were", OUTCOME_FAILED,
        "table orders: 1 row extra (4 of 3)\n    which rows cannot be told: the restored server: "
        "nobody is there any more");
}

static void compare_live(int rows) {
    rows_held = 4;
    rows_running = rows;
    entry->fingerprint = sample(5, "numeric");
    held = sample(4, "numeric");
    const struct comparison_live live = {manifest, hunt_running, &rows_running};
    comparison_with_live(&live, &RESTORER, &restore, suite);
}

Test(comparison, with_a_running_server_names_the_row_that_is_gone) {
    compare_live(5);
    expect("rows_are_as_in_the_running_server", OUTCOME_FAILED,
           "table orders: 1 row missing (4 of 5)\n    missing: id=4");
}

Test(comparison, with_a_running_server_that_went_away_differs_still) {
    compare_live(NOBODY);
    expect("rows_are_as_in_the_running_server", OUTCOME_FAILED,
           "(4 of 5)\n    which rows cannot be told: the running server: nobody");
}

Test(comparison, another_type_fails_on_a_server_of_the_same_major_version) {
    compare(sample(3, "numeric"), sample(3, "text"));
    expect("schema_is_as_it_was", OUTCOME_FAILED, "orders.total: numeric \u2192 text");
    expect("rows_are_as_they_were", OUTCOME_PASSED, NULL);
}

Test(comparison, another_major_version_may_use_other_words) {
    product = "PostgreSQL 18.1";
    compare(sample(3, "numeric"), sample(2, "text"));
    expect("schema_is_as_it_was", OUTCOME_NOT_VERIFIED, "orders.total: numeric \u2192 text");
    expect("rows_are_as_they_were", OUTCOME_FAILED, "1 row missing");
}

Test(comparison, many_differences_of_the_schema_do_not_hide_a_lost_row) {
    columns_wide = DIFFERENCES_LIMIT + 50;
    compare(sample(3, "numeric"), sample(2, "text"));
    expect("schema_is_as_it_was", OUTCOME_FAILED, "more");
    expect("rows_are_as_they_were", OUTCOME_FAILED, NULL);
}

Test(comparison, rows_that_nobody_read_are_not_verified_and_hide_no_difference) {
    struct fingerprint *actual = sample(3, "numeric");
    actual->objects[1].has_content = false;
    compare(sample(3, "numeric"), actual);
    expect("rows_are_as_they_were", OUTCOME_NOT_VERIFIED, NULL);
}

Test(comparison, a_server_that_cannot_be_asked_is_not_verified) {
    compare(sample(3, "numeric"), NULL);
    expect("schema_is_as_it_was", OUTCOME_NOT_VERIFIED, "nobody is there");
    expect("rows_are_as_they_were", OUTCOME_NOT_VERIFIED, "nobody is there");
}

Test(comparison, without_sums_there_is_nothing_to_compare_but_records_are_missed) {
    compare(NULL, NULL);
    expect("rows_are_as_they_were", OUTCOME_NOT_VERIFIED, "does not say");
    cr_expect_null(find("schema_is_as_it_was"));
    suite = report_add_suite(report);
    file.facts.record_count = 0;
    compare(NULL, NULL);
    expect("rows_are_as_they_were", OUTCOME_NOT_APPLICABLE, "no records");
}

Test(comparison, keys_that_have_expired_are_no_loss) {
    struct fingerprint *before = sample(3, "x"), *after = sample(2, "x");
    struct fingerprint *both[] = {before, after};
    for (size_t i = 0; i < 2; i++) {
        free(both[i]->objects[1].name);
        both[i]->objects[1].name = memory_copy_string("0" REDIS_KEYS_THAT_EXPIRE);
    }
    compare(before, after);
    expect("keys_that_expire_are_as_they_were", OUTCOME_NOT_APPLICABLE, "of 3 keys");
    expect("rows_are_as_they_were", OUTCOME_PASSED, NULL);
}

Test(comparison, keys_that_expire_and_are_more_or_others_are_a_difference) {
    struct fingerprint *both[] = {sample(2, "x"), sample(3, "x")};
    for (size_t i = 0; i < 2; i++) {
        free(both[i]->objects[1].name);
        both[i]->objects[1].name = memory_copy_string("0" REDIS_KEYS_THAT_EXPIRE);
    }
    compare(both[0], both[1]);
    expect("rows_are_as_they_were", OUTCOME_FAILED, "1 row extra");
}

static void control(struct fingerprint *expected, struct fingerprint *actual) {
    entry->fingerprint = expected;
    held = actual;
    const struct testimony testimony = {.there = true, .manifest = manifest};
    comparison_control(&testimony, &RESTORER, &restore, suite);
}

Test(comparison, the_control_wants_a_lost_record_to_be_seen) {
    control(sample(3, "x"), sample(2, "x"));
    expect("a_lost_record_changes_the_sums", OUTCOME_PASSED, NULL);
    suite = report_add_suite(report);
    fingerprint_free(entry->fingerprint);
    control(sample(3, "x"), sample(3, "x"));
    expect("a_lost_record_changes_the_sums", OUTCOME_FAILED, "did not show it");
    suite = report_add_suite(report);
    fingerprint_free(entry->fingerprint);
    control(sample(3, "x"), NULL);
    expect("a_lost_record_changes_the_sums", OUTCOME_NOT_VERIFIED, "nobody is there");
}

static void files(struct testimony testimony) {
    comparison_of_files(&testimony, &backup, suite);
}

Test(comparison, a_manifest_that_is_not_there_counts_when_it_is_wanted) {
    files((struct testimony){.there = false});
    cr_expect_eq(suite->test_count, 0);
    files((struct testimony){.demanded = true});
    expect("manifest_is_sound", OUTCOME_NOT_VERIFIED, "there is no manifest.json");
    suite = report_add_suite(report);
    files((struct testimony){.must_be_signed = true, .demanded = true});
    expect("manifest_is_sound", OUTCOME_FAILED, "nothing is signed");
}

Test(comparison, a_signature_is_wanted_when_a_key_is_given) {
    const struct testimony unsigned_one = {.there = true, .manifest = manifest};
    files(unsigned_one);
    expect("manifest_is_signed", OUTCOME_NOT_APPLICABLE, NULL);
    suite = report_add_suite(report);
    files((struct testimony){.there = true, .manifest = manifest, .must_be_signed = true});
    expect("manifest_is_signed", OUTCOME_FAILED, "not signed");
    suite = report_add_suite(report);
    files(
        (struct testimony){.there = true, .manifest = manifest, .signature = MANIFEST_NOT_CHECKED});
    expect("manifest_is_signed", OUTCOME_NOT_VERIFIED, "--key");
}

Test(comparison, a_manifest_that_cannot_be_believed_fails_and_one_that_is_newer_is_not_verified) {
    const struct error damaged = {.domain = ERROR_PROTOCOL, .message = "line 3"};
    const struct error newer = {.domain = ERROR_UNAVAILABLE, .message = "version 2"};
    files((struct testimony){.there = true, .problem = damaged});
    expect("manifest_is_sound", OUTCOME_FAILED, "line 3");
    suite = report_add_suite(report);
    files((struct testimony){.there = true, .problem = newer});
    expect("manifest_is_sound", OUTCOME_NOT_VERIFIED, "version 2");
}

static void name(const char *path, enum outcome outcome, const char *message) {
    suite = report_add_suite(report);
    backup.path = (char *)(uintptr_t)path;
    files((struct testimony){.there = true, .manifest = manifest});
    expect("its_name_is_of_its_time", outcome, message);
}

Test(comparison, another_backup_under_a_new_name_fails) {
    manifest->start_ms = 1795489200000; // 2026-11-24 03:00:00
    manifest->end_ms = manifest->start_ms + 60000;
    files((struct testimony){.there = true, .manifest = manifest});
    cr_expect_null(find("its_name_is_of_its_time")); // no date stands in it
    name("/backups/20261124-030000", OUTCOME_PASSED, NULL);
    name("/backups/2026-11-23", OUTCOME_PASSED, NULL); // west of here
    name("/backups/app-2026-11-25_01-00-00", OUTCOME_PASSED, NULL);
    name("20261124-030000", OUTCOME_PASSED, NULL);
    name("/backups/20261126-030000", OUTCOME_FAILED, "says 2026-11-26 03:00:00");
    name("/2026-11-24/20261122-030000", OUTCOME_FAILED, "made at 2026-11-24 03:01:00 UTC");
}

Test(comparison, the_manifest_itself_is_no_artifact_even_when_it_is_not_asked) {
    const struct backup_file itself = {.path = (char *)(uintptr_t)MANIFEST_NAME};
    cr_expect(comparison_is_manifest(&(struct testimony){.there = true}, &itself));
    cr_expect_not(comparison_is_manifest(&(struct testimony){.there = false}, &itself));
    cr_expect_not(comparison_is_manifest(&(struct testimony){.there = true}, &file));
}
