// Images: the /images and /build endpoints. Bodies stream; nothing is held whole in memory.
#pragma once

#include "engine/archive.h"
#include "engine/engine.h"

// Progress of a long operation: a line for a person and, when known, bytes. May be called often.
struct image_progress {
    void (*report)(void *context, const char *line, int64_t done_bytes, int64_t total_bytes);
    void *context;
};

bool image_exists(struct engine *engine, const char *reference, bool *ret_exists,
                  struct error *err) must_use;
bool image_inspect(struct engine *engine, const char *reference, json_t **ret_json,
                   struct error *err) must_use;
bool image_list(struct engine *engine, const char *const *filters, json_t **ret_array,
                struct error *err) must_use;
bool image_remove(struct engine *engine, const char *reference, struct error *err) must_use;
bool image_tag(struct engine *engine, const char *reference, const char *repository,
               const char *tag, struct error *err) must_use;

// docker load / save archives. save writes to `path` by temporary name and rename.
bool image_load(struct engine *engine, int archive_fd, const struct image_progress *progress,
                struct error *err) must_use;
bool image_save(struct engine *engine, const char *const *references, const char *path,
                const struct image_progress *progress, struct error *err) must_use;
// A root file system as a new image.
bool image_import(struct engine *engine, int tar_fd, const char *repository, const char *tag,
                  struct error *err) must_use;
// With the registry credentials of the user's Docker configuration (auths and credential helpers).
// ERROR_UNAVAILABLE when the registry cannot be reached or does not have it. Where looking for the
// credentials failed, the message ends with IMAGE_WITHOUT_CREDENTIALS, why, and ")".
#define IMAGE_WITHOUT_CREDENTIALS " (pulled without credentials: "
bool image_pull(struct engine *engine, const char *reference, const char *platform,
                const struct image_progress *progress, struct error *err) must_use;

struct image_build {
    int context_fd;                     // tar, from archive_folder
    const char *tag;                    // "assay/postgres:3f0c9a12"
    const char *const *build_arguments; // "BASE=assay/base:…", NULL-terminated
    const char *network;                // NULL: the engine's default; "host"
    const char *const *labels;          // "io.assay.…=…", NULL-terminated
    int timeout_ms;                     // 0: 30 minutes
};
// Classic builder. A failing step is ERROR_ENGINE with the step and its last output.
bool image_build(struct engine *engine, const struct image_build *build,
                 const struct image_progress *progress, struct error *err) must_use;

// A container's file system as an image; `changes` are Dockerfile instructions ("LABEL a=b").
bool image_commit(struct engine *engine, const char *container, const char *repository,
                  const char *tag, const char *const *changes, struct error *err) must_use;
