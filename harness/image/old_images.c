#define _GNU_SOURCE
#include "image/old_images.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/image.h"
#include "run/private_engine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// <state>/used/assay_postgres_3f0c9a12abcd
static char *mark_path(const char *reference) {
    autofree_string char *state = state_folder();
    autofree_string char *name = memory_format("used/%s", reference);
    for (char *at = name + strlen("used/"); *at != '\0'; at++)
        if (*at == '/' || *at == ':' || *at == '@')
            *at = '_';
    return path_join(state, name);
}

void old_images_used(const char *reference) {
    autofree_string char *path = mark_path(reference);
    autofree_string char *folder = memory_copy_bytes(path, (size_t)(strrchr(path, '/') - path));
    if (!folder_make(folder, 0700, NULL))
        return;
    autoclose_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && futimens(fd, NULL) != 0)
        return; // its own age counts then
}

static int64_t last_use_s(const char *reference, int64_t created_s) {
    autofree_string char *path = mark_path(reference);
    struct stat status;
    if (stat(path, &status) != 0 || (int64_t)status.st_mtime < created_s)
        return created_s;
    return (int64_t)status.st_mtime;
}

static bool remove_tag(struct engine *engine, const char *reference) {
    if (!image_remove(engine, reference, NULL))
        return false;
    autofree_string char *path = mark_path(reference);
    unlink(path);
    return true;
}

static bool is_tag_of(const char *reference, const char *repository) {
    const size_t length = strlen(repository);
    return strncmp(reference, repository, length) == 0 && reference[length] == ':';
}

// The tag that assay gave the image itself: what its label says.
static bool is_own_tag(const char *reference, const json_t *image) {
    static const char *const labels[] = {"io.assay.prepared", "io.assay.hash"};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        const char *hash =
            json_string_value(json_object_get(json_object_get(image, "Labels"), labels[i]));
        if (hash == NULL)
            continue;
        const char *tag = strrchr(reference, ':') + 1;
        return tag[0] != '\0' && strncmp(hash, tag, strlen(tag)) == 0;
    }
    return false;
}

int old_images_remove(struct engine *engine, const char *repository, const char *label,
                      const char *keep, int64_t unused_for_s) {
    autofree_string char *filter = memory_format("label=%s", label);
    const char *const filters[] = {filter, NULL};
    json_t *images = NULL;
    if (!image_list(engine, filters, &images, NULL))
        return 0;
    const int64_t before_s = clock_wall_ms() / 1000 - unused_for_s;
    int removed = 0;
    size_t i;
    const json_t *image;
    json_array_foreach (images, i, image) {
        const int64_t created_s = json_integer_value(json_object_get(image, "Created"));
        size_t j;
        const json_t *tag;
        json_array_foreach (json_object_get(image, "RepoTags"), j, tag) {
            const char *reference = json_string_value(tag);
            if (reference != NULL && strcmp(reference, keep) != 0 &&
                is_tag_of(reference, repository) && is_own_tag(reference, image) &&
                last_use_s(reference, created_s) <= before_s && remove_tag(engine, reference))
                removed++;
        }
    }
    json_decref(images);
    return removed;
}
