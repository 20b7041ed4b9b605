#define _GNU_SOURCE
#include "image/image_archive.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/image_manifest.h"
#include "image/image_name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define OWN_ARCHIVE "assay.tar"

struct archive_file {
    char *path;
    struct string_list tags;
    bool loaded; // under lock
};

struct image_archive {
    char *folder;
    struct archive_file *files;
    size_t file_count;
    struct string_list problems;
    pthread_mutex_t lock; // one load at a time: the engine's disk is what it waits for
};

static void close_folder(DIR **folder) {
    if (*folder != NULL)
        closedir(*folder);
}

static bool has_archive_name(const char *name) {
    static const char *const ends[] = {".tar",    ".tar.gz",  ".tgz",
                                       ".tar.xz", ".tar.zst", ".tar.bz2"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t end = strlen(ends[i]);
        if (name[0] != '.' && length > end && strcmp(name + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}

// Sorted, so that when two archives hold an image it is always the same one that is loaded.
static bool list_archives(const char *folder, struct string_list *names, struct error *err) {
    __attribute__((cleanup(close_folder))) DIR *handle = opendir(folder);
    if (handle == NULL)
        return error_set_errno(err, "cannot open the folder of image archives %s", folder);
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(handle)) != NULL; errno = 0)
        if (has_archive_name(entry->d_name))
            string_list_add(names, entry->d_name);
    if (errno != 0)
        return error_set_errno(err, "cannot read the folder of image archives %s", folder);
    string_list_sort(names);
    return true;
}

static void index_file(struct image_archive *self, const char *name) {
    struct archive_file *file = &self->files[self->file_count];
    autofree_string char *path = path_join(self->folder, name);
    struct error err = {0};
    if (!image_manifest_read(path, &file->tags, &err)) {
        string_list_done(&file->tags);
        string_list_add(&self->problems, err.message);
        return;
    }
    file->path = TAKE(path);
    self->file_count++;
}

bool image_archive_open(const char *folder, struct image_archive **ret_archive, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    if (!list_archives(folder, &names, err))
        return false;
    struct image_archive *self = memory_new(1, sizeof *self);
    check(pthread_mutex_init(&self->lock, NULL) == 0);
    self->folder = memory_copy_string(folder);
    self->files = memory_new(names.count + 1, sizeof *self->files);
    for (size_t i = 0; i < names.count; i++)
        index_file(self, names.items[i]);
    *ret_archive = self;
    return true;
}

void image_archive_free(struct image_archive *self) {
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->file_count; i++) {
        free(self->files[i].path);
        string_list_done(&self->files[i].tags);
    }
    free(self->files);
    free(self->folder);
    string_list_done(&self->problems);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

const char *image_archive_folder(const struct image_archive *self) {
    return self->folder;
}

const struct string_list *image_archive_problems(const struct image_archive *self) {
    return &self->problems;
}

static struct archive_file *find_file(const struct image_archive *self, const char *reference) {
    for (size_t i = 0; i < self->file_count; i++)
        for (size_t j = 0; j < self->files[i].tags.count; j++)
            if (image_name_same(self->files[i].tags.items[j], reference))
                return &self->files[i];
    return NULL;
}

const char *image_archive_find(const struct image_archive *self, const char *reference) {
    const struct archive_file *file = find_file(self, reference);
    return file != NULL ? file->path : NULL;
}

static bool load_file(struct engine *engine, const char *path,
                      const struct image_progress *progress, struct error *err) {
    autoclose_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, "cannot open %s", path);
    return image_load(engine, fd, progress, err) || error_prefix(err, "%s", path);
}

bool image_archive_load(struct image_archive *self, struct engine *engine, const char *reference,
                        const struct image_progress *progress, bool *ret_found, struct error *err) {
    struct archive_file *file = find_file(self, reference);
    if (file == NULL) {
        *ret_found = false;
        return true;
    }
    pthread_mutex_lock(&self->lock);
    const bool loaded = file->loaded || load_file(engine, file->path, progress, err);
    file->loaded = loaded;
    pthread_mutex_unlock(&self->lock);
    if (loaded)
        *ret_found = true;
    return loaded;
}

// "mongo:7.0" -> "mongo_7.0.tar".
static char *file_name_for(const char *reference) {
    char *name = memory_format("%s.tar", reference);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '/' || *at == ':' || *at == '@')
            *at = '_';
    return name;
}

static bool is_own(const char *reference) {
    autodone(image_name) struct image_name name = {0};
    if (!image_name_parse(reference, &name, NULL))
        return false;
    autofree_string char *recipe = image_name_own_recipe(&name);
    return recipe != NULL;
}

bool image_archive_save(struct engine *engine, const char *const *references, const char *folder,
                        const struct image_progress *progress, const struct cancel *cancel,
                        struct error *err) {
    if (!folder_make(folder, 0755, err))
        return false;
    autodone(string_list) struct string_list own = {0};
    for (const char *const *reference = references; *reference != NULL; reference++) {
        if (is_own(*reference)) {
            if (!string_list_contains(&own, *reference))
                string_list_add(&own, *reference);
            continue;
        }
        autofree_string char *name = file_name_for(*reference);
        autofree_string char *path = path_join(folder, name);
        const char *const one[] = {*reference, NULL};
        if (!cancel_check(cancel, err) || !image_save(engine, one, path, progress, err))
            return false;
    }
    if (own.count == 0)
        return true;
    autofree_string char *path = path_join(folder, OWN_ARCHIVE);
    return cancel_check(cancel, err) &&
           image_save(engine, (const char *const *)own.items, path, progress, err);
}

bool image_archive_load_all(struct engine *engine, const char *folder,
                            const struct image_progress *progress, const struct cancel *cancel,
                            struct string_list *ret_references, struct error *err) {
    autofree(image_archive) struct image_archive *archive = NULL;
    if (!image_archive_open(folder, &archive, err))
        return false;
    for (size_t i = 0; i < archive->file_count; i++) {
        const struct archive_file *file = &archive->files[i];
        if (!cancel_check(cancel, err) || !load_file(engine, file->path, progress, err))
            return false;
        for (size_t j = 0; j < file->tags.count; j++)
            string_list_add(ret_references, file->tags.items[j]);
    }
    if (archive->problems.count > 0)
        return error_set(err, ERROR_CONFIGURATION, 0, "%s", archive->problems.items[0]);
    if (archive->file_count == 0)
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "%s holds no image archive (*.tar from `docker save`)", folder);
    return true;
}
