// The key with which a user signs the manifests of backups, and the signatures: Ed25519 (RFC 8032),
// by libsodium.
//
// Two files: PATH holds the 32-byte seed as 64 hex digits, mode 0600, for whoever makes backups;
// PATH.pub holds the public key as 64 hex digits, for whoever verifies them. Kept away from the
// backups, or it proves nothing. A lost key loses no backup: they are verified as unsigned.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_SIZE 64
#define PUBLIC_KEY_SIZE 32

struct signing_key;

struct public_key {
    uint8_t bytes[PUBLIC_KEY_SIZE];
};

// Makes a key pair and writes both files. Neither may exist (ERROR_SYSTEM, EEXIST): a key is never
// written over. On failure neither is left.
bool signing_key_make(const char *path, struct error *err) must_use;

// ERROR_CONFIGURATION: not 64 hex digits, or others may read it ("chmod 600").
bool signing_key_read(const char *path, struct signing_key **ret_key, struct error *err) must_use;
void signing_key_free(struct signing_key *self);
// Of PATH.pub, which is given by its own name. A seed beside its PATH.pub is not accepted in its
// place by accident: ERROR_CONFIGURATION, as is what is no point of the curve.
bool public_key_read(const char *path, struct public_key *ret_key, struct error *err) must_use;

struct public_key signing_key_public(const struct signing_key *self);
void signing_key_sign(const struct signing_key *self, const void *bytes, size_t length,
                      uint8_t ret_signature[SIGNATURE_SIZE]);
bool public_key_verifies(const struct public_key *self, const void *bytes, size_t length,
                         const uint8_t signature[SIGNATURE_SIZE]);

DEFINE_AUTOFREE(signing_key, signing_key_free);
