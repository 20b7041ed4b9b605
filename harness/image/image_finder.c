#include "image/image_finder.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/base_image.h"
#include "run/private_engine.h"

#include <stdlib.h>
#include <string.h>

const char *image_architecture(const char *name) {
    static const char *const names[][2] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i][0], name) == 0)
            return names[i][1];
    return name;
}

static char *find_archive_folder(const struct image_options *options) {
    if (options->archive != NULL)
        return memory_copy_string(options->archive);
    autofree_string char *state = state_folder();
    autofree_string char *folder = path_join(state, "images");
    return file_exists(folder) ? TAKE(folder) : NULL;
}

bool image_finder_init(struct image_finder *self, struct engine *engine,
                       const struct image_options *options, struct error *err) {
    autodone(engine_facts) struct engine_facts facts = {0};
    if (!engine_facts(engine, &facts, err))
        return false;
    *self = (struct image_finder){
        .engine = engine,
        .options = options,
        .architecture = memory_copy_string(image_architecture(facts.architecture)),
        .registries = registries_new(),
        .archive_folder = find_archive_folder(options),
    };
    check(pthread_mutex_init(&self->lock, NULL) == 0);
    check(pthread_mutex_init(&self->base_lock, NULL) == 0);
    return true;
}

void image_finder_done(struct image_finder *self) {
    if (self == NULL || self->engine == NULL)
        return;
    free(self->architecture);
    free(self->archive_folder);
    free(self->archive_problem);
    free(self->base);
    image_archive_free(self->archive);
    registries_free(self->registries);
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->base_lock);
    *self = (struct image_finder){0};
}

struct image_archive *image_finder_archive(struct image_finder *self) {
    pthread_mutex_lock(&self->lock);
    if (self->archive == NULL && self->archive_problem == NULL && self->archive_folder != NULL) {
        struct error err = {0};
        if (!image_archive_open(self->archive_folder, &self->archive, &err))
            self->archive_problem = memory_copy_string(err.message);
    }
    struct image_archive *archive = self->archive;
    pthread_mutex_unlock(&self->lock);
    return archive;
}

bool image_finder_base(struct image_finder *self, char **ret_base, struct error *err) {
    pthread_mutex_lock(&self->base_lock);
    if (!self->base_tried) {
        self->base_tried = true;
        if (!base_image_ensure(self->engine, self->options, self->registries, &self->base,
                               &self->base_problem))
            self->base = NULL;
    }
    const bool made = self->base != NULL;
    if (made)
        *ret_base = memory_copy_string(self->base);
    else if (err != NULL)
        *err = self->base_problem;
    pthread_mutex_unlock(&self->base_lock);
    return made;
}
