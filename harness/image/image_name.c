#include "image/image_name.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_REGISTRY "docker.io"
#define OWN_PREFIX "assay/"

void image_name_done(struct image_name *self) {
    if (self == NULL)
        return;
    free(self->registry);
    free(self->repository);
    free(self->tag);
    free(self->digest);
    *self = (struct image_name){0};
}

// The first component is a registry only if it cannot be a user's name.
static bool is_registry(const char *component, size_t length) {
    return memchr(component, '.', length) != NULL || memchr(component, ':', length) != NULL ||
           (length == strlen("localhost") && memcmp(component, "localhost", length) == 0);
}

static bool is_repository(const char *text) {
    if (text[0] == '\0' || text[0] == '/' || text[strlen(text) - 1] == '/')
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) &&
            strchr("._-/", *at) == NULL)
            return false;
    return strstr(text, "//") == NULL;
}

static bool is_tag(const char *text) {
    if (text == NULL)
        return true;
    if (text[0] == '\0' || text[0] == '.' || text[0] == '-' || strlen(text) > 128)
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL)
            return false;
    return true;
}

bool image_name_parse(const char *reference, struct image_name *ret_name, struct error *err) {
    autodone(image_name) struct image_name name = {0};
    autofree_string char *rest = memory_copy_string(reference);

    char *digest = strchr(rest, '@');
    if (digest != NULL) {
        *digest = '\0';
        name.digest = memory_copy_string(digest + 1);
    }
    char *path = rest;
    char *slash = strchr(rest, '/');
    if (slash != NULL && is_registry(rest, (size_t)(slash - rest))) {
        *slash = '\0';
        name.registry = memory_copy_string(rest);
        path = slash + 1;
    } else {
        name.registry = memory_copy_string(DEFAULT_REGISTRY);
    }
    if (strcmp(name.registry, "index.docker.io") == 0) {
        free(name.registry);
        name.registry = memory_copy_string(DEFAULT_REGISTRY);
    }
    char *colon = strrchr(path, ':');
    if (colon != NULL) {
        *colon = '\0';
        name.tag = memory_copy_string(colon + 1);
    }
    const bool official = strcmp(name.registry, DEFAULT_REGISTRY) == 0 && strchr(path, '/') == NULL;
    if (!is_repository(path) || !is_tag(name.tag) ||
        (name.digest != NULL && strchr(name.digest, ':') == NULL))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "\"%s\" is not an image reference (name, name:tag or name@sha256:…)",
                         reference);
    name.repository = memory_format("%s%s", official ? "library/" : "", path);
    *ret_name = name;
    name = (struct image_name){0};
    return true;
}

char *image_name_full(const struct image_name *self) {
    if (self->digest != NULL)
        return memory_format("%s/%s@%s", self->registry, self->repository, self->digest);
    return memory_format("%s/%s:%s", self->registry, self->repository,
                         self->tag != NULL ? self->tag : "latest");
}

bool image_name_same(const char *left, const char *right) {
    autodone(image_name) struct image_name left_name = {0};
    autodone(image_name) struct image_name right_name = {0};
    if (!image_name_parse(left, &left_name, NULL) || !image_name_parse(right, &right_name, NULL))
        return strcmp(left, right) == 0;
    autofree_string char *left_full = image_name_full(&left_name);
    autofree_string char *right_full = image_name_full(&right_name);
    return strcmp(left_full, right_full) == 0;
}

char *image_name_own_recipe(const struct image_name *self) {
    const size_t prefix = strlen(OWN_PREFIX);
    if (strcmp(self->registry, DEFAULT_REGISTRY) != 0 ||
        strncmp(self->repository, OWN_PREFIX, prefix) != 0)
        return NULL;
    return memory_copy_string(self->repository + prefix);
}
