// What dumper.c does by itself; dumps of real servers are in command/create_backup_real_test.c.
#include "verify/backup/dumper.h"

#include "base/file.h"
#include "verify/backup/artifact_writer.h"
#include "verify/backup/origin.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/assay-dumper.XXXXXX";
static struct string_list notes;
static const struct dumper dumper = {.engine = DUMP_REDIS};
static const struct origin origin = {.dumper = &dumper};
static struct making making;
static struct error problem;

static void begin(void) {
    cr_assert_not_null(mkdtemp(folder));
    making = (struct making){
        .origin = &origin, .folder = folder, .manifest = manifest_new(), .notes = &notes};
}

static void end(void) {
    manifest_free(making.manifest);
    string_list_done(&notes);
    cr_expect(file_remove_tree(folder, &problem), "%s", problem.message);
}

TestSuite(dumper, .init = begin, .fini = end);

static bool write_a_word(void *context, struct artifact_writer *writer, struct error *err) {
    (void)context;
    return artifact_writer_put(writer, "word", 4, err);
}

static void expect_file(const char *artifact, const char *file) {
    const struct dump_call call = {.write = write_a_word,
                                   .artifact = artifact,
                                   .ending = ".dump",
                                   .server_version = "1",
                                   .tool = "test"};
    cr_assert(dumper_write(&making, &call, &problem), "%s", problem.message);
    const struct manifest *manifest = making.manifest;
    cr_expect_str_eq(manifest->artifacts[manifest->artifact_count - 1].files[0].path, file);
    cr_expect_str_eq(manifest->artifacts[manifest->artifact_count - 1].name, artifact);
}

Test(dumper, no_two_artifacts_share_a_file_and_none_is_hidden) {
    expect_file("db/my shop", "db-my_shop.dump");
    expect_file("db-my/shop", "db-my-shop.dump");
    expect_file("db/my-shop", "db-my-shop-2.dump");
    expect_file(".hidden", "_hidden.dump");
}

static struct fingerprint *sums_of(const char *object) {
    struct fingerprint *fingerprint = fingerprint_new("redis");
    fingerprint_add(fingerprint, "database", object);
    cr_assert(fingerprint_sort(fingerprint, &problem));
    return fingerprint;
}

Test(dumper, what_is_written_to_meanwhile_has_no_sums_and_its_user_is_told) {
    struct fingerprint *before = sums_of("0"), *same = sums_of("0"), *other = sums_of("1");
    expect_file("keys", "keys.dump");
    dumper_keep_steady(&making, before, same);
    cr_expect_eq(making.manifest->artifacts[0].fingerprint, same);
    cr_expect_eq(notes.count, 0);
    expect_file("more", "more.dump");
    dumper_keep_steady(&making, before, other);
    cr_expect_null(making.manifest->artifacts[1].fingerprint);
    cr_assert_eq(notes.count, 1);
    cr_expect_not_null(strstr(notes.items[0], "more was written to while it was dumped"), "%s",
                       notes.items[0]);
    fingerprint_free(before);
}
