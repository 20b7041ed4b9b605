#define _GNU_SOURCE
#include "image/image_test_ground.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Never derived from the environment: it is removed in the end, with all that is in it.
static char ground[sizeof "/tmp/assay-images-XXXXXX"];

static char *ground_of(void) {
    cr_assert_str_not_empty(ground, "ground_set_up was not called");
    return memory_copy_string(ground);
}

void ground_set_up(void) {
    char folder[] = "/tmp/assay-images-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    memcpy(ground, folder, sizeof ground);
    char *state = path_join(folder, "state");
    cr_assert(setenv("ASSAY_STATE", state, 1) == 0);
    free(state);
}

void ground_tear_down(void) {
    char *folder = ground_of();
    cr_expect(file_remove_tree(folder, NULL));
    free(folder);
}

char *ground_path(const char *name) {
    char *folder = ground_of();
    char *path = path_join(folder, name);
    free(folder);
    return path;
}

char *ground_file(const char *name, const char *content, mode_t mode) {
    char *path = ground_path(name);
    char *folder = memory_copy_bytes(path, (size_t)(strrchr(path, '/') - path));
    struct error err = {0};
    cr_assert(folder_make(folder, 0755, &err), "%s", err.message);
    cr_assert(file_write_atomic(path, content, strlen(content), mode, &err), "%s", err.message);
    free(folder);
    return path;
}

char *ground_recipes(const char *salt) {
    free(ground_file("recipes/base/suite", "trixie\n", 0644));
    free(ground_file("recipes/base/packages", "ca-certificates\n", 0644));
    free(ground_file("recipes/base/salt", salt, 0644));
    // In the label as well: an engine shares the layers of equal builds, and tests remove theirs.
    char *dockerfile = memory_format("ARG BASE\nFROM ${BASE}\nLABEL salt=\"%s\"\n"
                                     "LABEL io.assay.software=\"Pebble\"\n"
                                     "COPY hello /hello\nCMD [\"/hello\"]\n",
                                     salt);
    free(ground_file("recipes/pebble/Dockerfile", dockerfile, 0644));
    free(ground_file("recipes/pebble/hello", "#!/bin/sh\necho hello\n", 0755));
    free(dockerfile);
    return ground_path("recipes");
}
