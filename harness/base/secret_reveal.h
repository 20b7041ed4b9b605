// The bytes of a secret, for client/ only: see base/secret.h.
#pragma once

#include "base/secret.h"

const char *secret_reveal(const struct secret *self); // NUL-terminated, borrowed; NULL gives NULL
