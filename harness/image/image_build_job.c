#include "image/image_build_job.h"

#include "base/memory.h"
#include "engine/image.h"
#include "image/build_context.h"
#include "image/build_lock.h"
#include "image/old_images.h"
#include "image/recipe.h"

#include <string.h>

void image_report(const struct image_options *options, const char *image, const char *state,
                  const char *detail) {
    if (options->progress != NULL)
        options->progress(options->context, image, state, detail);
}

static void on_waiting(void *context) {
    const struct image_build_job *job = context;
    image_report(job->options, job->reference, "waiting", "another build of it is under way");
}

static void on_build_line(void *context, const char *line, int64_t done_bytes,
                          int64_t total_bytes) {
    (void)done_bytes;
    (void)total_bytes;
    const struct image_build_job *job = context;
    char step[RECIPE_STEP_SIZE];
    if (recipe_step(line, step))
        image_report(job->options, job->reference, "building", step);
}

bool image_build_once(const struct image_build_job *job,
                      bool (*make)(const struct image_build_job *job, void *context,
                                   struct error *err),
                      void *context, struct error *err) {
    bool present = false;
    if (!image_exists(job->engine, job->reference, &present, err))
        return false;
    old_images_used(job->reference);
    if (present)
        return true;

    autofree_string char *lock_name = memory_format("recipe-%s", job->recipe);
    autoclose_fd int lock = -1;
    struct image_build_job shared = *job;
    if (!build_lock_take(lock_name, job->options->cancel, on_waiting, &shared, &lock, err) ||
        !image_exists(job->engine, job->reference, &present, err))
        return false;
    if (present)
        return true;
    image_report(job->options, job->reference, "building", NULL);
    if (!cancel_check(job->options->cancel, err) || !make(job, context, err))
        return false;
    autofree_string char *repository = memory_format("assay/%s", job->recipe);
    autofree_string char *label = memory_format("io.assay.recipe=%s", job->recipe);
    old_images_remove(job->engine, repository, label, job->reference, OLD_IMAGES_KEPT_S);
    return true;
}

bool image_build_folder(const struct image_build_job *job, const char *folder,
                        const char *dockerfile, const char *base, struct error *err) {
    autodone(build_context) struct build_context context = {0};
    if (!build_context_open(folder, dockerfile, base, &context, err))
        return false;
    autofree_string char *recipe_label = memory_format("io.assay.recipe=%s", job->recipe);
    autofree_string char *hash_label =
        memory_format("io.assay.hash=%s", strrchr(job->reference, ':') + 1);
    const char *const labels[] = {recipe_label, hash_label, NULL};
    struct image_build_job shared = *job;
    const struct image_progress progress = {.report = on_build_line, .context = &shared};
    const struct image_build build = {
        .context_fd = context.fd,
        .tag = job->reference,
        .build_arguments = (const char *const *)context.arguments.items,
        .network = job->options->host_network ? "host" : NULL,
        .labels = labels,
    };
    return image_build(job->engine, &build, &progress, err) ||
           error_prefix(err, "building %s", job->reference);
}
