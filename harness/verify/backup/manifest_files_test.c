#include "verify/backup/manifest_fixture.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

static struct {
    struct manifest *manifest;
    struct backup backup;
    struct backup_file files[8];
    struct file_differences differences;
} held;

// A backup as it would be found when nothing happened to it.
static void hold(void) {
    held.manifest = manifest_sample();
    held.backup.files = held.files;
    for (size_t i = 0; i < held.manifest->artifact_count; i++) {
        const struct manifest_artifact *artifact = &held.manifest->artifacts[i];
        for (size_t j = 0; j < artifact->file_count; j++) {
            struct backup_file *file = &held.files[held.backup.file_count++];
            *file = (struct backup_file){.path = artifact->files[j].path,
                                         .size = artifact->files[j].size,
                                         .plain = true,
                                         .hashed = true,
                                         .read = true};
            memcpy(file->source.sha256, artifact->files[j].sha256, SHA256_SIZE);
        }
    }
}

static void release(void) {
    manifest_free(held.manifest);
    file_differences_done(&held.differences);
}

TestSuite(manifest_files, .init = hold, .fini = release);

static struct backup_file *add_file(char *path) {
    struct backup_file *file = &held.files[held.backup.file_count++];
    *file = (struct backup_file){.path = path, .plain = true, .hashed = true, .read = true};
    return file;
}

static bool check_files(void) {
    return manifest_check_files(held.manifest, &held.backup, &held.differences);
}

static void expect_difference(size_t at, enum file_difference_kind kind, const char *path,
                              const char *text) {
    cr_assert_lt(at, held.differences.count);
    cr_expect_eq(held.differences.items[at].kind, kind);
    cr_expect_str_eq(held.differences.items[at].path, path);
    cr_expect_str_eq(held.differences.items[at].text, text);
}

static void expect_one(enum file_difference_kind kind, const char *path, const char *text) {
    cr_expect_not(check_files());
    cr_expect_eq(held.differences.count, 1);
    expect_difference(0, kind, path, text);
}

Test(manifest_files, are_the_same_in_whatever_order) {
    const struct backup_file first = held.files[0];
    held.files[0] = held.files[2];
    held.files[2] = first;
    cr_expect(check_files());
    cr_expect_eq(held.differences.count, 0);
}

Test(manifest_files, do_not_include_the_manifest_and_its_signature) {
    static char name[] = MANIFEST_NAME, signature[] = MANIFEST_SIGNATURE_NAME;
    add_file(name);
    add_file(signature);
    cr_expect(check_files());
}

Test(manifest_files, include_a_manifest_in_a_folder_below) {
    static char name[] = "old/manifest.json";
    add_file(name);
    expect_one(FILE_EXTRA, name, "old/manifest.json: is not in the manifest");
}

Test(manifest_files, that_are_missing_are_named) {
    held.backup.file_count--;
    expect_one(FILE_MISSING, "redis/one.rdb", "redis/one.rdb: is missing");
}

Test(manifest_files, that_are_extra_are_named) {
    static char name[] = "zzz";
    add_file(name);
    expect_one(FILE_EXTRA, name, "zzz: is not in the manifest");
}

Test(manifest_files, of_another_size_are_named_with_both) {
    held.files[0].size = 1200;
    held.files[0].source.sha256[5] ^= 1;
    expect_one(FILE_SIZE, "2026-11-22/app.dump",
               "2026-11-22/app.dump: 1200 bytes, not 1234 as in the manifest");
}

Test(manifest_files, of_another_sha256_are_named) {
    held.files[1].source.sha256[SHA256_SIZE - 1] ^= 0x80;
    expect_one(FILE_SHA256, "redis/two.rdb",
               "redis/two.rdb: its SHA-256 is not that of the manifest");
}

// Whatever its reader says of it: an unknown version, say, is no excuse for other bytes.
Test(manifest_files, that_their_reader_refuses_are_compared_all_the_same) {
    held.files[0].read = false;
    error_set(&held.files[0].problem, ERROR_UNAVAILABLE, 0, "of a newer version");
    cr_expect(check_files());
    held.files[0].source.sha256[0] ^= 1;
    expect_one(FILE_SHA256, "2026-11-22/app.dump",
               "2026-11-22/app.dump: its SHA-256 is not that of the manifest");
}

Test(manifest_files, that_could_not_be_read_to_their_end_are_named_with_their_problem) {
    held.files[0].read = held.files[0].hashed = false;
    error_set(&held.files[0].problem, ERROR_SYSTEM, 0, "the disk does not answer");
    expect_one(FILE_NOT_READ, "2026-11-22/app.dump",
               "2026-11-22/app.dump: the disk does not answer");
}

Test(manifest_files, that_are_no_regular_files_are_named) {
    held.files[0].read = held.files[0].hashed = held.files[0].plain = false;
    error_set(&held.files[0].problem, ERROR_SYSTEM, 0, "it is a symbolic link");
    expect_one(FILE_NOT_PLAIN, "2026-11-22/app.dump", "2026-11-22/app.dump: it is a symbolic link");
}

Test(manifest_files, that_were_renamed_are_missing_and_extra) {
    static char name[] = "app.dump";
    held.files[0].path = name;
    cr_expect_not(check_files());
    cr_assert_eq(held.differences.count, 2);
    expect_difference(0, FILE_MISSING, "2026-11-22/app.dump", "2026-11-22/app.dump: is missing");
    expect_difference(1, FILE_EXTRA, name, "app.dump: is not in the manifest");
}

Test(manifest_files, that_were_exchanged_are_both_named) {
    held.files[1].path = held.manifest->artifacts[1].files[1].path;
    held.files[2].path = held.manifest->artifacts[1].files[0].path;
    cr_expect_not(check_files());
    cr_assert_eq(held.differences.count, 2);
    expect_difference(0, FILE_SIZE, "redis/one.rdb",
                      "redis/one.rdb: 20 bytes, not 10 as in the manifest");
}
