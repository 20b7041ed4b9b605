#define _GNU_SOURCE
#include "verify/backup/backup_folder.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- what is there

static struct backup_file *add_file(struct backup *self, const char *path) {
    if ((self->file_count & (self->file_count - 1)) == 0) // full at every power of two
        self->files = memory_resize(self->files, self->file_count > 0 ? self->file_count * 2 : 1,
                                    sizeof *self->files);
    struct backup_file *file = &self->files[self->file_count++];
    *file = (struct backup_file){.path = memory_copy_string(path),
                                 .absolute = path[0] != '\0' ? path_join(self->path, path)
                                                             : memory_copy_string(self->path)};
    return file;
}

static const char *type_name(mode_t mode) {
    return S_ISLNK(mode)    ? "a symbolic link, which is not followed"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static bool look_at(struct backup *self, const char *path, int depth, struct error *err);

static bool look_into(struct backup *self, const char *path, int depth, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    autofree_string char *absolute =
        path[0] != '\0' ? path_join(self->path, path) : memory_copy_string(self->path);
    if (depth > BACKUP_DEPTH_LIMIT)
        return error_set(err, ERROR_CONFIGURATION, 0, "%s is more than %d folders deep", absolute,
                         BACKUP_DEPTH_LIMIT);
    if (!folder_list(absolute, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        autofree_string char *below =
            path[0] != '\0' ? path_join(path, names.items[i]) : memory_copy_string(names.items[i]);
        if (!look_at(self, below, depth, err))
            return false;
    }
    return true;
}

static bool look_at(struct backup *self, const char *path, int depth, struct error *err) {
    autofree_string char *absolute =
        path[0] != '\0' ? path_join(self->path, path) : memory_copy_string(self->path);
    struct stat status;
    if (lstat(absolute, &status) != 0)
        return error_set_errno(err, "cannot look at %s", absolute);
    if (S_ISDIR(status.st_mode))
        return look_into(self, path, depth + 1, err);
    if (self->file_count == BACKUP_FILE_LIMIT)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s holds more than %d files: name the folder of one backup", self->path,
                         BACKUP_FILE_LIMIT);
    struct backup_file *file = add_file(self, path);
    file->size = (uint64_t)status.st_size;
    file->modified = status.st_mtim;
    file->plain = S_ISREG(status.st_mode);
    if (!file->plain)
        error_set(&file->problem, ERROR_SYSTEM, EINVAL, "%s is %s", file->absolute,
                  type_name(status.st_mode));
    return true;
}

// ---- reading, several files at once

struct reading {
    struct backup *backup;
    const struct backup_options *options;
    atomic_size_t next;
};

static void read_file(struct backup_file *file, const struct backup_options *options) {
    autofree(source) struct source *source = NULL;
    if (file->problem.domain != ERROR_NONE || !source_open(file->absolute, &source, &file->problem))
        return;
    source_watch(source, options->cancel, options->counter);
    file->read = dump_read_source(source, &file->facts, &file->problem);
    file->hashed = source_hash_rest(source, NULL); // a damaged one as well
    file->source = *source_facts(source);
}

static void *read_files(void *context) {
    struct reading *self = context;
    size_t index;
    while ((index = atomic_fetch_add(&self->next, 1)) < self->backup->file_count)
        read_file(&self->backup->files[index], self->options);
    return NULL;
}

#define MOST_JOBS 16

static void read_all(struct backup *self, const struct backup_options *options) {
    struct reading reading = {.backup = self, .options = options};
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const int wanted = options->jobs > 0 ? options->jobs : (int)processors;
    pthread_t threads[MOST_JOBS];
    int started = 0;
    while (started < MOST_JOBS && started < wanted - 1 && (size_t)started + 1 < self->file_count &&
           pthread_create(&threads[started], NULL, read_files, &reading) == 0)
        started++;
    read_files(&reading); // this thread is one of them
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

// ---- artifacts

bool backup_file_has_format(const struct backup_file *file, const char *format) {
    return file->facts.format != NULL && strcmp(file->facts.format->name, format) == 0;
}

// The length of the folder's part of a path, without the slash.
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) : 0;
}

static bool same_folder(const struct backup_file *left, const struct backup_file *right) {
    const size_t length = folder_length(left->path);
    return length == folder_length(right->path) && memcmp(left->path, right->path, length) == 0;
}

static bool ends_with(const char *text, const char *ending) {
    const size_t length = strlen(text), tail = strlen(ending);
    return length > tail && strcmp(text + length - tail, ending) == 0;
}

// Of a collection without documents.
static bool is_empty_bson(const struct backup_file *file) {
    return file->facts.format == NULL && file->facts.recognised != NULL &&
           strcmp(file->facts.recognised, "empty") == 0 &&
           (ends_with(file->path, ".bson") || ends_with(file->path, ".bson.gz"));
}

// toc.dat is followed by its data: "3440.dat.gz", "blobs.toc". Beside a .bson lie the others of its
// database, and a .metadata.json (.gz) for each.
static bool goes_with(const struct backup_file *first, const struct backup_file *other) {
    if (!same_folder(first, other))
        return false;
    if (backup_file_has_format(first, "postgres-directory"))
        return strstr(other->path, ".dat") != NULL || ends_with(other->path, ".toc");
    return backup_file_has_format(first, "mongo-bson") &&
           (backup_file_has_format(other, "mongo-bson") || is_empty_bson(other) ||
            ends_with(other->path, ".metadata.json") ||
            ends_with(other->path, ".metadata.json.gz") || ends_with(other->path, "prelude.json") ||
            ends_with(other->path, "prelude.json.gz"));
}

static bool is_folder_format(const struct backup_file *file) {
    return backup_file_has_format(file, "postgres-directory") ||
           backup_file_has_format(file, "mongo-bson");
}

static char *artifact_name(const struct backup *self, const struct backup_file *file) {
    const char *last = strrchr(self->path, '/');
    const char *own = last != NULL && last[1] != '\0' ? last + 1 : self->path;
    if (!is_folder_format(file))
        return memory_copy_string(file->path[0] != '\0' ? file->path : own);
    const size_t length = folder_length(file->path);
    return length > 0 ? memory_copy_bytes(file->path, length) : memory_copy_string(own);
}

static void add_artifact(struct backup *self, size_t first) {
    struct artifact *artifact = &self->artifacts[self->artifact_count++];
    struct backup_file *files = self->files;
    *artifact = (struct artifact){.name = artifact_name(self, &files[first]),
                                  .files = memory_new(self->file_count, sizeof *artifact->files)};
    artifact->files[artifact->file_count++] = first;
    for (size_t i = 0; i < self->file_count && is_folder_format(&files[first]); i++)
        if (i != first && !files[i].belongs && goes_with(&files[first], &files[i])) {
            files[i].belongs = true;
            artifact->files[artifact->file_count++] = i;
        }
}

static int by_path(const void *left, const void *right) {
    return strcmp(((const struct backup_file *)left)->path,
                  ((const struct backup_file *)right)->path);
}

// Folders first, so that what belongs to them is nobody else's.
static void make_artifacts(struct backup *self) {
    self->artifacts = memory_new(self->file_count, sizeof *self->artifacts);
    for (size_t i = 0; i < self->file_count; i++)
        if (is_folder_format(&self->files[i]) && !self->files[i].belongs)
            add_artifact(self, i);
    for (size_t i = 0; i < self->file_count; i++)
        if (!is_folder_format(&self->files[i]) && !self->files[i].belongs)
            add_artifact(self, i);
}

// ---- opening

static struct backup *backup_new(const char *absolute) {
    struct backup *self = memory_new(1, sizeof *self);
    self->path = memory_copy_string(absolute);
    return self;
}

static bool list_files(struct backup *self, struct error *err) {
    if (!look_at(self, "", 0, err))
        return false;
    if (self->file_count == 0)
        return error_set(err, ERROR_CONFIGURATION, 0, "%s is empty: there is nothing to verify",
                         self->path);
    qsort(self->files, self->file_count, sizeof *self->files, by_path);
    return true;
}

bool backup_open(const char *path, const struct backup_options *options, struct backup **ret_backup,
                 struct error *err) {
    autofree_string char *absolute = realpath(path, NULL);
    if (absolute == NULL) {
        error_set_errno(err, "there is no backup %s", path);
        if (err != NULL)
            err->domain = ERROR_CONFIGURATION;
        return false;
    }
    autofree(backup) struct backup *self = backup_new(absolute);
    if (!list_files(self, err))
        return false;
    if (options->total != NULL)
        atomic_store(options->total, backup_bytes(self));
    read_all(self, options);
    if (!cancel_check(options->cancel, err))
        return false;
    make_artifacts(self);
    *ret_backup = TAKE(self);
    return true;
}

void backup_free(struct backup *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->file_count; i++) {
        free(self->files[i].path);
        free(self->files[i].absolute);
        dump_facts_done(&self->files[i].facts);
    }
    for (size_t i = 0; i < self->artifact_count; i++) {
        free(self->artifacts[i].name);
        free(self->artifacts[i].files);
    }
    free(self->files);
    free(self->artifacts);
    free(self->path);
    free(self);
}

const char *backup_file_only_database(const struct backup_file *file) {
    const struct dump_facts *facts = &file->facts;
    const char *only = NULL;
    for (size_t i = 0; i < facts->databases.count; i++) {
        const char *name = facts->databases.items[i];
        if (strcmp(name, "postgres") == 0 || strcmp(name, "template1") == 0)
            continue;
        if (only != NULL)
            return NULL;
        only = name;
    }
    return only != NULL ? only : facts->database;
}

char *backup_file_folder_database(const struct backup_file *file) {
    if (!backup_file_has_format(file, "mongo-bson"))
        return NULL;
    const char *end = strrchr(file->path, '/');
    if (end == NULL)
        return NULL;
    const char *start = end;
    while (start > file->path && start[-1] != '/')
        start--;
    return memory_copy_bytes(start, (size_t)(end - start));
}

const struct backup_file *backup_main_file(const struct backup *self,
                                           const struct artifact *artifact) {
    return &self->files[artifact->files[0]];
}

enum dump_engine backup_engine(const struct backup *self, const struct artifact *artifact) {
    return backup_main_file(self, artifact)->facts.engine;
}

uint64_t backup_bytes(const struct backup *self) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < self->file_count; i++)
        bytes += self->files[i].size;
    return bytes;
}

// ---- afterwards

static bool differs(struct error *err, const struct backup_file *file, const char *how) {
    return error_set(err, ERROR_SERVICE, 0, "%s %s while it was verified", file->absolute, how);
}

static bool file_unchanged(const struct backup_file *was, const struct backup_file *is,
                           const struct cancel *cancel, struct error *err) {
    if (was->size != is->size)
        return differs(err, was, "changed its size");
    if (was->modified.tv_sec != is->modified.tv_sec ||
        was->modified.tv_nsec != is->modified.tv_nsec)
        return differs(err, was, "was written to");
    if (!was->hashed)
        return true; // it could not be read in the first place
    autofree(source) struct source *source = NULL;
    if (!source_open(was->absolute, &source, err))
        return false;
    source_watch(source, cancel, NULL);
    if (!source_hash_rest(source, err))
        return false;
    return memcmp(was->source.sha256, source_facts(source)->sha256, SHA256_SIZE) == 0 ||
           differs(err, was, "changed its content");
}

bool backup_unchanged(const struct backup *self, const struct cancel *cancel, struct error *err) {
    autofree(backup) struct backup *now = backup_new(self->path);
    if (!list_files(now, err))
        return false;
    for (size_t i = 0, j = 0; i < self->file_count || j < now->file_count; i++, j++) {
        const int order = i == self->file_count  ? 1
                          : j == now->file_count ? -1
                                                 : strcmp(self->files[i].path, now->files[j].path);
        if (order < 0)
            return differs(err, &self->files[i], "was removed");
        if (order > 0)
            return differs(err, &now->files[j], "was added");
        if (!file_unchanged(&self->files[i], &now->files[j], cancel, err))
            return false;
    }
    return true;
}
