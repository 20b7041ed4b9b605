// A new file of a backup: hashed as it is written, synced before it counts.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "verify/backup/manifest.h"

#include <stdatomic.h>

struct artifact_writer;

// Mode 0600; ERROR_SYSTEM/EEXIST when it is there already.
bool artifact_writer_open(const char *folder, const char *name, atomic_ullong *counter,
                          struct artifact_writer **ret_writer, struct error *err) must_use;
bool artifact_writer_put(struct artifact_writer *self, const void *bytes, size_t length,
                         struct error *err) must_use;
// Syncs it and adds it to the artifact's files.
bool artifact_writer_finish(struct artifact_writer *self, struct manifest_artifact *artifact,
                            struct error *err) must_use;
void artifact_writer_close(struct artifact_writer *self);

DEFINE_AUTOFREE(artifact_writer, artifact_writer_close);
