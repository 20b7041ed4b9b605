// What the servers of a running stack hold now (verify/backup/live.h), for `assay backup verify
// --against live`.
#pragma once

#include "base/string_list.h"
#include "command/target.h"
#include "verify/backup/comparison.h"
#include "verify/backup/live.h"

// Zeroed: nothing was asked.
struct running_servers {
    struct target target;
    struct manifest *manifest; // what they held; NULL: they were not asked
    struct string_list notes;  // which of them could not be
    struct session *session;   // borrowed: in which they are asked again; to be set for that
};

// In a session of its own, which it ends.
bool running_servers_look(struct running_servers *self, const struct target_choice *choice,
                          const struct backup *backup, struct error *err) must_use;
void running_servers_done(struct running_servers *self);

// As struct comparison_live wants it; `context` is a struct running_servers.
bool running_servers_hunt(void *context, const struct backup *backup,
                          const struct artifact *artifact, const uint8_t key[ROW_HASH_KEY_SIZE],
                          struct row_hunt *hunt, struct error *err) must_use;
