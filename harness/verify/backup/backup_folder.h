// A backup of the user's: a folder (or one file) and the artifacts found in it. Opened for reading
// only, and proven unchanged afterwards.
//
// What a file is comes from its content (dump/dump.h), never from its name. Several files may be
// one artifact: pg_dump's directory format (the folder with toc.dat), and a mongodump folder, whose
// files say neither database nor collection: DATABASE/COLLECTION.bson with its .metadata.json.
//
//   folder ──> files ──> artifacts, each with what its file said of itself, or why it is not whole
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
    struct dump_facts facts;
    struct source_facts source;
    bool plain;           // a regular file; what is none is never opened
    bool hashed;          // source.sha256 stands
    bool read;            // to its proven end; else `problem` says why not
    struct error problem; // ERROR_PROTOCOL: damaged; ERROR_SYSTEM: cannot be read
    bool belongs;         // to an artifact of several files, of which it is not the first
};

// Files that are restored together; the first is the one that was recognised.
struct artifact {
    char *name;    // of its file, or of its folder: stands in reports
    size_t *files; // indexes into the backup's
    size_t file_count;
};

struct backup {
    char *path;                // absolute
    struct backup_file *files; // by path
    size_t file_count;
    struct artifact *artifacts; // by name
    size_t artifact_count;
};

struct backup_options {
    const struct cancel *cancel;
    int jobs; // files read at once; 0: as many as processors
    // For progress; may be NULL. Bytes read from the disk so far, and what they will come to, which
    // is known once the folder has been listed (0 before).
    atomic_ullong *counter;
    atomic_ullong *total;
};

#define BACKUP_FILE_LIMIT 100000
#define BACKUP_DEPTH_LIMIT 32

// Reads every file to its end. Damaged and unknown files are no error here: they are in the result.
// Links, devices and sockets in the folder are files with a problem, never followed.
// ERROR_CONFIGURATION: there is no such backup, or there is no file in it.
bool backup_open(const char *path, const struct backup_options *options, struct backup **ret_backup,
                 struct error *err) must_use;
void backup_free(struct backup *self);

// By the name of a dump_format: "mongo-bson". false also for what was not recognised.
bool backup_file_has_format(const struct backup_file *file, const char *format);

// The only database that it makes; those that every server has do not count. Borrowed; NULL:
// several, or the file does not say.
const char *backup_file_only_database(const struct backup_file *file);
// A folder of mongodump's is named after its database, "app" of "dump/app/orders.bson"; the
// caller's. NULL: the file is none of such a folder, or lies in the top of the backup, so nobody
// knows.
char *backup_file_folder_database(const struct backup_file *file);

// The first file of an artifact.
const struct backup_file *backup_main_file(const struct backup *self,
                                           const struct artifact *artifact);
enum dump_engine backup_engine(const struct backup *self, const struct artifact *artifact);
uint64_t backup_bytes(const struct backup *self); // of all files, on the disk

// Looks again: every file is still there with the same size, mtime and SHA-256, and none was added.
// false: err names the first difference (ERROR_SERVICE), or says why it could not look.
bool backup_unchanged(const struct backup *self, const struct cancel *cancel,
                      struct error *err) must_use;

DEFINE_AUTOFREE(backup, backup_free);
