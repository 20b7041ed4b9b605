#define _GNU_SOURCE
#include "image/recipe.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/base_image.h"
#include "image/digest.h"
#include "image/image_build_job.h"
#include "image/image_name.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_RECIPE "base"

// Images as their makers publish them, and the recipe with the same software and interface.
static const struct {
    const char *image; // without tag, as image_name spells it
    const char *recipe;
} provides[] = {
    {"docker.io/library/postgres", "postgres"},
    {"docker.io/library/mysql", "mysql"},
    {"docker.io/library/redis", "redis"},
    {"docker.io/library/rabbitmq", "rabbitmq"},
    {"docker.io/library/mongo", "ferretdb"},
    {"docker.io/ferretdb/ferretdb", "ferretdb"},
    {"ghcr.io/ferretdb/ferretdb", "ferretdb"},
    {"docker.io/openbao/openbao", "openbao"},
    {"quay.io/openbao/openbao", "openbao"},
    {"ghcr.io/openbao/openbao", "openbao"},
    {"docker.io/prom/prometheus", "prometheus"},
    {"quay.io/prometheus/prometheus", "prometheus"},
    {"docker.io/prom/alertmanager", "alertmanager"},
    {"quay.io/prometheus/alertmanager", "alertmanager"},
    {"docker.io/prometheuscommunity/postgres-exporter", "postgres_exporter"},
    {"quay.io/prometheuscommunity/postgres-exporter", "postgres_exporter"},
    {"docker.io/prom/mysqld-exporter", "mysqld_exporter"},
    {"quay.io/prometheus/mysqld-exporter", "mysqld_exporter"},
    {"docker.io/oliver006/redis_exporter", "redis_exporter"},
    {"quay.io/oliver006/redis_exporter", "redis_exporter"},
    {"docker.io/prom/node-exporter", "node_exporter"},
    {"quay.io/prometheus/node-exporter", "node_exporter"},
};

const char *recipe_for_image(const char *reference) {
    autodone(image_name) struct image_name name = {0};
    if (!image_name_parse(reference, &name, NULL))
        return NULL;
    autofree_string char *image = memory_format("%s/%s", name.registry, name.repository);
    for (size_t i = 0; i < sizeof provides / sizeof provides[0]; i++)
        if (strcmp(provides[i].image, image) == 0)
            return provides[i].recipe;
    return NULL;
}

static bool is_recipe_folder(const char *recipes, const char *recipe) {
    autofree_string char *folder = path_join(recipes, recipe);
    autofree_string char *dockerfile = path_join(folder, "Dockerfile");
    return strchr(recipe, '/') == NULL && recipe[0] != '.' && file_exists(dockerfile);
}

bool recipe_tag(const char *recipes, const char *recipe, char **ret_reference, struct error *err) {
    if (!is_recipe_folder(recipes, recipe))
        return error_set(err, ERROR_CONFIGURATION, 0,
                         "there is no recipe \"%s\": no Dockerfile in %s/%s", recipe, recipes,
                         recipe);
    autofree_string char *base = NULL;
    if (!base_image_tag(recipes, &base, err))
        return false;
    autofree_string char *folder = path_join(recipes, recipe);
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];
    digest_init(&digest);
    digest_add_string(&digest, "base", base);
    if (!digest_add_folder(&digest, folder, err))
        return false;
    digest_end(&digest, hex);
    *ret_reference = memory_format("assay/%s:%.*s", recipe, RECIPE_HASH_LENGTH, hex);
    return true;
}

struct recipe_job {
    const char *folder;
    const char *base;
};

static bool make(const struct image_build_job *job, void *context, struct error *err) {
    const struct recipe_job *recipe = context;
    return image_build_folder(job, recipe->folder, NULL, recipe->base, err);
}

bool recipe_build_on(struct engine *engine, const char *recipe, const char *base,
                     const struct image_options *options, char **ret_reference, struct error *err) {
    autofree_string char *reference = NULL;
    if (!recipe_tag(options->recipes, recipe, &reference, err))
        return false;
    autofree_string char *folder = path_join(options->recipes, recipe);
    struct recipe_job recipe_job = {.folder = folder, .base = base};
    const struct image_build_job job = {
        .engine = engine, .options = options, .recipe = recipe, .reference = reference};
    if (!image_build_once(&job, make, &recipe_job, err))
        return false;
    *ret_reference = TAKE(reference);
    return true;
}

bool recipe_build(struct engine *engine, const char *recipe, const struct image_options *options,
                  char **ret_reference, struct error *err) {
    autofree_string char *reference = NULL;
    bool present = false;
    if (!recipe_tag(options->recipes, recipe, &reference, err) ||
        !image_exists(engine, reference, &present, err))
        return false;
    if (present) { // its base is then no concern of ours
        *ret_reference = TAKE(reference);
        return true;
    }
    autofree_string char *base = NULL;
    return base_image_ensure(engine, options, NULL, &base, err) &&
           recipe_build_on(engine, recipe, base, options, ret_reference, err);
}

bool recipe_list(const char *recipes, struct string_list *ret_names, struct error *err) {
    autodone(string_list) struct string_list names = {0};
    DIR *handle = opendir(recipes);
    if (handle == NULL)
        return error_set_errno(err, "cannot open the folder of recipes %s", recipes);
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(handle)) != NULL; errno = 0)
        if (strcmp(entry->d_name, BASE_RECIPE) != 0 && is_recipe_folder(recipes, entry->d_name))
            string_list_add(&names, entry->d_name);
    const int problem = errno;
    closedir(handle);
    if (problem != 0)
        return error_set(err, ERROR_SYSTEM, problem, "cannot read the folder of recipes %s: %s",
                         recipes, strerror(problem));
    string_list_sort(&names);
    *ret_names = names;
    names = (struct string_list){0};
    return true;
}

bool recipe_step(const char *line, char ret_step[RECIPE_STEP_SIZE]) {
    if (strncmp(line, "Step ", strlen("Step ")) != 0)
        return false;
    size_t length = 0;
    const char *at = line;
    // Room for one character of up to four bytes, the ellipsis (three) and the end.
    while (*at != '\0' && length < RECIPE_STEP_SIZE - 8) {
        const bool space = strchr(" \t\r\n", *at) != NULL;
        if (!space || (length > 0 && ret_step[length - 1] != ' '))
            ret_step[length++] = space ? ' ' : *at;
        at++;
    }
    const bool cut = *at != '\0';
    while (cut && ((unsigned char)*at & 0xC0U) == 0x80U) // never half of a character
        ret_step[length++] = *at++;
    while (length > 0 && ret_step[length - 1] == ' ')
        length--;
    snprintf(ret_step + length, RECIPE_STEP_SIZE - length, "%s", cut ? "…" : "");
    return true;
}
