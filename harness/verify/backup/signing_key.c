#define _GNU_SOURCE
#include "verify/backup/signing_key.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/secret_reveal.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED_SIZE crypto_sign_SEEDBYTES
#define PUBLIC_FILE_LIMIT ((size_t)4096)

struct signing_key {
    struct secret *bytes; // seed and public key, as libsodium signs with them
    struct public_key public;
};

static struct signing_key *key_of_seed(const uint8_t seed[SEED_SIZE]) {
    uint8_t bytes[crypto_sign_SECRETKEYBYTES];
    struct signing_key *self = memory_new(1, sizeof *self);
    check(sodium_init() >= 0);
    crypto_sign_seed_keypair(self->public.bytes, bytes, seed);
    self->bytes = secret_from_bytes(bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
    return self;
}

void signing_key_free(struct signing_key *self) {
    if (self == NULL)
        return;
    secret_free(self->bytes);
    free(self);
}

static bool of_hex(const char *text, size_t length, uint8_t *ret_bytes, size_t size) {
    size_t read = 0;
    return length == 2 * size &&
           sodium_hex2bin(ret_bytes, size, text, length, NULL, &read, NULL) == 0 && read == size;
}

static bool write_seed(const char *path, const uint8_t seed[SEED_SIZE], struct error *err) {
    char hex[2 * SEED_SIZE + 1];
    sodium_bin2hex(hex, sizeof hex, seed, SEED_SIZE);
    autofree(secret) struct secret *text = secret_from_bytes(hex, sizeof hex - 1);
    sodium_memzero(hex, sizeof hex);
    return secret_write_file(text, path, err);
}

bool signing_key_make(const char *path, struct error *err) {
    autofree_string char *public_path = memory_format("%s.pub", path);
    char hex[2 * PUBLIC_KEY_SIZE + 2];
    uint8_t seed[SEED_SIZE];
    if (file_exists(public_path))
        return error_set(err, ERROR_SYSTEM, EEXIST,
                         "%s is there already: a key is not written over", public_path);
    check(sodium_init() >= 0);
    randombytes_buf(seed, sizeof seed);
    autofree(signing_key) struct signing_key *self = key_of_seed(seed);
    const bool written = write_seed(path, seed, err);
    sodium_memzero(seed, sizeof seed);
    if (!written)
        return false;
    sodium_bin2hex(hex, sizeof hex, self->public.bytes, PUBLIC_KEY_SIZE);
    hex[2 * PUBLIC_KEY_SIZE] = '\n';
    if (file_write_atomic(public_path, hex, 2 * PUBLIC_KEY_SIZE + 1, 0644, err))
        return true;
    unlink(path); // ours: it did not exist
    return false;
}

bool signing_key_read(const char *path, struct signing_key **ret_key, struct error *err) {
    struct stat status;
    uint8_t seed[SEED_SIZE];
    autofree(secret) struct secret *text = NULL;
    if (stat(path, &status) != 0)
        return error_set_errno(err, "cannot open the signing key %s", path);
    if ((status.st_mode & 077) != 0)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s: others may read or change this signing key: chmod 600 %s", path,
                         path);
    if (!secret_read_file(path, &text, err))
        return false;
    const bool good = of_hex(secret_reveal(text), secret_length(text), seed, sizeof seed);
    if (good)
        *ret_key = key_of_seed(seed);
    sodium_memzero(seed, sizeof seed);
    return good || error_set(err, ERROR_CONFIGURATION, 0,
                             "%s: is not a signing key, which is %zu hex digits", path,
                             2 * (size_t)SEED_SIZE);
}

bool public_key_read(const char *path, struct public_key *ret_key, struct error *err) {
    struct public_key key;
    autofree_string char *text = NULL;
    autofree_string char *other_half = memory_format("%s.pub", path);
    size_t length = 0;
    // One seed in eight would pass for a point of the curve.
    if (file_exists(other_half))
        return error_set(err, ERROR_CONFIGURATION, 0, "%s is the half that signs; %s checks", path,
                         other_half);
    if (!file_read(path, PUBLIC_FILE_LIMIT, &text, &length, err))
        return false;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    check(sodium_init() >= 0);
    if (!of_hex(text, length, key.bytes, sizeof key.bytes) ||
        !crypto_core_ed25519_is_valid_point(key.bytes)) {
        sodium_memzero(text, length); // it may be the seed
        return error_set(err, ERROR_CONFIGURATION, 0, "%s: is not the public half of a signing key",
                         path);
    }
    *ret_key = key;
    return true;
}

struct public_key signing_key_public(const struct signing_key *self) {
    return self->public;
}

void signing_key_sign(const struct signing_key *self, const void *bytes, size_t length,
                      uint8_t ret_signature[SIGNATURE_SIZE]) {
    crypto_sign_detached(ret_signature, NULL, bytes, length,
                         (const uint8_t *)secret_reveal(self->bytes));
}

bool public_key_verifies(const struct public_key *self, const void *bytes, size_t length,
                         const uint8_t signature[SIGNATURE_SIZE]) {
    return crypto_sign_verify_detached(signature, bytes, length, self->bytes) == 0;
}
