#include "base/memory.h"
#include "verify/backup/manifest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void file_differences_done(struct file_differences *self) {
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].text);
    free(self->items);
    *self = (struct file_differences){0};
}

static void add(struct file_differences *self, enum file_difference_kind kind, const char *path,
                const char *format, ...) printf_like(4, 5);

static void add(struct file_differences *self, enum file_difference_kind kind, const char *path,
                const char *format, ...) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 8;
        self->items = memory_resize(self->items, self->capacity, sizeof *self->items);
    }
    va_list arguments;
    va_start(arguments, format);
    autofree_string char *what = memory_format_list(format, arguments);
    va_end(arguments);
    self->items[self->count++] =
        (struct file_difference){kind, path, memory_format("%s: %s", path, what)};
}

static int by_listed_path(const void *left, const void *right) {
    const struct manifest_file *const *a = left, *const *b = right;
    return strcmp((*a)->path, (*b)->path);
}

static int by_found_path(const void *left, const void *right) {
    const struct backup_file *const *a = left, *const *b = right;
    return strcmp((*a)->path, (*b)->path);
}

static const struct manifest_file **listed_files(const struct manifest *self, size_t *ret_count) {
    size_t count = 0;
    for (size_t i = 0; i < self->artifact_count; i++)
        count += self->artifacts[i].file_count;
    const struct manifest_file **files = memory_new(count + 1, sizeof *files);
    *ret_count = count;
    for (size_t i = 0; i < self->artifact_count; i++)
        for (size_t j = 0; j < self->artifacts[i].file_count; j++)
            files[--count] = &self->artifacts[i].files[j];
    qsort(files, *ret_count, sizeof *files, by_listed_path);
    return files;
}

static const struct backup_file **found_files(const struct backup *backup, size_t *ret_count) {
    const struct backup_file **files = memory_new(backup->file_count + 1, sizeof *files);
    size_t count = 0;
    for (size_t i = 0; i < backup->file_count; i++)
        if (strcmp(backup->files[i].path, MANIFEST_NAME) != 0 &&
            strcmp(backup->files[i].path, MANIFEST_SIGNATURE_NAME) != 0)
            files[count++] = &backup->files[i];
    qsort(files, count, sizeof *files, by_found_path);
    *ret_count = count;
    return files;
}

static void compare(const struct manifest_file *listed, const struct backup_file *found,
                    struct file_differences *differences) {
    if (listed->size != found->size)
        add(differences, FILE_SIZE, listed->path,
            "%" PRIu64 " bytes, not %" PRIu64 " as in the manifest", found->size, listed->size);
    else if (!found->plain)
        add(differences, FILE_NOT_PLAIN, listed->path, "%s", found->problem.message);
    else if (found->hashed && memcmp(listed->sha256, found->source.sha256, SHA256_SIZE) != 0)
        add(differences, FILE_SHA256, listed->path, "its SHA-256 is not that of the manifest");
    else if (!found->hashed)
        add(differences, FILE_NOT_READ, listed->path, "%s", found->problem.message);
}

bool manifest_check_files(const struct manifest *self, const struct backup *backup,
                          struct file_differences *ret_differences) {
    struct file_differences differences = {0};
    size_t listed_count = 0, found_count = 0, left = 0, right = 0;
    const struct manifest_file **listed = listed_files(self, &listed_count);
    const struct backup_file **found = found_files(backup, &found_count);
    while (left < listed_count || right < found_count) {
        const int order = left == listed_count   ? 1
                          : right == found_count ? -1
                                                 : strcmp(listed[left]->path, found[right]->path);
        if (order < 0)
            add(&differences, FILE_MISSING, listed[left]->path, "is missing");
        else if (order > 0)
            add(&differences, FILE_EXTRA, found[right]->path, "is not in the manifest");
        else
            compare(listed[left], found[right], &differences);
        left += order <= 0 ? 1 : 0;
        right += order >= 0 ? 1 : 0;
    }
    free(listed);
    free(found);
    *ret_differences = differences;
    return differences.count == 0;
}
