#include "image/image_manifest.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <string.h>

#define MANIFEST_LIMIT ((size_t)4 * 1024 * 1024)
#define BLOCK_SIZE ((size_t)64 * 1024)

static void free_archive(struct archive **archive) {
    archive_read_free(*archive);
}

static void free_json(json_t **json) {
    json_decref(*json);
}

// Only the filters that libarchive has built in: the others run programs.
static struct archive *new_reader(void) {
    struct archive *reader = archive_read_new();
    archive_read_support_filter_none(reader);
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_zstd(reader);
    archive_read_support_format_tar(reader);
    return reader;
}

static size_t read_limited(struct archive *reader, char *bytes, size_t limit) {
    size_t length = 0;
    while (length < limit) {
        const la_ssize_t got = archive_read_data(reader, bytes + length, limit - length);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    return length;
}

static bool add_tags(const json_t *manifest, const char *path, struct string_list *tags,
                     struct error *err) {
    if (!json_is_array(manifest))
        return error_set(err, ERROR_PROTOCOL, 0, "%s: its manifest.json is not a list", path);
    size_t i;
    const json_t *image;
    json_array_foreach (manifest, i, image) {
        size_t j;
        const json_t *tag;
        json_array_foreach (json_object_get(image, "RepoTags"), j, tag) {
            if (json_is_string(tag))
                string_list_add(tags, json_string_value(tag));
        }
    }
    return true;
}

static bool read_tags(struct archive *reader, const char *path, struct string_list *tags,
                      struct error *err) {
    autofree_string char *bytes = memory_new(1, MANIFEST_LIMIT);
    const size_t length = read_limited(reader, bytes, MANIFEST_LIMIT);
    if (length == MANIFEST_LIMIT)
        return error_set(err, ERROR_PROTOCOL, 0, "%s: its manifest.json is too large", path);
    json_error_t problem;
    __attribute__((cleanup(free_json))) json_t *manifest =
        json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &problem);
    if (manifest == NULL)
        return error_set(err, ERROR_PROTOCOL, 0, "%s: its manifest.json is not JSON: %s", path,
                         problem.text);
    return add_tags(manifest, path, tags, err);
}

bool image_manifest_read(const char *path, struct string_list *tags, struct error *err) {
    __attribute__((cleanup(free_archive))) struct archive *reader = new_reader();
    if (archive_read_open_filename(reader, path, BLOCK_SIZE) != ARCHIVE_OK)
        return error_set(err, ERROR_PROTOCOL, 0, "%s is not an image archive: %s", path,
                         archive_error_string(reader));
    struct archive_entry *entry = NULL;
    int status;
    while ((status = archive_read_next_header(reader, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        if (name != NULL && strcmp(name, "manifest.json") == 0)
            return read_tags(reader, path, tags, err);
    }
    if (status != ARCHIVE_EOF)
        return error_set(err, ERROR_PROTOCOL, 0, "%s is not a whole image archive: %s", path,
                         archive_error_string(reader));
    return error_set(err, ERROR_PROTOCOL, 0, "%s is not an image archive: it has no manifest.json",
                     path);
}
