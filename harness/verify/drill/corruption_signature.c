#define _GNU_SOURCE
#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "verify/backup/manifest.h"
#include "verify/drill/corruption_ways.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool remove_named(const char *copy, const char *name, struct error *err) {
    autofree_string char *path = path_join(copy, name);
    return unlink(path) == 0 || error_set_errno(err, "cannot remove %s", path);
}

// Whoever opens one to read waits for a writer that never comes.
static bool put_pipe(const char *copy, const char *name, struct error *err) {
    autofree_string char *path = path_join(copy, name);
    return (unlink(path) == 0 && mkfifo(path, 0600) == 0) ||
           error_set_errno(err, "cannot make a pipe of %s", path);
}

static bool put_link(const char *copy, const char *name, struct error *err) {
    autofree_string char *path = path_join(copy, name);
    autofree_string char *aside = memory_format("%s/../%s", copy, name);
    return (rename(path, aside) == 0 && symlink(aside, path) == 0) ||
           error_set_errno(err, "cannot make a link of %s", path);
}

// ---- the manifest

bool corruption_manifest_missing(const struct corruption_site *site, const char *copy,
                                 struct error *err) {
    (void)site;
    return remove_named(copy, MANIFEST_NAME, err);
}

bool corruption_both_missing(const struct corruption_site *site, const char *copy,
                             struct error *err) {
    (void)site;
    return remove_named(copy, MANIFEST_NAME, err) &&
           remove_named(copy, MANIFEST_SIGNATURE_NAME, err);
}

bool corruption_manifest_renamed(const struct corruption_site *site, const char *copy,
                                 struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_NAME);
    autofree_string char *other = memory_format("%s.bak", path);
    (void)site;
    return rename(path, other) == 0 || error_set_errno(err, "cannot rename %s", path);
}

bool corruption_manifest_is_a_folder(const struct corruption_site *site, const char *copy,
                                     struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_NAME);
    (void)site;
    return remove_named(copy, MANIFEST_NAME, err) &&
           (mkdir(path, 0700) == 0 || error_set_errno(err, "cannot make %s", path));
}

bool corruption_manifest_is_a_pipe(const struct corruption_site *site, const char *copy,
                                   struct error *err) {
    (void)site;
    return put_pipe(copy, MANIFEST_NAME, err);
}

bool corruption_manifest_is_a_link(const struct corruption_site *site, const char *copy,
                                   struct error *err) {
    (void)site;
    return put_link(copy, MANIFEST_NAME, err);
}

// ---- its signature

static bool write_signature(const char *copy, const char *text, size_t length, struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_SIGNATURE_NAME);
    return file_write_atomic(path, text, length, 0600, err);
}

static bool write_digits(const char *copy, const uint8_t signature[SIGNATURE_SIZE],
                         struct error *err) {
    char hex[2 * SIGNATURE_SIZE + 1];
    sodium_bin2hex(hex, sizeof hex, signature, SIGNATURE_SIZE);
    hex[2 * SIGNATURE_SIZE] = '\n';
    return write_signature(copy, hex, sizeof hex, err);
}

bool corruption_sign(const struct signing_key *key, const char *copy, const void *bytes,
                     size_t length, struct error *err) {
    uint8_t signature[SIGNATURE_SIZE];
    signing_key_sign(key, bytes, length, signature);
    return write_digits(copy, signature, err);
}

bool corruption_signature_missing(const struct corruption_site *site, const char *copy,
                                  struct error *err) {
    (void)site;
    return remove_named(copy, MANIFEST_SIGNATURE_NAME, err);
}

bool corruption_signature_link(const struct corruption_site *site, const char *copy,
                               struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_SIGNATURE_NAME);
    (void)site;
    return remove_named(copy, MANIFEST_SIGNATURE_NAME, err) &&
           (symlink("nowhere", path) == 0 || error_set_errno(err, "cannot make %s", path));
}

bool corruption_signature_is_a_pipe(const struct corruption_site *site, const char *copy,
                                    struct error *err) {
    (void)site;
    return put_pipe(copy, MANIFEST_SIGNATURE_NAME, err);
}

bool corruption_signature_is_a_link(const struct corruption_site *site, const char *copy,
                                    struct error *err) {
    (void)site;
    return put_link(copy, MANIFEST_SIGNATURE_NAME, err);
}

bool corruption_signature_emptied(const struct corruption_site *site, const char *copy,
                                  struct error *err) {
    (void)site;
    return write_signature(copy, "", 0, err);
}

static bool read_signature(const char *copy, char **ret_text, size_t *ret_length,
                           struct error *err) {
    autofree_string char *path = path_join(copy, MANIFEST_SIGNATURE_NAME);
    return file_read(path, 4096, ret_text, ret_length, err);
}

bool corruption_signature_cut(const struct corruption_site *site, const char *copy,
                              struct error *err) {
    autofree_string char *text = NULL;
    size_t length = 0;
    (void)site;
    return read_signature(copy, &text, &length, err) &&
           write_signature(copy, text, length / 2, err);
}

bool corruption_signature_doubled(const struct corruption_site *site, const char *copy,
                                  struct error *err) {
    autofree_string char *text = NULL;
    size_t length = 0;
    (void)site;
    if (!read_signature(copy, &text, &length, err))
        return false;
    autofree_string char *twice = memory_format("%s%s", text, text);
    return write_signature(copy, twice, 2 * length, err);
}

static bool put_digit(const char *copy, char (*other)(char digit), struct error *err) {
    autofree_string char *text = NULL;
    size_t length = 0;
    if (!read_signature(copy, &text, &length, err))
        return false;
    text[0] = other(text[0]);
    return write_signature(copy, text, length, err);
}

static char another(char digit) {
    return digit == '0' ? '1' : '0';
}
static char none(char digit) {
    (void)digit;
    return 'g';
}

bool corruption_signature_flipped(const struct corruption_site *site, const char *copy,
                                  struct error *err) {
    (void)site;
    return put_digit(copy, another, err);
}

bool corruption_signature_no_hex(const struct corruption_site *site, const char *copy,
                                 struct error *err) {
    (void)site;
    return put_digit(copy, none, err);
}

bool corruption_signature_of_other_bytes(const struct corruption_site *site, const char *copy,
                                         struct error *err) {
    return corruption_sign(site->key, copy, "{}\n", strlen("{}\n"), err);
}

// One that nobody keeps: signing_key.h makes them for good, in files.
bool corruption_signature_of_another_key(const struct corruption_site *site, const char *copy,
                                         struct error *err) {
    uint8_t key[crypto_sign_SECRETKEYBYTES], public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t signature[SIGNATURE_SIZE];
    autofree_string char *path = path_join(copy, MANIFEST_NAME);
    autofree_string char *text = NULL;
    size_t length = 0;
    (void)site;
    if (!file_read(path, MANIFEST_LIMIT, &text, &length, err))
        return false;
    check(sodium_init() >= 0);
    crypto_sign_keypair(public_key, key);
    crypto_sign_detached(signature, NULL, (const uint8_t *)text, length, key);
    return write_digits(copy, signature, err);
}
