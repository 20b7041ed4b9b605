// The secrets and configs of one stack, as files in the run's folder: generated (128 bits) or
// copied, 0600, mounted read-only into the containers that name them. Never in an environment or
// argv.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "compose/plan.h"

struct credentials;

// Makes every secret and config of the plan under `folder` (made, mode 0700).
bool credentials_make(const struct plan *plan, const char *folder, struct credentials **ret_made,
                      struct error *err) must_use;
void credentials_free(struct credentials *self); // the files stay: they go with the run's folder

const struct secret *credentials_secret(const struct credentials *self, const char *key); // or NULL
// Path of the secret's file as its owner may read it on the host; NULL: no such secret.
const char *credentials_path(const struct credentials *self, const char *key);

// The host path to mount for `mount` (a secret or config), with the owner and mode it asks for.
bool credentials_file_for(struct credentials *self, const struct plan_service *service,
                          const struct plan_mount *mount, char **ret_path,
                          struct error *err) must_use;

DEFINE_AUTOFREE(credentials, credentials_free);
