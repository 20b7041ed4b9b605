// What a prepared image depends on, as one number; and whether a service can be prepared at all.
#pragma once

#include "compose/plan.h"
#include "image/digest.h"

// The reason, for people, why this service cannot be prepared from an image with this inspect
// result; NULL: it can. The caller's.
char *prepared_obstacle(const struct plan *plan, const struct plan_service *service,
                        const json_t *image) must_use;

// The key as 64 hex digits.
bool prepared_key(const struct plan *plan, const struct plan_service *service, const json_t *image,
                  char ret_key[DIGEST_HEX_SIZE], struct error *err) must_use;
