#include "base/sha256.h"

#include "base/memory.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct sha256 {
    EVP_MD_CTX *context;
};

// These calls fail where there is no memory, and for no other reason.
static void must(int done) {
    if (done != 1)
        memory_is_out();
}

struct sha256 *sha256_new(void) {
    struct sha256 *self = memory_new(1, sizeof *self);
    self->context = EVP_MD_CTX_new();
    must(self->context != NULL);
    must(EVP_DigestInit_ex(self->context, EVP_sha256(), NULL));
    return self;
}

void sha256_add(struct sha256 *self, const void *bytes, size_t length) {
    must(EVP_DigestUpdate(self->context, bytes, length));
}

void sha256_end(struct sha256 *self, uint8_t ret_hash[SHA256_SIZE]) {
    must(EVP_DigestFinal_ex(self->context, ret_hash, NULL));
}

void sha256_free(struct sha256 *self) {
    if (self == NULL)
        return;
    EVP_MD_CTX_free(self->context);
    free(self);
}
