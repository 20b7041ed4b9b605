#include "verify/backup/manifest.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIGNATURE_TEXT (2 * SIGNATURE_SIZE + 1) // hex digits and a newline

struct manifest *manifest_new(void) {
    struct manifest *self = memory_new(1, sizeof *self);
    check(sodium_init() >= 0);
    randombytes_buf(self->hash_key, sizeof self->hash_key);
    return self;
}

static void artifact_done(struct manifest_artifact *self) {
    for (size_t i = 0; i < self->file_count; i++)
        free(self->files[i].path);
    free(self->files);
    free(self->name);
    free(self->server_version);
    free(self->tool);
    fingerprint_free(self->fingerprint);
}

void manifest_free(struct manifest *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->artifact_count; i++)
        artifact_done(&self->artifacts[i]);
    free(self->artifacts);
    free(self);
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return items;
    *capacity = *capacity > 0 ? *capacity * 2 : 8;
    return memory_resize(items, *capacity, size);
}

struct manifest_artifact *manifest_add(struct manifest *self, const char *name,
                                       enum dump_engine engine, const char *server_version,
                                       const char *tool) {
    self->artifacts = grown(self->artifacts, self->artifact_count, &self->artifact_capacity,
                            sizeof *self->artifacts);
    struct manifest_artifact *artifact = &self->artifacts[self->artifact_count++];
    *artifact = (struct manifest_artifact){
        .name = memory_copy_string(name),
        .engine = engine,
        .server_version = memory_copy_string(server_version),
        .tool = memory_copy_string(tool),
    };
    return artifact;
}

void manifest_file_add(struct manifest_artifact *self, const char *path, uint64_t size,
                       const uint8_t sha256[SHA256_SIZE]) {
    self->files = grown(self->files, self->file_count, &self->file_capacity, sizeof *self->files);
    struct manifest_file *file = &self->files[self->file_count++];
    *file = (struct manifest_file){.path = memory_copy_string(path), .size = size};
    memcpy(file->sha256, sha256, SHA256_SIZE);
}

static bool write_signature(const char *path, const char *text, size_t length,
                            const struct signing_key *key, struct error *err) {
    uint8_t signature[SIGNATURE_SIZE];
    char hex[SIGNATURE_TEXT + 1];
    if (key == NULL)
        return unlink(path) == 0 || errno == ENOENT ||
               error_set_errno(err, "cannot remove the old signature %s", path);
    signing_key_sign(key, text, length, signature);
    sodium_bin2hex(hex, sizeof hex, signature, sizeof signature);
    hex[SIGNATURE_TEXT - 1] = '\n';
    return file_write_atomic(path, hex, SIGNATURE_TEXT, 0600, err);
}

bool manifest_write(const struct manifest *self, const char *folder, const struct signing_key *key,
                    struct error *err) {
    autofree_string char *path = path_join(folder, MANIFEST_NAME);
    autofree_string char *signature_path = path_join(folder, MANIFEST_SIGNATURE_NAME);
    autofree_string char *text = NULL;
    autofree(manifest) struct manifest *again = NULL;
    size_t length = 0;
    if (!manifest_format(self, &text, &length, err))
        return error_prefix(err, "the manifest for %s", folder);
    if (!manifest_parse(text, length, &again, err))
        return error_prefix(err, "the manifest for %s would not be readable", folder);
    return write_signature(signature_path, text, length, key, err) &&
           file_write_atomic(path, text, length, 0600, err);
}

static bool parse_signature(const char *text, size_t length, uint8_t signature[SIGNATURE_SIZE]) {
    size_t read = 0;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    return length == 2 * SIGNATURE_SIZE &&
           sodium_hex2bin(signature, SIGNATURE_SIZE, text, length, NULL, &read, NULL) == 0 &&
           read == SIGNATURE_SIZE;
}

// A pipe of its name would be waited for, and a link leads out of the backup; what is too large was
// not written by us.
static bool read_plain(const char *path, size_t limit, char **ret_text, size_t *ret_length,
                       struct error *err) {
    struct stat status;
    if (lstat(path, &status) != 0)
        return error_set_errno(err, "cannot look at %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_PROTOCOL, 0, "%s is no regular file", path);
    if ((uint64_t)status.st_size > limit)
        return error_set(err, ERROR_PROTOCOL, 0, "%s has more than %zu bytes", path, limit);
    return file_read(path, limit, ret_text, ret_length, err);
}

// Of what stands in the signature's file, if there is one.
static bool check_signature(const char *path, const struct public_key *key, const char *text,
                            size_t length, enum manifest_signature *ret_signature,
                            struct error *err) {
    autofree_string char *hex = NULL;
    uint8_t signature[SIGNATURE_SIZE];
    size_t hex_length = 0;
    struct error problem = {0};
    *ret_signature = MANIFEST_UNSIGNED;
    if (!read_plain(path, 4096, &hex, &hex_length, &problem)) {
        if (problem.domain == ERROR_SYSTEM && problem.code == ENOENT)
            return true;
        return error_set(err, problem.domain, problem.code, "%s", problem.message);
    }
    if (!parse_signature(hex, hex_length, signature))
        return error_set(err, ERROR_PROTOCOL, 0, "%s is not a signature, which is %d hex digits",
                         path, 2 * SIGNATURE_SIZE);
    *ret_signature = MANIFEST_NOT_CHECKED;
    if (key == NULL)
        return true;
    if (!public_key_verifies(key, text, length, signature))
        return error_set(err, ERROR_PROTOCOL, 0,
                         "%s is not of this manifest and this key: either was changed since", path);
    *ret_signature = MANIFEST_SIGNED;
    return true;
}

bool manifest_read(const char *folder, const struct public_key *key, struct manifest **ret_manifest,
                   enum manifest_signature *ret_signature, struct error *err) {
    autofree_string char *path = path_join(folder, MANIFEST_NAME);
    autofree_string char *signature_path = path_join(folder, MANIFEST_SIGNATURE_NAME);
    autofree_string char *text = NULL;
    size_t length = 0;
    enum manifest_signature signature;
    struct error problem = {0};
    if (!read_plain(path, MANIFEST_LIMIT, &text, &length, &problem)) {
        const bool absent = problem.domain == ERROR_SYSTEM && problem.code == ENOENT;
        return error_set(err, absent ? ERROR_UNAVAILABLE : problem.domain, problem.code, "%s",
                         absent ? "the backup has no manifest" : problem.message);
    }
    if (!check_signature(signature_path, key, text, length, &signature, err))
        return false;
    if (!manifest_parse(text, length, ret_manifest, err))
        return error_prefix(err, "%s", path);
    *ret_signature = signature;
    return true;
}
