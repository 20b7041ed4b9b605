// What a session would start, as JSON that the peer starts the same from:
//   {"engine": "unix://…", "version": "20.10.24", "services": [{"name", "image", "prepared",
//    "kind", "port", "user", "database", "password", "path", "group", "config", "host_config",
//    "binds", "secrets", "depends_on"}]}
// image: what the Compose file's name was resolved to; prepared: assay's prepared image of it, or
// null. config and host_config: bodies for POST /containers/create, as in compose/plan.h.
#pragma once

#include "command/session.h"

#include <jansson.h>

// Makes every image that is missing, the prepared ones too. *ret_order is a new reference.
// ERROR_UNAVAILABLE: an image is not to be had, or a service has a mount that the peer could not
// be given alike (only secrets and read-only bind mounts are).
bool order_make(struct session *session, json_t **ret_order, struct error *err) must_use;
