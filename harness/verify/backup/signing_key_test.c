#define _GNU_SOURCE
#include "verify/backup/signing_key.h"

#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    char *folder, *path, *public_path, *bytes;
    struct signing_key *key;
    struct public_key public;
    struct error err;
} held;

static void hold(void) {
    const char *place = getenv("TMPDIR");
    held.folder = memory_format("%s/assay-key-XXXXXX", place != NULL ? place : "/tmp");
    cr_assert_not_null(mkdtemp(held.folder));
    held.path = path_join(held.folder, "key");
    held.public_path = path_join(held.folder, "key.pub");
}

static void release(void) {
    cr_expect(file_remove_tree(held.folder, NULL));
    free(held.folder);
    free(held.path);
    free(held.public_path);
    free(held.bytes);
    signing_key_free(held.key);
}

TestSuite(signing_key, .init = hold, .fini = release);

static void make(void) {
    cr_assert(signing_key_make(held.path, &held.err), "%s", held.err.message);
}

static void put(const char *path, const char *content, mode_t mode) {
    cr_assert(file_write_atomic(path, content, strlen(content), mode, &held.err), "%s",
              held.err.message);
}

static bool read_key(void) {
    return signing_key_read(held.path, &held.key, &held.err);
}

static bool read_public(void) {
    return public_key_read(held.public_path, &held.public, &held.err);
}

static mode_t mode_of(const char *path) {
    struct stat status;
    cr_assert_eq(stat(path, &status), 0, "%s", path);
    return status.st_mode & 07777;
}

Test(signing_key, signs_what_its_public_half_verifies) {
    uint8_t signature[SIGNATURE_SIZE];
    make();
    cr_assert(read_key(), "%s", held.err.message);
    cr_assert(read_public(), "%s", held.err.message);
    signing_key_sign(held.key, "text", 4, signature);
    cr_expect(public_key_verifies(&held.public, "text", 4, signature));
    cr_expect_not(public_key_verifies(&held.public, "texT", 4, signature));
    cr_expect_not(public_key_verifies(&held.public, "text", 3, signature));
    signature[10] ^= 1;
    cr_expect_not(public_key_verifies(&held.public, "text", 4, signature));
    const struct public_key of_key = signing_key_public(held.key);
    cr_expect_arr_eq(of_key.bytes, held.public.bytes, PUBLIC_KEY_SIZE);
}

// RFC 8032, section 7.1, TEST 2.
Test(signing_key, signs_as_the_rfc_says) {
    uint8_t signature[SIGNATURE_SIZE];
    char hex[2 * SIGNATURE_SIZE + 1];
    put(held.path, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb\n", 0600);
    cr_assert(read_key(), "%s", held.err.message);
    const struct public_key public = signing_key_public(held.key);
    sodium_bin2hex(hex, sizeof hex, public.bytes, sizeof public.bytes);
    cr_expect_str_eq(hex, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    signing_key_sign(held.key, "\x72", 1, signature);
    sodium_bin2hex(hex, sizeof hex, signature, sizeof signature);
    cr_expect_str_eq(hex, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

Test(signing_key, is_for_its_owner_alone) {
    make();
    cr_expect_eq(mode_of(held.path), 0600);
    cr_expect_eq(mode_of(held.public_path), 0644);
}

Test(signing_key, is_not_written_over) {
    make();
    cr_assert(file_read(held.path, 100, &held.bytes, NULL, &held.err));
    cr_expect_not(signing_key_make(held.path, &held.err));
    cr_expect_eq(held.err.code, EEXIST);
    char *after = NULL;
    cr_assert(file_read(held.path, 100, &after, NULL, &held.err));
    cr_expect_str_eq(after, held.bytes);
    free(after);
}

Test(signing_key, does_not_write_over_half_a_key_either) {
    put(held.path, "secret", 0600);
    cr_expect_not(signing_key_make(held.path, &held.err));
    cr_expect_eq(held.err.code, EEXIST);
    cr_expect_not(file_exists(held.public_path));
}

Test(signing_key, does_not_write_over_a_public_half_either) {
    put(held.public_path, "public", 0600);
    cr_expect_not(signing_key_make(held.path, &held.err));
    cr_expect_eq(held.err.code, EEXIST);
    cr_expect_not(file_exists(held.path));
}

Test(signing_key, that_others_may_read_is_refused) {
    put(held.path, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", 0640);
    cr_expect_not(read_key());
    cr_expect_eq(held.err.domain, ERROR_CONFIGURATION);
    cr_expect_not_null(strstr(held.err.message, "chmod 600"), "%s", held.err.message);
}

Test(signing_key, of_wrong_text_is_refused_and_not_shown) {
    put(held.path, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fg", 0600);
    cr_expect_not(read_key());
    cr_expect_eq(held.err.domain, ERROR_CONFIGURATION);
    cr_expect_null(strstr(held.err.message, "4ccd"), "%s", held.err.message);
    put(held.path, "4ccd", 0600);
    cr_expect_not(read_key());
    cr_expect_null(held.key);
}

Test(signing_key, of_a_public_half_that_is_no_key_is_refused) {
    make();
    cr_assert(read_public(), "%s", held.err.message);
    put(held.public_path, "", 0644);
    cr_expect_not(read_public());
    put(held.public_path, "0000000000000000000000000000000000000000000000000000000000000000", 0644);
    cr_expect_not(read_public());
    cr_expect_eq(held.err.domain, ERROR_CONFIGURATION);
}
