// Images in and out of the engine: pull, load, save, import (see image.h).
#define _GNU_SOURCE // mkostemp
#include "base/memory.h"
#include "engine/image.h"
#include "engine/progress_stream.h"
#include "engine/query.h"
#include "engine/registry_auth.h"
#include "engine/request.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAR_END_BYTES 1024 // two blocks of zeros end a tar

// ---- load and import

bool image_load(struct engine *engine, int archive_fd, const struct image_progress *progress,
                struct error *err) {
    const struct request request = {.method = "POST",
                                    .path = "/images/load",
                                    .query = "quiet=0",
                                    .body_fd = &archive_fd,
                                    .slow = true};
    return progress_perform(engine, &request, progress, err);
}

bool image_import(struct engine *engine, int tar_fd, const char *repository, const char *tag,
                  struct error *err) {
    autodone(text) struct text query = {0};
    query_add(&query, "fromSrc", "-");
    query_add(&query, "repo", repository);
    query_add(&query, "tag", tag);
    const struct request request = {.method = "POST",
                                    .path = "/images/create",
                                    .query = text_string(&query),
                                    .body_fd = &tar_fd,
                                    .slow = true};
    return progress_perform(engine, &request, NULL, err);
}

// ---- pull

// "repository", "repository:tag" or "repository@digest": without a tag the engine would pull all.
static void split_reference(const char *reference, char **ret_repository, char **ret_tag) {
    const char *mark = strchr(reference, '@');
    if (mark == NULL) {
        const char *slash = strrchr(reference, '/');
        mark = strchr(slash != NULL ? slash : reference, ':');
    }
    *ret_repository = mark != NULL ? memory_copy_bytes(reference, (size_t)(mark - reference))
                                   : memory_copy_string(reference);
    *ret_tag = memory_copy_string(mark != NULL ? mark + 1 : "latest");
}

static bool find_credentials(const char *reference, char **ret_header, struct error *err) {
    autodone(docker_config) struct docker_config config = {0};
    autofree_string char *registry = registry_of(reference);
    return docker_config_load(&config, err) &&
           registry_auth_find(&config, registry, ret_header, err);
}

bool image_pull(struct engine *engine, const char *reference, const char *platform,
                const struct image_progress *progress, struct error *err) {
    autofree_string char *repository = NULL;
    autofree_string char *tag = NULL;
    split_reference(reference, &repository, &tag);
    autodone(text) struct text query = {0};
    query_add(&query, "fromImage", repository);
    query_add(&query, "tag", tag);
    query_add(&query, "platform", platform);

    // Most images need no credentials: not having them is told only when the pull fails.
    struct error no_credentials = {0};
    autofree_string char *auth = NULL;
    const bool looked = find_credentials(reference, &auth, &no_credentials);
    const struct request request = {.method = "POST",
                                    .path = "/images/create",
                                    .query = text_string(&query),
                                    .registry_auth = auth,
                                    .slow = true};
    struct error reason = {0};
    const bool done = progress_perform(engine, &request, progress, &reason);
    if (auth != NULL)
        sodium_memzero(auth, strlen(auth));
    if (done)
        return true;
    if (reason.domain == ERROR_ENGINE && reason.code != 400) // 400: not a reference at all
        reason.domain = ERROR_UNAVAILABLE;
    error_prefix(&reason, "cannot pull %s", reference);
    if (!looked)
        error_append(&reason, IMAGE_WITHOUT_CREDENTIALS "%s)", no_credentials.message);
    if (err != NULL)
        *err = reason;
    return false;
}

// ---- save

struct saving {
    int fd;
    const char *path;
    int64_t written;
    const struct image_progress *progress;
};

static bool write_piece(void *context, const void *bytes, size_t length, struct error *err) {
    struct saving *self = context;
    const char *at = bytes;
    while (length > 0) {
        const ssize_t put = write(self->fd, at, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_set_errno(err, "cannot write %s", self->path);
        at += put;
        length -= (size_t)put;
        self->written += put;
    }
    if (self->progress != NULL && self->progress->report != NULL)
        self->progress->report(self->progress->context, "saving", self->written, 0);
    return true;
}

// An engine that fails half-way appends its error to the archive, under status 200.
static bool is_whole_tar(const struct saving *self, struct error *err) {
    char end[TAR_END_BYTES] = "";
    const off_t from = (off_t)(self->written - TAR_END_BYTES);
    bool whole = from > 0 && pread(self->fd, end, sizeof end, from) == TAR_END_BYTES;
    for (size_t i = 0; whole && i < sizeof end; i++)
        whole = end[i] == '\0';
    return whole ||
           error_set(err, ERROR_PROTOCOL, 0,
                     "GET /images/get: the archive of %lld bytes does not end as a tar does",
                     (long long)self->written);
}

static bool save_to(struct engine *engine, const char *const *references, struct saving *saving,
                    struct error *err) {
    autodone(text) struct text query = {0};
    for (size_t i = 0; references[i] != NULL; i++)
        query_add(&query, "names", references[i]);
    const struct request request = {.method = "GET",
                                    .path = "/images/get",
                                    .query = text_string(&query),
                                    .sink = write_piece,
                                    .context = saving,
                                    .slow = true};
    if (!request_perform(engine, &request, err) || !is_whole_tar(saving, err))
        return false;
    if (fsync(saving->fd) != 0 || fchmod(saving->fd, 0644) != 0)
        return error_set_errno(err, "cannot write %s", saving->path);
    return true;
}

bool image_save(struct engine *engine, const char *const *references, const char *path,
                const struct image_progress *progress, struct error *err) {
    autofree_string char *temporary = memory_format("%s.XXXXXX", path);
    autoclose_fd int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "cannot create %s", path);
    struct saving saving = {.fd = fd, .path = path, .progress = progress};
    bool done = save_to(engine, references, &saving, err);
    if (done && rename(temporary, path) != 0)
        done = error_set_errno(err, "cannot rename %s to its final name", temporary);
    if (!done)
        unlink(temporary);
    return done;
}
