// What the servers of a running stack hold now (verify/backup/live.h), for `assay backup verify
// --against live`.
#pragma once

#include "base/string_list.h"
#include "command/target.h"
#include "verify/backup/live.h"

bool running_servers_look(const struct target_choice *choice, const struct backup *backup,
                          struct manifest **ret_manifest, struct string_list *ret_notes,
                          struct error *err) must_use;
