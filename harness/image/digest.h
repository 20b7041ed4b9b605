// SHA-256 over named parts, so that no two different inputs read the same (each part's name and
// content go in with their lengths), and over folders as git sees them.
//
// Source: FIPS 180-4 (libsodium's implementation).
#pragma once

#include "base/error.h"

#include <sodium/crypto_hash_sha256.h>
#include <stdbool.h>
#include <stddef.h>

#define DIGEST_HEX_SIZE (2 * crypto_hash_sha256_BYTES + 1)

struct digest {
    crypto_hash_sha256_state state;
};

void digest_init(struct digest *self);
void digest_add(struct digest *self, const char *name, const void *bytes, size_t length);
void digest_add_string(struct digest *self, const char *name, const char *value); // NULL: "absent"
bool digest_add_file(struct digest *self, const char *name, const char *path,
                     struct error *err) must_use;
// Regular files and symbolic links below `folder`, sorted by path: path, executable or not,
// content. What git does not keep (other modes, owners, times, empty folders) does not count, so
// that every checkout gives the same digest. A socket, pipe or device is an error.
bool digest_add_folder(struct digest *self, const char *folder, struct error *err) must_use;
void digest_end(struct digest *self, char ret_hex[DIGEST_HEX_SIZE]);
