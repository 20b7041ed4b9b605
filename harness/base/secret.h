// A credential. Kept in one place, zeroed when freed, excluded from core files, never printed:
// there is no `const char *` view of it here. client/ (and only client/) includes
// base/secret_reveal.h to hand it to a driver; ci/lint checks that.
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct secret;

struct secret *secret_generate(void); // 128 random bits as 32 lower-case hex digits
struct secret *secret_from_bytes(const void *bytes, size_t length); // copies; wipe your own copy
struct secret *secret_copy(const struct secret *self);              // NULL gives NULL
void secret_free(struct secret *self);

// Reads a file's content without its trailing newline; refuses one over 64 KiB.
bool secret_read_file(const char *path, struct secret **ret_secret, struct error *err) must_use;

// Creates the file, mode 0600, failing if it exists. No newline is added.
bool secret_write_file(const struct secret *self, const char *path, struct error *err) must_use;

bool secret_equal(const struct secret *left, const struct secret *right); // constant time
size_t secret_length(const struct secret *self);

// Whether the bytes hold this secret's: for assay's checks on its own output.
bool secret_occurs_in(const struct secret *self, const void *bytes, size_t length);

DEFINE_AUTOFREE(secret, secret_free);
