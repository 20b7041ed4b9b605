// What a backup of assay's own says of itself: manifest.json in its folder, and the signature of
// exactly those bytes in manifest.json.sig. Without it a backup is somebody else's: see
// backup_folder.h.
//
//   {"format": "assay-manifest", "format_version": 1,
//    "created": {"start": "2026-11-22T03:00:00Z", "end": …},      RFC 3339
//    "hash_key": "00ff…",                                         32 hex digits
//    "artifacts": [{"name", "engine", "server_version", "tool",
//                   "files": [{"path", "size", "sha256"}],
//                   "fingerprint": {…}}]}                         value/fingerprint.h; may lack
//
// manifest.schema.json is the JSON Schema of it. Members that are not known are allowed; they are
// lost when a manifest is written again, so nobody does.
//
// The hash key is random for each backup and no secret: whoever verifies needs it, and what it
// prevents (rows made up beforehand so that damage does not show, see value/row_hash.h) needs a key
// unknown only until the backup is made. With it, guesses at rows can be tested, so the file is
// 0600, like the backup itself.
//
// Signature: Ed25519 of the bytes of manifest.json, as 128 hex digits and a newline. Who may have
// changed the folder may have removed the signature as well: unsigned is allowed, and reported;
// whoever demands signatures treats it as a failure.
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "value/fingerprint.h"
#include "verify/backup/backup_folder.h"
#include "verify/backup/signing_key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_SIGNATURE_NAME "manifest.json.sig"
#define MANIFEST_VERSION 1
#define MANIFEST_LIMIT ((size_t)64 * 1024 * 1024) // bytes; larger ones are neither written nor read

struct manifest_file {
    char *path; // within the backup, in its plain form: "2026-11-22/app.dump"
    uint64_t size;
    uint8_t sha256[SHA256_SIZE];
};

struct manifest_artifact {
    char *name; // one of a kind
    enum dump_engine engine;
    char *server_version; // of the server that was dumped: "17.2"; may be empty
    char *tool;           // "pg_dump 17.2"; may be empty
    struct manifest_file *files;
    size_t file_count;
    size_t file_capacity;
    struct fingerprint *fingerprint; // NULL: none was made
};

struct manifest {
    int64_t start_ms, end_ms; // wall clock, to the second when written
    uint8_t hash_key[ROW_HASH_KEY_SIZE];
    struct manifest_artifact *artifacts;
    size_t artifact_count;
    size_t artifact_capacity;
};

struct manifest *manifest_new(void); // with a new hash key
void manifest_free(struct manifest *self);
// Borrowed until the next is added.
struct manifest_artifact *manifest_add(struct manifest *self, const char *name,
                                       enum dump_engine engine, const char *server_version,
                                       const char *tool);
void manifest_file_add(struct manifest_artifact *self, const char *path, uint64_t size,
                       const uint8_t sha256[SHA256_SIZE]);

// Written under a temporary name, synced, renamed, mode 0600; the signature first, so that a
// manifest that is there is whole. key NULL: unsigned, and an older signature is removed. What
// manifest_parse would refuse is not written: ERROR_PROTOCOL.
bool manifest_write(const struct manifest *self, const char *folder, const struct signing_key *key,
                    struct error *err) must_use;

enum manifest_signature {
    MANIFEST_UNSIGNED = 0,
    MANIFEST_NOT_CHECKED, // there is a signature, but no key was given
    MANIFEST_SIGNED,      // by the owner of the key
};

// ERROR_UNAVAILABLE: there is no manifest, or it is of a newer version. ERROR_PROTOCOL: the
// signature is not of these bytes and this key, one of the two is no regular file or too large, or
// what manifest_parse says. The signature is
// looked at before anything else is believed. key may be NULL.
bool manifest_read(const char *folder, const struct public_key *key, struct manifest **ret_manifest,
                   enum manifest_signature *ret_signature, struct error *err) must_use;

// The text alone. ERROR_PROTOCOL, by the name of what is wrong: "line 3, column 7: …",
// "artifacts[0].files[1].path: \"../x\" leaves the backup". Also wrong: a path or a name that
// stands twice, a path not in its plain form ("a//b"), the manifest's own name as a file, buckets
// that do not add up to their total.
bool manifest_parse(const char *bytes, size_t length, struct manifest **ret_manifest,
                    struct error *err) must_use;
bool manifest_format(const struct manifest *self, char **ret_text, size_t *ret_length,
                     struct error *err) must_use;

enum file_difference_kind {
    FILE_NOT_READ = 0, // there, but it could not be read so far as to be compared: with the reason
    FILE_NOT_PLAIN,    // a link, a pipe, a device of its name and size
    FILE_MISSING,
    FILE_EXTRA, // not in the manifest
    FILE_SIZE,
    FILE_SHA256,
};

struct file_difference {
    enum file_difference_kind kind;
    const char *path; // borrowed from the manifest, or from the backup
    char *text;       // "app.dump: 10 bytes, not 12 as in the manifest"
};
struct file_differences {
    struct file_difference *items; // by path
    size_t count;
    size_t capacity;
};

// true: the same files, byte for byte. The manifest and its signature are not asked for. One
// difference a file: of one whose size differs nobody needs to hear that its SHA-256 does.
bool manifest_check_files(const struct manifest *self, const struct backup *backup,
                          struct file_differences *ret_differences);
void file_differences_done(struct file_differences *self);

DEFINE_AUTOFREE(manifest, manifest_free);
DEFINE_AUTODONE(file_differences, file_differences_done);
