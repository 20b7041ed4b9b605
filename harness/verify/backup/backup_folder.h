// A backup of the user's: a folder (or one file) and the artifacts found in it. Opened for reading
// only, and proven unchanged afterwards.
//
// What a file is comes from its content (dump/dump.h), never from its name. Several files may be
// one artifact: pg_dump's directory format (the folder with toc.dat), a mongodump folder
// (DATABASE/COLLECTION.bson with its metadata), the set of a Redis cluster's RDB files.
//
//   folder ──> files ──> artifacts, each with what its file said of itself, or why it is not whole
//
// "latest" is the newest folder below a root by its timestamp-like name (YYYYMMDD-HHMMSS and the
// usual variants); by mtime only where no name can be read, and then it is said.
#pragma once

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "dump/dump.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct backup_file {
    char *path;     // within the backup: "2026-11-21/app.dump"
    char *absolute; // to open
    uint64_t size;
    struct timespec modified;
    uint8_t sha256[SHA256_SIZE];
    struct dump_facts facts;
    struct source_facts source;
    bool read;             // to its proven end; else `problem` says why not
    struct error problem;  // ERROR_PROTOCOL: damaged; ERROR_SYSTEM: cannot be read
};

// Files that are restored together.
struct artifact {
    char *name;             // of its file, or of its folder: stands in reports
    enum dump_engine engine; // DUMP_UNKNOWN: nothing that we can restore
    size_t *files;          // indexes into the backup's
    size_t file_count;
};

struct backup {
    char *path; // absolute
    char *note; // how it was chosen ("newest by its name"); NULL: it was named
    struct backup_file *files;
    size_t file_count;
    struct artifact *artifacts; // by engine, then by name
    size_t artifact_count;
};

struct backup_options {
    const struct cancel *cancel;
    int jobs; // files read at once; 0: as many as processors
    // Called now and then, from one thread at a time, for progress: bytes of the disk so far and in all.
    void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
    void *context;
};

// `which`: a path, or "latest" below `root`. Reads every file to its end. Damaged and unknown files
// are no error here: they are in the result. Links, devices and sockets in the folder are recorded
// as files with a problem, never followed. ERROR_CONFIGURATION: there is no such backup, or it is
// empty.
bool backup_open(const char *root, const char *which, const struct backup_options *options,
                 struct backup **ret_backup, struct error *err) must_use;
void backup_free(struct backup *self);

// Looks again: every file is still there with the same size, mtime and SHA-256, and none was
// added. false: err names the first difference.
bool backup_unchanged(const struct backup *self, const struct cancel *cancel,
                      struct error *err) must_use;

DEFINE_AUTOFREE(backup, backup_free);
