// SHA-256 (FIPS 180-4) of as many bytes as one likes: OpenSSL's, which has the processor's own
// instructions and is several times as fast as libsodium's portable one. For large files; where a
// few bytes are hashed, libsodium's does.
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256;

struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *self, const void *bytes, size_t length);
void sha256_end(struct sha256 *self, uint8_t ret_hash[SHA256_SIZE]); // nothing may be added then
void sha256_free(struct sha256 *self);

DEFINE_AUTOFREE(sha256, sha256_free);
