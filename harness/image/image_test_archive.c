#include "image/image_test_archive.h"

#include "base/memory.h"
#include "image/image_test_ground.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <string.h>

#define LAYER_SIZE 3000

static void add(struct archive *archive, const char *name, const void *bytes, size_t length) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)length);
    cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK);
    cr_assert_eq(archive_write_data(archive, bytes, length), (la_ssize_t)length);
    archive_entry_free(entry);
}

char *test_archive(const char *name, const char *manifest, bool compressed) {
    char *path = ground_path(name);
    struct archive *archive = archive_write_new();
    if (compressed)
        archive_write_add_filter_gzip(archive);
    archive_write_set_format_ustar(archive);
    cr_assert_eq(archive_write_open_filename(archive, path), ARCHIVE_OK);
    char *layer = memory_new(1, LAYER_SIZE);
    add(archive, "0123/layer.tar", layer, LAYER_SIZE);
    if (manifest != NULL)
        add(archive, "manifest.json", manifest, strlen(manifest));
    cr_assert_eq(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    free(layer);
    return path;
}
