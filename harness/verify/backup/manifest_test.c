#define _GNU_SOURCE
#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/manifest_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    char *folder, *key_path, *public_path, *manifest_path, *signature_path, *bytes;
    size_t length;
    struct signing_key *key;
    struct public_key public;
    struct manifest *manifest, *again;
    enum manifest_signature signature;
    struct error err;
} held;

static void hold(void) {
    const char *place = getenv("TMPDIR");
    held.folder = memory_format("%s/assay-manifest-XXXXXX", place != NULL ? place : "/tmp");
    cr_assert_not_null(mkdtemp(held.folder));
    held.key_path = path_join(held.folder, "key");
    held.public_path = path_join(held.folder, "key.pub");
    held.manifest_path = path_join(held.folder, MANIFEST_NAME);
    held.signature_path = path_join(held.folder, MANIFEST_SIGNATURE_NAME);
    held.manifest = manifest_sample();
    cr_assert(signing_key_make(held.key_path, &held.err), "%s", held.err.message);
    cr_assert(signing_key_read(held.key_path, &held.key, &held.err), "%s", held.err.message);
    cr_assert(public_key_read(held.public_path, &held.public, &held.err), "%s", held.err.message);
}

static void release(void) {
    cr_expect(file_remove_tree(held.folder, NULL));
    free(held.folder);
    free(held.key_path);
    free(held.public_path);
    free(held.manifest_path);
    free(held.signature_path);
    free(held.bytes);
    signing_key_free(held.key);
    manifest_free(held.manifest);
    manifest_free(held.again);
}

TestSuite(manifest, .init = hold, .fini = release);

static void write_manifest(const struct signing_key *key) {
    cr_assert(manifest_write(held.manifest, held.folder, key, &held.err), "%s", held.err.message);
}

static bool read_manifest(const struct public_key *key) {
    return manifest_read(held.folder, key, &held.again, &held.signature, &held.err);
}

static void expect_refused(enum error_domain domain, const char *message) {
    cr_expect_not(read_manifest(&held.public));
    cr_expect_eq(held.err.domain, domain, "%s", held.err.message);
    cr_expect_not_null(strstr(held.err.message, message), "%s", held.err.message);
    cr_expect_null(held.again);
}

static void flip_bit(const char *path, size_t at) {
    char *bytes = NULL;
    size_t length = 0;
    cr_assert(file_read(path, 100000, &bytes, &length, &held.err), "%s", held.err.message);
    cr_assert_lt(at, length);
    bytes[at] ^= 1;
    cr_assert(file_write_atomic(path, bytes, length, 0600, &held.err));
    free(bytes);
}

static mode_t mode_of(const char *path) {
    struct stat status;
    cr_assert_eq(stat(path, &status), 0, "%s", path);
    return status.st_mode & 07777;
}

Test(manifest, that_is_signed_is_read_as_signed) {
    write_manifest(held.key);
    cr_assert(read_manifest(&held.public), "%s", held.err.message);
    cr_expect_eq(held.signature, MANIFEST_SIGNED);
    cr_expect_eq(held.again->artifact_count, 2);
    cr_expect_eq(mode_of(held.manifest_path), 0600);
}

Test(manifest, that_is_unsigned_is_read_and_said_to_be) {
    write_manifest(NULL);
    held.signature = MANIFEST_SIGNED;
    cr_assert(read_manifest(&held.public), "%s", held.err.message);
    cr_expect_eq(held.signature, MANIFEST_UNSIGNED);
}

Test(manifest, whose_signature_nobody_can_check_is_said_to_be) {
    write_manifest(held.key);
    cr_assert(read_manifest(NULL), "%s", held.err.message);
    cr_expect_eq(held.signature, MANIFEST_NOT_CHECKED);
}

Test(manifest, with_any_bit_changed_is_refused) {
    write_manifest(held.key);
    cr_assert(file_read(held.manifest_path, 100000, &held.bytes, &held.length, &held.err));
    for (size_t i = 0; i < held.length; i += 50) {
        flip_bit(held.manifest_path, i);
        expect_refused(ERROR_PROTOCOL, "is not of this manifest and this key");
        flip_bit(held.manifest_path, i);
    }
    cr_expect(read_manifest(&held.public), "%s", held.err.message);
}

Test(manifest, with_another_signature_is_refused) {
    write_manifest(held.key);
    held.manifest->end_ms += 1000;
    cr_assert(file_read(held.signature_path, 1000, &held.bytes, &held.length, &held.err));
    write_manifest(held.key);
    cr_assert(file_write_atomic(held.signature_path, held.bytes, held.length, 0600, &held.err));
    expect_refused(ERROR_PROTOCOL, "is not of this manifest and this key");
}

Test(manifest, of_another_key_is_refused) {
    held.bytes = path_join(held.folder, "other");
    signing_key_free(held.key);
    held.key = NULL;
    cr_assert(signing_key_make(held.bytes, &held.err), "%s", held.err.message);
    cr_assert(signing_key_read(held.bytes, &held.key, &held.err), "%s", held.err.message);
    write_manifest(held.key);
    expect_refused(ERROR_PROTOCOL, "is not of this manifest and this key");
}

Test(manifest, with_half_a_signature_is_refused_even_without_a_key) {
    write_manifest(held.key);
    cr_assert(file_write_atomic(held.signature_path, "00ff\n", 5, 0600, &held.err));
    cr_expect_not(read_manifest(NULL));
    expect_refused(ERROR_PROTOCOL, "manifest.json.sig is not a signature, which is 128 hex digits");
}

Test(manifest, with_an_empty_signature_is_not_unsigned) {
    write_manifest(held.key);
    cr_assert(file_write_atomic(held.signature_path, "", 0, 0600, &held.err));
    expect_refused(ERROR_PROTOCOL, "is not a signature");
}

Test(manifest, whose_signature_cannot_be_read_is_not_unsigned) {
    write_manifest(NULL);
    cr_assert(folder_make(held.signature_path, 0700, &held.err), "%s", held.err.message);
    expect_refused(ERROR_PROTOCOL, "is no regular file");
}

Test(manifest, written_unsigned_keeps_no_older_signature) {
    write_manifest(held.key);
    write_manifest(NULL);
    cr_expect_not(file_exists(held.signature_path));
}

Test(manifest, that_is_not_there_is_not_verified) {
    expect_refused(ERROR_UNAVAILABLE, "the backup has no manifest");
}

Test(manifest, that_is_damaged_is_named_with_its_path) {
    cr_assert(file_write_atomic(held.manifest_path, "{\n}", 3, 0600, &held.err));
    expect_refused(ERROR_PROTOCOL, "/manifest.json: format: is missing");
}

Test(manifest, that_nobody_could_read_is_not_written) {
    manifest_file_add(&held.manifest->artifacts[1], "../outside", 1, (uint8_t[SHA256_SIZE]){0});
    cr_expect_not(manifest_write(held.manifest, held.folder, held.key, &held.err));
    cr_expect_not_null(strstr(held.err.message, "\"../outside\" leaves the backup"), "%s",
                       held.err.message);
    cr_expect_not(file_exists(held.manifest_path));
    cr_expect_not(file_exists(held.signature_path));
}

Test(manifest, leaves_no_temporary_file) {
    struct string_list names = {0};
    write_manifest(held.key);
    cr_assert(folder_list(held.folder, &names, &held.err));
    const size_t count = names.count;
    string_list_done(&names);
    cr_expect_eq(count, 4); // the key's two, the manifest, its signature
}
